"""Clicks that are obeyed: a mask bent until it agrees with every click, and with what looks alike nearby.

A small network takes clicks for hints and often leaves the mask as it was. Here each click is an
observation of the mask's logit, the network's logits are the mean of a Gaussian process, and the
process's posterior is the mask (C. E. Rasmussen, C. K. I. Williams, "Gaussian Processes for Machine
Learning", 2006, section 2.2). The kernel is a product: near in the picture, and alike in the features
of the image encoder, so that a click moves the thing that it lies on and not a disc.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional

from masklet_server.model.network import ImageFeatures

# Beyond it the network is as sure as it can be, and a click may still be right.
_SUREST_LOGIT = 8.0
# Variance of a click: a little room for clicks that contradict each other.
_NOISE = 0.05
_CELL_PX = 4.0


@dataclass(frozen=True)
class ClickKernel:
    """How far a click reaches beyond what the network makes of it.

    Attributes:
        reach: Standard deviation in the picture, as a share of its side.
        likeness: Standard deviation in the features, whose variance is 1 for each of three levels.
        margin: Logit that a click asks for at its place.
    """

    reach: float = 0.25
    likeness: float = 0.85
    margin: float = 4.0


CLICK_KERNELS = MappingProxyType({"masklet_embedded": ClickKernel()})
"""By the name of the network's configuration. SAM 2's own weights obey clicks and have none."""


def agree(
    logits: Tensor, features: ImageFeatures, points: Tensor, labels: Tensor, kernel: ClickKernel
) -> Tensor:
    """Logits ``(1, 1, s, s)`` that have the sign of every click at its place.

    Args:
        logits: ``(1, 1, s, s)`` of the network.
        features: Of the picture, batch 1.
        points: ``(1, N, 2)`` in pixels of the network's square from the centre of its first pixel.
        labels: ``(1, N)``: 1 positive, 0 negative; others, such as corners of boxes, are left out.
        kernel: How far a click reaches.
    """
    clicked = (labels[0] == 0) | (labels[0] == 1)  # (N,)
    if not bool(clicked.any()):
        return logits
    side = logits.shape[-1]
    places = (points[0, clicked].float() + 0.5) / _CELL_PX  # (N, 2)
    cells = places.floor().long().clamp(0, side - 1)
    looks = _looks(features, side)  # (D, s, s)
    mean = logits[0, 0].float().clamp(-_SUREST_LOGIT, _SUREST_LOGIT)  # (s, s)

    reaches = torch.stack(
        [_kernel_at(place, cell, looks, kernel) for place, cell in zip(places, cells, strict=True)]
    )  # (N, s, s)
    columns, rows = cells.unbind(1)
    # (N, N): a row for the click that is met, a column for the one that reaches it.
    at_clicks = reaches[:, rows, columns].T
    there = mean[rows, columns]
    positive = labels[0, clicked] == 1
    wanted = torch.where(positive, there.clamp(min=kernel.margin), there.clamp(max=-kernel.margin))
    # Clicks on one cell make the system singular; least squares with a little noise do not mind.
    normal = at_clicks.T @ at_clicks + _NOISE * torch.eye(len(there), device=there.device)
    weights = torch.linalg.solve(normal, at_clicks.T @ (wanted - there))
    bent: Tensor = mean + (weights[:, None, None] * reaches).sum(0)
    return bent[None, None]


def _kernel_at(place: Tensor, cell: Tensor, looks: Tensor, kernel: ClickKernel) -> Tensor:
    """``(s, s)``: how much a click at ``place`` says about each cell, 1 where it lies."""
    side = looks.shape[-1]
    column, row = int(cell[0]), int(cell[1])
    around = looks[:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].mean((1, 2))
    centres = torch.arange(side, device=looks.device) + 0.5
    across, down = centres - place[0], centres - place[1]
    far = (across[None, :] ** 2 + down[:, None] ** 2) / (kernel.reach * side) ** 2
    unlike = ((looks - around[:, None, None]) ** 2).sum(0) / kernel.likeness**2
    reached: Tensor = torch.exp(-0.5 * (far + unlike))
    return reached


def _looks(features: ImageFeatures, side: int) -> Tensor:
    """``(D, side, side)``: what each cell looks like; every level of the encoder weighs the same."""
    levels = []
    for level in (features.skip4, features.skip8, features.embedding):
        full = functional.interpolate(level[:1].float(), size=(side, side), mode="bilinear")[0]
        centred = full - full.mean((1, 2), keepdim=True)
        levels.append(centred / (full.std((1, 2), keepdim=True) + 1e-4) / full.shape[0] ** 0.5)
    return torch.cat(levels)
