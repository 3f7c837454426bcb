"""Each call from its first message to its end: counted, logged and traced in one place."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic, time
from typing import Any

from masklet_server.service.meter import GOOD, Meter

LEFT = "left"
"""The outcome of a call whose client went before its end."""
FAILED = "failed"
"""Of one that ended in a way of gRPC's own."""
HEALTH_PREFIX = "/grpc.health.v1."
MAX_RECENT_ERRORS = 200
CALLS_LOGGER = "masklet_server.calls"
"""Has a line for every call that has ended."""
MAX_ID_CHARACTERS = 128

_log = logging.getLogger(CALLS_LOGGER)

Metadata = Iterable[tuple[str, str | bytes]]


@dataclass(eq=False)
class Call:
    """A call under way.

    Attributes:
        method: As gRPC has it: ``/masklet.v1.PromptService/AddClick``.
        user: Who makes it; empty until that is known.
        session_id: Which session it is about; empty where it is about none.
        request_id: By which its client knows it.
        trace_id: Of its trace, where there is one.
        outcome: How it ended: ``ok``, ``left``, or the kind of the error; empty until then.
    """

    method: str
    user: str = ""
    session_id: str = ""
    request_id: str = ""
    trace_id: str = ""
    outcome: str = ""
    received_bytes: int = 0
    sent_bytes: int = 0
    begun_s: float = field(default_factory=monotonic)

    @property
    def is_health(self) -> bool:
        """True for one that asks for health, as whoever balances servers does all the time."""
        return self.method.startswith(HEALTH_PREFIX)

    def receive(self, message: Any, size_bytes: int) -> None:
        """A message has come from the client, so long on the wire."""
        self.received_bytes += size_bytes
        self.session_id = self.session_id or _id_in(message, "session_id")
        self.request_id = self.request_id or _id_in(message, "request_id")

    def send(self, message: Any) -> None:
        """A message goes to the client."""
        self.sent_bytes += _size_bytes(message)
        if not self.session_id:
            # What opens a session learns its id.
            self.session_id = _id_in(getattr(message, "session", None), "session_id")

    def facts(self) -> dict[str, object]:
        """What a line of the log says of it."""
        named = {
            "method": self.method,
            "user": self.user,
            "session": self.session_id,
            "request": self.request_id,
            "trace": self.trace_id,
        }
        return {name: value for name, value in named.items() if value}


current_call: ContextVar[Call | None] = ContextVar("masklet_call", default=None)
"""The call that this task or thread works for."""


@dataclass(frozen=True)
class CallError:
    """A call that failed, for whoever keeps the server.

    Attributes:
        at_s: When, in seconds since 1970.
        message: What the client was told.
    """

    at_s: float
    method: str
    user: str
    kind: str
    message: str


class CallWatch:
    """Sees every call come and end. To be used from one event loop.

    Args:
        meter: Told how calls end.
        traced: Opens a span for a call, which it may change until its end.
    """

    def __init__(
        self,
        meter: Meter | None = None,
        traced: Callable[[Call, Metadata], AbstractContextManager[object]] | None = None,
    ) -> None:
        self.meter = meter or Meter()
        self.under_way: set[Call] = set()
        self.recent_errors: deque[CallError] = deque(maxlen=MAX_RECENT_ERRORS)
        self._last_s = monotonic()
        self._traced = traced or (lambda call, metadata: nullcontext())

    @property
    def quiet_s(self) -> float:
        """For how long no call has been under way; asking for health is none."""
        return 0.0 if any(not call.is_health for call in self.under_way) else monotonic() - self._last_s

    @contextmanager
    def watched(self, method: str, metadata: Metadata) -> Iterator[Call]:
        """Bracket a call."""
        call = Call(method)
        current_call.set(call)
        self.under_way.add(call)
        try:
            with self._traced(call, metadata):
                try:
                    yield call
                    call.outcome = call.outcome or GOOD
                except (asyncio.CancelledError, GeneratorExit):
                    call.outcome = call.outcome or LEFT
                    raise
        finally:
            self.under_way.discard(call)
            self._note(call)

    def refused(self, call: Call, kind: str, message: str) -> None:
        """A call ends with an error."""
        call.outcome = kind
        self.recent_errors.append(CallError(time(), call.method, call.user, kind, message))

    def _note(self, call: Call) -> None:
        now_s = monotonic()
        duration_s = now_s - call.begun_s
        if not call.is_health:
            self._last_s = now_s
        meter = self.meter
        outcome = call.outcome or FAILED
        meter.note(call.method, outcome, duration_s)
        meter.received_bytes += call.received_bytes
        meter.sent_bytes += call.sent_bytes
        facts = {
            "outcome": outcome,
            "duration_s": round(duration_s, 6),
            "received_bytes": call.received_bytes,
            "sent_bytes": call.sent_bytes,
        }
        level = logging.DEBUG if call.is_health else logging.INFO
        _log.log(level, "%s ended: %s", call.method, outcome, extra={"facts": facts})


def _size_bytes(message: Any) -> int:
    size = getattr(message, "ByteSize", None)
    return 0 if size is None else int(size())


def _id_in(message: Any, name: str) -> str:
    value = getattr(message, name, "")
    # Whatever it is, it is a client's: in a log it must not take a page.
    return value[:MAX_ID_CHARACTERS] if isinstance(value, str) else ""
