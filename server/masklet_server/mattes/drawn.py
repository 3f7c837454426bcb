"""What the artist drew, delivered as it was drawn: at its own depth, on its own frame.

The network sees them too, in its square of a few hundred cells a side, and tracking goes on from what it
made of them. That is for the frames around; on its own frame a drawn mask is the coverage itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.types import Mask
from masklet_server.mattes.strokes import StrokesOn, obeyed

if TYPE_CHECKING:
    from masklet_server.mattes.export import AlphaSource
    from masklet_server.tracking import ObjectFrame

DrawnOn = Callable[["ObjectFrame"], Mask | None]
"""The mask that the artist drew of a result's object on its frame; None where there is none."""


class DrawnAlpha:
    """Drawn coverage where there is some, else that of another source: an ``export.AlphaSource``.

    Args:
        drawn_on: Finds masks, all of the plate's size.
        otherwise: Asked about all other results.
        strokes_on: Finds strokes, which are obeyed.
        plate_px: Width and height of the plate.
    """

    def __init__(
        self,
        drawn_on: DrawnOn,
        otherwise: AlphaSource,
        *,
        strokes_on: StrokesOn = lambda _: (),
        plate_px: tuple[int, int] = (1, 1),
    ) -> None:
        self._drawn_on = drawn_on
        self._otherwise = otherwise
        self._strokes_on = strokes_on
        self._plate_px = plate_px

    def __call__(self, result: ObjectFrame) -> NDArray[np.float32]:
        """Coverage ``(H, W)`` at the size of the plate, 0 to 1."""
        mask = self._drawn_on(result)
        if mask is not None:
            return mask.coverage()
        return obeyed(self._otherwise(result), self._strokes_on(result), self._plate_px)


def drawn_at(mask: Mask, width_px: int, height_px: int) -> NDArray[np.float32]:
    """A drawn mask's coverage ``(H, W)`` at another size: itself at its own, smaller by area."""
    coverage = mask.coverage()
    if (mask.width_px, mask.height_px) == (width_px, height_px):
        return coverage
    return np.asarray(cv2.resize(coverage, (width_px, height_px), interpolation=cv2.INTER_AREA), np.float32)


def drawn_codes(mask: Mask, width_px: int, height_px: int) -> NDArray[np.uint8]:
    """A drawn mask for looking at, ``(H, W)``, 0 to 255."""
    if (mask.width_px, mask.height_px) == (width_px, height_px):
        return mask.as_array()
    return np.asarray(np.rint(drawn_at(mask, width_px, height_px) * np.float32(255.0)), np.uint8)
