"""Runs engine calls one after the other in a thread of their own, in the order of :mod:`turns`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from masklet.errors import BusyError
from masklet_server.sessions.turns import Turn, TurnQueue

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, eq=False)
class _Call(Generic[ResultT]):
    run: Callable[[], ResultT]
    done: asyncio.Future[ResultT]


class Scheduler:
    """The device's only door: whoever wants the engine waits here, for one frame at a time.

    To be used from one event loop.

    Args:
        clock_s: Measures what turns cost; an argument for tests.
    """

    def __init__(self, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._queue: TurnQueue[_Call[Any]] = TurnQueue()
        self._device = ThreadPoolExecutor(max_workers=1, thread_name_prefix="device")
        self._busy = False
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many turns wait, without the one that runs."""
        return len(self._queue)

    async def run(self, call: Callable[[], ResultT], *, user: str, urgent: bool = False) -> ResultT:
        """Wait for a turn, make the call on the device's thread, and return what it returns.

        A caller that is cancelled while waiting gives its place up; while running, the call ends on
        its own and its result is lost.

        Args:
            call: At most one frame of work.
            user: Who is charged for it.
            urgent: True for prompts: before all tracking.

        Raises:
            BusyError: The server is shutting down.
        """
        if self._closed:
            raise BusyError("the server is shutting down: try again in a minute")
        done: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        turn: Turn[_Call[Any]] = Turn(_Call(call, done), user, urgent)
        self._queue.push(turn)
        self._start_next()
        try:
            return await done
        finally:
            self._queue.discard(turn)

    async def close(self) -> None:
        """Refuse new turns, drop those that wait, and let the running one end."""
        self._closed = True
        while len(self._queue):
            self._queue.pop().call.done.cancel()
        await asyncio.get_running_loop().run_in_executor(None, self._device.shutdown)

    def _start_next(self) -> None:
        if self._busy or not len(self._queue):
            return
        turn = self._queue.pop()
        self._busy = True
        started_s = self._clock_s()
        work = asyncio.get_running_loop().run_in_executor(self._device, turn.call.run)
        work.add_done_callback(lambda finished: self._finish(turn, finished, started_s))

    def _finish(self, turn: Turn[_Call[Any]], finished: asyncio.Future[Any], started_s: float) -> None:
        self._queue.charge(turn, self._clock_s() - started_s)
        self._busy = False
        done = turn.call.done
        if finished.cancelled():
            done.cancel()
        elif not done.cancelled():
            error = finished.exception()
            if error is None:
                done.set_result(finished.result())
            else:
                done.set_exception(error)
        else:
            # Nobody waits any more; asking for the exception marks it as seen.
            finished.exception()
        # After the caller has been told, so that it may queue its next turn before another's starts.
        asyncio.get_running_loop().call_soon(self._start_next)
