"""Points that stick to the surface: their surroundings, carried by the whole object where these hide."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from masklet_server.anchors.alignment import Motion
from masklet_server.anchors.geometry import Array, is_sane
from masklet_server.anchors.surface import Sighting, SurfaceTracker
from masklet_server.anchors.view import View

# Pixels of surroundings that can be told from others, and the radii (working pixels) that are tried.
_WANTED, _RADII_PX = 1200, (24, 32, 48, 64, 96, 128, 192, 256)
# What the pose of the whole object is worth for one point of it.
_CARRIED = 0.5


class PointTracker:
    """Follows one point of an object's surface away from the reference frame, in one direction.

    Args:
        view: The reference frame.
        point: ``(2,)`` on it, square coordinates.
    """

    def __init__(self, view: View, point: Array) -> None:
        support, radius = surroundings(view, point)
        self._whole = SurfaceTracker(view, view.solid() > 0.5, Motion.AFFINE, point)
        self._part = SurfaceTracker(view, support, Motion.AFFINE, point, near=radius)
        self._point = point
        # How the part moved on the reference frame, before the whole moved it: it stays with the surface.
        self._deviation = np.eye(3)

    def step(self, view: View) -> Sighting | None:
        """The point on the next frame; None where too little of the object shows to tell."""
        whole = self._whole.step(view)
        if whole is None:
            self._part.pass_by()
            return None
        hint = whole.pose @ self._deviation
        if not is_sane(hint, self._point[None]):
            hint, self._deviation = whole.pose, np.eye(3)
        part = self._part.follow(view, hint)
        if part is None:
            return Sighting(hint, _CARRIED * whole.confidence)
        self._deviation = np.linalg.inv(whole.pose) @ part.pose
        return part

    def pass_by(self) -> None:
        """The object is not on this frame."""
        self._whole.pass_by()
        self._part.pass_by()


def surroundings(view: View, point: Array) -> tuple[NDArray[np.bool_], float]:
    """The surface around a point ``(2,)``, and how far it reaches in square coordinates.

    It grows until it holds enough pixels to be told from others, and is all of the object for a small
    object or a point far from it. The first is ``(h, w)`` of the view's region.
    """
    solid = view.solid() > 0.5
    x, y = (view.index(point[None])[0] - np.array(view.region[:2])).tolist()
    rows, columns = np.indices(solid.shape)
    distance = np.hypot(columns - x, rows - y)
    wanted = min(_WANTED, int(np.count_nonzero(solid)))
    radius_px, near = float(distance.max(initial=1.0)), solid
    for candidate_px in _RADII_PX:
        disc = solid & (distance <= candidate_px)
        if np.count_nonzero(disc) >= wanted:
            radius_px, near = float(candidate_px), disc
            break
    return np.asarray(near, np.bool_), radius_px / float(view.scale[1])
