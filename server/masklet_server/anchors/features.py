"""Motion between neighbouring frames from features inside the mattes."""

from __future__ import annotations

import cv2
import numpy as np

from masklet_server.anchors.geometry import Array, carry, is_sane
from masklet_server.anchors.view import View

_MOST_FEATURES = 250
_WINDOW_PX = 21
_LEVELS = 3
# A feature that does not come back to where it started, within this many working pixels, is dropped.
_RETURN_PX = 0.8
# Distance from the common motion at which a feature is not part of it, in working pixels.
_COMMON_PX = 1.5
_FEWEST = 6


def motion_between(
    before: View, after: View, guess: Array, *, around: tuple[Array, float] | None = None
) -> Array | None:
    """The motion of the surface from one view to the next, or None where features do not tell.

    Shi and Tomasi's features, Lucas and Kanade's pyramid there and back, and the similarity on which
    most agree (an affine motion where there are features enough to say more).

    Args:
        before: The earlier view.
        after: The later view.
        guess: ``(3, 3)`` motion in square coordinates to start from.
        around: A place ``(2,)`` on the earlier view and the distance within which features count; None for
            the whole object.
    """
    # Both crops are of the same place, so that the coordinates agree.
    left, top = np.minimum(before.region[:2], after.region[:2])
    right, bottom = np.maximum(before.region[2:], after.region[2:])
    first, second = before.grey[top:bottom, left:right], after.grey[top:bottom, left:right]
    inside = np.zeros(before.grey.shape, np.uint8)
    x0, y0, x1, y1 = before.region
    inside[y0:y1, x0:x1] = before.solid().astype(np.uint8) * 255
    if around is not None:
        x, y = np.rint(before.index(around[0][None])[0]).astype(int).tolist()
        disc = np.zeros_like(inside)
        cv2.circle(disc, (x, y), max(1, round(around[1] * float(before.scale[1]))), 255, -1)
        inside &= disc
    corners = cv2.goodFeaturesToTrack(
        first, _MOST_FEATURES, 0.005, 5, mask=inside[top:bottom, left:right], blockSize=5
    )
    if corners is None or len(corners) < _FEWEST:
        return None
    offset = np.array([left, top], np.float32)
    start = np.asarray(corners, np.float32).reshape(-1, 2)  # (N, 2)
    origin = before.square(start + offset)
    expected = after.index(carry(guess, origin)) - offset
    there, back, tracked = _there_and_back(first, second, start, expected)
    x1, y1 = after.grey.shape[1] - 1, after.grey.shape[0] - 1
    whole = np.rint(there + offset).astype(np.int64)
    on_plate = ((whole >= 0) & (whole <= [x1, y1])).all(axis=1)
    whole = np.clip(whole, 0, [x1, y1])
    landed = after.matte[whole[:, 1], whole[:, 0]] >= 64
    good = tracked & on_plate & landed & (np.linalg.norm(back - start, axis=1) < _RETURN_PX)
    if np.count_nonzero(good) < _FEWEST:
        return None
    return _common_motion(
        origin[good], after.square(there[good] + offset), _COMMON_PX / float(after.scale[1])
    )


def _there_and_back(
    first: np.ndarray, second: np.ndarray, start: np.ndarray, expected: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where features ``(N, 2)`` go, where they come back to, and which were tracked both ways."""
    window = (_WINDOW_PX, _WINDOW_PX)
    there, found, _ = cv2.calcOpticalFlowPyrLK(
        first,
        second,
        start[:, None],
        expected.astype(np.float32)[:, None].copy(),
        winSize=window,
        maxLevel=_LEVELS,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    back, returned, _ = cv2.calcOpticalFlowPyrLK(
        second,
        first,
        there,
        start[:, None].copy(),
        winSize=window,
        maxLevel=_LEVELS,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    tracked = (found.reshape(-1) > 0) & (returned.reshape(-1) > 0)
    return there.reshape(-1, 2), back.reshape(-1, 2), tracked


def _common_motion(origin: Array, target: Array, tolerance_px: float) -> Array | None:
    """The motion on which most of the pairs ``(N, 2)`` agree."""
    if len(origin) >= 30:
        linear, _ = cv2.estimateAffine2D(origin, target, ransacReprojThreshold=tolerance_px)
    else:
        linear, _ = cv2.estimateAffinePartial2D(origin, target, ransacReprojThreshold=tolerance_px)
    if linear is None:
        return None
    motion = np.vstack([linear, [0.0, 0.0, 1.0]])
    return motion if is_sane(motion, origin.mean(axis=0)[None]) else None
