"""A job, run on this machine by some workers: what is ready is given out, what is lost is given out again."""

from __future__ import annotations

import queue
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from masklet.errors import OutputError
from masklet.farm.job import read_job
from masklet.farm.places import JobPlaces
from masklet.farm.report import shot_reports, summed_up, write_report
from masklet.farm.running.only_run import only_run
from masklet.farm.running.opened_job import open_bundle
from masklet.farm.running.task_board import TaskBoard
from masklet.farm.running.worker_processes import WORKER_LOGS, WorkerProcesses
from masklet.farm.task_states import TaskPhase, TaskState, keep_state, read_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from masklet.farm.job import FarmJob
    from masklet.farm.running.opened_job import EngineTask, OpenedJob
    from masklet.farm.running.worker_processes import WorkerProcess

MOST_LOSSES = 3
"""How often a task may lose its worker: after that it is the task's own fault."""
_POLL_S = 0.5


@dataclass
class JobRun:
    """A run of a job.

    Attributes:
        bundle: The job.
        workers: How many sessions run at a time; each has a server of its own.
        say: Told what goes on, a sentence each.
        on_progress: Told, now and then, the frames that are tracked and those in all.
        program: The masklet that tasks call; None for the one of this Python.
    """

    bundle: Path
    workers: int = 1
    say: Callable[[str], None] = print
    on_progress: Callable[[int, int], None] = lambda done, total: None
    program: str | None = None
    _opened: OpenedJob = field(init=False)
    _job: FarmJob = field(init=False)
    _places: JobPlaces = field(init=False)
    _board: TaskBoard = field(init=False)
    _workers: WorkerProcesses = field(init=False)
    _losses: dict[EngineTask, int] = field(init=False, default_factory=dict)
    _tracked: dict[EngineTask, int] = field(init=False, default_factory=dict)
    _slots: int = field(init=False)
    _bad_starts: int = field(init=False, default=0)
    _ending: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._job = read_job(self.bundle)
        self._opened = open_bundle(self.bundle, program=self.program)
        self._places = JobPlaces(self._opened.out)
        self._board = TaskBoard(self._opened, self._job)
        self._workers = WorkerProcesses(self._opened)
        self._slots = self.workers

    def run(self) -> bool:
        """Run all that is not done yet; True where every shot is done.

        Raises:
            BadInputError: Another run of the job is at work.
            OutputError: The share takes no files.
            KeyboardInterrupt: It was stopped; workers have kept what they had finished.
        """
        with only_run(self._places):
            self._run()
        reports = shot_reports(self._job, self._places)
        self.say(summed_up(reports))
        return all(report.phase is TaskPhase.DONE for report in reports)

    def _run(self) -> None:
        with suppress(OSError):
            self._places.cancelled.unlink()
        self._look()
        if not self._board.has_waiting:
            self.say("nothing is left to do; masklet farm retry does again what failed")
        try:
            while self._board.has_waiting or self._is_busy:
                if not self._ending and self._places.cancelled.exists():
                    self.say("the job was cancelled: workers keep what is finished")
                    self._end_workers()
                self._give_out()
                if not self._workers.alive:
                    break
                with suppress(queue.Empty):
                    self._take(*self._workers.events.get(timeout=_POLL_S))
                self._tell_progress()
        except KeyboardInterrupt:
            self.say("stopping: workers keep what is finished, which may take a minute")
            raise
        finally:
            self._end_workers()
            self._workers.wait_for_all()
            write_report(self._job, self._places)

    @property
    def _is_busy(self) -> bool:
        return any(each.task for each in self._workers.alive.values())

    def _look(self) -> None:
        """See what is done; what failed waits for ``retry``."""
        for task in self._board:
            state = self._state(task)
            if self._board.name(task).stage == "track":
                self._tracked[task] = state.done
            if state.phase is TaskPhase.DONE:
                self._board.finish(task)
            elif state.phase is not TaskPhase.FAILED or state.is_lost:
                self._board.wait(task)

    def _state(self, task: EngineTask) -> TaskState:
        name = self._board.name(task)
        return read_state(self._places.states, name.shot, name.stage, name.piece)

    def _give_out(self) -> None:
        if self._ending:
            self._board.wait_for_nothing()
            return
        alive = self._workers.alive
        idle = [each for each in alive.values() if each.is_idle]
        ready = self._board.ready()
        if not ready and not self._is_busy:
            # What is left hangs on what failed.
            self._board.wait_for_nothing()
            return
        for task in ready:
            if not idle:
                if len(alive) >= self._slots:
                    return
                idle = [self._workers.start()]
            worker = idle.pop()
            self._board.take(task)
            self.say(f"{self._board.shown(task)} begins on worker {worker.number}")
            self._workers.give(worker, task)

    def _take(self, number: int, told: dict[str, Any] | None) -> None:
        worker = self._workers.alive.get(number)
        if worker is None:
            return
        task, worker.task = worker.task, None
        if told is None:
            self._workers.has_ended(worker)
            if task is not None:
                self._lost(worker, task)
            return
        if task is None:
            return
        state = self._state(task)
        name = self._board.shown(task)
        if task in self._tracked:
            self._tracked[task] = state.done
        is_stopping = self._ending or self._places.cancelled.exists()
        if state.phase is TaskPhase.DONE and told["ended"] == "success":
            self._board.finish(task)
            # Servers start again: what kept them from it, hours ago, is over.
            self._bad_starts, self._slots = 0, self.workers
            self.say(f"{name} is done")
        elif is_stopping and state.phase is not TaskPhase.FAILED:
            # Its server, too, may have been told to end before it had begun.
            self.say(f"{name} was stopped")
        elif told["ended"] == "environment":
            self._without_server(worker, task, str(told["words"]) or "no server could be started")
        elif told["ended"] == "timeout":
            self._fail(task, f"{name} took longer than it may; what was finished is kept: {state.words}")
        elif state.phase is TaskPhase.FAILED and state.is_lost:
            self._give_again(task, state.words)
        elif state.phase is TaskPhase.FAILED or told["ended"] == "success":
            self._fail(task, state.words or str(told["words"]))
        elif told["words"] and state.phase is not TaskPhase.STOPPED:
            # It could not say so on the share, which may be full.
            self._fail(task, str(told["words"]))
        else:
            self._give_again(task, "it ended without a word")

    def _fail(self, task: EngineTask, words: str) -> None:
        state = self._state(task)
        if state.phase is not TaskPhase.FAILED or state.words != words:
            # Of a full share people hear here; the task is given out again by the next run.
            with suppress(OutputError):
                failed = replace(state, phase=TaskPhase.FAILED, words=words, is_lost=False)
                keep_state(self._places.states, failed)
        self.say(f"{self._board.shown(task)} failed: {words}")

    def _without_server(self, worker: WorkerProcess, task: EngineTask, words: str) -> None:
        """A worker without a server takes no more tasks: it would fail a whole night, one by one."""
        self._workers.end(worker)
        self.say(f"worker {worker.number} has no server: {words}")
        self._bad_starts += 1
        if self._bad_starts % MOST_LOSSES == 0:
            self._slots -= 1
        if self._slots:
            self._board.wait(task)
            return
        self._fail(task, words)
        self.say("no worker can start a server: see to that, then masklet farm retry")
        self._board.wait_for_nothing()

    def _lost(self, worker: WorkerProcess, task: EngineTask) -> None:
        if not self._ending:
            self._give_again(task, f"worker {worker.number} was lost")

    def _give_again(self, task: EngineTask, words: str) -> None:
        """A machine, a server or a process was lost, which is not the task's fault until it happens often."""
        losses = self._losses[task] = self._losses.get(task, 0) + 1
        if losses >= MOST_LOSSES:
            again = f"see {WORKER_LOGS}, then masklet farm retry"
            self._fail(task, f"it was lost {losses} times, at last as {words}: {again}")
            return
        self.say(f"{self._board.shown(task)} is given out again: {words}")
        state = self._state(task)
        if state.phase is TaskPhase.FAILED:
            # Whoever stops the run now finds a task that waits.
            with suppress(OutputError):
                keep_state(self._places.states, replace(state, phase=TaskPhase.WAITING, is_lost=False))
        self._board.wait(task)

    def _tell_progress(self) -> None:
        """Frames that are tracked: only tasks that are at work have news."""
        for worker in self._workers.alive.values():
            if worker.task in self._tracked:
                self._tracked[worker.task] = self._state(worker.task).done
        total = sum(piece.frames * len(piece.objects) for shot in self._job.shots for piece in shot.pieces)
        self.on_progress(sum(self._tracked.values()), total)

    def _end_workers(self) -> None:
        if self._ending:
            return
        self._ending = True
        for worker in self._workers.alive.values():
            self._workers.end(worker)
