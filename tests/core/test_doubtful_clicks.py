"""A click whose mask may be poor is told of before it is tracked, and nothing else is."""

from __future__ import annotations

import pytest

from masklet.doubtful_clicks import advice_on
from masklet.types import Box, Click, FramePrompts, Presence

CLICK = Click(10.0, 10.0)


def test_a_doubtful_mask_of_a_single_click_gets_advice() -> None:
    advice = advice_on(FramePrompts(1, 1001, (CLICK,)), Presence.UNCERTAIN, "hero")

    assert advice is not None
    assert "hero on frame 1001" in advice
    assert "draw a box" in advice


@pytest.mark.parametrize(
    ("prompts", "presence"),
    [
        (FramePrompts(1, 1001, (CLICK,)), Presence.PRESENT),
        (FramePrompts(1, 1001, (CLICK,)), Presence.ABSENT),
        (FramePrompts(1, 1001, (CLICK, CLICK)), Presence.UNCERTAIN),
        (FramePrompts(1, 1001, (CLICK,), box=Box(0.0, 0.0, 20.0, 20.0)), Presence.UNCERTAIN),
        (FramePrompts(1, 1001, (Click(10.0, 10.0, positive=False),)), Presence.UNCERTAIN),
        (FramePrompts(1, 1001), Presence.UNCERTAIN),
    ],
)
def test_what_an_artist_sees_for_themselves_gets_none(prompts: FramePrompts, presence: Presence) -> None:
    assert advice_on(prompts, presence, "hero") is None
