"""Sampling of moving pictures: cut-outs with their halvings, backgrounds, elastic fields.

Letters: N = B * T pictures, C side of a cut-out, P side of a photograph, S side of the output.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from torch import Tensor

LEVELS = 4


def output_points(side_px: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Pixel centres of the output in [-1, 1]: x (S, S) and y (S, S)."""
    centres = (torch.arange(side_px, device=device) + 0.5) * (2.0 / side_px) - 1.0
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    return x, y


@dataclass(frozen=True)
class Halvings:
    """Pictures beside their own halvings, so that small copies do not shimmer.

    Attributes:
        sheet: (N, 4, C, 1.5 C) premultiplied; the picture on the left, its halvings on the right.
        side_px: C.
    """

    sheet: Tensor
    side_px: int


def halve(pictures: Tensor) -> Halvings:
    """Put (N, 4, C, C) pictures and three halvings on one sheet each; C is a multiple of 8."""
    side = pictures.shape[-1]
    column: list[Tensor] = []
    level = pictures
    for _ in range(LEVELS - 1):
        level = F.avg_pool2d(level, 2)
        column.append(F.pad(level, (0, side // 2 - level.shape[-1])))
    used = sum(part.shape[-2] for part in column)
    right = F.pad(torch.cat(column, -2), (0, 0, 0, side - used))
    return Halvings(torch.cat((pictures, right), -1), side)


def sample(halvings: Halvings, u: Tensor, v: Tensor, level: Tensor) -> Tensor:
    """Premultiplied colour at picture coordinates.

    Args:
        halvings: N pictures.
        u: (N, S, S), -1 to 1 across the picture; outside is transparent.
        v: (N, S, S), -1 to 1 down the picture.
        level: (N,), 0 for the picture itself, 3 for its smallest halving.

    Returns:
        (N, 4, S, S).
    """
    side = float(halvings.side_px)
    share = torch.exp2(-level)[:, None, None]
    inset = 1.0 - 1.0 / (side * share)
    inside = ((u.abs() < 1.0) & (v.abs() < 1.0)).to(u.dtype)
    x_px = (torch.minimum(torch.maximum(u, -inset), inset) + 1.0) * (0.5 * side) * share
    y_px = (torch.minimum(torch.maximum(v, -inset), inset) + 1.0) * (0.5 * side) * share
    halved = (level > 0).to(u.dtype)[:, None, None]
    x_px = x_px + halved * side
    # The halvings lie below each other: C/2, C/4, C/8 rows, so level k begins at C - 2 C / 2^k.
    y_px = y_px + halved * (side - 2.0 * side * share)
    grid = torch.stack((x_px * (2.0 / (1.5 * side)) - 1.0, y_px * (2.0 / side) - 1.0), -1)
    return F.grid_sample(halvings.sheet, grid, align_corners=False) * inside[:, None]


def elastic(control: Tensor, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """A smooth displacement (N, 2, k, k) in picture coordinates, looked up at u, v (N, S, S)."""
    smooth = F.interpolate(control, size=(24, 24), mode="bicubic", align_corners=True)
    moved = F.grid_sample(smooth, torch.stack((u, v), -1), padding_mode="border", align_corners=True)
    return moved[:, 0], moved[:, 1]


def sample_photos(photos: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Photographs (B, K, P, P) at x, y (B, T, S, S) in [-1, 1], mirrored outside: (B, T, K, S, S)."""
    batch, frames, side, _ = x.shape
    grid = torch.stack((x, y), -1).reshape(batch, frames * side, side, 2)
    drawn = F.grid_sample(photos, grid, padding_mode="reflection", align_corners=False)
    return drawn.reshape(batch, -1, frames, side, side).transpose(1, 2)


def soften(pictures: Tensor, amount: Tensor) -> Tensor:
    """Blur (B, T, 3, S, S) by ``amount`` (B,), 0 for none and 3 for about twelve pixels across."""
    frames = pictures.shape[1]
    flat = pictures.flatten(0, 1)
    side = flat.shape[-1]
    weight = amount.repeat_interleave(frames)[:, None, None, None]
    for step, factor in enumerate((2, 4, 8)):
        small = F.avg_pool2d(flat, factor, ceil_mode=True, count_include_pad=False)
        wide = F.interpolate(small, size=(side, side), mode="bilinear", align_corners=False)
        flat = torch.lerp(flat, wide, (weight - step).clamp(0.0, 1.0))
    return flat.reshape(pictures.shape)


def soft_shadow(coverage: Tensor, shift: Tensor, strength: Tensor) -> Tensor:
    """How much light reaches what lies behind, 0 to 1.

    Args:
        coverage: (B, T, S, S) of the layer that throws the shadow.
        shift: (B, 2), of the shadow, in [-1, 1] of the frame.
        strength: (B,), 1 for black.

    Returns:
        (B, T, S, S).
    """
    batch, frames, side, _ = coverage.shape
    small = F.avg_pool2d(coverage, 8, ceil_mode=True, count_include_pad=False)
    identity = torch.eye(2, device=coverage.device).expand(batch, 2, 2)
    placed = torch.cat((identity, -shift[..., None]), -1)
    grid = F.affine_grid(placed, [batch, frames, *small.shape[-2:]], align_corners=False)
    small = F.grid_sample(small, grid, align_corners=False)
    small = F.avg_pool2d(small, 3, 1, 1)
    wide = F.interpolate(small, size=(side, side), mode="bilinear", align_corners=False)
    return 1.0 - wide * strength[:, None, None, None]
