"""Whose frame is next on the device: prompts before tracking, and fair between users.

A turn is one call of the engine, at most one frame long. The queue is pure: it knows nothing of
threads, and time only as durations that it is told.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

CallT = TypeVar("CallT")

STARVATION_SHARE = 0.1
"""Of the device's time, what tracking keeps however many prompts arrive."""
MAX_IDLE_USERS = 256


@dataclass(frozen=True, eq=False)
class Turn(Generic[CallT]):
    """One call that waits for the device.

    Attributes:
        call: Whatever the caller runs when its turn comes.
        user: Who is charged. All sessions of one user share that user's part.
        urgent: True for a prompt, for which somebody waits with a pen in the hand.
    """

    call: CallT
    user: str
    urgent: bool = False


class TurnQueue(Generic[CallT]):
    """Orders turns by virtual time: who has used the device least goes first.

    A user who was away is brought level with those who were not: waiting earns no credit.
    """

    def __init__(self, *, starvation_share: float = STARVATION_SHARE) -> None:
        self._starvation_share = starvation_share
        self._waiting: dict[bool, OrderedDict[str, list[Turn[CallT]]]] = {
            True: OrderedDict(),
            False: OrderedDict(),
        }
        self._used_s: dict[str, float] = {}
        self._level_s = 0.0
        # What prompts owe: tracking's share of the device time that they took while it waited.
        self._debt_s = 0.0
        self._last_tracking_s = 0.0

    def __len__(self) -> int:
        return sum(len(turns) for users in self._waiting.values() for turns in users.values())

    def push(self, turn: Turn[CallT]) -> None:
        """Add a turn behind the same user's earlier ones of its kind."""
        if not self._is_waiting(turn.user):
            self._used_s[turn.user] = max(self._used_s.get(turn.user, 0.0), self._level_s)
        self._waiting[turn.urgent].setdefault(turn.user, []).append(turn)

    def pop(self) -> Turn[CallT]:
        """Take the turn that is next.

        Raises:
            IndexError: Nothing waits.
        """
        urgent = bool(self._waiting[True])
        if urgent and self._waiting[False] and self._owes_a_turn():
            urgent = False
        users = self._waiting[urgent]
        if not users:
            raise IndexError("no turn waits")
        # min() keeps the first of equals, and users stand in the order in which they came to wait.
        user = min(users, key=lambda name: self._used_s[name])
        turns = users[user]
        turn = turns.pop(0)
        if not turns:
            del users[user]
        self._level_s = max(self._level_s, self._used_s[user])
        return turn

    def charge(self, turn: Turn[CallT], duration_s: float) -> None:
        """Tell how long a turn took."""
        self._used_s[turn.user] = self._used_s.get(turn.user, self._level_s) + duration_s
        share = self._starvation_share
        if not turn.urgent:
            self._last_tracking_s = duration_s
            # Tracking that had the device to itself has saved nothing up, or a prompt would pay for it.
            owed_s = self._debt_s - duration_s * (1.0 - share)
            self._debt_s = max(owed_s, 0.0) if self._waiting[True] else 0.0
        elif self._waiting[False]:
            self._debt_s += duration_s * share
        self._forget_idle()

    def discard(self, turn: Turn[CallT]) -> None:
        """Take a turn out that is not wanted any more; fine when it has gone already."""
        users = self._waiting[turn.urgent]
        turns = users.get(turn.user, [])
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del users[turn.user]

    def _owes_a_turn(self) -> bool:
        return self._debt_s > 0.0 and self._debt_s >= self._last_tracking_s * (1.0 - self._starvation_share)

    def _is_waiting(self, user: str) -> bool:
        return any(user in users for users in self._waiting.values())

    def _forget_idle(self) -> None:
        # At or below the level a user's history says nothing that push() would not restore; above it,
        # it is kept until too many have come and gone.
        many = len(self._used_s) > MAX_IDLE_USERS
        for user in [user for user in self._used_s if not self._is_waiting(user)]:
            if many or self._used_s[user] <= self._level_s:
                del self._used_s[user]
