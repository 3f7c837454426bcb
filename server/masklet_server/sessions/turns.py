"""Whose frame is next on the device: by what waits for it, and fair between users.

A turn is one call of the engine, at most one frame long. The queue is pure: it knows nothing of
threads, and time only as durations that it is told.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Generic, NamedTuple, TypeVar

CallT = TypeVar("CallT")

STARVATION_SHARE = 0.1
"""Of the device's time, what each class that waits keeps however many turns come before it."""
CREDIT_TURNS = 4
"""By so many turns a user may run ahead of what others have had who wait in a class below."""
PRESENT_TURNS = 8
"""For so many turns a user counts as waiting still: the next frame of a track is on its way."""
MAX_IDLE_USERS = 256


class TurnClass(IntEnum):
    """What waits for a turn; the first goes first."""

    PROMPT = 0
    """Somebody with a pen in the hand."""
    WATCHED = 1
    """A frame that an artist looks at, or that leads there."""
    SHOT = 2
    """The rest of a shot."""
    FARM = 3
    """Nobody: work that may take all night, and gets what others leave."""


class _Account(NamedTuple):
    """Who is charged. What a user's farm work took does not count against that user's own hand."""

    user: str
    is_farm: bool


@dataclass(frozen=True, eq=False)
class Turn(Generic[CallT]):
    """One call that waits for the device.

    Attributes:
        call: Whatever the caller runs when its turn comes.
        user: Who is charged. All sessions of one user share that user's part.
        turn_class: What waits for it.
        owner: Whose turns keep their order among themselves: a session. A user's owners take turns.
    """

    call: CallT
    user: str
    turn_class: TurnClass = TurnClass.SHOT
    owner: Hashable = None

    @property
    def account(self) -> _Account:
        """Where its time is written down."""
        return _Account(self.user, self.turn_class is TurnClass.FARM)


_Owners = OrderedDict[Hashable, deque[Turn[CallT]]]
_Ready = dict[TurnClass, dict[_Account, Hashable]]


class TurnQueue(Generic[CallT]):
    """Orders turns by class, and inside a class by virtual time: who has used the device least goes first.

    Over some turns users are equal whatever their classes are, but for farm work, which has what is left and
    its share. A user who was away is brought level with those who were not: waiting earns no credit.

    Args:
        starvation_share: What a class keeps.
        weight_of: How much of the device a user gets beside others, who have 1.
    """

    def __init__(
        self,
        *,
        starvation_share: float = STARVATION_SHARE,
        weight_of: Callable[[str], float] = lambda user: 1.0,
    ) -> None:
        self._starvation_share = starvation_share
        self._weight_of = weight_of
        self._waiting: dict[TurnClass, OrderedDict[_Account, _Owners[CallT]]] = {
            turn_class: OrderedDict() for turn_class in TurnClass
        }
        self._held: set[Hashable] = set()
        self._used_s: dict[_Account, float] = {}
        self._recent: deque[_Account] = deque(maxlen=PRESENT_TURNS)
        self._level_s = {True: 0.0, False: 0.0}
        # What is owed to each class: its share of the device time that others took while it waited.
        self._debt_s = dict.fromkeys(TurnClass, 0.0)
        self._last_s = dict.fromkeys(TurnClass, 0.0)

    def __len__(self) -> int:
        return sum(map(len, self.waiting.values()))

    @property
    def waiting(self) -> dict[TurnClass, list[Turn[CallT]]]:
        """All turns that wait, by class."""
        return {
            turn_class: [turn for owners in accounts.values() for turns in owners.values() for turn in turns]
            for turn_class, accounts in self._waiting.items()
        }

    def count(self, turn_class: TurnClass) -> int:
        """How many turns of a class wait; from any thread, as a number to show."""
        accounts = tuple(self._waiting[turn_class].values())
        return sum(len(turns) for owners in accounts for turns in tuple(owners.values()))

    def push(self, turn: Turn[CallT], *, first: bool = False) -> None:
        """Add a turn behind its owner's earlier ones of its class.

        Args:
            turn: What waits.
            first: Its owner goes before the user's other owners, having waited among them already.
        """
        account = turn.account
        if not self._is_present(account):
            level_s = self._level_s[account.is_farm]
            self._used_s[account] = max(self._used_s.get(account, 0.0), level_s)
        owners = self._waiting[turn.turn_class].setdefault(account, OrderedDict())
        owners.setdefault(turn.owner, deque()).append(turn)
        if first:
            owners.move_to_end(turn.owner, last=False)

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
        ready: _Ready = {}
        for turn_class, accounts in self._waiting.items():
            found = {
                account: owner
                for account, owners in accounts.items()
                if (owner := self._first_ready(owners, may_start)) is not _NOBODY
            }
            if found:
                ready[turn_class] = found
        if not ready:
            raise IndexError("no turn waits")
        turn_class = self._next_class(ready)
        account = self._least_used(ready[turn_class])
        owners = self._waiting[turn_class][account]
        owner = ready[turn_class][account]
        turn = owners[owner].popleft()
        # Behind the user's other owners, one of whom is next.
        owners.move_to_end(owner)
        if not owners[owner]:
            del owners[owner]
        if not owners:
            del self._waiting[turn_class][account]
        self._raise_level(account)
        return turn

    def charge(self, turn: Turn[CallT], duration_s: float) -> None:
        """Tell how long a turn took."""
        account, own = turn.account, turn.turn_class
        weighted_s = duration_s / self._weight_of(turn.user)
        self._used_s[account] = self._used_s.get(account, self._level_s[account.is_farm]) + weighted_s
        self._last_s[own] = duration_s
        self._recent.append(account)
        share = self._starvation_share
        for below in TurnClass:
            if below > own and self._waiting[below]:
                self._debt_s[below] += duration_s * share
        # A class that had the device to itself has saved nothing up, or those before it would pay for it.
        owed_s = self._debt_s[own] - duration_s * (1.0 - share)
        is_kept_back = any(self._waiting[above] for above in TurnClass if above < own)
        self._debt_s[own] = max(owed_s, 0.0) if is_kept_back else 0.0
        self._forget_idle()

    def discard(self, turn: Turn[CallT]) -> None:
        """Take a turn out that is not wanted any more; fine when it has gone already."""
        accounts = self._waiting[turn.turn_class]
        owners = accounts.get(turn.account, OrderedDict())
        turns = owners.get(turn.owner, deque())
        if turn in turns:
            turns.remove(turn)
            if not turns:
                del owners[turn.owner]
            if not owners:
                del accounts[turn.account]

    def take_all(self, owner: Hashable) -> list[Turn[CallT]]:
        """Take out all turns of an owner."""
        found = [turn for turns in self.waiting.values() for turn in turns if turn.owner == owner]
        for turn in found:
            self.discard(turn)
        return found

    def _first_ready(self, owners: _Owners[CallT], may_start: Callable[[Turn[CallT]], bool]) -> Hashable:
        for owner, turns in owners.items():
            if owner not in self._held and may_start(turns[0]):
                return owner
        return _NOBODY

    def _next_class(self, ready: _Ready) -> TurnClass:
        """The first class, unless another is owed a turn, or whoever waits there has had far less."""
        first, *below = sorted(ready)
        for turn_class in below:
            debt_s = self._debt_s[turn_class]
            if debt_s > 0.0 and debt_s >= self._last_s[turn_class] * (1.0 - self._starvation_share):
                return turn_class
        ahead = ready[first]
        behind = [
            (self._used_s[account], turn_class)
            for turn_class in below
            for account in ready[turn_class]
            if account not in ahead and not account.is_farm
        ]
        credit_s = CREDIT_TURNS * max(self._last_s.values())
        if behind and self._used_s[self._least_used(ahead)] > min(behind)[0] + credit_s:
            return min(behind)[1]
        return first

    def _least_used(self, accounts: Iterable[_Account]) -> _Account:
        return min(accounts, key=lambda account: self._used_s[account])

    def _raise_level(self, account: _Account) -> None:
        """What whoever comes back later is brought level with: the least that anybody here has used."""
        is_farm = account.is_farm
        present: Collection[_Account] = {
            account,
            *self._recent,
            *(each for accounts in self._waiting.values() for each in accounts),
        }
        least_s = min(self._used_s.get(each, math.inf) for each in present if each.is_farm == is_farm)
        self._level_s[is_farm] = max(self._level_s[is_farm], least_s)

    def _is_present(self, account: _Account) -> bool:
        return account in self._recent or any(account in accounts for accounts in self._waiting.values())

    def _forget_idle(self) -> None:
        # At or below the level a user's history says nothing that push() would not restore; above it,
        # it is kept until too many have come and gone.
        many = len(self._used_s) > MAX_IDLE_USERS
        for account in [account for account in self._used_s if not self._is_present(account)]:
            if many or self._used_s[account] <= self._level_s[account.is_farm]:
                del self._used_s[account]


_NOBODY = object()
