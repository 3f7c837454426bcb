"""Coordinates stay those of the display window, however far the picture that is matted reaches beyond it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masklet.anchors import AnchorKey, AnchorKind, AnchorTrack
from masklet.mask import Mask, MaskDepth
from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.types import Box, Click, ClipInfo, FramePrompts, FrameRange, ObjectInfo, Overscan, PromptDocument
from masklet_server.service.overscan import (
    anchor_key_inside,
    anchor_outside,
    click_inside,
    document_inside,
    document_outside,
    prompts_inside,
    prompts_outside,
    shapes_outside,
)

CLIP = ClipInfo("over", 400, 220, 1001, 1003, overscan=Overscan(40, 20, 40, 20))
whole = st.integers(-500, 500).map(float)
numbers = st.integers(-8, 8).map(float)


def test_a_click_in_the_overscan_has_negative_coordinates_outside_and_lies_in_the_picture_inside() -> None:
    assert click_inside(Click(-30.5, 95), CLIP) == Click(9.5, 115)


@given(whole, whole, st.integers(1, 50))
@settings(deadline=None)
def test_prompts_and_documents_come_out_as_they_went_in(x_px: float, y_px: float, side_px: int) -> None:
    said = FramePrompts(1, 1001, (Click(x_px, y_px),), Box(x_px, y_px, x_px + side_px, y_px + 1))
    document = PromptDocument((ObjectInfo(1, "ball", (1001,)),), (said,))

    assert prompts_outside(prompts_inside(said, CLIP), CLIP) == said
    assert document_outside(document_inside(document, CLIP), CLIP) == document


@pytest.mark.parametrize("depth", MaskDepth)
def test_a_mask_of_the_display_window_is_put_into_its_place(depth: MaskDepth) -> None:
    codes = np.zeros((180, 320), {1: np.uint8, 2: np.uint16}[depth.bytes_per_pixel])
    codes[0, 0] = codes[179, 319] = {MaskDepth.HALF: 0x3C00, MaskDepth.BITS_16: 65535}.get(depth, 255)
    drawn = Mask(320, 180, codes.tobytes(), depth)

    mask = prompts_inside(FramePrompts(1, 1001, mask=drawn), CLIP).mask

    assert mask is not None
    assert (mask.width_px, mask.height_px, mask.depth) == (400, 220, depth)
    assert list(zip(*np.nonzero(mask.coverage()), strict=True)) == [(20, 40), (199, 359)]


@given(numbers, numbers, st.lists(numbers, min_size=9, max_size=9), whole, whole)
@settings(deadline=None)
def test_an_anchors_matrix_takes_pixels_of_the_display_window_to_such(
    x: float, y: float, matrix: list[float], x_px: float, y_px: float
) -> None:
    corners = ((x_px, y_px), (x_px + 1, y_px), (x_px + 1, y_px + 1), (x_px, y_px + 1))
    inside = AnchorKey(1001, x_px, y_px, corners=corners, matrix=tuple(matrix))  # type: ignore[arg-type]
    track = AnchorTrack("a", "ball", AnchorKind.PLANAR, 1001, (inside,))

    (outside,) = anchor_outside(track, CLIP).keys

    assert (outside.x_px, outside.y_px) == (x_px - 40, y_px - 20)
    assert outside.corners is not None
    assert outside.corners[2] == (x_px - 39, y_px - 19)
    there = np.array(matrix).reshape(3, 3) @ (x + 40, y + 20, 1)
    here = np.array(outside.matrix).reshape(3, 3) @ (x, y, 1)
    # Both are the same point, from two corners.
    assert np.allclose(here, there - np.array([40, 20, 0]) * there[2])
    assert anchor_key_inside(outside, CLIP) == inside


def test_shapes_are_drawn_from_the_corner_of_the_display_window() -> None:
    report = ShapeReport(1.0, 1.0, 1.0, 1001, 0.0, 2, 1, 1)
    key = ShapeKey(1001, (BezierVertex(10, 20, 1, 2, 3, 4, 5), BezierVertex(30, 40)))
    piece = Piece("piece 1", hole=False, visible=(FrameRange(1001, 1001),), keys=(key,))

    moved = shapes_outside(ObjectShapes("ball", 400, 220, 1.0, (piece,), report), CLIP)

    assert (moved.width_px, moved.height_px) == (320, 180)
    assert moved.pieces[0].keys[0].vertices[0] == BezierVertex(-30, 0, 1, 2, 3, 4, 5)


def test_without_overscan_nothing_is_touched() -> None:
    plain = replace(CLIP, overscan=Overscan())
    said = FramePrompts(1, 1001, mask=Mask(400, 220, bytes(400 * 220)))

    assert prompts_inside(said, plain) is said
    assert prompts_outside(said, plain) is said
