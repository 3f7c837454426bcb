"""One call that wants the device, from when it was asked for to its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from masklet.errors import MaskletError
from masklet_server.sessions.callers import Caller
from masklet_server.sessions.turns import TurnClass

ResultT = TypeVar("ResultT")


@dataclass(eq=False)
class DeviceCall(Generic[ResultT]):
    """Waits for the device, runs, and may be away at a disk meanwhile.

    Attributes:
        context: Of whoever asks: the thread that works for it knows whose call that is.
        device_s: How long it has had the device.
    """

    run: Callable[[], ResultT]
    done: asyncio.Future[ResultT]
    user: str
    turn_class: TurnClass
    owner: Hashable
    caller: Caller | None
    asked_s: float
    context: Context = field(default_factory=copy_context)
    began_s: float | None = None
    device_s: float = 0.0
    reads: int = 0
    is_reading: bool = False
    away_since_s: float | None = None
    given_up: MaskletError | None = None
    timer: asyncio.TimerHandle | None = None
    on_hang: Callable[[], None] = lambda: None
    is_left_behind: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)
    granted: threading.Event = field(default_factory=threading.Event)

    @property
    def began(self) -> bool:
        """True once it has had the device."""
        return self.began_s is not None


@dataclass(frozen=True)
class EndedCall:
    """What is told of a call that has had the device, when it is over.

    Attributes:
        user: Who was charged.
        turn_class: What waited for it.
        waited_s: Until it had the device first.
        took_s: From when it was asked for to its end.
        device_s: How long it had the device.
        failed: It ended with an error, or was left behind.
        context: Of whoever asked.
    """

    user: str
    turn_class: TurnClass
    waited_s: float
    took_s: float
    device_s: float
    failed: bool
    context: Context


@dataclass(frozen=True)
class StandingCall:
    """A call that waits for the device, is at it, or is away at a disk, for whoever looks.

    Attributes:
        owner: Whose calls are never under way at the same time: a session, as a rule.
        since_s: How long it has been so.
    """

    user: str
    turn_class: TurnClass
    owner: Hashable
    since_s: float
