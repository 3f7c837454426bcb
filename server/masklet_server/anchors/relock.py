"""Finding a surface again by its stored appearance, wherever it has gone and however it has turned."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.anchors.geometry import Array, is_sane
from masklet_server.anchors.view import View

_MOST_FEATURES = 600
# Lowe's ratio between the best and the second-best match.
_RATIO = 0.8
_COMMON_PX = 3.0
_FEWEST = 6


class Landmarks:
    """SIFT features (Lowe, IJCV 2004) of one view's object.

    Args:
        view: The frame.
        support: ``(h, w)`` of the view's region, True where features may lie.
    """

    def __init__(self, view: View, support: NDArray[np.bool_]) -> None:
        detector = cv2.SIFT.create(nfeatures=_MOST_FEATURES, contrastThreshold=0.02)
        points, descriptors = detector.detectAndCompute(
            np.ascontiguousarray(view.crop(view.grey)), support.astype(np.uint8) * 255
        )
        offset = np.array(view.region[:2], np.float64)
        places = np.array([point.pt for point in points], np.float64).reshape(-1, 2)
        self.places = view.square(places + offset)  # (N, 2)
        self.descriptors = descriptors
        self._pixel = 1.0 / float(view.scale[1])

    def motion_to(self, other: Landmarks) -> Array | None:
        """The similarity that takes these landmarks to others, or None where too few agree."""
        if self.descriptors is None or other.descriptors is None or len(other.places) < 2:
            return None
        pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(self.descriptors, other.descriptors, k=2)
        kept = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < _RATIO * pair[1].distance]
        if len(kept) < _FEWEST:
            return None
        origin = self.places[[match.queryIdx for match in kept]]
        target = other.places[[match.trainIdx for match in kept]]
        linear, agreeing = cv2.estimateAffinePartial2D(
            origin, target, ransacReprojThreshold=_COMMON_PX * other._pixel, maxIters=4000
        )
        if linear is None or int(np.count_nonzero(agreeing)) < _FEWEST:
            return None
        motion = np.vstack([linear, [0.0, 0.0, 1.0]])
        return motion if is_sane(motion, origin.mean(axis=0)[None]) else None
