from __future__ import annotations

import asyncio

import numpy as np
import pytest

from masklet.types import Click, FramePrompts, Presence
from masklet_server.sessions.finding import find_again
from masklet_server.tracking import ObjectFrame, Proposal


def thing(frame: int, x_px: float) -> ObjectFrame:
    """A square thing wherever it is clicked, two pixels of the grid to either side; nothing left of 10."""
    logits = np.full((20, 60), -5, np.float16)
    if x_px >= 10:
        # Two clicks less than five apart hit the same thing.
        left = int(x_px // 10) * 10
        logits[5:15, left : left + 10] = 5
    return ObjectFrame(1, frame, logits, 5.0, 0.9, Presence.PRESENT, np.zeros(2, np.float16))


def look(*places: tuple[float, float], limit: int = 3) -> list[tuple[float, float]]:
    asked: list[int] = []

    async def propose(count: int) -> list[Proposal]:
        asked.append(count)
        return [Proposal(x_px, 9.0, likeness) for x_px, likeness in places][:count]

    async def preview(prompts: FramePrompts) -> ObjectFrame:
        assert prompts.clicks == (Click(prompts.clicks[0].x_px, 9.0),)
        return thing(prompts.frame, prompts.clicks[0].x_px)

    found = asyncio.run(find_again(1, 7, limit, propose, preview))
    assert asked == [2 * limit]
    assert all(each.prompts.frame == 7 and each.prompts.object_id == 1 for each in found)
    return [(each.prompts.clicks[0].x_px, each.likeness) for each in found]


def test_the_likeliest_place_comes_first() -> None:
    assert look((42.0, 0.9), (11.0, 0.8), (27.0, 0.7)) == [(42.0, 0.9), (11.0, 0.8), (27.0, 0.7)]


def test_of_two_places_on_one_thing_the_likelier_stays() -> None:
    assert look((42.0, 0.9), (44.0, 0.8), (27.0, 0.7)) == [(42.0, 0.9), (27.0, 0.7)]


def test_a_place_where_a_click_gives_nothing_is_no_candidate() -> None:
    assert look((3.0, 0.9), (27.0, 0.7)) == [(27.0, 0.7)]


@pytest.mark.parametrize("limit", [1, 2])
def test_no_more_than_asked_for(limit: int) -> None:
    assert len(look((42.0, 0.9), (11.0, 0.8), (27.0, 0.7), limit=limit)) == limit
