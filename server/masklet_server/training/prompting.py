"""Prompts as a person would give them, simulated for a whole batch at once on its device.

Nothing here waits for the device: there is no ``.item()`` and no indexing by a mask, so that a
GPU never idles. Points are ``(N, 2)`` float32, x then y, indices of pixels of the S-square (the
network adds the half pixel itself). Labels are those of SAM: 1 object, 0 background, 2 and 3
the corners of a box, -1 no point at all.

Shape letters: N entries (one object of one clip each), S side in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor

    from masklet_server.training.config import PromptConfig

DEPTH_CELL_PX = 4
DEPTH_STEPS = 24


@dataclass(frozen=True, eq=False)
class Points:
    """Points for the prompt encoder.

    Attributes:
        at_px: ``(N, P, 2)`` float32.
        labels: ``(N, P)`` int64.
    """

    at_px: Tensor
    labels: Tensor

    def then(self, later: Points) -> Points:
        """These points followed by later ones."""
        return Points(torch.cat((self.at_px, later.at_px), 1), torch.cat((self.labels, later.labels), 1))


def depth_of(region: Tensor) -> Tensor:
    """How deep each pixel lies in its region, in steps of ``DEPTH_CELL_PX``, 0 near its rim and outside.

    An erosion of one cell is repeated up to ``DEPTH_STEPS`` times on a grid of cells, square and
    diamond in turn, which makes octagons of nearly Euclidean distance. The picture's border counts
    as a rim, as it does in the click simulation of RITM (Sofiiuk et al., 2021).

    Args:
        region: ``(N, S, S)`` bool.

    Returns:
        ``(N, S, S)`` float32.
    """
    cells = (F.avg_pool2d(region[:, None].float(), DEPTH_CELL_PX) > 0.5).float()  # (N, 1, S/4, S/4)
    depth = cells
    for step in range(DEPTH_STEPS):
        cells = -_dilated(-cells, square=step % 2 == 0)
        depth = depth + cells
    return F.interpolate(depth, scale_factor=DEPTH_CELL_PX, mode="nearest")[:, 0]


def _dilated(cells: Tensor, *, square: bool) -> Tensor:
    """Highest value among the neighbours of each cell; beyond the border lies 0."""
    padded = F.pad(cells, (1, 1, 1, 1))
    if square:
        return F.max_pool2d(padded, 3, stride=1)
    rows = F.max_pool2d(padded[..., 1:-1, :], (1, 3), stride=1)
    columns = F.max_pool2d(padded[..., :, 1:-1], (3, 1), stride=1)
    return torch.maximum(rows, columns)


def draw_pixel(region: Tensor, generator: torch.Generator, *, centre: Tensor) -> tuple[Tensor, Tensor]:
    """One pixel of each region.

    Args:
        region: ``(N, S, S)`` bool.
        generator: On the device of ``region``.
        centre: ``(N,)`` bool, True for the deepest pixel, False for any.

    Returns:
        The pixels ``(N,)`` int64, row after row, and ``(N,)`` bool, False where the region is
        empty and the pixel means nothing.
    """
    chance = torch.rand(region.shape, device=region.device, generator=generator)
    score = torch.where(centre[:, None, None], depth_of(region) + chance, chance)
    # A region's own pixels lie above zero by one, everything else at zero: the highest score is
    # always inside, however thin the region is.
    best = ((score + 1.0) * region).flatten(1).max(dim=1)
    return best.indices, best.values > 0


def first_click(target: Tensor, generator: torch.Generator, config: PromptConfig) -> Points:
    """One positive click in each object; label -1 where there is none to be seen.

    Args:
        target: ``(N, S, S)`` bool.
        generator: On the device of ``target``.
        config: Its ``centre_share`` counts here.
    """
    pixel, found = draw_pixel(target, generator, centre=_chance(target, generator, config.centre_share))
    return _as_points(pixel, torch.where(found, 1, -1), side_px=target.shape[-1])


def correction_click(
    target: Tensor, predicted: Tensor, generator: torch.Generator, config: PromptConfig
) -> Points:
    """One click where the prediction is wrong: positive on missed object, negative on background taken.

    The deeper of the two kinds of error is clicked, at its deepest pixel or (``centre_share``)
    anywhere. A share (``object_share``) of clicks, and those on faultless masks, fall into the
    object instead. Label -1 where there is neither error nor object.

    Args:
        target: ``(N, S, S)`` bool.
        predicted: ``(N, S, S)`` bool.
        generator: On the device of both.
        config: Shares.
    """
    entries = len(target)
    missed, taken = target & ~predicted, predicted & ~target
    wrong = torch.cat((missed, taken), dim=1)  # (N, 2S, S)
    chance = torch.rand(wrong.shape, device=target.device, generator=generator)
    both_depths = depth_of(torch.cat((missed, taken), dim=0))  # (2N, S, S)
    depth = torch.cat((both_depths[:entries], both_depths[entries:]), dim=1)  # (N, 2S, S)
    centre = _chance(target, generator, config.centre_share)
    score = (torch.where(centre[:, None, None], depth + chance, chance) + 1.0) * wrong
    best = score.flatten(1).max(dim=1)
    has_error = best.values > 0
    pixels = target.shape[1] * target.shape[2]
    positive = best.indices < pixels

    inside, has_object = draw_pixel(target, generator, centre=torch.zeros_like(centre))
    from_object = has_object & (_chance(target, generator, config.object_share) | ~has_error)
    pixel = torch.where(from_object, inside, best.indices % pixels)
    label = torch.where(from_object | positive, 1, 0)
    return _as_points(pixel, torch.where(has_error | from_object, label, -1), side_px=target.shape[-1])


def box_around(target: Tensor, generator: torch.Generator, config: PromptConfig) -> Points:
    """The corners of a box around each object, edges a little off; labels -1 where there is no object.

    Args:
        target: ``(N, S, S)`` bool.
        generator: On the device of ``target``.
        config: Its ``box_noise`` counts here.
    """
    side_px = target.shape[-1]
    found = target.flatten(1).any(dim=1)
    left, right = _extent(target.any(dim=1))
    top, bottom = _extent(target.any(dim=2))
    corners = torch.stack((left, top, right, bottom), dim=1)  # (N, 4)
    sides = torch.stack((right - left, bottom - top), dim=1).repeat(1, 2)  # (N, 4)
    noise = torch.randn(corners.shape, device=target.device, generator=generator) * sides * config.box_noise
    noise = noise.clamp(-config.box_noise_max_px, config.box_noise_max_px)
    at_px = (corners + noise).clamp(0, side_px - 1).reshape(-1, 2, 2)  # (N, 2, 2)
    labels = torch.arange(2, 4, device=target.device).expand(len(target), 2)
    return Points(at_px, torch.where(found[:, None], labels, -1))


def _extent(occupied: Tensor) -> tuple[Tensor, Tensor]:
    """First and last index that is True in each row of ``(N, S)``, as float32."""
    index = torch.arange(occupied.shape[1], device=occupied.device, dtype=torch.float32)
    first = torch.where(occupied, index, float(occupied.shape[1])).amin(dim=1)
    last = torch.where(occupied, index, -1.0).amax(dim=1)
    return first, last


def _chance(target: Tensor, generator: torch.Generator, share: float) -> Tensor:
    return torch.rand(len(target), device=target.device, generator=generator) < share


def _as_points(pixel: Tensor, label: Tensor, *, side_px: int) -> Points:
    at_px = torch.stack((pixel % side_px, pixel // side_px), dim=1).float()  # (N, 2)
    return Points(at_px[:, None], label[:, None])
