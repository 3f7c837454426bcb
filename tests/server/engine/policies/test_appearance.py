from __future__ import annotations

import numpy as np
import torch

from masklet_server.engine.policies.appearance import Appearance, peaks
from masklet_server.engine.policies.rivals import beside
from masklet_server.model.network import ImageFeatures
from masklet_server.tracking import RIVAL_FROM

SIDE = 16
KIND = torch.nn.functional.normalize(torch.linspace(-1, 1, 8), dim=0)


def picture(*things: tuple[int, int], seed: int = 0) -> ImageFeatures:
    """Features of noise, and of things of one kind, three cells wide, at rows and columns."""
    made = 0.3 * torch.randn(1, 8, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
    for row, column in things:
        made[0, :, row : row + 3, column : column + 3] += 3.0 * KIND[:, None, None]
    return ImageFeatures(made, made[:, :2], made[:, :1])


def logits(row: int, column: int) -> torch.Tensor:
    mask = torch.full((4 * SIDE, 4 * SIDE), -5.0)
    mask[4 * row : 4 * row + 12, 4 * column : 4 * column + 12] = 5.0
    return mask


def appearance() -> Appearance:
    found = Appearance.of(picture((2, 2)), logits(2, 2))
    assert found is not None
    return found


def test_what_looks_like_the_object_is_found_wherever_it_is_and_the_likeliest_first() -> None:
    found = list(peaks(appearance().alike(picture((9, 10), seed=1)), appearance().side_cells, limit=3))

    row, column, likeness = found[0]
    assert (row, column) == (10, 11)
    assert likeness > 0.8
    assert [each[2] for each in found] == sorted((each[2] for each in found), reverse=True)
    for index, one in enumerate(found):
        for other in found[:index]:
            assert max(abs(one[0] - other[0]), abs(one[1] - other[1])) > 2


def test_nothing_alike_has_no_high_peak() -> None:
    ((_, _, likeness),) = peaks(appearance().alike(picture(seed=2)), 3.0, limit=1)

    assert likeness < 0.8


def test_a_mask_of_nothing_has_no_appearance_and_one_smaller_than_a_cell_has() -> None:
    tiny = torch.full((4 * SIDE, 4 * SIDE), -5.0)
    assert Appearance.of(picture((2, 2)), tiny) is None
    tiny[9, 9] = 5.0
    found = Appearance.of(picture((2, 2)), tiny)
    assert found is not None
    assert len(found.cells) == 1


def rival(*others: tuple[int, int], own: tuple[int, int] = (2, 2)) -> float:
    alike = appearance().alike(picture(own, *others, seed=3)).numpy()
    return beside((logits(*own) > 0).numpy(), alike, 0.84)


def test_the_nearer_something_alike_is_the_more_of_a_rival_it_is() -> None:
    assert rival() == 0
    assert rival((2, 7)) > rival((2, 9)) > 0
    assert rival((2, 7)) >= RIVAL_FROM
    assert rival((12, 12)) < RIVAL_FROM


def test_without_a_mask_nobody_is_near() -> None:
    assert beside(np.zeros((64, 64), np.bool_), np.ones((SIDE, SIDE), np.float32), 0.5) == 0
