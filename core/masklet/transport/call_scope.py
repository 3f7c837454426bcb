"""Cancelling calls from another thread than the one that waits for their answers."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextvars import Token


class Call(Protocol):
    """A call that can be cancelled, as gRPC's can."""

    def cancel(self) -> object:
        """Cancel it; twice is fine."""
        ...


_scope: ContextVar[CallScope | None] = ContextVar("masklet-call-scope", default=None)


class CallScope:
    """Lets another thread cancel the streams that are begun inside ``with scope:``.

    Whoever waits for such a stream's next value then gets a :class:`masklet.errors.CancelledError`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []
        self._cancelled = False
        self._before: Token[CallScope | None] | None = None

    def __enter__(self) -> CallScope:
        self._before = _scope.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._before is not None:
            _scope.reset(self._before)

    def add(self, call: Call) -> None:
        """Take a call in; one that comes too late is cancelled at once."""
        with self._lock:
            self._calls.append(call)
            if not self._cancelled:
                return
        call.cancel()

    def cancel(self) -> None:
        """Cancel all calls, those to come too. From any thread; twice is fine."""
        with self._lock:
            self._cancelled = True
            calls = tuple(self._calls)
        for call in calls:
            call.cancel()


def current_scope() -> CallScope | None:
    """The scope inside which this thread begins its calls; None for most."""
    return _scope.get()
