"""Simulated artists: where they click, and how long that takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.types import Box, Click


def next_click(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> Click | None:
    """The click that corrects ``mask`` most, or None where nothing is wrong.

    It lies in the middle of the largest error region: at the pixel deepest inside what is
    missing (positive) or what is too much (negative), whichever is deeper; the picture's border
    counts as the end of a region. This is the "center" method of the official SAM 2 training
    code.
    """
    missing, excess = truth & ~mask, mask & ~truth
    missing_depth_px, missing_at = _deepest(missing)
    excess_depth_px, excess_at = _deepest(excess)
    if max(missing_depth_px, excess_depth_px) <= 0:
        return None
    positive = missing_depth_px > excess_depth_px
    row, column = missing_at if positive else excess_at
    return Click(column + 0.5, row + 0.5, positive)


def click_until_done(
    mask: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    *,
    clicks: int,
    earlier: tuple[Click, ...] = (),
    apply: Callable[[tuple[Click, ...]], NDArray[np.bool_]],
) -> tuple[tuple[Click, ...], NDArray[np.bool_]]:
    """All clicks of a frame, earlier ones first, and the mask after the last.

    Args:
        mask: What is there now; empty before the first click.
        truth: What it should be.
        clicks: How many to add; fewer are added when nothing is wrong any more.
        earlier: Clicks that the frame has already.
        apply: Gives the ``(h, w)`` mask that all clicks together make.
    """
    made = earlier
    for _ in range(clicks):
        click = next_click(mask, truth)
        if click is None:
            break
        made = (*made, click)
        mask = apply(made)
    return made, mask


def tight_box(mask: NDArray[np.bool_]) -> Box:
    """The smallest box around all pixels of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


@dataclass(frozen=True)
class AnnotationTime:
    """How long an annotator would have worked: the model of the SAM 2 paper.

    Attributes:
        locate_s: To find the object on a frame.
        click_s: For each click.
        examine_s: To look through 300 frames once.
    """

    locate_s: float = 1.0
    click_s: float = 1.5
    examine_s: float = 30.0

    def seconds(self, *, frames: int, passes: int, interacted_frames: int, clicks: int) -> float:
        """Seconds for a clip of so many ``frames``, looked through so many times."""
        examined_s = passes * self.examine_s * frames / 300
        return examined_s + interacted_frames * self.locate_s + clicks * self.click_s


SA_V_SECONDS_PER_FRAME = {"SAM on every frame": 37.8, "SAM and SAM 2 mask": 7.4, "SAM 2": 4.5}
"""What annotating SA-V took per frame in the three phases of its data engine."""


def _deepest(region: NDArray[np.bool_]) -> tuple[float, tuple[int, int]]:
    """Depth of the deepest pixel of a region in pixels, and its row and column."""
    padded = cv2.copyMakeBorder(region.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=(0.0,))
    depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    at = int(depth.argmax())
    row, column = divmod(at, region.shape[1])
    return float(depth[row, column]), (row, column)
