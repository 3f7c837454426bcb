"""Holes filled and specks removed in mask logits, on the processor: masks arrive there anyway."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

# Just beyond the threshold: inside or outside, yet the next step still sees that it is doubtful.
_FILLED_LOGIT = 0.1
_REMOVED_LOGIT = -0.1
_REFERENCE_SIDE = 256


@dataclass(frozen=True)
class Wanted:
    """What was clicked on or drawn over, which cleaning leaves as it is.

    Attributes:
        inside: Row and column of cells that were said to be on the object: their parts stay.
        outside: Of cells that were said to be off it: their holes stay.
    """

    inside: tuple[tuple[int, int], ...] = ()
    outside: tuple[tuple[int, int], ...] = ()


def clean_logits(
    logits: NDArray[np.float32],
    *,
    hole_area_px: int,
    speck_area_px: int,
    share: float = 0.0,
    wanted: Wanted | None = None,
) -> NDArray[np.float32]:
    """Logits without small holes and small islands, 8-connected both.

    Args:
        logits: ``(s, s)``, positive inside.
        hole_area_px: Largest hole to fill, for a side of 256; other sides scale it.
        speck_area_px: Largest island to remove likewise. The largest part of an object stays,
            however small it is.
        share: Islands up to this share of the largest part, and holes up to this share of the mask, are
            small too; what reaches the picture's edge is no hole of that kind, since it may be the end of
            something larger. 0 for no more than the areas say.
        wanted: What is left whatever its size.

    Returns:
        The same array where there is nothing to do, else a new one.
    """
    scale = (logits.shape[0] / _REFERENCE_SIDE) ** 2
    cleaned = logits
    asked = wanted or Wanted()
    if share > 0:
        speck_area_px = max(speck_area_px, int(share * _largest(logits > 0) / scale))
    inner_px = int(share * np.count_nonzero(logits > 0))
    limit_px = round(hole_area_px * scale)
    if max(limit_px, inner_px) > 0:
        holes = _small_parts(
            logits <= 0, limit_px, inner_px=inner_px, spare_largest=False, spared=asked.outside
        )
        if holes is not None:
            cleaned = np.where(holes, np.float32(_FILLED_LOGIT), cleaned)
    if speck_area_px > 0:
        limit_px = round(speck_area_px * scale)
        specks = _small_parts(cleaned > 0, limit_px, spare_largest=True, spared=asked.inside)
        if specks is not None:
            cleaned = np.where(specks, np.float32(_REMOVED_LOGIT), cleaned)
    return cleaned


def _largest(inside: NDArray[np.bool_]) -> int:
    """Area of the largest part, 0 where there is none."""
    count, _, statistics, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    return int(statistics[1:, cv2.CC_STAT_AREA].max()) if count > 1 else 0


def _small_parts(
    inside: NDArray[np.bool_],
    area_px: int,
    *,
    inner_px: int = 0,
    spare_largest: bool,
    spared: tuple[tuple[int, int], ...] = (),
) -> NDArray[np.bool_] | None:
    """Pixels of connected parts of at most ``area_px``, None where there are none.

    Those that do not reach the picture's edge may have ``inner_px``.
    """
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    areas = statistics[:, cv2.CC_STAT_AREA]
    begins, ends = statistics[:, :2], statistics[:, :2] + statistics[:, 2:4]
    is_inner = (begins > 0).all(1) & (ends < inside.shape[::-1]).all(1)
    small = (areas <= area_px) | (is_inner & (areas <= inner_px))
    small[0] = False
    if spare_largest and count > 1:
        small[1 + int(np.argmax(areas[1:]))] = False
    for row, column in spared:
        # A click near an edge may lie in the cell beside.
        small[labels[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]] = False
    if not small.any():
        return None
    return small[labels]  # type: ignore[no-any-return]
