"""What the network sees where a picture is clicked on without an artist: values, no torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Part:
    """A part of the plate that is looked at for itself, in whole pixels."""

    left_px: int
    top_px: int
    width_px: int
    height_px: int


@dataclass(frozen=True, eq=False)
class Sighting:
    """A mask that a click gave, good enough to be of a thing.

    Attributes:
        x_px: Where the click was, in pixels of the plate.
        y_px: Likewise.
        part: What was looked at.
        logits: ``(s, s)`` float16 over :attr:`part`, positive inside, specks and holes removed.
        predicted_iou: The network's estimate of its mask, 0 to 1.
        stability: How little the mask hangs on its threshold, 0 to 1.
        likeness: How much it looks like what was asked for, up to 1; 0 where nothing was.
    """

    x_px: float
    y_px: float
    part: Part
    logits: NDArray[np.float16]
    predicted_iou: float
    stability: float
    likeness: float = 0.0


@dataclass(frozen=True, eq=False)
class ObjectLook:
    """What an object looks like to a network: to be found in any clip, by that network alone.

    Attributes:
        model: Name of the network's configuration.
        cells: ``(K, C)`` float32 of length 1 each: features on its cells, less their picture's mean.
        side_share: Side of a square as large as the object, as a share of the picture's side.
    """

    model: str
    cells: NDArray[np.float32]
    side_share: float
