from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from masklet.types import Click
from masklet_server.evaluation.interaction import AnnotationTime, click_until_done, next_click, tight_box

Mask = NDArray[np.bool_]
SHAPE = (24, 36)


@given(arrays(np.bool_, SHAPE), arrays(np.bool_, SHAPE))
def test_a_click_always_lies_in_the_error_region(mask: Mask, truth: Mask) -> None:
    click = next_click(mask, truth)

    if click is None:
        assert np.array_equal(mask, truth)
        return
    row, column = int(click.y_px), int(click.x_px)
    assert (click.x_px, click.y_px) == (column + 0.5, row + 0.5)
    assert bool(truth[row, column]) is click.positive
    assert bool(mask[row, column]) is not click.positive


def test_the_first_click_is_in_the_middle_of_the_object() -> None:
    truth = np.zeros(SHAPE, np.bool_)
    truth[5:16, 9:20] = True

    assert next_click(np.zeros_like(truth), truth) == Click(14.5, 10.5, positive=True)


def test_what_is_too_much_gets_a_negative_click_when_it_is_deeper() -> None:
    truth = np.zeros(SHAPE, np.bool_)
    truth[2:7, 2:7] = True
    mask = np.zeros_like(truth)
    mask[10:21, 20:31] = True

    assert next_click(mask, truth) == Click(25.5, 15.5, positive=False)


def test_the_border_of_the_picture_ends_a_region() -> None:
    truth = np.zeros(SHAPE, np.bool_)
    truth[:, :9] = True

    click = next_click(np.zeros_like(truth), truth)

    assert click is not None
    assert click.x_px == 4.5


def test_clicking_ends_when_nothing_is_wrong() -> None:
    truth = np.zeros(SHAPE, np.bool_)
    truth[5:16, 9:20] = True
    shown: list[tuple[Click, ...]] = []

    def answer(clicks: tuple[Click, ...]) -> Mask:
        shown.append(clicks)
        return truth if len(clicks) == 2 else np.zeros_like(truth)

    clicks, mask = click_until_done(np.zeros_like(truth), truth, clicks=5, apply=answer)

    assert [len(each) for each in shown] == [1, 2]
    assert len(clicks) == 2
    assert np.array_equal(mask, truth)


def test_a_box_touches_the_outermost_pixels() -> None:
    truth = np.zeros(SHAPE, np.bool_)
    truth[3, 7] = truth[20, 30] = True

    box = tight_box(truth)

    assert (box.left_px, box.top_px, box.right_px, box.bottom_px) == (7, 3, 31, 21)


def test_annotation_time_follows_the_model_of_the_paper() -> None:
    seconds = AnnotationTime().seconds(frames=300, passes=8, interacted_frames=8, clicks=24)

    assert seconds == pytest.approx(8 * 30 + 8 * 1 + 24 * 1.5)
