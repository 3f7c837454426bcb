from __future__ import annotations

import numpy as np
import torch

from masklet.types import Box, Click, ClipInfo, FramePrompts, Mask, Scribble
from masklet_server.engine.cleaning import Wanted
from masklet_server.engine.prompting import Turn, added_turns, mask_square, turns_in_order

CLIP = ClipInfo("clip", 200, 100, 1, 10)
CPU = torch.device("cpu")
A, B, C = Click(1.0, 1.0), Click(2.0, 2.0, positive=False), Click(3.0, 3.0)


def test_the_centre_of_the_first_pixel_is_where_the_network_counts_from() -> None:
    points, labels = Turn(None, (Click(0.5, 0.5),)).points(
        ClipInfo("clip", 64, 64, 1, 10), side_px=64, device=CPU
    )

    assert points.tolist() == [[[0.0, 0.0]]]
    assert labels.tolist() == [[1]]


def test_corners_of_the_plate_are_corners_of_the_square() -> None:
    turn = Turn(None, (Click(0.0, 0.0), Click(200.0, 100.0, positive=False)))

    points, labels = turn.points(CLIP, side_px=64, device=CPU)

    assert points.tolist() == [[[-0.5, -0.5], [63.5, 63.5]]]
    assert labels.tolist() == [[1, 0]]


def test_a_box_comes_first_and_counts_as_two_points() -> None:
    turn = Turn(Box(0.0, 0.0, 100.0, 50.0), (A,))

    points, labels = turn.points(CLIP, side_px=64, device=CPU)

    assert points[0, :2].tolist() == [[-0.5, -0.5], [31.5, 31.5]]
    assert labels.tolist() == [[2, 3, 1]]
    assert turn.count(CLIP) == 3


def test_what_was_clicked_on_and_what_was_drawn_over_is_wanted_where_it_is() -> None:
    strokes = Scribble(((100.0, 50.0),), 4.0), Scribble(((20.0, 90.0),), 4.0, positive=False)
    turn = Turn(None, (Click(199.9, 0.0),), strokes)

    assert turn.wanted(CLIP, side=50) == Wanted(inside=((0, 49), (25, 25)), outside=((45, 5),))


def test_each_click_is_a_turn_after_the_box() -> None:
    box = Box(0.0, 0.0, 5.0, 5.0)

    assert turns_in_order(FramePrompts(1, 1, clicks=(A, B))) == (Turn(None, (A,)), Turn(None, (A, B)))
    assert turns_in_order(FramePrompts(1, 1, box=box, clicks=(A,))) == (Turn(box, ()), Turn(box, (A,)))


def test_turns_go_on_only_from_their_own_beginning() -> None:
    turns = turns_in_order(FramePrompts(1, 1, clicks=(A, B, C)))

    assert added_turns(turns, turns[:1]) == turns[1:]
    assert added_turns(turns, turns) == ()
    assert added_turns(turns[:2], turns) is None
    assert added_turns(turns, turns_in_order(FramePrompts(1, 1, clicks=(B,)))) is None


def test_half_coverage_counts_as_inside_a_drawn_mask() -> None:
    alpha = np.zeros((100, 200), np.uint8)
    alpha[:, :50] = 127
    alpha[:, 50:100] = 128

    square = mask_square(Mask.from_array(alpha), side_px=64, device=CPU)

    assert square.shape == (1, 1, 64, 64)
    assert square[0, 0, 32, 8] == 0
    assert square[0, 0, 32, 24] == 1
    assert square[0, 0, 32, 40] == 0
