"""Threads that nobody has to wait for: one that hangs at a disk is left behind."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

Report = Callable[[], None]
Work = Callable[[], Report]


class DaemonThreads:
    """Daemon threads, as many as there is work at a time; the one that was used last works next.

    Args:
        name: Of the threads.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._idle: list[queue.SimpleQueue[Work | None]] = []
        self._lock = threading.Lock()
        self._busy = 0
        self._closed = False

    @property
    def busy(self) -> int:
        """How many threads are at work."""
        return self._busy

    def do(self, work: Work) -> None:
        """Do a piece of work in one of the threads, then make the report that it returns.

        Neither raises anything. The thread counts as free when it reports: who hears that and has more
        work finds it there.
        """
        with self._lock:
            self._busy += 1
            inbox = self._idle.pop() if self._idle else None
        if inbox is None:
            inbox = queue.SimpleQueue()
            threading.Thread(target=self._live, args=(inbox,), name=self._name, daemon=True).start()
        inbox.put(work)

    def close(self) -> None:
        """Let idle threads end, and others after what they are at."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for inbox in idle:
            inbox.put(None)

    def _live(self, inbox: queue.SimpleQueue[Work | None]) -> None:
        while (work := inbox.get()) is not None:
            report = work()
            with self._lock:
                self._busy -= 1
                closed = self._closed
                if not closed:
                    self._idle.append(inbox)
            report()
            # Not kept until the next one comes: they may hold a session.
            del work, report
            if closed:
                return
