"""Masks that agree with clicks."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from masklet_server.engine.agreement import CLICK_KERNELS, ClickKernel, LastLooks, agree
from masklet_server.model.config import PRESETS
from masklet_server.model.network import ImageFeatures

SIDE = 40
KERNEL = ClickKernel()


@pytest.fixture
def features() -> ImageFeatures:
    """A picture whose left half looks unlike its right half."""

    def level(channels: int, side: int) -> Tensor:
        signs = torch.ones(channels)
        signs[1::2] = -1.0
        halves = torch.where(torch.arange(side) < side // 2, -1.0, 1.0)
        return (signs[:, None, None] * halves[None, None, :]).expand(1, channels, side, side)

    return ImageFeatures(level(16, SIDE // 4), level(4, SIDE // 2), level(2, SIDE))


def clicks_at(*cells: tuple[float, float], positive: tuple[bool, ...]) -> tuple[Tensor, Tensor]:
    """Points and labels of clicks in the middle of cells, given as column and row."""
    points = torch.tensor([[((column + 0.5) * 4 - 0.5, (row + 0.5) * 4 - 0.5) for column, row in cells]])
    return points, torch.tensor([[int(one) for one in positive]])


def test_every_click_lies_on_its_side_of_the_mask(features: ImageFeatures) -> None:
    logits = torch.full((1, 1, SIDE, SIDE), -6.0)
    points, labels = clicks_at((5, 20), (30, 10), (12, 20), positive=(True, True, False))

    agreed = agree(logits, features, points, labels, KERNEL)[0, 0]

    assert agreed[20, 5] > 0
    assert agreed[10, 30] > 0
    assert agreed[20, 12] < 0


def test_a_click_takes_along_what_looks_alike_and_leaves_the_rest(features: ImageFeatures) -> None:
    logits = torch.full((1, 1, SIDE, SIDE), -2.0)
    points, labels = clicks_at((14, 20), positive=(True,))

    agreed = agree(logits, features, points, labels, KERNEL)[0, 0]

    assert agreed[20, 8] > 0, "six cells away on the same half"
    assert agreed[20, 25] == pytest.approx(-2.0, abs=0.2), "eleven cells away on the other half"


def test_clicks_that_the_mask_agrees_with_change_nothing(features: ImageFeatures) -> None:
    logits = torch.full((1, 1, SIDE, SIDE), -6.0)
    logits[..., :20] = 6.0
    points, labels = clicks_at((5, 5), (35, 5), positive=(True, False))

    assert torch.allclose(agree(logits, features, points, labels, KERNEL), logits, atol=1e-4)


def test_corners_of_a_box_are_no_clicks(features: ImageFeatures) -> None:
    logits = torch.full((1, 1, SIDE, SIDE), -6.0)
    points, _ = clicks_at((5, 5), (35, 35), positive=(True, True))

    assert torch.equal(agree(logits, features, points, torch.tensor([[2, 3]]), KERNEL), logits)


def test_clicks_that_contradict_each_other_give_finite_logits(features: ImageFeatures) -> None:
    logits = torch.zeros(1, 1, SIDE, SIDE)
    points, labels = clicks_at((5, 5), (5, 5), (5, 5), positive=(True, False, True))

    assert torch.isfinite(agree(logits, features, points, labels, KERNEL)).all()


def test_official_networks_are_left_as_they_are() -> None:
    assert [name for name in PRESETS if name in CLICK_KERNELS] == ["masklet_embedded"]


def test_further_clicks_on_a_picture_give_the_same_and_another_picture_its_own(
    features: ImageFeatures,
) -> None:
    logits = torch.full((1, 1, SIDE, SIDE), -2.0)
    mirrored = ImageFeatures(-features.embedding, features.skip8.flip(-1), features.skip4)
    last = LastLooks()

    for picture, column in ((features, 14), (features, 5), (mirrored, 14), (features, 14)):
        points, labels = clicks_at((column, 20), positive=(True,))
        found = agree(logits, picture, points, labels, KERNEL, last)

        assert torch.equal(found, agree(logits, picture, points, labels, KERNEL))


def test_what_a_picture_looks_like_is_kept_no_longer_than_its_features() -> None:
    picture = ImageFeatures(torch.rand(1, 16, 10, 10), torch.rand(1, 4, 20, 20), torch.rand(1, 2, 40, 40))
    points, labels = clicks_at((14, 20), positive=(True,))
    last = LastLooks()
    agree(torch.full((1, 1, SIDE, SIDE), -2.0), picture, points, labels, KERNEL, last)
    assert last.held_bytes > 0

    del picture

    assert last.held_bytes == 0
