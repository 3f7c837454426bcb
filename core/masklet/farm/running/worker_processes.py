"""The workers of a run: processes of their own, so that one may be lost as a machine of a farm is."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from masklet.farm.running.opened_job import as_line
from masklet.farm.share import make_folder

if TYPE_CHECKING:
    from masklet.farm.running.opened_job import EngineTask, OpenedJob

WORKER_LOGS = "out/work/logs"
"""In the job, for people."""
_POLL_S = 0.5
_END_S = 120.0


@dataclass
class WorkerProcess:
    """A worker as the run sees it.

    Attributes:
        number: Counts from 1 in its run.
        process: It.
        task: That it is at; None for none.
        is_ending: It was told to end, and gets no more tasks.
        listener: The thread that hears it.
    """

    number: int
    process: subprocess.Popen[str]
    task: EngineTask | None = None
    is_ending: bool = False
    listener: threading.Thread | None = None

    @property
    def is_idle(self) -> bool:
        """It can be given a task."""
        return self.task is None and not self.is_ending


@dataclass
class WorkerProcesses:
    """All workers of a run.

    Args:
        opened: Their job.

    Attributes:
        alive: By number.
        events: Number of a worker and what it told; None when it has ended.
    """

    opened: OpenedJob
    alive: dict[int, WorkerProcess] = field(init=False, default_factory=dict)
    events: queue.Queue[tuple[int, dict[str, Any] | None]] = field(init=False, default_factory=queue.Queue)
    _started: int = field(init=False, default=0)

    def start(self) -> WorkerProcess:
        """One more.

        Raises:
            OutputError: The share takes no folder for its log.
        """
        self._started += 1
        number = self._started
        logs = self.opened.out / "work" / "logs"
        make_folder(logs)
        command = [sys.executable, "-m", "masklet.farm.running.worker", str(self.opened.bundle)]
        process = subprocess.Popen(
            [
                *command,
                str(logs / f"worker-{os.getpid()}-{number}.log"),
                str(self.opened.parameters["Masklet"].value),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C is for whoever started the run, who then decides what is finished.
            start_new_session=os.name != "nt",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        worker = self.alive[number] = WorkerProcess(number, process)
        worker.listener = threading.Thread(target=self._listen, args=(worker,), daemon=True)
        worker.listener.start()
        return worker

    def give(self, worker: WorkerProcess, task: EngineTask) -> None:
        """Have a worker do a task."""
        worker.task = task
        self._send(worker, {"task": task.step, "place": task.place})

    def end(self, worker: WorkerProcess) -> None:
        """Have a worker stop what it is at, keep what is finished, and end."""
        worker.is_ending = True
        self._send(worker, {"end": True})

    def has_ended(self, worker: WorkerProcess) -> None:
        """A worker told of its end."""
        del self.alive[worker.number]
        _close(worker)
        worker.process.wait()

    def wait_for_all(self) -> None:
        """Wait until all have ended; those that take too long are ended by force."""
        for worker in list(self.alive.values()):
            _close(worker)
            try:
                worker.process.wait(_END_S)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            if worker.listener is not None:
                worker.listener.join(_POLL_S)

    def _listen(self, worker: WorkerProcess) -> None:
        assert worker.process.stdout is not None
        with worker.process.stdout as lines:
            for line in lines:
                with suppress(ValueError):
                    self.events.put((worker.number, json.loads(line)))
        self.events.put((worker.number, None))

    def _send(self, worker: WorkerProcess, word: dict[str, Any]) -> None:
        assert worker.process.stdin is not None
        # One that is gone is noticed by its end.
        with suppress(OSError):
            worker.process.stdin.write(as_line(word))
            worker.process.stdin.flush()


def _close(worker: WorkerProcess) -> None:
    """No more words for a worker, which ends it where it still lives."""
    if worker.process.stdin is not None:
        with suppress(OSError):
            worker.process.stdin.close()
