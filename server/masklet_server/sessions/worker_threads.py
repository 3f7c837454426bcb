"""Work in threads for calls: with a limit on how many at a time, and on how long a disk may take."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from masklet.errors import ClipError, MaskletError
from masklet_server.aside import waiting_for_disk, working_for
from masklet_server.sessions.daemon_threads import DaemonThreads, Report

ValueT = TypeVar("ValueT")

_log = logging.getLogger("masklet_server.sessions")

DISK_S = 30.0
"""How long a disk may take for one picture, one file or one look into a folder."""
_SLOW_S = 1.0
"""Work that waits longer for a disk gives its place to others."""
_LEFT_BEHIND = 32
"""Threads that one user may have hanging at disks; more work of that user is refused until they are back."""


@dataclass(eq=False)
class _Job(Generic[ValueT]):
    """One piece of work, in a thread."""

    workers: WorkerThreads
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[ValueT]
    whose: str
    refusal: MaskletError
    waits: int = 0
    is_waiting: bool = False
    has_place: bool = True
    given_up: bool = False
    timers: tuple[asyncio.TimerHandle, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)

    def leave(self) -> None:
        with self.lock:
            self.waits += 1
            self.is_waiting = True
        self.tell(self.watch, self.waits)

    def come_back(self) -> None:
        with self.lock:
            self.is_waiting = False
        self.check()

    def check(self) -> None:
        if self.given_up:
            raise self.refusal

    def tell(self, heard: Callable[..., None], *args: object) -> None:
        # A loop that has gone ends the process, and this thread with it.
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(heard, *args)

    def watch(self, waits: int) -> None:
        self.forget_timers()
        self.timers = (
            self.loop.call_later(_SLOW_S, self.be_slow, waits),
            self.loop.call_later(self.workers.disk_s, self.give_up, waits),
        )

    def forget_timers(self) -> None:
        """Let go of what would keep this, and with it the result, until its time has come."""
        for timer in self.timers:
            timer.cancel()
        self.timers = ()

    def be_slow(self, waits: int) -> None:
        if self.is_waiting and self.waits == waits:
            self.workers.leave_place(self)

    def give_up(self, waits: int) -> None:
        if self.is_waiting and self.waits == waits and not self.given_up:
            self.given_up = True
            self.workers.leave_behind(self)
            if not self.done.done():
                self.done.set_exception(self.refusal)


class WorkerThreads:
    """Runs work in threads that can be left behind. To be used from one event loop.

    Args:
        name: Of the threads.
        at_once: How many may work at a time; those that wait for a slow disk do not count.
        disk_s: How long one wait for a disk may take.
    """

    def __init__(self, name: str, *, at_once: int, disk_s: float = DISK_S) -> None:
        self.disk_s = disk_s
        self._threads = DaemonThreads(name)
        self._places = asyncio.Semaphore(at_once)
        self._behind: Counter[str] = Counter()

    async def run(
        self,
        work: Callable[..., ValueT],
        *args: Any,
        whose: str = "",
        at_disk: bool = False,
        refusal: MaskletError | None = None,
        unwanted: Callable[[ValueT], None] = lambda value: None,
    ) -> ValueT:
        """Do some work in a thread and return what it returns.

        Args:
            work: What to do.
            *args: What it is called with.
            whose: The user, whose hanging disks are nobody else's.
            at_disk: All of it waits for a disk; otherwise only what it brackets so itself.
            refusal: Raised when the disk does not answer.
            unwanted: Takes the result when nobody waits for it any more.

        Raises:
            MaskletError: The refusal, or what the work raises.
        """
        if refusal is None:
            refusal = ClipError(
                f"the plate's disk has not answered for {self.disk_s:.0f} seconds: check the disk or the "
                "network share, then try again"
            )
        if self._behind[whose] >= _LEFT_BEHIND:
            raise refusal
        await self._places.acquire()
        loop = asyncio.get_running_loop()
        job: _Job[ValueT] = _Job(self, loop, loop.create_future(), whose, refusal)

        def go() -> Report:
            value, error = None, None
            try:
                with working_for(job):
                    if at_disk:
                        with waiting_for_disk():
                            value = work(*args)
                    else:
                        value = work(*args)
            except BaseException as raised:  # noqa: BLE001  (carried to the caller, who raises it)
                error = raised
            return lambda: job.tell(self._finish, job, value, error, unwanted)

        self._threads.do(go)
        try:
            return await job.done
        except asyncio.CancelledError:
            if job.done.done() and not job.done.cancelled() and job.done.exception() is None:
                # It was done in the moment in which its caller went.
                value = job.done.result()
                self.start(lambda: unwanted(value))
            raise

    def start(self, work: Callable[[], object]) -> None:
        """Do something that nobody waits for, such as closing files."""

        def go() -> Report:
            try:
                work()
            except Exception:  # noqa: BLE001  (nobody is there to be told)
                _log.exception("work that nobody waits for failed")
            return lambda: None

        self._threads.do(go)

    @property
    def busy(self) -> int:
        """How many threads are at work or hang."""
        return self._threads.busy

    def close(self) -> None:
        """Let idle threads end, and others after what they are at."""
        self._threads.close()

    def leave_place(self, job: _Job[Any]) -> None:
        """Let other work have the place of this."""
        if job.has_place:
            job.has_place = False
            self._places.release()

    def leave_behind(self, job: _Job[Any]) -> None:
        """A thread hangs."""
        self.leave_place(job)
        self._behind[job.whose] += 1

    def _finish(
        self, job: _Job[Any], value: Any, error: BaseException | None, unwanted: Callable[[Any], None]
    ) -> None:
        job.forget_timers()
        self.leave_place(job)
        if job.given_up:
            self._behind[job.whose] -= 1
            self._behind += Counter()
        if not job.done.done():
            if error is None:
                job.done.set_result(value)
            else:
                job.done.set_exception(error)
        elif value is not None:
            self.start(lambda: unwanted(value))
