from __future__ import annotations

from dataclasses import dataclass, field

from masklet_server.sessions.ledger import Ledger
from masklet_server.tracking import Holdings, Relief


@dataclass(eq=False)
class Holder:
    """Holds features and memories, and gives them back as a tracker on a GPU does."""

    name: str
    log: list[tuple[str, Relief]]
    holdings: Holdings = field(default_factory=lambda: Holdings(0, 600, 400))
    is_engaged: bool = False
    is_busy: bool = False

    def relieve(self, relief: Relief) -> None:
        self.log.append((self.name, relief))
        held = self.holdings
        if relief is Relief.FEATURES:
            self.holdings = Holdings(0, 0, held.memories_bytes)
        elif relief is Relief.MEMORIES:
            self.holdings = Holdings(0, held.features_bytes, 0, 0, held.memories_bytes)
        else:
            self.holdings = Holdings()


def entered(ledger: Ledger, count: int) -> tuple[list[Holder], list[tuple[str, Relief]]]:
    log: list[tuple[str, Relief]] = []
    holders = [Holder(str(number), log) for number in range(count)]
    for holder in holders:
        ledger.enter(holder, lambda holder=holder: holder.is_busy)
        ledger.note(holder, objects=2)
    return holders, log


def test_features_go_before_memories_and_memories_before_all() -> None:
    ledger = Ledger(budget_bytes=900)
    _, log = entered(ledger, 4)

    ledger.fit()

    steps = [relief for _, relief in log]
    assert steps == sorted(steps, key=list(Relief).index)
    assert log[:3] == [("0", Relief.FEATURES), ("1", Relief.FEATURES), ("2", Relief.FEATURES)]
    assert ledger.held_bytes <= 1000


def test_trackers_hold_no_more_than_the_device_has_whatever_was_set() -> None:
    ledger = Ledger(budget_bytes=8 << 30)
    ledger.device_bytes = 5 << 30

    assert ledger.budget_bytes == int(0.7 * (5 << 30))
    ledger.budget_bytes = 1 << 30
    assert ledger.budget_bytes == 1 << 30


def test_no_more_is_taken_than_needed_and_from_who_was_away_longest() -> None:
    ledger = Ledger(budget_bytes=2500)
    holders, log = entered(ledger, 3)
    ledger.note(holders[0])

    ledger.fit()

    assert log == [("1", Relief.FEATURES)]


def test_who_works_keeps_what_it_has_and_so_does_the_last() -> None:
    ledger = Ledger(budget_bytes=0)
    holders, log = entered(ledger, 3)
    holders[0].is_busy = True

    ledger.fit()

    assert {name for name, _ in log} == {"1"}


def test_a_full_device_takes_from_all_but_who_needs_it_and_whoever_is_in_the_middle_of_a_call() -> None:
    ledger = Ledger(budget_bytes=10**9)
    holders, log = entered(ledger, 4)
    holders[1].is_busy = holders[2].is_busy = holders[2].is_engaged = True

    ledger.give_way(holders[0])

    assert {name for name, _ in log} == {"1", "3"}
    assert ("1", Relief.FEATURES) not in log


def test_what_a_track_will_need_is_known_from_others() -> None:
    ledger = Ledger(budget_bytes=10_000)
    holders, _ = entered(ledger, 2)
    newcomer = Holder("new", [])
    ledger.enter(newcomer, lambda: False)

    assert ledger.need_bytes(newcomer, 5) == 5 * 200
    assert ledger.need_bytes(holders[0], 1) == 1000


def test_who_has_left_counts_for_nothing() -> None:
    ledger = Ledger(budget_bytes=10_000)
    holders, _ = entered(ledger, 2)
    for holder in holders:
        ledger.leave(holder)

    assert ledger.held_bytes == 0
