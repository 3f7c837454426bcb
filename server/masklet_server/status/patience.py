"""Connections to the page that say nothing, or half of it: closed, or a few dozen would keep keepers out."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

WAITS_S = 10.0
"""For a request, from its first byte to the end of its head; and between two on one connection."""
ANSWERS_LOOKS = 6
"""So often as long an answer may take, with whoever reads it."""


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to waiting."""

    def connection_made(self, transport: Any) -> None:
        """See :class:`asyncio.Protocol`."""
        super().connection_made(transport)
        self._request: object = None
        self._looks = 0
        self._looking: asyncio.TimerHandle = self.loop.call_later(WAITS_S, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """See :class:`asyncio.Protocol`."""
        self._looking.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        request = self.cycle
        is_answered = request is None or request.response_complete
        is_new, self._request = request is not self._request, request
        self._looks = 0 if is_new else self._looks + 1
        if not is_new and (is_answered or self._looks >= ANSWERS_LOOKS):
            self.transport.abort()
            return
        self._looking = self.loop.call_later(WAITS_S, self._look)
