"""What an object looks like to the network, and where in a picture something looks like it.

The cells of the object on a frame are kept as they lie in the encoder's features at stride 16, less the mean
of their picture; a cell of another picture is like the object as far as it is like the nearest of these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional

from masklet_server.model.devices import Operation, perform
from masklet_server.model.network import ImageFeatures

RIVAL_LIKENESS = MappingProxyType({"masklet_embedded": 0.84})
"""By the name of a network's configuration, from which likeness on a cell may be of a rival. On hard clips
rivals mostly reach 0.82 to 0.95; what is neither them nor the object, there and in DAVIS, 0.6 to 0.82."""

_MOST_CELLS = 256
_NEAREST = 3
_INSIDE = 0.5


@dataclass(frozen=True, eq=False)
class Appearance:
    """An object on one frame.

    Attributes:
        cells: ``(K, C)``, of length 1 each.
        side_cells: Side of a square as large as the object, in cells.
    """

    cells: Tensor
    side_cells: float

    @staticmethod
    def of(features: ImageFeatures, logits: Tensor) -> Appearance | None:
        """What ``logits`` ``(s, s)`` show on the picture of ``features``; None where they show nothing."""
        inside = covered(logits, features)
        if not bool((inside > 0).any()):
            return None
        # Of a thing smaller than a cell the cell that shows most of it.
        chosen = inside >= min(_INSIDE, float(inside.max()))
        cells = normal(features)[:, chosen].T  # (K, C)
        step = -(-len(cells) // _MOST_CELLS)
        return Appearance(cells[::step].clone(), float(inside.sum()) ** 0.5)

    def moved(self, device: torch.device) -> Appearance:
        """The same there."""
        return Appearance(self.cells.to(device), self.side_cells)

    def alike(self, features: ImageFeatures) -> Tensor:
        """``(h, w)``: how much every cell of a picture looks like the object, up to 1."""
        values = normal(features)  # (C, h, w)
        scores = self.cells @ values.flatten(1)  # (K, h * w)
        nearest = scores.topk(min(_NEAREST, len(self.cells)), dim=0).values.mean(0)
        return nearest.reshape(values.shape[1:])


def covered(logits: Tensor, features: ImageFeatures) -> Tensor:
    """``(h, w)``: how much of each cell of a picture a mask ``(s, s)`` covers, 0 to 1."""
    rows, columns = features.embedding.shape[-2:]
    pool = partial(functional.adaptive_avg_pool2d, output_size=(rows, columns))
    return perform(Operation.UNEVEN_POOLING, pool, (logits > 0).float()[None, None])[0, 0]


def peaks(alike: Tensor, side_cells: float, *, limit: int) -> Iterator[tuple[int, int, float]]:
    """Row, column and likeness of the places that look most like the object, well apart, the best first.

    Args:
        alike: ``(h, w)``.
        side_cells: About how large the object is.
        limit: How many at most.
    """
    calm = functional.avg_pool2d(alike[None, None], 3, 1, 1, count_include_pad=False)[0, 0].clone()
    reach = max(2, round(0.8 * side_cells))
    for _ in range(limit):
        best = int(calm.argmax())
        row, column = divmod(best, calm.shape[1])
        score = float(calm[row, column])
        if score == float("-inf"):
            return
        yield row, column, score
        calm[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1] = float(
            "-inf"
        )


def normal(features: ImageFeatures) -> Tensor:
    """``(C, h, w)``: features less their mean over the picture, of length 1."""
    embedding = features.embedding[0].float()
    return functional.normalize(embedding - embedding.mean((1, 2), keepdim=True), dim=0)
