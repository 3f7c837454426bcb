"""Is there a cut between two neighbouring frames? Measured on pictures of 64 x 36 pixels.

Two differences count, each 0 to 1: how much the colours changed (overlap of coarse YCrCb
histograms, Swain and Ballard 1991) and how much the structure changed (the best correlation of the
one picture's middle with the other, over shifts, so that a moving camera costs little). Their mean
is held against a fixed limit, and against a lower one where the shot is otherwise calm. A flash, or
anything else that passes within two frames, is no cut: the pictures on both sides of it agree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH_PX, HEIGHT_PX = 64, 36
SURE_FROM = 0.29
"""Neighbours of one shot stay below 0.24, also with objects that cross the frame fast."""
SUSPECT_FROM = 0.16
CALM_FACTOR = 4.0
"""A suspect pair is a cut where it differs so many times more than the pairs around it."""
PASSING_FRAMES = 2
"""What is over after so many frames is a flash."""
_SHIFT_X_PX, _SHIFT_Y_PX = 10, 6
_BINS = (8, 6, 6)
# Chroma of real pictures seldom leaves this range; finer bins where it lives tell more.
_RANGES = (0.0, 256.0, 64.0, 192.0, 64.0, 192.0)
_FLAT_CODES = 1.0


@dataclass(frozen=True, eq=False)
class Look:
    """What is kept of a frame: some three kilobytes.

    Attributes:
        colours: ``(288,)`` float32, a histogram that sums to 1.
        luma: ``(36, 64)`` uint8, slightly blurred.
    """

    colours: NDArray[np.float32]
    luma: NDArray[np.uint8]


def look_of(picture: NDArray[np.uint8] | NDArray[np.float32]) -> Look:
    """The look of a picture ``(H, W, 3)``, sRGB, uint8 or float32 from 0 to 1."""
    small = cv2.resize(picture, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)  # (36, 64, 3)
    if small.dtype != np.uint8:
        small = np.clip(np.nan_to_num(small) * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)
    planes = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb), np.uint8)
    luma: NDArray[np.uint8] = cv2.GaussianBlur(planes[..., 0], (0, 0), 1.0).astype(np.uint8)
    return Look(_histogram(planes.reshape(-1, 3)), luma)


def _histogram(colours: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Shares of coarse bins ``(288,)``; a colour counts for the bins around it by how near they are.

    With sharp bins a wall that gets a shade brighter would leave its bin as a whole, as at a cut.
    """
    bins = np.array(_BINS)
    low, high = np.array(_RANGES[0::2]), np.array(_RANGES[1::2])
    # Colours outside the range count as the nearest inside it, or a saturated picture would have none.
    place = np.clip((colours - low) / (high - low) * bins - 0.5, 0, bins - 1)  # (n, 3)
    below = np.minimum(place.astype(np.int64), bins - 2)
    share = place - below
    # Bin by bin of a corner, and channels as rows: this runs for every frame that is tracked.
    shares = np.ascontiguousarray(np.stack((1 - share, share)).transpose(0, 2, 1))  # (2, 3, n)
    strides = np.array((_BINS[1] * _BINS[2], _BINS[2], 1))
    first = below @ strides  # (n,)
    counts = np.zeros(int(bins.prod()))
    for corner in np.ndindex(2, 2, 2):
        weight = shares[corner[0], 0] * shares[corner[1], 1] * shares[corner[2], 2]
        counts += np.bincount(first + strides @ corner, weight, len(counts))
    return (counts / len(colours)).astype(np.float32)


def difference(one: Look, other: Look) -> float:
    """How different two frames look: 0 for the same, 1 for nothing in common."""
    colours = 1.0 - float(np.minimum(one.colours, other.colours).sum())
    alike = max(_correlation(one.luma, other.luma), _correlation(other.luma, one.luma))
    return 0.5 * colours + 0.5 * (1.0 - alike)


def is_cut(
    before: Look,
    after: Look,
    *,
    around: Callable[[], Sequence[tuple[Look, Look]]] = tuple,
    earlier: Callable[[], Sequence[Look]] = tuple,
    later: Callable[[], Sequence[Look]] = tuple,
) -> bool:
    """True when a new shot begins at ``after``.

    Args:
        before: The last frame of the shot, if it is a cut.
        after: The first frame of the next.
        around: Gives neighbouring pairs nearby; asked only where a cut is suspected.
        earlier: Gives up to two frames before ``before``; asked only where a cut is suspected.
        later: Gives up to two frames behind ``after``, likewise.
    """
    value = difference(before, after)
    if value < SUSPECT_FROM:
        return False
    if value < SURE_FROM:
        usual = max((difference(*pair) for pair in around()), default=None)
        if usual is None or value < CALM_FACTOR * usual:
            return False
    limit = 0.5 * value
    pairs = [(look, after) for look in earlier()] + [(before, look) for look in later()]
    return all(difference(*pair) > limit for pair in pairs)


def _correlation(whole: NDArray[np.uint8], part: NDArray[np.uint8]) -> float:
    """Best correlation, 0 to 1, of the middle of ``part`` with ``whole``."""
    middle = np.ascontiguousarray(part[_SHIFT_Y_PX:-_SHIFT_Y_PX, _SHIFT_X_PX:-_SHIFT_X_PX])
    if float(middle.std()) < _FLAT_CODES or float(whole.std()) < _FLAT_CODES:
        # Nothing to compare: two flat pictures have the same structure, which is none.
        return float(float(middle.std()) < _FLAT_CODES and float(whole.std()) < _FLAT_CODES)
    found = cv2.matchTemplate(whole, middle, cv2.TM_CCOEFF_NORMED)
    return float(np.clip(np.nan_to_num(found).max(), 0.0, 1.0))
