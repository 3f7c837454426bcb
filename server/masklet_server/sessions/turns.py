"""Whose frame is next on the device: prompts before tracking, and fair between users.

A turn is one call of the engine, at most one frame long. The queue is pure: it knows nothing of
threads, and time only as durations that it is told.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

CallT = TypeVar("CallT")

STARVATION_SHARE = 0.1
"""Of the device's time, what a user's tracking keeps however many prompts of the same user arrive."""
CREDIT_TURNS = 4
"""By so many turns a user's prompts may run ahead of what others who wait have had."""
PRESENT_TURNS = 8
"""For so many turns a user counts as waiting still: the next frame of a track is on its way."""
MAX_IDLE_USERS = 256


@dataclass(frozen=True, eq=False)
class Turn(Generic[CallT]):
    """One call that waits for the device.

    Attributes:
        call: Whatever the caller runs when its turn comes.
        user: Who is charged. All sessions of one user share that user's part.
        urgent: True for a prompt, for which somebody waits with a pen in the hand.
        owner: Whose turns keep their order among themselves: a session. A user's owners take turns.
    """

    call: CallT
    user: str
    urgent: bool = False
    owner: Hashable = None


_Owners = OrderedDict[Hashable, deque[Turn[CallT]]]


class TurnQueue(Generic[CallT]):
    """Orders turns by virtual time: who has used the device least goes first.

    A user who was away is brought level with those who were not: waiting earns no credit.
    """

    def __init__(self, *, starvation_share: float = STARVATION_SHARE) -> None:
        self._starvation_share = starvation_share
        self._waiting: dict[bool, OrderedDict[str, _Owners[CallT]]] = {
            True: OrderedDict(),
            False: OrderedDict(),
        }
        self._held: set[Hashable] = set()
        self._used_s: dict[str, float] = {}
        self._recent: deque[str] = deque(maxlen=PRESENT_TURNS)
        self._level_s = 0.0
        # What prompts owe: tracking's share of the device time that they took while it waited.
        self._debt_s = 0.0
        self._last_s = {True: 0.0, False: 0.0}

    def __len__(self) -> int:
        return sum(
            len(turns) for users in self._waiting.values() for own in users.values() for turns in own.values()
        )

    def push(self, turn: Turn[CallT]) -> None:
        """Add a turn behind its owner's earlier ones of its kind."""
        if not self._is_present(turn.user):
            self._used_s[turn.user] = max(self._used_s.get(turn.user, 0.0), self._level_s)
        owners = self._waiting[turn.urgent].setdefault(turn.user, OrderedDict())
        owners.setdefault(turn.owner, deque()).append(turn)

    def hold(self, owner: Hashable) -> None:
        """Let the turns of an owner wait until :meth:`release`: one of them is not over yet."""
        self._held.add(owner)

    def release(self, owner: Hashable) -> None:
        """Let the turns of an owner come again."""
        self._held.discard(owner)

    def pop(self, *, may_start: Callable[[Turn[CallT]], bool] = lambda turn: True) -> Turn[CallT]:
        """Take the turn that is next.

        Args:
            may_start: Says no to turns that have to wait some more; asked for the first of each owner.

        Raises:
            IndexError: Nothing waits that may start.
        """
        # In the order in which users came to wait, of whom min() keeps the first of equals.
        ready = {
            urgent: {
                user: owner
                for user, owners in users.items()
                if (owner := self._first_ready(owners, may_start)) is not _NOBODY
            }
            for urgent, users in self._waiting.items()
        }
        if not ready[True] and not ready[False]:
            raise IndexError("no turn waits")
        urgent = bool(ready[True])
        if urgent and ready[False] and self._is_trackings_turn(ready):
            urgent = False
        user = min(ready[urgent], key=lambda user: self._used_s[user])
        owners = self._waiting[urgent][user]
        owner = ready[urgent][user]
        turn = owners[owner].popleft()
        # Behind the user's other owners, one of whom is next.
        owners.move_to_end(owner)
        if not owners[owner]:
            del owners[owner]
        if not owners:
            del self._waiting[urgent][user]
        present = {user, *self._recent, *self._waiting[True], *self._waiting[False]}
        self._level_s = max(self._level_s, min(self._used_s.get(each, math.inf) for each in present))
        return turn

    def charge(self, turn: Turn[CallT], duration_s: float) -> None:
        """Tell how long a turn took."""
        self._used_s[turn.user] = self._used_s.get(turn.user, self._level_s) + duration_s
        self._last_s[turn.urgent] = duration_s
        self._recent.append(turn.user)
        share = self._starvation_share
        if not turn.urgent:
            # Tracking that had the device to itself has saved nothing up, or a prompt would pay for it.
            owed_s = self._debt_s - duration_s * (1.0 - share)
            self._debt_s = max(owed_s, 0.0) if self._waiting[True] else 0.0
        elif self._waiting[False]:
            self._debt_s += duration_s * share
        self._forget_idle()

    def discard(self, turn: Turn[CallT]) -> None:
        """Take a turn out that is not wanted any more; fine when it has gone already."""
        users = self._waiting[turn.urgent]
        owners = users.get(turn.user, OrderedDict())
        turns = owners.get(turn.owner, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del owners[turn.owner]
            if not owners:
                del users[turn.user]

    def take_all(self, owner: Hashable) -> list[Turn[CallT]]:
        """Take out all turns of an owner."""
        found = [
            turn
            for users in self._waiting.values()
            for owners in users.values()
            for turn in owners.get(owner, ())
        ]
        for turn in found:
            self.discard(turn)
        return found

    def _first_ready(self, owners: _Owners[CallT], may_start: Callable[[Turn[CallT]], bool]) -> Hashable:
        for owner, turns in owners.items():
            if owner not in self._held and may_start(turns[0]):
                return owner
        return _NOBODY

    def _is_trackings_turn(self, ready: dict[bool, dict[str, Hashable]]) -> bool:
        """Whether the users whose prompts wait have had more than their part, or prompts owe a turn."""
        if self._debt_s > 0.0 and self._debt_s >= self._last_s[False] * (1.0 - self._starvation_share):
            return True
        prompting = min(self._used_s[user] for user in ready[True])
        others = [self._used_s[user] for user in ready[False] if user not in ready[True]]
        credit_s = CREDIT_TURNS * max(self._last_s.values())
        return bool(others) and prompting > min(others) + credit_s

    def _is_present(self, user: str) -> bool:
        return user in self._recent or any(user in users for users in self._waiting.values())

    def _forget_idle(self) -> None:
        # At or below the level a user's history says nothing that push() would not restore; above it,
        # it is kept until too many have come and gone.
        many = len(self._used_s) > MAX_IDLE_USERS
        for user in [user for user in self._used_s if not self._is_present(user)]:
            if many or self._used_s[user] <= self._level_s:
                del self._used_s[user]


_NOBODY = object()
