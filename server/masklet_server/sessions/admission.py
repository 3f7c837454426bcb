"""Which tracks may work at the same time: as many as the device's memory holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

from masklet.events import Waiting
from masklet_server.sessions.ledger import Holder, Ledger

_TELLS_EVERY_S = 2.0


@dataclass(frozen=True, eq=False)
class TrackNeeds:
    """A track that wants to begin, or works.

    Attributes:
        holder: Whose memory it will fill.
        objects: How many it follows.
        is_farm: Nobody waits for it: behind all others.
        steps_left: How many frames it still has to visit.
        session_id: Whose it is, for whoever looks.
    """

    holder: Holder
    objects: int
    is_farm: bool
    steps_left: Callable[[], int]
    session_id: str = ""


class Admission:
    """Lets tracks in, first come, first served; one alone always. To be used from one event loop.

    Args:
        ledger: Knows what tracks need, and what there is.
        step_s: How long a step takes, as things are now.
        make_room: Has idle sessions give back so much.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        step_s: Callable[[], float] = lambda: 0.0,
        make_room: Callable[[int], Awaitable[None]] | None = None,
    ) -> None:
        self._ledger = ledger
        self._step_s = step_s
        self._make_room = make_room
        self._line: list[TrackNeeds] = []
        self._working: list[TrackNeeds] = []
        self._changed = asyncio.Event()

    @property
    def waiting(self) -> int:
        """How many tracks wait."""
        return len(self._line)

    @property
    def line(self) -> tuple[TrackNeeds, ...]:
        """Tracks that wait, the next one first."""
        return tuple(self._line)

    @property
    def working(self) -> tuple[TrackNeeds, ...]:
        """Tracks that work."""
        return tuple(self._working)

    async def let_in(self, track: TrackNeeds) -> AsyncGenerator[Waiting, None]:
        """Tell the track's place now and then, until it may work; :meth:`leave` says that it has ended."""
        ahead = [other for other in self._line if track.is_farm or not other.is_farm]
        self._line.insert(len(ahead), track)
        try:
            while self._line[0] is not track or not self._fits(track):
                place = self._line.index(track) + 1
                yield Waiting(place, self._expected_s(place))
                with suppress(TimeoutError):
                    async with asyncio.timeout(_TELLS_EVERY_S):
                        await self._changed.wait()
            self._working.append(track)
        finally:
            self._line.remove(track)
            self._wake()
        if self._make_room is not None:
            await self._make_room(self._needed_bytes(track))

    def leave(self, track: TrackNeeds) -> None:
        """A track has ended; fine when it was never let in."""
        if track in self._working:
            self._working.remove(track)
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _needed_bytes(self, track: TrackNeeds) -> int:
        return self._ledger.need_bytes(track.holder, track.objects)

    def _fits(self, track: TrackNeeds) -> bool:
        needed_bytes = sum(map(self._needed_bytes, (track, *self._working)))
        return not self._working or needed_bytes <= self._ledger.admitted_bytes

    def _expected_s(self, place: int) -> float | None:
        """When so many of those that work have ended, if they share the device evenly as they do."""
        step_s, left = self._step_s(), sorted(track.steps_left() for track in self._working)
        if not step_s or not left:
            return None
        taken_s, done = 0.0, 0
        for number, steps in enumerate(left):
            taken_s += (steps - done) * (len(left) - number) * step_s
            done = steps
            if number + 1 == place:
                return taken_s
        # Those who come in between take about as long again.
        return taken_s * place / len(left)
