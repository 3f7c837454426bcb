"""How many sessions there may be in memory, and who opens the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from masklet.errors import LimitError
from masklet.events import Waiting
from masklet_server.sessions.held import Held
from masklet_server.sessions.opening_line import OpeningLine

JUST_USED_S = 1.0
LINE_ANSWERS_S = 4.0
LINE_LOOKS_S = 0.2


class OpeningRoom:
    """Lets sessions in while there is room, and has idle ones left to their journals for them.

    Args:
        held: All sessions in memory; the store's own.
        line: Who waits.
        most: How many sessions there may be.
        leave: Gives one's memory and files back; what its journal has stays there.
        clock_s: Of the store.
    """

    def __init__(
        self,
        held: Mapping[str, Held],
        line: OpeningLine,
        *,
        most: Callable[[], int],
        leave: Callable[[Held], Awaitable[None]],
        clock_s: Callable[[], float],
    ) -> None:
        self._held = held
        self._line = line
        self._most = most
        self._leave = leave
        self._clock_s = clock_s

    async def wait(self, user: str, ticket: str) -> Waiting | None:
        """A place in line, after some seconds; None as soon as a session may be opened with this ticket."""
        until_s = self._clock_s() + LINE_ANSWERS_S
        while (waiting := self._line.ask(user, ticket, self._free)) is not None:
            if self._clock_s() >= until_s:
                return waiting
            await asyncio.sleep(LINE_LOOKS_S)
        return None

    async def make(self, user: str, ticket: str = "") -> None:
        """See that there is room for one more session: the one used longest ago is left to its journal.

        Raises:
            LimitError: There is none, or it was promised to those who wait in line.
        """
        while True:
            idle = self._leavable()
            if not self._line.may_open(user, ticket) and self._free - self._line.waiting <= 0:
                idle = []
            elif len(self._held) < self._most():
                return
            if not idle:
                raise LimitError(
                    f"the server holds {self._most()} sessions already, its limit: close one and try again"
                )
            await self._leave(min(idle, key=lambda held: held.used_s))

    @property
    def _free(self) -> int:
        """How many sessions may be opened that nobody was promised."""
        return self._most() - len(self._held) + len(self._leavable()) - self._line.promised

    def _leavable(self) -> list[Held]:
        """Sessions that can be left to their journals."""
        now_s = self._clock_s()
        return [
            held
            for held in self._held.values()
            # Whoever has just asked for a session is about to use it.
            if held.journal and not held.session.is_busy and now_s - held.used_s >= JUST_USED_S
        ]
