"""Rectangles of pixels: where the windows of a picture file lie, and pixels moved from one to another."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Area(NamedTuple):
    """A rectangle of pixels in a file's own coordinates."""

    left_px: int
    top_px: int
    width_px: int
    height_px: int

    @property
    def right_px(self) -> int:
        """One past the last column."""
        return self.left_px + self.width_px

    @property
    def bottom_px(self) -> int:
        """One past the last row."""
        return self.top_px + self.height_px

    def united(self, other: Area) -> Area:
        """The smallest area that holds both."""
        left_px, top_px = min(self.left_px, other.left_px), min(self.top_px, other.top_px)
        right_px, bottom_px = max(self.right_px, other.right_px), max(self.bottom_px, other.bottom_px)
        return Area(left_px, top_px, right_px - left_px, bottom_px - top_px)


def fit(data: NDArray[Any], at: Area, area: Area) -> NDArray[Any]:
    """Pad or crop pixels ``(h, w, 3)`` that lie at one area to another one ``(H, W, 3)``."""
    if at == area:
        return data
    picture = np.zeros((area.height_px, area.width_px, 3), data.dtype)  # (H, W, 3)
    x0, x1 = max(at.left_px, area.left_px), min(at.right_px, area.right_px)
    y0, y1 = max(at.top_px, area.top_px), min(at.bottom_px, area.bottom_px)
    if x0 < x1 and y0 < y1:
        inside = data[y0 - at.top_px : y1 - at.top_px, x0 - at.left_px : x1 - at.left_px]
        picture[y0 - area.top_px : y1 - area.top_px, x0 - area.left_px : x1 - area.left_px] = inside
    return picture
