"""What people type about a job that runs, or ran, on whatever engine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from fakes.farm_shots import write_document, write_plate
from masklet.commands import farm_job
from masklet.errors import BadInputError
from masklet.farm.places import JobPlaces
from masklet.farm.request import FarmRequest
from masklet.farm.results import ShotResult, keep_result
from masklet.farm.submitting import submit
from masklet.farm.task_states import TaskPhase, TaskState, keep_state, read_state


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A job of two shots that nobody has begun."""
    clip = write_plate(tmp_path / "plates")
    documents = [write_document(tmp_path / f"{name}.masklet.json", str(clip)) for name in ("one", "two")]
    return submit(documents, FarmRequest(), tmp_path / "job").bundle


def _state(bundle: Path, shot: str, stage: str, phase: TaskPhase, **others: object) -> None:
    state = TaskState(shot, stage, 1 if stage == "track" else 0, phase)
    keep_state(JobPlaces(bundle / "out").states, replace(state, **others))  # type: ignore[arg-type]


def _done(bundle: Path, shot: str) -> None:
    for stage in ("track", "mattes", "check"):
        _state(bundle, shot, stage, TaskPhase.DONE)
    keep_result(JobPlaces(bundle / "out"), ShotResult(shot, "k", True, "checked: nothing is wrong"))


def _meanwhile(monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]) -> None:
    """What happens on the farm between two looks of ``watch``."""
    left: Iterator[Callable[[], object]] = iter(steps)

    def pass_time(seconds: float) -> None:
        next(left)()

    monkeypatch.setattr("masklet.commands.farm_job.time.sleep", pass_time)


def test_watch_tells_each_news_once_until_the_job_is_done(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _meanwhile(
        monkeypatch,
        lambda: _state(
            bundle, "one", "track", TaskPhase.RUNNING, done=6, total=12, words="tracking", attempt=1
        ),
        lambda: None,
        lambda: _done(bundle, "one"),
        lambda: _done(bundle, "two"),
    )
    farm_job.watch(bundle)
    assert capsys.readouterr().err.splitlines() == [
        *("one: waiting", "two: waiting"),
        "one: track, 50 %: tracking",
        *("one: checked: nothing is wrong", "two: checked: nothing is wrong"),
    ]


def test_watch_ends_with_a_failure_where_a_shot_failed(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _done(bundle, "one")
    _state(bundle, "two", "mattes", TaskPhase.FAILED, words="the share is full")
    with pytest.raises(typer.Exit) as ended:
        farm_job.watch(bundle)
    assert ended.value.exit_code == 1
    assert "two: the share is full" in capsys.readouterr().err


def test_watch_ends_when_a_job_was_cancelled_and_nobody_is_at_it_any_more(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _state(bundle, "one", "track", TaskPhase.RUNNING)
    _meanwhile(
        monkeypatch,
        lambda: farm_job.cancel(bundle),
        lambda: _state(bundle, "one", "track", TaskPhase.STOPPED, words="stopped; 4 of 12 are kept"),
    )
    with pytest.raises(typer.Exit):
        farm_job.watch(bundle)
    told = capsys.readouterr().err
    assert "workers stop after the frame in hand" in told
    assert told.splitlines()[-2:] == [
        "one: stopped; 4 of 12 are kept",
        "the job was cancelled; masklet farm run goes on",
    ]


def test_watch_says_when_a_worker_has_not_been_heard_of_for_long_whatever_its_clock_says(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now_s = [0.0]
    monkeypatch.setattr("masklet.commands.farm_job.time.monotonic", lambda: now_s[0])
    _state(bundle, "one", "track", TaskPhase.RUNNING, worker="node7")

    def silent() -> None:
        now_s[0] += 400.0

    def an_hour_behind() -> None:
        _state(bundle, "one", "track", TaskPhase.RUNNING, worker="node7", beat=8)
        state = JobPlaces(bundle / "out").states / "one.track.1.json"
        content = json.loads(state.read_text())
        state.write_text(json.dumps({**content, "told_at": "2001-01-01T00:00:00+00:00"}))
        now_s[0] += 400.0

    def done() -> None:
        _done(bundle, "one")
        _done(bundle, "two")

    _meanwhile(monkeypatch, silent, an_hour_behind, done)
    farm_job.watch(bundle)
    told = capsys.readouterr().err.splitlines()
    assert sum("no word from node7 for 5 min, it may be lost" in line for line in told) == 1


def test_report_tells_every_shot_writes_the_page_and_counts_for_scripts(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _done(bundle, "one")
    _state(bundle, "two", "check", TaskPhase.FAILED, words="hero flickers on 1005")
    keep_result(
        JobPlaces(bundle / "out"),
        ShotResult("two", "k", False, "hero flickers on 1005", (("flicker", "hero flickers on 1005"),)),
    )
    with pytest.raises(typer.Exit):
        farm_job.report(bundle, as_json=True)
    told = capsys.readouterr()
    content = json.loads(told.out)
    assert [(shot["name"], shot["phase"]) for shot in content["shots"]] == [
        ("one", "done"),
        ("two", "failed"),
    ]
    assert content["shots"][1]["problems"] == [{"check": "flicker", "words": "hero flickers on 1005"}]
    assert "1 of 2 shots are done, 1 need somebody" in told.err
    assert "hero flickers on 1005" in (bundle / "out" / "report.html").read_text()


def test_retry_accepts_what_was_looked_at_for_that_shot_alone(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[Path, int]] = []
    monkeypatch.setattr(farm_job, "run", lambda job, workers, as_json: ran.append((job, workers)))
    _done(bundle, "one")
    _state(bundle, "two", "track", TaskPhase.DONE)
    _state(bundle, "two", "mattes", TaskPhase.DONE)
    _state(bundle, "two", "check", TaskPhase.FAILED, words="hero flickers", attempt=1)
    with pytest.raises(BadInputError, match="name them with --shot"):
        farm_job.retry(bundle, accepting=["flicker"])
    with pytest.raises(BadInputError, match=r"there is no check 'flickr': accept one of range-complete"):
        farm_job.retry(bundle, ["two"], ["flickr"])
    with pytest.raises(BadInputError, match=r"the job has no shot 'three', but one, two"):
        farm_job.retry(bundle, ["three"], ["flicker"])
    farm_job.retry(bundle, ["two"], ["flicker"], workers=2)
    places = JobPlaces(bundle / "out")
    assert ran == [(bundle, 2)]
    assert json.loads(places.accepted("two").read_text()) == {"checks": ["flicker"]}
    assert not places.accepted("one").exists()
    assert read_state(places.states, "two", "check").phase is TaskPhase.WAITING
    assert read_state(places.states, "one", "check").phase is TaskPhase.DONE


def test_a_page_that_cannot_be_written_is_said(bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    JobPlaces(bundle / "out").report.mkdir()
    with pytest.raises(typer.Exit):
        farm_job.report(bundle)
    assert "report.html cannot be written: make room on the share" in capsys.readouterr().err
