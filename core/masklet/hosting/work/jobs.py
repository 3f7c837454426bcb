"""Work away from a host's main thread, and the way its results come back.

A job's work is a generator that runs in a thread of its own and yields events; the main thread takes
them, a few milliseconds' worth at a time, and changes data. A full queue holds the thread back, so a slow
interface slows its own track and fills no memory. Without an interface (``wait=True``) the same generator
runs to its end at once, in the caller's thread, so that scripts and tests drive the same code.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from masklet.errors import CancelledError, LimitError, MaskletError, ServerFaultError
from masklet.phrases import phrase

if TYPE_CHECKING:
    from masklet.events import Waiting

EVENTS_AHEAD = 64
"""How many events may wait for the main thread."""

_PUT_TIMEOUT_S = 0.1


class Job:
    """One piece of work.

    Args:
        name: What is done, for progress and messages: "Tracking".
        work: Called in the thread of the job with the job; yields events. It raises classes of
            :mod:`masklet.errors`.
        on_event: Called in the main thread with each event, in order.
        on_end: Called in the main thread once: with None, or with the error that ended the work.

    Attributes:
        error: Why the work failed; None while it runs and when it did not.
        done: Steps done, for progress; set by whoever handles events.
        total: Steps in all; 0 while unknown.
        plate_uid: Whose work it is.
        is_long: True for what shows progress and can be cancelled.
        is_fetch: True for masks that are fetched because they are looked at.
        waiting: The place in a queue of the server, while it waits there.
        wake: Called in the thread of the job when something waits for the main thread.
        blocked_places: Sessions that cannot end before this job does, since the host waits for it: behind
            these it does not wait in line.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Job], Iterator[object]],
        *,
        on_event: Callable[[object], None],
        on_end: Callable[[MaskletError | None], None] | None = None,
    ) -> None:
        self.name = name
        self.error: MaskletError | None = None
        self.done = 0
        self.total = 0
        self.plate_uid = ""
        self.is_long = False
        self.is_fetch = False
        self.waiting: Waiting | None = None
        self.blocked_places = 0
        self.wake: Callable[[], None] = _sleep_on
        self._work = work
        self._on_event = on_event
        self._on_end = on_end
        self._events: queue.Queue[object] = queue.Queue(EVENTS_AHEAD)
        self._cancelled = threading.Event()
        self._worked = threading.Event()
        self._ended = False
        self._stop: Callable[[], None] | None = None
        self._thread: threading.Thread | None = None

    @property
    def is_cancelled(self) -> bool:
        """True once somebody asked for the end."""
        return self._cancelled.is_set()

    @property
    def has_ended(self) -> bool:
        """True once every event was handled and nothing more will come."""
        return self._ended

    def stops_by(self, stop: Callable[[], None] | None) -> None:
        """Say what ends the work early when it waits for a server; called from any thread."""
        self._stop = stop
        if stop is not None and self.is_cancelled:
            stop()

    def count(self, done: int, total: int) -> None:
        """Note progress; called from any thread.

        Raises:
            CancelledError: The job was cancelled, so that what counts should end.
        """
        if self.is_cancelled:
            raise CancelledError(phrase("{job}: cancelled, what was done is kept", job=self.name))
        self.done, self.total = done, total

    def wait_in_line(self, waiting: Waiting | None) -> None:
        """Note the place in a queue of the server, None for no longer; called from any thread.

        Raises:
            CancelledError: The job was cancelled: the place is given up.
            LimitError: It would wait for what waits for it.
        """
        if waiting is not None and self.blocked_places:
            raise LimitError(
                phrase(
                    "the server is full, and this program holds {count} of its sessions itself: close the "
                    "session of another plate",
                    count=self.blocked_places,
                )
            )
        self.waiting = waiting
        if self.is_cancelled:
            raise CancelledError(phrase("{job}: cancelled, what was done is kept", job=self.name))

    def count_look(self, name: str, done: int, total: int) -> None:
        """Note progress of the second look at the object called ``name``, as :meth:`count` does."""
        del name  # The panel has one bar for a job, whatever it is busy with.
        self.count(done, total)

    def cancel(self) -> None:
        """Ask for the end and return at once; what is finished is kept."""
        if self.is_cancelled:
            return
        self._cancelled.set()
        stop = self._stop
        if stop is not None:
            # Stopping asks the server, and the caller may be the main thread.
            threading.Thread(target=_quietly, args=(stop,), daemon=True, name="masklet-stop").start()

    def start(self) -> None:
        """Begin in a thread of its own."""
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"masklet-{self.name}")
        self._thread.start()

    def run_here(self) -> None:
        """Work to the end in the caller's thread.

        Raises:
            MaskletError: The work failed; events that came before were handled.
        """
        try:
            for event in self._work(self):
                self._on_event(event)
        except MaskletError as error:
            self.error = error
        self._end()
        if self.error is not None:
            raise self.error

    def drain(self, until_s: float) -> bool:
        """Handle events that wait, until the clock of :func:`time.perf_counter` says so; True if any came."""
        came = False
        while time.perf_counter() < until_s:
            # Asked first: whatever was put before the work ended is in the queue by now.
            worked = self._worked.is_set()
            try:
                event = self._events.get_nowait()
            except queue.Empty:
                if worked:
                    self._end()
                return came
            came = True
            self._on_event(event)
        return came

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread; False if it still runs then."""
        if self._thread is not None:
            self._thread.join(timeout_s)
            return not self._thread.is_alive()
        return True

    def _run(self) -> None:
        events: Iterator[object] | None = None
        try:
            events = self._work(self)
            for event in events:
                if not self._put(event):
                    break
        except MaskletError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - a thread's death would otherwise go unseen
            self.error = ServerFaultError(
                phrase(
                    "masklet met a fault of its own ({job}: {fault}): try again, and report "
                    "it if it comes back",
                    job=self.name,
                    fault=f"{type(error).__name__}: {error}",
                )
            )
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                _quietly(close)
            self._worked.set()
            self.wake()

    def _put(self, event: object) -> bool:
        while True:
            try:
                self._events.put(event, timeout=_PUT_TIMEOUT_S)
            except queue.Full:
                if self.is_cancelled:
                    return False
            else:
                self.wake()
                return True

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            if self._on_end is not None:
                self._on_end(self.error)


class JobBoard:
    """All jobs of one host.

    Attributes:
        wake: Called in a job's thread when something waits for the main thread; a host that can be woken
            need not wait for its next beat.
    """

    def __init__(self) -> None:
        self.wake: Callable[[], None] = _sleep_on
        self._jobs: list[Job] = []

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Those that have not ended, oldest first."""
        return tuple(self._jobs)

    def run(self, job: Job, *, wait: bool) -> Job:
        """Start a job; with ``wait`` return when it has ended, and raise what it raised."""
        if wait:
            job.run_here()
        else:
            self._jobs.append(job)
            job.wake = self.wake
            job.start()
        return job

    def drain(self, budget_s: float) -> bool:
        """Handle events for at most so long; True if there were any or a job ended."""
        until_s = time.perf_counter() + budget_s
        came = False
        for job in self.jobs:
            came = job.drain(until_s) or came
        before = len(self._jobs)
        self._jobs = [job for job in self._jobs if not job.has_ended]
        return came or len(self._jobs) != before

    def cancel_all(self) -> None:
        """Ask every job to end; their events are dropped, as what they belong to goes away."""
        for job in self._jobs:
            job.cancel()
        self._jobs = []


def _sleep_on() -> None:
    """Whoever beats comes by itself."""


def _quietly(call: Callable[[], object]) -> None:
    try:
        call()
    except MaskletError:
        # Whoever stops work does so because its end no longer matters.
        return
