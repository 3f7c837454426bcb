"""Runs engine calls one after the other, in the order of :mod:`turns`, and never waits for a disk."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Hashable
from contextlib import suppress
from typing import Any, TypeVar

from masklet.errors import ClipError, DeviceError, RestartingError
from masklet_server.aside import working_for
from masklet_server.sessions.callers import current_caller
from masklet_server.sessions.daemon_threads import DaemonThreads, Report
from masklet_server.sessions.device_call import DeviceCall, EndedCall, StandingCall
from masklet_server.sessions.turns import Turn, TurnClass, TurnQueue

ResultT = TypeVar("ResultT")

READ_S = 30.0
"""How long a picture may take to come before whoever needs it is told that the disk does not answer."""
_GLANCE_S = 0.02
"""Reads that are over sooner keep the device: passing it on would cost more."""
_READS_AT_ONCE = 4
"""Tracks that hold a picture and wait for the device; more begin only when a disk is slow."""
_SLOW_READ_S = 0.5
TURN_S = 120.0
"""How long the device may be at one turn, which is a frame, before that is given up."""
_CLOSE_S = 2.0


class _Reading:
    """What a call's thread tells the scheduler."""

    def __init__(self, scheduler: Scheduler, call: DeviceCall[Any]) -> None:
        self._scheduler = scheduler
        self._call = call

    def leave(self) -> None:
        self.check()
        call = self._call
        with call.lock:
            call.reads += 1
            call.is_reading = True
        self._scheduler.tell(self._scheduler.glance, call, call.reads)

    def come_back(self) -> None:
        call = self._call
        with call.lock:
            call.is_reading = False
            if call.away_since_s is None:
                return
            call.granted.clear()
        self._scheduler.tell(self._scheduler.want_back, call)
        call.granted.wait()
        self.check()

    def check(self) -> None:
        if self._call.given_up is not None:
            raise self._call.given_up


class Scheduler:
    """The device's only door: whoever wants the engine waits here, for one frame at a time.

    A call that reads a picture gives the device away meanwhile; only its own session waits for it. After
    ``read_s`` its caller is told, and its session refused, until the disk answers. A call that does not come
    back from the device itself is left behind after ``turn_s``, and the next one tries.
    To be used from one event loop.

    Attributes:
        turns: How many turns there were, by class.
        ended: How many calls have ended well, by class: one may take several turns.
        device_s: How long the device was at them.

    Args:
        read_s: How long one picture may take to come.
        turn_s: How long the device may be at one turn.
        weight_of: How much of the device a user gets; see :class:`TurnQueue`.
        on_end: Told of each call that has had the device, when it is over.
        clock_s: Measures what turns cost; an argument for tests.
    """

    def __init__(
        self,
        *,
        read_s: float = READ_S,
        turn_s: float = TURN_S,
        weight_of: Callable[[str], float] = lambda user: 1.0,
        on_end: Callable[[EndedCall], None] | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._on_end = on_end or (lambda ended: None)
        self._read_s = read_s
        self._turn_s = turn_s
        self._hung_in_a_row = 0
        self._step_s = 0.0
        self.turns: Counter[TurnClass] = Counter()
        self.ended: Counter[TurnClass] = Counter()
        self.device_s: dict[TurnClass, float] = dict.fromkeys(TurnClass, 0.0)
        self._watchdog: asyncio.TimerHandle | None = None
        self._clock_s = clock_s
        self._queue: TurnQueue[DeviceCall[Any]] = TurnQueue(weight_of=weight_of)
        self._threads = DaemonThreads("device")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: Turn[DeviceCall[Any]] | None = None
        self._started_s = 0.0
        self._away: set[DeviceCall[Any]] = set()
        self._closed = False

    def set_limits(self, *, read_s: float, turn_s: float) -> None:
        """Be more patient, or less, from the next read and turn on."""
        self._read_s, self._turn_s = read_s, turn_s

    @property
    def waiting(self) -> int:
        """How many turns wait, without the one that runs."""
        return len(self._queue)

    def waiting_of(self, turn_class: TurnClass) -> int:
        """The same of one class."""
        return self._queue.count(turn_class)

    @property
    def line(self) -> list[StandingCall]:
        """Calls that wait for the device, those that go first by their class first."""
        now_s = self._clock_s()
        return [
            StandingCall(turn.user, turn.turn_class, turn.call.owner, now_s - turn.call.asked_s)
            for turns in self._queue.waiting.values()
            for turn in turns
        ]

    @property
    def at_device(self) -> StandingCall | None:
        """The call that has the device; None when it is free."""
        if self._running is None:
            return None
        call = self._running.call
        return StandingCall(call.user, call.turn_class, call.owner, self.busy_s)

    @property
    def at_disks(self) -> list[StandingCall]:
        """Calls that wait for a picture, and not for the device."""
        now_s = self._clock_s()
        return [
            StandingCall(call.user, call.turn_class, call.owner, now_s - call.away_since_s)
            for call in self._away
            if call.away_since_s is not None
        ]

    @property
    def busy_s(self) -> float:
        """For how long the device has been at the turn in hand; 0 when it is free."""
        return 0.0 if self._running is None else self._clock_s() - self._started_s

    @property
    def step_s(self) -> float:
        """How long a frame of a track has taken lately; 0 before the first."""
        return self._step_s

    @property
    def hung_in_a_row(self) -> int:
        """How many turns were left behind since the device ended one."""
        return self._hung_in_a_row

    @property
    def busy_threads(self) -> int:
        """How many threads are at a turn, or hang in one."""
        return self._threads.busy

    async def run(
        self,
        call: Callable[[], ResultT],
        *,
        user: str,
        turn_class: TurnClass = TurnClass.SHOT,
        owner: Hashable = None,
        commits: bool = True,
        on_hang: Callable[[], None] = lambda: None,
    ) -> ResultT:
        """Wait for a turn, make the call on the device's thread, and return what it returns.

        A caller that is cancelled while waiting gives its place up; while running, the call ends on
        its own and its result is lost.

        Args:
            call: At most one frame of work. It may be cut short where it reads a picture, and changes
                nothing then.
            user: Who is charged for it.
            turn_class: What waits for it.
            owner: Whose calls are never under way at the same time; None for a call that minds none.
            commits: False for one that prepares something: its caller may still leave it undone.
            on_hang: Called when the call is left behind, to begin anew without what it uses.

        Raises:
            RestartingError: The server is shutting down.
            ClipError: A picture does not come.
            DeviceError: The device does not come back from the call.
        """
        if self._closed:
            raise RestartingError("the server is being restarted: the same works once it answers again")
        self._loop = asyncio.get_running_loop()
        owner = object() if owner is None else owner
        for other in self._away:
            if other.owner == owner and other.given_up is not None:
                raise other.given_up
        done: asyncio.Future[ResultT] = self._loop.create_future()
        caller = current_caller.get() if commits else None
        turn: Turn[DeviceCall[Any]] = Turn(
            DeviceCall(call, done, user, turn_class, owner, caller, self._clock_s()), user, turn_class, owner
        )
        turn.call.on_hang = on_hang
        self._queue.push(turn)
        self._start_next()
        try:
            return await done
        finally:
            self._queue.discard(turn)

    async def close(self) -> None:
        """Refuse new turns, drop those that wait, and let the running one end if it does so soon."""
        self._closed = True
        while True:
            try:
                turn = self._queue.pop()
            except IndexError:
                break
            turn.call.done.cancel()
        if self._running is not None:
            await asyncio.wait({self._running.call.done}, timeout=_CLOSE_S)
        for call in self._away:
            call.done.cancel()
        self._threads.close()

    def tell(self, heard: Callable[..., None], *args: object) -> None:
        """Have something done in the loop; from any thread."""
        # A loop that has gone ends the process, and this thread with it.
        with suppress(RuntimeError):
            assert self._loop is not None
            self._loop.call_soon_threadsafe(heard, *args)

    def glance(self, call: DeviceCall[Any], reads: int) -> None:
        """A call has begun to read: unless that is over in a moment, others have the device meanwhile."""
        assert self._loop is not None
        self._loop.call_later(_GLANCE_S, self._pass_on, call, reads)

    def want_back(self, call: DeviceCall[Any]) -> None:
        """A call that was away wants to go on."""
        if call.timer is not None:
            call.timer.cancel()
        # Its session is held, so that no other turn of it comes in between: the turn is nobody's. It has
        # waited in line once: at the end of it, a plate on a slow disk would get half of what others get.
        self._queue.push(Turn(call, call.user, call.turn_class, call), first=True)
        self._start_next()

    def _start_next(self) -> None:
        if self._running is not None or self._closed:
            return
        try:
            turn = self._queue.pop(may_start=self._may_start)
        except IndexError:
            return
        call = turn.call
        self._running, self._started_s = turn, self._clock_s()
        assert self._loop is not None
        self._watchdog = self._loop.call_later(self._turn_s, self._leave_behind, turn)
        if call.began:
            call.away_since_s = None
            self._away.discard(call)
            self._queue.release(call.owner)
            call.granted.set()
            return
        call.began_s = self._started_s
        if call.caller is not None:
            call.caller.begun = True
        self._threads.do(lambda: self._work(turn))

    def _may_start(self, turn: Turn[DeviceCall[Any]]) -> bool:
        """Tracks begin only while few others wait with their pictures in memory, or the disk is slow."""
        if turn.turn_class is TurnClass.PROMPT or turn.call.began:
            return True
        now_s = self._clock_s()
        fresh = [call for call in self._away if now_s - (call.away_since_s or 0.0) < _SLOW_READ_S]
        return len(fresh) < _READS_AT_ONCE

    def _work(self, turn: Turn[DeviceCall[Any]]) -> Report:
        call, result, error = turn.call, None, None
        try:
            with working_for(_Reading(self, call)):
                result = call.context.run(call.run)
        except BaseException as raised:  # noqa: BLE001  (carried to the caller, who raises it)
            error = raised
        return lambda: self.tell(self._finish, call, result, error)

    def _pass_on(self, call: DeviceCall[Any], reads: int) -> None:
        with call.lock:
            if not call.is_reading or call.reads != reads or call.away_since_s is not None:
                return
            call.away_since_s = self._clock_s()
        assert self._loop is not None
        self._end_turn()
        self._away.add(call)
        self._queue.hold(call.owner)
        call.timer = self._loop.call_later(self._read_s, self._give_up, call, reads)
        self._loop.call_later(_SLOW_READ_S, self._start_next)
        self._start_next()

    def _give_up(self, call: DeviceCall[Any], reads: int) -> None:
        if call not in self._away or call.reads != reads or not call.is_reading:
            return
        call.given_up = ClipError(
            f"the plate's disk has not answered for {self._read_s:.0f} seconds: check the disk or the "
            "network share. The session stays as it is and goes on when the disk answers"
        )
        for each in (call, *(turn.call for turn in self._queue.take_all(call.owner))):
            if not each.done.done():
                each.done.set_exception(call.given_up)

    def _leave_behind(self, turn: Turn[DeviceCall[Any]]) -> None:
        """The device does not come back from a turn, whose thread cannot be stopped."""
        call = turn.call
        if self._running is not turn:
            return
        call.given_up = DeviceError(
            f"the server's device has not answered for {self._turn_s:.0f} seconds, and this was given up. "
            "The session is as it was: try again, and have the server looked at if it comes back"
        )
        call.is_left_behind = True
        self._hung_in_a_row += 1
        self._end_turn()
        self._tell_end(call, failed=True)
        call.on_hang()
        if not call.done.done():
            call.done.set_exception(call.given_up)
        self._start_next()

    def _end_turn(self) -> None:
        """Nobody has the device now."""
        assert self._running is not None
        duration_s = self._clock_s() - self._started_s
        self._queue.charge(self._running, duration_s)
        self._running.call.device_s += duration_s
        self.turns[self._running.turn_class] += 1
        self.device_s[self._running.turn_class] += duration_s
        if self._running.turn_class is not TurnClass.PROMPT:
            self._step_s = duration_s if not self._step_s else 0.9 * self._step_s + 0.1 * duration_s
        self._running = None
        if self._watchdog is not None:
            self._watchdog.cancel()

    def _finish(self, call: DeviceCall[Any], result: Any, error: BaseException | None) -> None:
        self._hung_in_a_row = 0
        if call.is_left_behind:
            return
        self._end_turn()
        self._tell_end(call, failed=error is not None)
        if not call.done.done():
            if error is None:
                call.done.set_result(result)
            else:
                call.done.set_exception(error)
        # After the caller has been told, so that it may queue its next turn before another's starts.
        asyncio.get_running_loop().call_soon(self._start_next)

    def _tell_end(self, call: DeviceCall[Any], *, failed: bool) -> None:
        if not failed:
            self.ended[call.turn_class] += 1
        now_s = self._clock_s()
        began_s = now_s if call.began_s is None else call.began_s
        waited_s, took_s = began_s - call.asked_s, now_s - call.asked_s
        self._on_end(
            EndedCall(call.user, call.turn_class, waited_s, took_s, call.device_s, failed, call.context)
        )
