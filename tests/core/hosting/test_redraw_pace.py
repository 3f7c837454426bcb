"""When a viewer is drawn again."""

from __future__ import annotations

from masklet.hosting.redraw_pace import RedrawPace


def test_what_streams_in_is_paced_and_what_a_hand_waits_for_is_drawn_at_once() -> None:
    drawn: list[bool] = []
    pace = RedrawPace(drawn.append, 0.015)

    pace.follow(came=True, is_busy=True)
    assert len(drawn) == 1
    pace.follow(came=True, is_busy=True)
    assert len(drawn) == 1
    pace.follow(came=True, is_busy=True, is_awaited=True)
    assert len(drawn) == 2
    pace.follow(came=False, is_busy=True, is_awaited=True)
    assert len(drawn) == 2


def test_the_last_that_comes_is_drawn_with_the_panels() -> None:
    drawn: list[bool] = []
    pace = RedrawPace(drawn.append, 0.015)

    pace.follow(came=True, is_busy=True)
    pace.follow(came=True, is_busy=False)

    assert drawn == [True, True]
