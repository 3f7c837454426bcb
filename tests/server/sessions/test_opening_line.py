from __future__ import annotations

import pytest

from fakes.engine import FakeClock
from masklet.errors import LimitError
from masklet.events import Waiting
from masklet_server.sessions.opening_line import LEASE_S, MAX_WAITING, OpeningLine


def test_places_are_told_in_the_order_of_arrival_and_move_up() -> None:
    line = OpeningLine(FakeClock())

    assert [line.ask(user, "t", 0) for user in ("ann", "bob", "cat")] == [Waiting(1), Waiting(2), Waiting(3)]
    assert line.ask("ann", "t", 1) is None
    assert line.ask("bob", "t", 0) == Waiting(1)


def test_what_was_promised_is_nobody_elses() -> None:
    line = OpeningLine(FakeClock())

    assert line.ask("ann", "t", 1) is None
    assert line.promised == 1
    assert line.may_open("ann", "t")
    assert not line.may_open("bob", "t")
    line.done("ann", "t")
    assert line.promised == 0


def test_one_user_with_many_tickets_does_not_stand_before_all_others() -> None:
    line = OpeningLine(FakeClock())
    for number in range(5):
        line.ask("ann", str(number), 0)

    assert line.ask("bob", "only", 0) == Waiting(2)


def test_who_does_not_come_back_loses_the_place() -> None:
    clock = FakeClock()
    line = OpeningLine(clock)
    line.ask("ann", "t", 0)
    clock.now_s = LEASE_S / 2
    line.ask("bob", "t", 0)
    clock.now_s = LEASE_S + 1.0

    assert line.ask("bob", "t", 0) == Waiting(1)
    assert line.ask("ann", "t", 0) == Waiting(2)


def test_how_long_it_takes_is_guessed_from_how_sessions_were_closed() -> None:
    clock = FakeClock()
    line = OpeningLine(clock)
    assert line.ask("ann", "t", 0) == Waiting(1, None)
    for now_s in (0.0, 10.0, 20.0):
        clock.now_s = now_s
        line.closed()
    line.ask("ann", "t", 0)

    assert line.ask("bob", "t", 0) == Waiting(2, 20.0)


def test_the_line_has_an_end() -> None:
    line = OpeningLine(FakeClock())
    for number in range(MAX_WAITING):
        line.ask("ann", str(number), 0)

    with pytest.raises(LimitError, match="256 others"):
        line.ask("bob", "t", 0)
    assert line.ask("ann", "7", 0) is not None
