"""Who opens a session next on a server that is full."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from masklet.errors import LimitError
from masklet.events import Waiting

LEASE_S = 20.0
"""A place is kept for so long after its last call."""
PROMISED_S = 120.0
"""A session is kept free for so long: the clip has yet to be opened."""
MAX_WAITING = 256
_REMEMBERED_CLOSINGS = 16


@dataclass(eq=False)
class _Ticket:
    user: str
    asked_s: float
    seen_s: float
    may_open: bool = False


class OpeningLine:
    """Places in line: each user's first, then each user's second.

    Args:
        clock_s: Tells the time.
    """

    def __init__(self, clock_s: Callable[[], float]) -> None:
        self._clock_s = clock_s
        self._tickets: dict[tuple[str, str], _Ticket] = {}
        self._closings_s: deque[float] = deque(maxlen=_REMEMBERED_CLOSINGS)

    def ask(self, user: str, ticket: str, free: int) -> Waiting | None:
        """Take a place, or look how far it has come.

        Args:
            user: Who waits.
            ticket: Chosen by whoever waits.
            free: How many sessions may be opened now, those that others were promised left out.

        Returns:
            The place; None where a session may be opened: it is kept free for this ticket.

        Raises:
            LimitError: The line is as long as it may get.
        """
        now_s = self._clock_s()
        self._forget_absent(now_s)
        if (user, ticket) not in self._tickets and len(self._tickets) >= MAX_WAITING:
            raise LimitError(
                f"the server is full, and {MAX_WAITING} others wait already: try again in some minutes"
            )
        mine = self._tickets.setdefault((user, ticket), _Ticket(user, now_s, now_s))
        mine.seen_s = now_s
        if mine.may_open:
            return None
        place = self._order().index(mine) + 1
        if place <= free:
            mine.may_open = True
            return None
        return Waiting(place, self._expected_s(place - max(free, 0)))

    def may_open(self, user: str, ticket: str) -> bool:
        """True where a session is kept free for this ticket."""
        found = self._tickets.get((user, ticket))
        return found is not None and found.may_open

    def done(self, user: str, ticket: str) -> None:
        """The ticket was used, or is not wanted any more."""
        self._tickets.pop((user, ticket), None)

    def closed(self) -> None:
        """A session was closed: from that is guessed how long it takes."""
        self._closings_s.append(self._clock_s())

    @property
    def promised(self) -> int:
        """How many sessions are kept free."""
        self._forget_absent(self._clock_s())
        return sum(ticket.may_open for ticket in self._tickets.values())

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._tickets) - self.promised

    @property
    def tickets(self) -> tuple[tuple[str, float, bool], ...]:
        """Who waits in which order, for how long, and whether a session is kept free; those come first."""
        now_s = self._clock_s()
        self._forget_absent(now_s)
        promised = [ticket for ticket in self._tickets.values() if ticket.may_open]
        return tuple((each.user, now_s - each.asked_s, each.may_open) for each in (*promised, *self._order()))

    def _order(self) -> list[_Ticket]:
        turns: Counter[str] = Counter()
        ranked = []
        for number, ticket in enumerate(self._tickets.values()):
            if not ticket.may_open:
                ranked.append((turns[ticket.user], number, ticket))
                turns[ticket.user] += 1
        return [ticket for _, _, ticket in sorted(ranked, key=lambda each: each[:2])]

    def _expected_s(self, place: int) -> float | None:
        """By how sessions were closed lately; None where that says nothing."""
        closings_s = self._closings_s
        if len(closings_s) < 2:
            return None
        return place * (closings_s[-1] - closings_s[0]) / (len(closings_s) - 1)

    def _forget_absent(self, now_s: float) -> None:
        for key, ticket in list(self._tickets.items()):
            if now_s - ticket.seen_s > (PROMISED_S if ticket.may_open else LEASE_S):
                del self._tickets[key]
