"""Holes filled and specks removed in mask logits, on the processor: masks arrive there anyway."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Just beyond the threshold: inside or outside, yet the next step still sees that it is doubtful.
_FILLED_LOGIT = 0.1
_REMOVED_LOGIT = -0.1
_REFERENCE_SIDE = 256


def clean_logits(
    logits: NDArray[np.float32], *, hole_area_px: int, speck_area_px: int
) -> NDArray[np.float32]:
    """Logits without small holes and small islands, 8-connected both.

    Args:
        logits: ``(s, s)``, positive inside.
        hole_area_px: Largest hole to fill, for a side of 256; other sides scale it.
        speck_area_px: Largest island to remove likewise. The largest part of an object stays,
            however small it is.

    Returns:
        The same array where there is nothing to do, else a new one.
    """
    scale = (logits.shape[0] / _REFERENCE_SIDE) ** 2
    cleaned = logits
    if hole_area_px > 0:
        holes = _small_parts(logits <= 0, round(hole_area_px * scale), spare_largest=False)
        if holes is not None:
            cleaned = np.where(holes, np.float32(_FILLED_LOGIT), cleaned)
    if speck_area_px > 0:
        specks = _small_parts(cleaned > 0, round(speck_area_px * scale), spare_largest=True)
        if specks is not None:
            cleaned = np.where(specks, np.float32(_REMOVED_LOGIT), cleaned)
    return cleaned


def _small_parts(inside: NDArray[np.bool_], area_px: int, *, spare_largest: bool) -> NDArray[np.bool_] | None:
    """Pixels of connected parts of at most ``area_px``, None where there are none."""
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=8)
    areas = statistics[:, cv2.CC_STAT_AREA]
    small = areas <= area_px
    small[0] = False
    if spare_largest and count > 1:
        small[1 + int(np.argmax(areas[1:]))] = False
    if not small.any():
        return None
    return small[labels]  # type: ignore[no-any-return]
