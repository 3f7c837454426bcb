"""Clicks that are obeyed: a mask bent until it agrees with every click, and with what looks alike nearby.

A small network takes clicks for hints and often leaves the mask as it was. Here each click is an
observation of the mask's logit, the network's logits are the mean of a Gaussian process, and the
process's posterior is the mask (C. E. Rasmussen, C. K. I. Williams, "Gaussian Processes for Machine
Learning", 2006, section 2.2). The kernel is a product: near in the picture, and alike in the features
of the image encoder, so that a click moves the thing that it lies on and not a disc.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional

from masklet_server.model.devices import Operation, perform
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


class LastLooks:
    """What the cells look like of the picture clicked on last, since a click is rarely the only one there."""

    def __init__(self) -> None:
        self._features: weakref.ReferenceType[ImageFeatures] | None = None
        self._looks: Looks | None = None

    @property
    def held_bytes(self) -> int:
        """What they take."""
        looks = self._looks
        return 0 if looks is None else looks.cells.nbytes + looks.squares.nbytes

    def of(self, features: ImageFeatures, side: int) -> Looks:
        """Looks of ``side`` by ``side`` cells; they live no longer than the features."""
        known = self._looks
        if known is None or known.side != side or self._features is None or self._features() is not features:
            known = Looks.of(features, side)
            owner = weakref.ref(self)

            def forget(gone: weakref.ReferenceType[ImageFeatures]) -> None:
                own = owner()
                if own is not None and own._features is gone:
                    own._looks = own._features = None

            self._looks, self._features = known, weakref.ref(features, forget)
        return known


@dataclass(frozen=True)
class Looks:
    """What each cell of a picture looks like.

    Attributes:
        cells: ``(D, s * s)``; every level of the encoder weighs the same.
        squares: ``(s * s,)``: their squared lengths.
        side: ``s``.
    """

    cells: Tensor
    squares: Tensor
    side: int

    @classmethod
    def of(cls, features: ImageFeatures, side: int) -> Looks:
        """Of a picture, batch 1, at ``side`` by ``side`` cells."""
        levels = []
        for level in (features.skip4, features.skip8, features.embedding):
            full = functional.interpolate(level[:1].float(), size=(side, side), mode="bilinear")[0].flatten(1)
            centred = full - full.mean(1, keepdim=True)
            # Faster by far than torch's own deviation, which is exact for values that no encoder gives.
            deviation = (centred.square().sum(1, keepdim=True) / (full.shape[1] - 1)).sqrt()
            levels.append(centred / ((deviation + 1e-4) * full.shape[0] ** 0.5))
        cells = torch.cat(levels)
        return cls(cells, cells.square().sum(0), side)

    def around(self, column: int, row: int) -> Tensor:
        """``(D,)``: the mean of a cell and its neighbours."""
        grid = self.cells.reshape(-1, self.side, self.side)
        return grid[:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2].mean((1, 2))

    def unlike(self, others: Tensor) -> Tensor:
        """``(N, s * s)``: squared distances of all cells from others ``(N, D)``, by one matrix product."""
        lengths = (others * others).sum(1, keepdim=True)
        return (self.squares - 2.0 * (others @ self.cells) + lengths).clamp(min=0.0)


def agree(
    logits: Tensor,
    features: ImageFeatures,
    points: Tensor,
    labels: Tensor,
    kernel: ClickKernel,
    last: LastLooks | None = None,
) -> Tensor:
    """Logits ``(1, 1, s, s)`` that have the sign of every click at its place.

    Args:
        logits: ``(1, 1, s, s)`` of the network.
        features: Of the picture, batch 1.
        points: ``(1, N, 2)`` in pixels of the network's square from the centre of its first pixel.
        labels: ``(1, N)``: 1 positive, 0 negative; others, such as corners of boxes, are left out.
        kernel: How far a click reaches.
        last: Spares further clicks on a picture what the first one found out.
    """
    clicked = (labels[0] == 0) | (labels[0] == 1)  # (N,)
    if not bool(clicked.any()):
        return logits
    side = logits.shape[-1]
    places = (points[0, clicked].float() + 0.5) / _CELL_PX  # (N, 2)
    cells = places.floor().long().clamp(0, side - 1)
    looks = Looks.of(features, side) if last is None else last.of(features, side)
    mean = logits[0, 0].float().clamp(-_SUREST_LOGIT, _SUREST_LOGIT)  # (s, s)

    reaches = _reaches(places, cells, looks, kernel)  # (N, s, s)
    columns, rows = cells.unbind(1)
    # (N, N): a row for the click that is met, a column for the one that reaches it.
    at_clicks = reaches[:, rows, columns].T
    there = mean[rows, columns]
    positive = labels[0, clicked] == 1
    wanted = torch.where(positive, there.clamp(min=kernel.margin), there.clamp(max=-kernel.margin))
    # Clicks on one cell make the system singular; least squares with a little noise do not mind.
    normal = at_clicks.T @ at_clicks + _NOISE * torch.eye(len(there), device=there.device)
    weights = perform(Operation.LINEAR_SOLVE, torch.linalg.solve, normal, at_clicks.T @ (wanted - there))
    bent: Tensor = mean + (weights[:, None, None] * reaches).sum(0)
    return bent[None, None]


def _reaches(places: Tensor, cells: Tensor, looks: Looks, kernel: ClickKernel) -> Tensor:
    """``(N, s, s)``: how much each click says about each cell, 1 where it lies."""
    side = looks.side
    clicked = torch.stack([looks.around(column, row) for column, row in cells.tolist()])  # (N, D)
    unlike = looks.unlike(clicked).reshape(-1, side, side) / kernel.likeness**2
    centres = torch.arange(side, device=places.device) + 0.5
    across, down = ((centres - along[:, None]) ** 2 for along in places.unbind(1))  # (N, s) each
    far = (across[:, None, :] + down[:, :, None]) / (kernel.reach * side) ** 2
    return torch.exp(-0.5 * (far + unlike))
