"""Simulated prompts: where clicks fall and what boxes enclose."""

from __future__ import annotations

import pytest
import torch

from masklet_server.training.config import PromptConfig
from masklet_server.training.prompting import box_around, correction_click, depth_of, first_click

SIDE_PX = 64


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _rectangle(left: int, top: int, right: int, bottom: int) -> torch.Tensor:
    mask = torch.zeros(SIDE_PX, SIDE_PX, dtype=torch.bool)
    mask[top:bottom, left:right] = True
    return mask


def _random_masks(count: int, seed: int) -> torch.Tensor:
    """Blobs and single pixels of all sizes, some of them empty."""
    noise = torch.rand(count, 1, SIDE_PX, SIDE_PX, generator=_generator(seed))
    smooth = torch.nn.functional.avg_pool2d(noise, 9, stride=1, padding=4)[:, 0]
    threshold = 0.4 + 0.25 * torch.rand(count, 1, 1, generator=_generator(seed + 1))
    return smooth > threshold


@pytest.mark.parametrize("centre_share", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_correction_click_always_lies_in_the_error_region(centre_share: float, seed: int) -> None:
    target, predicted = _random_masks(32, seed), _random_masks(32, seed + 100)
    config = PromptConfig(centre_share=centre_share, object_share=0.0)

    click = correction_click(target, predicted, _generator(seed), config)

    wrong = target ^ predicted
    for index in range(32):
        x, y = click.at_px[index, 0].long().tolist()
        label = int(click.labels[index, 0])
        if wrong[index].any():
            assert wrong[index, y, x]
            assert label == int(target[index, y, x])
        elif target[index].any():
            assert target[index, y, x]
            assert label == 1
        else:
            assert label == -1


def test_click_on_the_object_instead_of_the_error_is_positive() -> None:
    target = _rectangle(10, 10, 30, 30)[None]
    predicted = _rectangle(10, 10, 60, 60)[None]

    click = correction_click(target, predicted, _generator(), PromptConfig(object_share=1.0))

    x, y = click.at_px[0, 0].long().tolist()
    assert target[0, y, x]
    assert int(click.labels[0, 0]) == 1


def test_the_deeper_error_is_clicked_near_its_centre() -> None:
    target = _rectangle(4, 4, 12, 60)[None]  # missed: narrow
    predicted = _rectangle(24, 16, 56, 48)[None]  # taken: wide, centre (40, 32)

    click = correction_click(
        target, predicted, _generator(), PromptConfig(centre_share=1.0, object_share=0.0)
    )

    assert int(click.labels[0, 0]) == 0
    x, y = click.at_px[0, 0].tolist()
    assert abs(x - 40) <= 6
    assert abs(y - 32) <= 6


@pytest.mark.parametrize("centre_share", [0.0, 1.0])
def test_first_click_lies_in_objects_one_pixel_thin(centre_share: float) -> None:
    masks = torch.stack((_rectangle(20, 0, 21, 64), _rectangle(0, 63, 64, 64), _rectangle(5, 5, 6, 6)))

    click = first_click(masks, _generator(), PromptConfig(centre_share=centre_share))

    for index in range(3):
        x, y = click.at_px[index, 0].long().tolist()
        assert masks[index, y, x]
    assert click.labels.tolist() == [[1], [1], [1]]


def test_depth_counts_the_border_of_the_picture_as_a_rim() -> None:
    depth = depth_of(_rectangle(0, 0, 64, 64)[None])

    assert depth[0, 0, 0] < depth[0, 32, 32]


def test_box_without_noise_encloses_the_object_exactly() -> None:
    box = box_around(_rectangle(10, 20, 31, 42)[None], _generator(), PromptConfig(box_noise=0.0))

    assert box.at_px.tolist() == [[[10.0, 20.0], [30.0, 41.0]]]
    assert box.labels.tolist() == [[2, 3]]


def test_box_edges_stray_by_no_more_than_the_limit() -> None:
    masks = _rectangle(10, 20, 50, 60)[None].expand(500, -1, -1)
    config = PromptConfig(box_noise=0.5, box_noise_max_px=3.0)

    box = box_around(masks, _generator(), config)

    exact = torch.tensor([[10.0, 20.0], [49.0, 59.0]])
    stray = (box.at_px - exact).abs()
    assert float(stray.max()) == pytest.approx(3.0)
    assert float(stray.mean()) > 1.0


def test_prompts_of_absent_objects_say_nothing() -> None:
    nothing = torch.zeros(2, SIDE_PX, SIDE_PX, dtype=torch.bool)

    assert first_click(nothing, _generator(), PromptConfig()).labels.tolist() == [[-1], [-1]]
    assert box_around(nothing, _generator(), PromptConfig()).labels.tolist() == [[-1, -1]] * 2
