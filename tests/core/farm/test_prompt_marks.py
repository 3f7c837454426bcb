"""What an artist said, as mattes are compared with it."""

from __future__ import annotations

from masklet.farm.prompt_marks import box_of, marks_of, prompts_of
from masklet.types import Box, Click, FramePrompts, ObjectInfo, PromptDocument, Scribble

_BOX = Box(10.0, 10.0, 50.0, 40.0)


def test_clicks_and_points_along_strokes_are_looked_at() -> None:
    stroke = Scribble(tuple((float(x_px), 20.0) for x_px in range(100)), 4.0, positive=False)
    click, along = marks_of(FramePrompts(1, 7, (Click(12.0, 13.0),), scribbles=(stroke,)))
    assert (click.points_px, click.positive) == (((12.0, 13.0),), True)
    assert not along.positive
    assert 8 <= len(along.points_px) <= 16
    assert along.points_px[0] == (0.0, 20.0)
    (dab,) = marks_of(FramePrompts(1, 7, scribbles=(Scribble(((3.0, 4.0),), 2.0),)))
    assert dab.points_px == ((3.0, 4.0),)


def test_a_box_counts_until_a_click_says_that_the_object_reaches_further() -> None:
    assert box_of(FramePrompts(1, 7)) is None
    assert box_of(FramePrompts(1, 7, (Click(20.0, 20.0),), _BOX)) == (10.0, 10.0, 50.0, 40.0)
    assert box_of(FramePrompts(1, 7, (Click(60.0, 20.0, positive=False),), _BOX)) is not None
    assert box_of(FramePrompts(1, 7, (Click(60.0, 20.0),), _BOX)) is None


def test_prompts_are_those_of_the_object_alone() -> None:
    infos = (ObjectInfo(1, "hero", (7,)), ObjectInfo(2, "dog", (8,)))
    prompts = tuple(FramePrompts(info.object_id, 7, (Click(1.0, 1.0),)) for info in infos)
    assert prompts_of(PromptDocument(infos, prompts), "dog") == prompts[1:]
