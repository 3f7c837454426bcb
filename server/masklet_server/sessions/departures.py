"""How sessions go: parked, left to their journals, closed for good."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

from masklet.errors import ClipError, MaskletError, OutputError
from masklet_server.sessions.callers import begin
from masklet_server.sessions.durability import Journals
from masklet_server.sessions.held import Held
from masklet_server.sessions.opening_line import OpeningLine
from masklet_server.sessions.store_limits import StoreLimits

SWEEP_EVERY_S = 600.0
LEFT_AFTER = 3
"""A session that has been idle for so many times as long as it takes to park is left to its journal."""

OnClose = Callable[[], Awaitable[None]]


class Departures:
    """Takes sessions out of memory. To be used from one event loop.

    Args:
        held: All sessions in memory; the store's own, from which they are taken.
        journals: Where they outlive that; None where nothing does.
        line: Hears of each that goes.
        limits: Those in force.
        clock_s: Of the store.
    """

    def __init__(
        self,
        held: dict[str, Held],
        journals: Journals | None,
        line: OpeningLine,
        *,
        limits: Callable[[], StoreLimits],
        clock_s: Callable[[], float],
    ) -> None:
        self._held = held
        self._journals = journals
        self._line = line
        self._limits = limits
        self._clock_s = clock_s
        # Of sessions that are in their journals alone.
        self._on_close: dict[str, OnClose | None] = {}
        self._swept_s = -SWEEP_EVERY_S

    def came_back(self, session_id: str) -> OnClose | None:
        """What has to be called in the end for a session that is in memory again."""
        return self._on_close.pop(session_id, None)

    async def tidy(self) -> None:
        """Park what is idle, close what was forgotten; what has been idle for long is left to its journal."""
        limits, now_s = self._limits(), self._clock_s()
        for held in list(self._held.values()):
            idle_s = now_s - held.used_s
            if held.session.is_busy:
                # A track that runs for an hour without another call is not idle.
                held.used_s = now_s
            elif idle_s >= limits.forgotten_s or (held.session.is_untouched and idle_s >= limits.untouched_s):
                await self.close(held)
            elif held.journal is not None and idle_s >= LEFT_AFTER * limits.idle_s:
                await self.leave(held)
            elif not held.parked and idle_s >= limits.idle_s:
                await self.park(held)

    async def sweep(self) -> None:
        """Now and then, forget journals that nobody has used for long."""
        now_s = self._clock_s()
        if self._journals is not None and now_s - self._swept_s >= SWEEP_EVERY_S:
            self._swept_s = now_s
            await self._journals.sweep(self._limits().forgotten_s, but=frozenset(self._held))

    async def park(self, held: Held) -> None:
        """Have a session give the device's memory back."""
        held.parked = True
        # A disk that hangs keeps this one's memory, and must not keep others from being parked.
        with suppress(ClipError, OutputError):
            await held.session.park()

    async def leave(self, held: Held) -> None:
        """Give a session's memory and files back; without a journal it is gone."""
        session_id = held.session.session_id
        if held.journal is None:
            await self.close(held)
            return
        begin()
        if self._held.pop(session_id, None) is None:
            return
        self._on_close[session_id] = held.on_close
        self._line.closed()
        try:
            await held.session.close()
        finally:
            with suppress(MaskletError):
                await held.journal.settle()
            with suppress(MaskletError):
                await held.journal.rest()

    async def close(self, held: Held) -> None:
        """Close a session for good."""
        # Carried to its end, whether or not anybody waits for it.
        begin()
        session_id = held.session.session_id
        if self._held.pop(session_id, None) is None:
            return
        self._line.closed()
        self._on_close[session_id] = held.on_close
        try:
            await held.session.close()
        finally:
            if held.journal is not None:
                with suppress(MaskletError):
                    await held.journal.rest()
            await self.forget(session_id)

    async def forget(self, session_id: str) -> None:
        """A session that is not in memory goes for good."""
        if self._journals is not None:
            await self._journals.remove(session_id)
        on_close = self._on_close.pop(session_id, None)
        if on_close is not None:
            await on_close()
