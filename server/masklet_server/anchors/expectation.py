"""What the mattes tell of a pose: which cannot be true, however good the fit, and how one goes on unseen."""

from __future__ import annotations

import numpy as np

from masklet_server.anchors.geometry import (
    Array,
    carry,
    is_sane,
    linear_part,
    pose_about,
    turn_and_scale,
)
from masklet_server.anchors.view import View

# The matte may be so much larger than the pose says (an object turns its broad side), and so much
# smaller (it is covered).
_LARGER, _SMALLER = 2.5, 12.0
# Growth of the nearest corner against that of the farthest.
_PERSPECTIVE = 9.0
# How far outside the matte's box the carried centre may lie, in widths of the object.
_OUTSIDE = 0.5


class Expectation:
    """Judges poses by the mattes of the reference frame and of the frame at hand.

    Args:
        reference: The reference frame.
    """

    def __init__(self, reference: View) -> None:
        self._centre = reference.centre
        self._area = max(reference.area, 1e-6)
        left, top, right, bottom = reference.box
        self._corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])

    def allows(self, view: View, pose: Array) -> bool:
        """False where a pose contradicts the matte of its view, or bends the object out of shape."""
        if not is_sane(pose, np.vstack([self._corners, self._centre])):
            return False
        growths = [float(np.linalg.det(linear_part(pose, corner))) for corner in self._corners]
        if max(growths) > _PERSPECTIVE * min(growths):
            return False
        said = float(np.linalg.det(linear_part(pose, self._centre))) * self._area
        if not said / _SMALLER < view.area < said * _LARGER:
            return False
        left, top, right, bottom = view.box
        margin = _OUTSIDE * float(np.sqrt(said))
        x, y = carry(pose, self._centre[None])[0].tolist()
        return bool(left - margin <= x <= right + margin and top - margin <= y <= bottom + margin)


def moved_with_outline(before: View, after: View, *, only_shift: bool) -> Array:
    """The pose from a frame to the next as far as the matte tells it: shift, size, turn of what is long."""
    scale, turn_rad = 1.0, 0.0
    if not only_shift:
        scale = float(np.clip(np.sqrt(after.area / max(before.area, 1e-6)), 0.8, 1.25))
        turn_rad = after.turned_since_rad(before)
    return pose_about(before.centre, after.centre, turn_and_scale(turn_rad, scale))
