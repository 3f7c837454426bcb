"""Who holds how much of the device's memory, and who gives some back when it is short.

Relief has a fixed order, the cheapest first: features of idle sessions, their memories to the machine's own
memory, all that they hold. Sessions that were used longest ago go first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from masklet_server.tracking import Holdings, Relief

RESERVE_SHARE = 0.1
"""Of the budget, what work may not be admitted into: memory is never in one piece."""

DEVICE_SHARE = 0.7
"""Of the device's memory, what trackers may hold at most."""


class Holder(Protocol):
    """Whatever holds memory of the device: a session's tracker."""

    @property
    def holdings(self) -> Holdings:
        """What it holds since its last turn."""
        ...

    @property
    def is_engaged(self) -> bool:
        """True in the middle of a call, whose memory must stay."""
        ...

    def relieve(self, relief: Relief) -> None:
        """Give some back, at once."""
        ...


@dataclass(eq=False)
class _Account:
    is_busy: Callable[[], bool]
    most_bytes: int = 0


class Ledger:
    """Adds up what sessions hold. To be used by whoever has the device; reading is everybody's.

    Args:
        budget_bytes: What all may hold together, as somebody has set it.

    Attributes:
        device_bytes: What the device itself gives; None where nobody knows. A part of it is the network's
            and the calls' own.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._set_bytes = budget_bytes
        self.device_bytes: int | None = None
        self._accounts: OrderedDict[Holder, _Account] = OrderedDict()
        self._object_bytes = 0

    @property
    def budget_bytes(self) -> int:
        """What all may hold together: what was set, and no more than the device has."""
        if self.device_bytes is None:
            return self._set_bytes
        return min(self._set_bytes, int(self.device_bytes * DEVICE_SHARE))

    @budget_bytes.setter
    def budget_bytes(self, budget_bytes: int) -> None:
        self._set_bytes = budget_bytes

    def enter(self, holder: Holder, is_busy: Callable[[], bool]) -> None:
        """Write a holder down; it counts as used now."""
        self._accounts[holder] = _Account(is_busy)

    def leave(self, holder: Holder) -> None:
        """Strike a holder out."""
        self._accounts.pop(holder, None)

    def note(self, holder: Holder, objects: int = 0) -> None:
        """A holder has had a turn.

        Args:
            holder: Whose holdings have changed.
            objects: How many it works on, from which others are estimated.
        """
        account = self._accounts.get(holder)
        if account is None:
            return
        self._accounts.move_to_end(holder)
        account.most_bytes = max(account.most_bytes, holder.holdings.held_bytes)
        if objects:
            self._object_bytes = max(self._object_bytes, holder.holdings.memories_bytes // objects)

    @property
    def held_bytes(self) -> int:
        """What all hold together."""
        return sum(holder.holdings.held_bytes for holder in tuple(self._accounts))

    @property
    def workspace_bytes(self) -> int:
        """The most that one call needs: there is one call at a time."""
        return max((holder.holdings.workspace_bytes for holder in tuple(self._accounts)), default=0)

    @property
    def totals(self) -> Holdings:
        """The same in detail."""
        all_of = [holder.holdings for holder in tuple(self._accounts)]
        return Holdings(
            sum(each.frames_bytes for each in all_of),
            sum(each.features_bytes for each in all_of),
            sum(each.memories_bytes for each in all_of),
            self.workspace_bytes,
            sum(each.host_bytes for each in all_of),
        )

    def need_bytes(self, holder: Holder, objects: int) -> int:
        """What a track of so many objects will hold: as much as ever, or as others needed for as many."""
        account = self._accounts.get(holder)
        return max(0 if account is None else account.most_bytes, objects * self._object_bytes)

    @property
    def admitted_bytes(self) -> int:
        """What work that is admitted may hold together, the workspace left out."""
        return int(self.budget_bytes * (1.0 - RESERVE_SHARE)) - self.workspace_bytes

    def fit(self, wanted_bytes: int = 0) -> None:
        """Have idle holders give memory back until all fit, with so much more.

        Busy ones are left alone, and so is the one used last: whoever works alone may use it all.
        """
        last = next(reversed(self._accounts), None)
        for relief, holder in self._idle():
            if self.held_bytes + wanted_bytes <= self.budget_bytes:
                return
            if holder is not last or wanted_bytes:
                holder.relieve(relief)

    def give_way(self, holder: Holder) -> None:
        """The device is full in the middle of a holder's turn: everybody else gives back what they can."""
        for relief, other in self._idle():
            if other is not holder:
                other.relieve(relief)
        for other in tuple(self._accounts):
            if other is not holder and not other.is_engaged:
                # What works just now is slowed down, and only where nothing else was left to take.
                other.relieve(Relief.ALL)

    def _idle(self) -> Iterator[tuple[Relief, Holder]]:
        """Each step of relief for each idle holder, the one used longest ago first."""
        for relief in Relief:
            for holder, account in tuple(self._accounts.items()):
                if not account.is_busy() and not holder.is_engaged and holder.holdings.held_bytes:
                    yield relief, holder
