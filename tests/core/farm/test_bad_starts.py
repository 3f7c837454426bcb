"""Servers that do not start for a while: a run ends only where none starts at all."""

from __future__ import annotations

import queue
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import pytest

from fakes.farm_shots import write_document, write_plate
from masklet.farm.places import JobPlaces
from masklet.farm.request import FarmRequest
from masklet.farm.running import run
from masklet.farm.running.opened_job import EngineTask
from masklet.farm.running.run import JobRun
from masklet.farm.running.worker_processes import WorkerProcess
from masklet.farm.submitting import submit
from masklet.farm.task_states import TaskPhase, TaskState, keep_state


@dataclass
class _Workers:
    """Stands for the workers of a run: what becomes of each task that is given out is said before."""

    ends: list[str]
    finish: Callable[[EngineTask], None]
    alive: dict[int, WorkerProcess] = field(default_factory=dict)
    events: queue.Queue[tuple[int, dict[str, str] | None]] = field(default_factory=queue.Queue)
    started: int = 0

    def start(self) -> WorkerProcess:
        self.started += 1
        process = cast("subprocess.Popen[str]", None)
        worker = self.alive[self.started] = WorkerProcess(self.started, process)
        return worker

    def give(self, worker: WorkerProcess, task: EngineTask) -> None:
        worker.task = task
        ended = self.ends.pop(0)
        if ended == "success":
            self.finish(task)
        self.events.put((worker.number, {"ended": ended, "words": ""}))

    def end(self, worker: WorkerProcess) -> None:
        worker.is_ending = True
        self.events.put((worker.number, None))

    def has_ended(self, worker: WorkerProcess) -> None:
        del self.alive[worker.number]

    def wait_for_all(self) -> None:
        self.alive.clear()


@pytest.fixture
def ends_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., bool]:
    """Whether a run of one shot in three tasks is done, with what becomes of each attempt."""
    clip = write_plate(tmp_path / "plates")
    document = write_document(tmp_path / "shot.masklet.json", str(clip))
    bundle = submit([document], FarmRequest(), tmp_path / "job").bundle
    places = JobPlaces(bundle / "out")

    def finish(task: EngineTask) -> None:
        shot, _, stage = task.step.rpartition(" ")
        state = TaskState(shot, stage, 1 if stage == "track" else 0)
        keep_state(places.states, replace(state, phase=TaskPhase.DONE))

    def ended(*ends: str, workers: int) -> bool:
        monkeypatch.setattr(run, "WorkerProcesses", lambda opened: _Workers(list(ends), finish))
        return JobRun(bundle, workers, lambda words: None).run()

    return ended


_BAD = ("environment",) * run.MOST_LOSSES


def test_bad_starts_between_which_tasks_were_done_do_not_end_a_run(ends_with: Callable[..., bool]) -> None:
    few = _BAD[1:]
    assert ends_with(*few, "success", *few, "success", *few, "success", workers=1)


def test_a_slot_that_had_no_server_comes_back_once_servers_start(ends_with: Callable[..., bool]) -> None:
    assert ends_with(*_BAD, "success", *_BAD, "success", "success", workers=2)


def test_a_run_whose_servers_never_start_ends(ends_with: Callable[..., bool]) -> None:
    assert not ends_with(*_BAD, *_BAD, workers=2)
