"""A job, run on this machine by some workers: what is ready is given out, what is lost is given out again."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError, OutputError
from masklet.farm.job import read_job
from masklet.farm.places import JobPlaces
from masklet.farm.report import shot_reports, summed_up, write_report
from masklet.farm.running.opened_job import EngineTask, as_line, open_bundle, task_words
from masklet.farm.share import make_folder
from masklet.farm.task_states import TaskPhase, TaskState, keep_state, read_state
from masklet.farm.template import stages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from masklet.farm.job import FarmJob
    from masklet.farm.running.opened_job import OpenedJob

MOST_LOSSES = 3
"""How often a task may lose its worker: after that it is the task's own fault."""
WORKER_LOGS = "out/work/logs"
"""In the job, for people."""
_POLL_S = 0.5
_END_S = 120.0


@dataclass
class _WorkerProcess:
    """A worker as the run sees it."""

    number: int
    process: subprocess.Popen[str]
    task: EngineTask | None = None
    listener: threading.Thread | None = None


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
    _waiting: deque[EngineTask] = field(init=False, default_factory=deque)
    _events: queue.Queue[tuple[int, dict[str, Any] | None]] = field(init=False, default_factory=queue.Queue)
    _alive: dict[int, _WorkerProcess] = field(init=False, default_factory=dict)
    _losses: dict[EngineTask, int] = field(init=False, default_factory=dict)
    _finished: set[EngineTask] = field(init=False, default_factory=set)
    _started: int = field(init=False, default=0)
    _ending: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._opened = open_bundle(self.bundle, program=self.program)
        self._job = read_job(self.bundle)
        self._places = JobPlaces(self._opened.out)
        self._check_steps()

    def run(self) -> bool:
        """Run all that is not done yet; True where every shot is done.

        Raises:
            KeyboardInterrupt: It was stopped; workers have kept what they had finished.
        """
        with suppress(OSError):
            self._places.cancelled.unlink()
        self._waiting.extend(self._left())
        if not self._waiting:
            self.say("nothing is left to do; masklet farm retry does again what failed")
        try:
            while self._waiting or any(each.task for each in self._alive.values()):
                if not self._ending and self._places.cancelled.exists():
                    self.say("the job was cancelled: workers keep what is finished")
                    self._end_workers()
                self._give_out()
                if not self._alive:
                    break
                with suppress(queue.Empty):
                    self._take(*self._events.get(timeout=_POLL_S))
                self._tell_progress()
        finally:
            self._end_workers()
            self._wait_for_workers()
            write_report(self._job, self._places)
        reports = shot_reports(self._job, self._places)
        self.say(summed_up(reports))
        return all(report.phase is TaskPhase.DONE for report in reports)

    def _check_steps(self) -> None:
        """See that the template still has the steps of the job: what it has lost would never be done."""
        wanted = {f"{shot.name} {stage}" for shot in self._job.shots for stage in stages(self._job)}
        there = {step.name for step in self._opened.job.steps}
        for shot in self._job.shots:
            if f"{shot.name} track" in there:
                count = len(self._opened.tasks(f"{shot.name} track"))
                if count != len(shot.pieces):
                    raise BadInputError(
                        f"the template has {count} tasks that track {shot.name} and the job "
                        f"{len(shot.pieces)}: it was changed by hand; submit the shots again"
                    )
        if wanted != there:
            odd = sorted(wanted ^ there)
            raise BadInputError(
                f"template and job are not of each other ({', '.join(odd[:3])}): the template was changed by "
                "hand; submit the shots again"
            )

    def _left(self) -> Iterator[EngineTask]:
        """Tasks that are not done, those of a shot together; what failed waits for ``retry``."""
        for step in self._opened.job.steps:
            for place, _ in enumerate(self._opened.tasks(step.name)):
                task = EngineTask(step.name, place)
                phase = self._state(task).phase
                if phase is TaskPhase.DONE:
                    self._finished.add(task)
                elif phase is not TaskPhase.FAILED:
                    yield task

    def _state(self, task: EngineTask) -> TaskState:
        shot, _, stage = task.step.rpartition(" ")
        words = task_words(self._opened.tasks(task.step)[task.place])
        return read_state(self._places.states, shot, stage, int(words.get("Piece", 0)))

    def _is_ready(self, task: EngineTask) -> bool:
        step = next(each for each in self._opened.job.steps if each.name == task.step)
        before = [each.dependsOn for each in step.dependencies or ()]
        return all(
            EngineTask(name, place) in self._finished
            for name in before
            for place, _ in enumerate(self._opened.tasks(name))
        )

    def _give_out(self) -> None:
        if self._ending:
            self._waiting.clear()
            return
        idle = [each for each in self._alive.values() if each.task is None]
        # What comes last goes first: so shots are done one after the other.
        ready = [task for task in self._waiting if self._is_ready(task)]
        ready.sort(key=lambda task: task.step.endswith(" track"))
        busy = sum(each.task is not None for each in self._alive.values())
        if not ready and not busy:
            # What is left hangs on what failed.
            self._waiting.clear()
            return
        for task in ready:
            if not idle:
                if len(self._alive) >= self.workers:
                    return
                idle = [self._start_worker()]
            worker = idle.pop()
            self._waiting.remove(task)
            worker.task = task
            self.say(f"{task.step}{self._numbered(task)} begins on worker {worker.number}")
            self._send(worker, {"task": task.step, "place": task.place})

    def _numbered(self, task: EngineTask) -> str:
        count = len(self._opened.tasks(task.step))
        return f" {task.place + 1} of {count}" if count > 1 else ""

    def _start_worker(self) -> _WorkerProcess:
        self._started += 1
        number = self._started
        logs = self._places.out / "work" / "logs"
        make_folder(logs)
        command = [sys.executable, "-m", "masklet.farm.running.worker", str(self._opened.bundle)]
        process = subprocess.Popen(
            [
                *command,
                str(logs / f"worker-{os.getpid()}-{number}.log"),
                str(self._opened.parameters["Masklet"].value),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C is for whoever started the run, who then decides what is finished.
            start_new_session=os.name != "nt",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        worker = _WorkerProcess(number, process)
        self._alive[number] = worker
        worker.listener = threading.Thread(target=self._listen, args=(worker,), daemon=True)
        worker.listener.start()
        return worker

    def _listen(self, worker: _WorkerProcess) -> None:
        assert worker.process.stdout is not None
        with worker.process.stdout as lines:
            for line in lines:
                with suppress(ValueError):
                    self._events.put((worker.number, json.loads(line)))
        self._events.put((worker.number, None))

    def _send(self, worker: _WorkerProcess, word: dict[str, Any]) -> None:
        assert worker.process.stdin is not None
        # One that is gone is noticed by its end.
        with suppress(OSError):
            worker.process.stdin.write(as_line(word))
            worker.process.stdin.flush()

    def _take(self, number: int, told: dict[str, Any] | None) -> None:
        worker = self._alive.get(number)
        if worker is None:
            return
        task, worker.task = worker.task, None
        if told is None:
            del self._alive[number]
            _close(worker)
            worker.process.wait()
            if task is not None:
                self._lost(worker, task)
            return
        if task is None:
            return
        state = self._state(task)
        name = f"{task.step}{self._numbered(task)}"
        if state.phase is TaskPhase.DONE and told["ended"] == "success":
            self._finished.add(task)
            self.say(f"{name} is done")
        elif told["ended"] == "environment":
            self._fail(task, str(told["words"]) or "no server could be started")
        elif told["ended"] == "timeout":
            self._fail(task, f"{name} took longer than it may; what was finished is kept: {state.words}")
        elif state.phase is TaskPhase.FAILED or told["ended"] == "success":
            self._fail(task, state.words or str(told["words"]))
        elif self._ending or state.phase is TaskPhase.STOPPED:
            self.say(f"{name} was stopped")
        else:
            self._fail(task, str(told["words"]) or f"it ended without a word: see {WORKER_LOGS}")

    def _fail(self, task: EngineTask, words: str) -> None:
        state = self._state(task)
        if state.phase is not TaskPhase.FAILED or state.words != words:
            # Of a full share people hear here; the task is given out again by the next run.
            with suppress(OutputError):
                keep_state(self._places.states, replace(state, phase=TaskPhase.FAILED, words=words))
        self.say(f"{task.step}{self._numbered(task)} failed: {words}")

    def _lost(self, worker: _WorkerProcess, task: EngineTask) -> None:
        losses = self._losses[task] = self._losses.get(task, 0) + 1
        if self._ending:
            return
        if losses >= MOST_LOSSES:
            self._fail(
                task, f"its worker was lost {losses} times: see {WORKER_LOGS}, then masklet farm retry"
            )
            return
        self.say(f"worker {worker.number} was lost; {task.step}{self._numbered(task)} is given to another")
        self._waiting.append(task)

    def _tell_progress(self) -> None:
        total = sum(piece.frames * len(piece.objects) for shot in self._job.shots for piece in shot.pieces)
        done = sum(
            read_state(self._places.states, shot.name, "track", piece.number).done
            for shot in self._job.shots
            for piece in shot.pieces
        )
        self.on_progress(done, total)

    def _end_workers(self) -> None:
        if self._ending:
            return
        self._ending = True
        for worker in self._alive.values():
            self._send(worker, {"end": True})

    def _wait_for_workers(self) -> None:
        for worker in list(self._alive.values()):
            _close(worker)
            try:
                worker.process.wait(_END_S)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            if worker.listener is not None:
                worker.listener.join(_POLL_S)


def _close(worker: _WorkerProcess) -> None:
    """No more words for a worker, which ends it where it still lives."""
    if worker.process.stdin is not None:
        with suppress(OSError):
            worker.process.stdin.close()
