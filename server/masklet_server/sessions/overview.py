"""What stands where, for whoever keeps the server: it looks without counting as a call."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from masklet_server.sessions.held import Held
from masklet_server.sessions.session import Session

CALLS_END_WITHIN_S = 60.0
LOOK_S = 0.05
QUIET_LOOKS = 3


@dataclass(frozen=True)
class HeldSession:
    """A session in memory.

    Attributes:
        session: To be looked at, not used.
        idle_s: Since its last call; 0 while one is under way.
        is_parked: It has given the device's memory back.
        is_kept: It has a journal, and outlives the process.
    """

    session: Session
    idle_s: float
    is_parked: bool
    is_kept: bool


class Overview:
    """All sessions in memory, whosever they are.

    Args:
        held: They, by id; the store's own.
        clock_s: Of the store.
        park: Has one give its memory back.
        close: Closes one for good.
        leave: Gives one's memory and files back; what its journal has stays there.
    """

    def __init__(
        self,
        held: Mapping[str, Held],
        clock_s: Callable[[], float],
        *,
        park: Callable[[Held], Awaitable[None]],
        close: Callable[[Held], Awaitable[None]],
        leave: Callable[[Held], Awaitable[None]],
    ) -> None:
        self._held = held
        self._clock_s = clock_s
        self._park = park
        self._close = close
        self._leave = leave

    def sessions(self) -> list[HeldSession]:
        """All of them; none counts as used."""
        now_s = self._clock_s()
        return [
            HeldSession(
                held.session,
                0.0 if held.session.is_busy else now_s - held.used_s,
                is_parked=held.parked,
                is_kept=held.journal is not None,
            )
            for held in self._held.values()
        ]

    async def park(self, session_id: str) -> bool:
        """Have a session give the device's memory back; False where there is none, or it is at work."""
        held = self._held.get(session_id)
        if held is None or held.session.is_busy:
            return False
        await self._park(held)
        return True

    async def hand_over(self, session_id: str, *, within_s: float = CALLS_END_WITHIN_S) -> None:
        """Have a session ready for another server: tracks pause, calls in hand end, its journal is complete.

        Clients are told to come back. Fine where there is none.

        Args:
            session_id: Which.
            within_s: Work that takes longer, an export say, is cut off, and noted as such.
        """
        held = self._held.get(session_id)
        if held is None or held.is_leaving:
            return
        held.is_leaving = True
        held.session.tracks.pause()
        quiet, until_s = 0, self._clock_s() + within_s
        # Between two turns of one call a session is not busy for a moment.
        while quiet < QUIET_LOOKS and self._clock_s() < until_s:
            await asyncio.sleep(LOOK_S)
            quiet = 0 if held.session.is_busy else quiet + 1
        held.unfinished.is_stopping = True
        await self._leave(held)

    async def remove(self, session_id: str) -> bool:
        """Close somebody's session for good, with all that is kept of it; False where there is none."""
        held = self._held.get(session_id)
        if held is None:
            return False
        await self._close(held)
        return True
