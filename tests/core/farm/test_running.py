"""Jobs on this machine by the real OpenJD packages; tasks are those of a stand-in, which is quick."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from fakes import farm_program
from fakes.farm_shots import write_document, write_plate
from masklet.farm.job import read_job
from masklet.farm.places import JobPlaces
from masklet.farm.report import shot_reports
from masklet.farm.request import FarmRequest
from masklet.farm.retrying import make_ready
from masklet.farm.running.run import JobRun
from masklet.farm.submitting import TEMPLATE_FILE, submit
from masklet.farm.task_states import TaskPhase, read_state

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script with a first line")


@pytest.fixture
def program(tmp_path: Path) -> str:
    file = tmp_path / "masklet"
    own = Path(farm_program.__file__)
    file.write_text(f'#!/bin/sh\nPYTHONPATH="{own.parents[1]}" exec "{sys.executable}" "{own}" "$@"\n')
    file.chmod(0o755)
    return str(file)


def _job(tmp_path: Path, shots: int = 1, **behaviour: str) -> Path:
    clip = write_plate(tmp_path / "plates")
    documents = [write_document(tmp_path / f"shot{n}.masklet.json", str(clip)) for n in range(1, shots + 1)]
    bundle = submit(documents, FarmRequest(), tmp_path / "job").bundle
    _behave(bundle, behaviour)
    return bundle


def _behave(bundle: Path, behaviour: dict[str, str]) -> None:
    (bundle / "behaviour.json").write_text(json.dumps(behaviour))


def _run(bundle: Path, program: str, workers: int = 1) -> tuple[bool, list[str]]:
    said: list[str] = []
    return JobRun(bundle, workers, said.append, program=program).run(), said


def _phases(bundle: Path) -> dict[str, TaskPhase]:
    reports = shot_reports(read_job(bundle), JobPlaces(bundle / "out"))
    return {f"{each.shot.name} {state.stage}": state.phase for each in reports for state in each.states}


def test_shots_go_through_their_steps_and_are_not_done_twice(tmp_path: Path, program: str) -> None:
    bundle = _job(tmp_path, shots=2)
    is_done, _ = _run(bundle, program)
    assert is_done
    assert set(_phases(bundle).values()) == {TaskPhase.DONE}
    calls = (bundle / "calls.log").read_text().splitlines()
    for shot in ("shot1", "shot2"):
        own = [call.split()[1] for call in calls if call.startswith(shot)]
        assert own == ["track", "mattes", "check"]
    assert "2 of 2 shots are done" in (bundle / "out" / "report.html").read_text()
    is_done, said = _run(bundle, program)
    assert is_done
    assert said[0].startswith("nothing is left to do")
    assert (bundle / "calls.log").read_text().splitlines() == calls


def test_a_shot_that_fails_holds_no_other_up_and_goes_on_after_retry(tmp_path: Path, program: str) -> None:
    bundle = _job(tmp_path, shots=2)
    _behave(bundle, {"shot1 mattes": "fail"})
    is_done, said = _run(bundle, program)
    assert not is_done
    phases = _phases(bundle)
    assert phases["shot1 mattes"] is TaskPhase.FAILED
    assert phases["shot1 check"] is TaskPhase.WAITING
    assert phases["shot2 check"] is TaskPhase.DONE
    assert any("shot1 mattes failed: the plate is not there: put it back" in each for each in said)
    _behave(bundle, {})
    make_ready(read_job(bundle), JobPlaces(bundle / "out"))
    assert _run(bundle, program)[0]
    calls = (bundle / "calls.log").read_text().splitlines()
    assert calls.count("shot1 mattes") == 2
    assert calls.count("shot2 mattes") == 1


def test_a_task_that_takes_too_long_keeps_what_it_has_and_goes_on_from_there(
    tmp_path: Path, program: str
) -> None:
    bundle = _job(tmp_path, track="slow")
    template = json.loads((bundle / TEMPLATE_FILE).read_text())
    template["steps"][0]["script"]["actions"]["onRun"]["timeout"] = 15
    (bundle / TEMPLATE_FILE).write_text(json.dumps(template))
    is_done, said = _run(bundle, program)
    assert not is_done
    assert any("took longer than it may; what was finished is kept: stopped;" in each for each in said)
    kept = int((bundle / "out" / "shot1.kept").read_text())
    assert kept > 0
    _behave(bundle, {"track": "rest"})
    make_ready(read_job(bundle), JobPlaces(bundle / "out"))
    assert _run(bundle, program)[0]
    assert read_state(JobPlaces(bundle / "out").states, "shot1", "track", 1).reused == kept


def test_a_job_that_is_cancelled_keeps_what_is_finished(tmp_path: Path, program: str) -> None:
    bundle = _job(tmp_path, track="slow")
    places = JobPlaces(bundle / "out")

    def cancel() -> None:
        until_s = time.monotonic() + 30
        while time.monotonic() < until_s:
            if read_state(places.states, "shot1", "track", 1).done:
                places.cancelled.touch()
                return
            time.sleep(0.05)

    threading.Thread(target=cancel).start()
    is_done, said = _run(bundle, program)
    assert not is_done
    assert "the job was cancelled: workers keep what is finished" in said
    assert _phases(bundle)["shot1 track"] is TaskPhase.STOPPED
    assert int((bundle / "out" / "shot1.kept").read_text()) > 0
    # What runs next goes on, without a word of the cancellation before.
    _behave(bundle, {})
    assert _run(bundle, program)[0]


def test_a_worker_that_is_lost_costs_one_retry(tmp_path: Path, program: str) -> None:
    bundle = _job(tmp_path, shots=2)
    _behave(bundle, {"shot1 mattes": "lost-once"})
    is_done, said = _run(bundle, program, workers=2)
    assert is_done
    assert [each for each in said if "was lost" in each] == [
        next(each for each in said if "was lost; shot1 mattes is given to another" in each)
    ]
    calls = (bundle / "calls.log").read_text().splitlines()
    assert calls.count("shot1 mattes") == 2
    assert calls.count("shot1 track") == 1


def test_a_task_that_loses_every_worker_fails_with_a_sentence(tmp_path: Path, program: str) -> None:
    bundle = _job(tmp_path, track="lost")
    is_done, said = _run(bundle, program)
    assert not is_done
    assert any("its worker was lost 3 times: see out/work/logs" in each for each in said)
    assert _phases(bundle)["shot1 track"] is TaskPhase.FAILED
