"""Region similarity J, boundary accuracy F, boundary error in pixels.

J and F are those of Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video
Object Segmentation" (CVPR 2016), with the details of the DAVIS toolkit: the boundary of a mask
is marked on the pixels whose right, lower or lower right neighbour differs; two boundary pixels
match within ``ceil(0.008 * diagonal)`` pixels.

The toolkit dilates boundaries with a disc. Here the distance transform of a boundary is
compared with the disc's radius instead, which selects the same pixels and costs less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError

BOUNDARY_TOLERANCE = 0.008
"""Share of the diagonal within which boundaries match."""


@dataclass(frozen=True)
class FrameScore:
    """How well one mask fits the truth.

    Attributes:
        j: Intersection over union, 0 to 1; 1 where both are empty.
        f: Harmonic mean of boundary precision and recall, 0 to 1.
        boundary_error_px: Mean distance from each boundary pixel, of either mask, to the
            nearest one of the other. None where either mask has no boundary.
    """

    j: float
    f: float
    boundary_error_px: float | None = None

    @property
    def j_and_f(self) -> float:
        """The mean of J and F."""
        return (self.j + self.f) / 2


def region_similarity(
    mask: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None = None
) -> float:
    """Intersection over union of two ``(h, w)`` masks, 1 where both are empty.

    Args:
        mask: What is judged.
        truth: What it should be.
        void: Pixels that count for nothing.

    Raises:
        BadInputError: The sizes differ.
    """
    _check_sizes(mask, truth)
    if void is not None:
        mask, truth = mask & ~void, truth & ~void
    union = int(np.count_nonzero(mask | truth))
    return int(np.count_nonzero(mask & truth)) / union if union else 1.0


def score_frame(
    mask: NDArray[np.bool_], truth: NDArray[np.bool_], void: NDArray[np.bool_] | None = None
) -> FrameScore:
    """J, F and boundary error of one ``(h, w)`` mask.

    Args:
        mask: What is judged.
        truth: What it should be.
        void: Pixels that count for nothing.

    Raises:
        BadInputError: The sizes differ.
    """
    _check_sizes(mask, truth)
    if void is not None:
        mask, truth = mask & ~void, truth & ~void
    j = region_similarity(mask, truth)
    ours, theirs = boundary_map(mask), boundary_map(truth)
    either = ours | theirs
    if not either.any():
        return FrameScore(j, 1.0)
    if not ours.any() or not theirs.any():
        return FrameScore(j, 0.0)
    # Distances between boundary pixels do not change when everything outside their common
    # rectangle is cut away, and most objects fill a small part of the picture.
    rows, columns = np.flatnonzero(either.any(axis=1)), np.flatnonzero(either.any(axis=0))
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    ours, theirs = ours[window], theirs[window]
    ours_to_theirs_px = _distance_px(theirs)[ours]
    theirs_to_ours_px = _distance_px(ours)[theirs]

    radius_px = tolerance_px(mask.shape[1], mask.shape[0])
    precision = float(np.mean(ours_to_theirs_px <= radius_px))
    recall = float(np.mean(theirs_to_ours_px <= radius_px))
    f = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    error_px = float(np.concatenate((ours_to_theirs_px, theirs_to_ours_px)).mean(dtype=np.float64))
    return FrameScore(j, f, error_px)


def tolerance_px(width_px: int, height_px: int) -> float:
    """Distance within which boundary pixels of a picture of this size match."""
    # Distances are square roots in single precision: the small allowance is far below the gap
    # between two different distances on a pixel grid, and far above the rounding.
    return math.ceil(BOUNDARY_TOLERANCE * math.hypot(width_px, height_px)) + 1e-3


def boundary_map(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``(h, w)`` map of the pixels whose right, lower or lower right neighbour differs.

    In the last row only the right neighbour counts, in the last column only the lower one.
    """
    boundary = np.zeros_like(mask)
    differs_right = mask[:, 1:] != mask[:, :-1]
    differs_below = mask[1:] != mask[:-1]
    boundary[:, :-1] |= differs_right
    boundary[:-1] |= differs_below
    boundary[:-1, :-1] |= mask[1:, 1:] != mask[:-1, :-1]
    return boundary


def _distance_px(boundary: NDArray[np.bool_]) -> NDArray[np.float32]:
    """``(h, w)`` distance of each pixel to the nearest boundary pixel."""
    distance = cv2.distanceTransform((~boundary).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return distance.astype(np.float32, copy=False)


def _check_sizes(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> None:
    if mask.shape != truth.shape:
        raise BadInputError(
            f"a mask of {mask.shape[1]} x {mask.shape[0]} pixels cannot be compared with one of "
            f"{truth.shape[1]} x {truth.shape[0]}: bring both to the size of the plate."
        )
