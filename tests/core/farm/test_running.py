"""A job on this machine by the real OpenJD packages; tasks are those of a stand-in, which is quick.

One night is run for all of these: two workers, and four shots of which one fails, one loses its worker, one
loses every worker and one takes too long; a server and a task end by themselves, too. The night after it is
cancelled, and a third one ends.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fakes import farm_program
from fakes.farm_shots import write_document, write_plate
from masklet.commands.farm_job import cancel
from masklet.farm.job import read_job
from masklet.farm.places import JobPlaces
from masklet.farm.report import shot_reports
from masklet.farm.request import FarmRequest
from masklet.farm.retrying import make_ready
from masklet.farm.running import run
from masklet.farm.running.run import JobRun
from masklet.farm.submitting import TEMPLATE_FILE, submit
from masklet.farm.task_states import TaskPhase, TaskState, read_state
from small_disk import fill, small_disk

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a first line")

_SHOTS = ("unlucky", "spoilt", "doomed", "endless")
_TIME_LIMIT_S = 12
"""Of the shot that takes too long: enough for a Python to start on a busy machine."""


@dataclass
class _Run:
    """What was seen of one run."""

    is_done: bool
    said: list[str]
    states: dict[str, TaskState]
    calls: list[str]
    kept: int
    page: str


@dataclass
class _Nights:
    """A job and the runs of it."""

    bundle: Path
    program: str
    runs: list[_Run] = field(default_factory=list)

    @property
    def places(self) -> JobPlaces:
        return JobPlaces(self.bundle / "out")

    def behave(self, **behaviour: str) -> None:
        said = {key.replace("_", " "): word for key, word in behaviour.items()}
        (self.bundle / "behaviour.json").write_text(json.dumps(said))

    def run(self, workers: int = 1) -> None:
        log = self.bundle / "calls.log"
        before = len(log.read_text().splitlines()) if log.is_file() else 0
        said: list[str] = []
        is_done = JobRun(self.bundle, workers, said.append, program=self.program).run()
        reports = shot_reports(read_job(self.bundle), self.places)
        kept = self.places.out / "endless.kept"
        self.runs.append(
            _Run(
                is_done,
                said,
                {f"{each.shot.name} {state.stage}": state for each in reports for state in each.states},
                log.read_text().splitlines()[before:],
                int(kept.read_text()) if kept.is_file() else 0,
                self.places.report.read_text(),
            )
        )


def _cancel_when_it_goes_on(nights: _Nights) -> None:
    until_s = time.monotonic() + 60
    while time.monotonic() < until_s:
        state = read_state(nights.places.states, "endless", "track", 1)
        if state.phase is TaskPhase.RUNNING and state.done > state.reused:
            break
        time.sleep(0.05)
    cancel(nights.bundle)


def _submitted(folder: Path, shots: tuple[str, ...], entering: str) -> _Nights:
    """A job whose workers do this when they enter their environment."""
    program = folder / "masklet"
    own = Path(farm_program.__file__)
    program.write_text(
        f'#!/bin/sh\ncase "$2" in enter) {entering};; leave) exit 0;; esac\n'
        f'PYTHONPATH="{own.parents[1]}" exec "{sys.executable}" "{own}" "$@"\n'
    )
    program.chmod(0o755)
    clip = write_plate(folder / "plates")
    documents = [write_document(folder / f"{name}.masklet.json", str(clip)) for name in shots]
    return _Nights(submit(documents, FarmRequest(), folder / "job").bundle, str(program))


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> _Nights:
    folder = tmp_path_factory.mktemp("nights")
    found = _submitted(folder, _SHOTS, "echo openjd_env: MASKLET_FARM_SERVER=nowhere; exit 0")
    template = json.loads((found.bundle / TEMPLATE_FILE).read_text())
    for step in template["steps"]:
        if step["name"] == "endless track":
            step["script"]["actions"]["onRun"]["timeout"] = _TIME_LIMIT_S
    (found.bundle / TEMPLATE_FILE).write_text(json.dumps(template))

    trouble = {"spoilt_mattes": "fail", "unlucky_mattes": "lost-once", "doomed_track": "lost"}
    trouble |= {"unlucky_check": "silent-once", "spoilt_track": "server-lost-once"}
    found.behave(**trouble, endless_track="slow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "MOST_LOSSES", 2)
        found.run(workers=2)
    make_ready(read_job(found.bundle), found.places)
    found.behave(endless_track="slow")
    canceller = threading.Thread(target=_cancel_when_it_goes_on, args=(found,))
    canceller.start()
    found.run()
    canceller.join()
    # What runs next goes on, without a word of the cancellation before.
    found.behave(endless_track="rest")
    found.run()
    found.run()
    return found


def test_shots_go_through_their_steps_in_turn(nights: _Nights) -> None:
    first, second, third, _ = nights.runs
    calls = [*first.calls, *second.calls, *third.calls]
    assert [call.split()[1] for call in calls if call.startswith("doomed ")] == [
        *("track", "track"),
        *("track", "mattes", "check"),
    ]
    assert not first.is_done


def test_a_shot_that_fails_holds_no_other_up_and_goes_on_after_retry(nights: _Nights) -> None:
    first, second, third, _ = nights.runs
    assert first.states["spoilt mattes"].phase is TaskPhase.FAILED
    assert first.states["spoilt check"].phase is TaskPhase.WAITING
    assert first.states["unlucky check"].phase is TaskPhase.DONE
    assert any("spoilt mattes failed: the plate is not there: put it back" in each for each in first.said)
    assert third.states["spoilt check"].phase is TaskPhase.DONE
    assert [*first.calls, *second.calls, *third.calls].count("spoilt mattes") == 2


def test_a_worker_that_is_lost_costs_one_retry(nights: _Nights) -> None:
    first = nights.runs[0]
    assert sum("unlucky mattes is given out again: worker" in each for each in first.said) == 1
    assert first.states["unlucky check"].phase is TaskPhase.DONE
    assert first.calls.count("unlucky mattes") == 2
    assert first.calls.count("unlucky track") == 1


def test_a_server_or_a_process_that_is_lost_costs_one_retry_too(nights: _Nights) -> None:
    first = nights.runs[0]
    for task, words in (
        ("spoilt track", "masklet's own server stopped in mid-work"),
        ("unlucky check", "it ended without a word"),
    ):
        assert f"{task} is given out again: {words}" in first.said
        assert first.calls.count(task) == 2
        assert first.states[task].phase is TaskPhase.DONE


def test_a_task_that_loses_every_worker_fails_with_a_sentence(nights: _Nights) -> None:
    first = nights.runs[0]
    assert any("it was lost 2 times, at last as worker" in each for each in first.said)
    assert first.calls.count("doomed track") == 2
    assert first.states["doomed track"].phase is TaskPhase.FAILED


def test_a_task_that_takes_too_long_keeps_what_it_has_and_goes_on_from_there(nights: _Nights) -> None:
    first, second, *_ = nights.runs
    assert any("took longer than it may; what was finished is kept: stopped;" in each for each in first.said)
    assert first.states["endless track"].phase is TaskPhase.FAILED
    assert first.kept > 0
    assert second.states["endless track"].reused == first.kept


def test_a_job_that_is_cancelled_keeps_what_is_finished(nights: _Nights) -> None:
    first, second, third, _ = nights.runs
    assert not second.is_done
    assert "the job was cancelled: workers keep what is finished" in second.said
    assert second.states["endless track"].phase is TaskPhase.STOPPED
    assert second.kept > first.kept
    assert third.is_done
    assert third.states["endless track"].reused == second.kept


def test_what_is_done_is_not_done_twice(nights: _Nights) -> None:
    *_, third, fourth = nights.runs
    assert {state.phase for state in third.states.values()} == {TaskPhase.DONE}
    assert "4 of 4 shots are done" in third.page
    assert not any(call.startswith("unlucky") for call in third.calls)
    assert fourth.is_done
    assert fourth.said[0].startswith("nothing is left to do")
    assert fourth.calls == []


def test_a_worker_that_gets_no_server_fails_one_shot_and_not_the_whole_night(tmp_path: Path) -> None:
    words = "there are no weights called large"
    night = _submitted(tmp_path, ("one", "two"), f"echo openjd_fail: {words}; exit 1")
    said: list[str] = []
    assert not JobRun(night.bundle, 1, said.append, program=night.program).run()
    # Tried again, as a machine may be short of memory for a minute; then somebody has to see to it.
    assert sum(each.endswith(f"has no server: {words}") for each in said) == run.MOST_LOSSES
    assert "no worker can start a server: see to that, then masklet farm retry" in said
    one, two = (read_state(night.places.states, shot, "track", 1) for shot in ("one", "two"))
    assert {one.phase, two.phase} == {TaskPhase.FAILED, TaskPhase.WAITING}
    assert words in (one.words, two.words)


def test_a_share_that_is_full_is_said_and_the_next_run_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path / "share", kilobytes=512) as share:
        if share is None:
            pytest.skip("this user may mount nothing")
        night = _submitted(share, ("one",), "echo openjd_env: MASKLET_FARM_SERVER=nowhere; exit 0")
        filler, said = fill(share), list[str]()
        assert not JobRun(night.bundle, 1, said.append, program=night.program).run()
        (told,) = (each for each in said if each.startswith("one track failed: "))
        assert "cannot be written (No space left on device)" in told
        # It could not be noted that it failed: nobody has to say retry.
        filler.unlink()
        assert JobRun(night.bundle, 1, said.append, program=night.program).run()
