"""Poses as vectors that can be interpolated, smoothed and corrected, one layout for each kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from masklet.anchors import AnchorKey, AnchorKind, Corners, Matrix
from masklet_server.anchors.geometry import (
    Array,
    Turn,
    carry,
    in_stored_pixels,
    linear_part,
    pose_about,
    pose_between,
)

# Column of the rotation where a kind has one.
_ROTATION = 2
_POSITIONS = (
    AnchorKind.CENTROID,
    AnchorKind.TOP,
    AnchorKind.BOTTOM,
    AnchorKind.LEFT,
    AnchorKind.RIGHT,
    AnchorKind.POINT,
)


@dataclass(frozen=True, eq=False)
class PoseSpace:
    """How the poses of one anchor are written as vectors ``(D,)``.

    Positions: x, y. Box: x, y of the centre, logarithms of both sides' scales. Similarity: x, y,
    rotation in radians, logarithm of the scale. Affine: x, y, rotation, logarithms of both scales,
    shear. Planar: the four corners. All in square coordinates.

    Attributes:
        kind: Of the anchor.
        pivot: ``(2,)`` the anchor's place on the reference frame.
        corners: ``(4, 2)`` the object's box on the reference frame.
        pixel_aspect: Of the plate.
    """

    kind: AnchorKind
    pivot: Array
    corners: Array
    pixel_aspect: float

    @property
    def size(self) -> int:
        """D, the length of a vector."""
        if self.kind in _POSITIONS:
            return 2
        return {AnchorKind.BOX: 4, AnchorKind.SIMILARITY: 4, AnchorKind.AFFINE: 6, AnchorKind.PLANAR: 8}[
            self.kind
        ]

    def vector(self, pose: Array) -> Array:
        """A pose as a vector."""
        if self.kind is AnchorKind.PLANAR:
            return carry(pose, self.corners).reshape(-1)  # (8,)
        place: Array = carry(pose, self.pivot[None])[0]
        if self.kind in _POSITIONS:
            return place
        turn = Turn.of(linear_part(pose, self.pivot))
        if self.kind is AnchorKind.BOX:
            return np.append(place, np.log([turn.scale_x, turn.scale_y]))
        if self.kind is AnchorKind.SIMILARITY:
            return np.append(place, [turn.rotation_rad, 0.5 * np.log(turn.scale_x * turn.scale_y)])
        return np.append(place, [turn.rotation_rad, np.log(turn.scale_x), np.log(turn.scale_y), turn.shear])

    def pose(self, vector: Array) -> Array:
        """A vector as a pose."""
        if self.kind is AnchorKind.PLANAR:
            return pose_between(self.corners, vector.reshape(4, 2))
        if self.kind in _POSITIONS:
            turn = Turn(0.0, 1.0, 1.0, 0.0)
        elif self.kind is AnchorKind.BOX:
            turn = Turn(0.0, float(np.exp(vector[2])), float(np.exp(vector[3])), 0.0)
        elif self.kind is AnchorKind.SIMILARITY:
            turn = Turn(float(vector[2]), float(np.exp(vector[3])), float(np.exp(vector[3])), 0.0)
        else:
            turn = Turn(
                float(vector[2]), float(np.exp(vector[3])), float(np.exp(vector[4])), float(vector[5])
            )
        return pose_about(self.pivot, vector[:2], turn.linear())

    def unwound(self, vectors: Array, reference: int) -> Array:
        """Vectors ``(F, D)`` whose rotations never leap by a full turn; row ``reference`` keeps its own."""
        if self.kind not in (AnchorKind.SIMILARITY, AnchorKind.AFFINE):
            return vectors
        unwound = vectors.copy()
        rotation = np.unwrap(vectors[:, _ROTATION])
        unwound[:, _ROTATION] = rotation - rotation[reference] + vectors[reference, _ROTATION]
        return unwound

    def vector_of_key(self, key: AnchorKey) -> Array:
        """What the artist put by hand, as a vector.

        A planar key with corners is taken by its corners, any other key by position, rotation,
        scale and shear.
        """
        place = np.array([key.x_px * self.pixel_aspect, key.y_px])
        if self.kind in _POSITIONS:
            return place
        if self.kind is AnchorKind.PLANAR and key.corners is not None:
            return (np.array(key.corners) * [self.pixel_aspect, 1.0]).reshape(-1)  # (8,)
        turn = Turn(np.radians(key.rotation_deg), key.scale_x, key.scale_y, key.shear)
        vector = self.vector(pose_about(self.pivot, place, turn.linear()))
        if self.kind in (AnchorKind.SIMILARITY, AnchorKind.AFFINE):
            vector[_ROTATION] = turn.rotation_rad  # Whole turns are the artist's.
        return vector

    def key(
        self,
        frame: int,
        vector: Array,
        rotation_deg: float,
        *,
        confidence: float,
        weight: float,
        held: bool,
        keyed: bool,
        jump_px: float,
    ) -> AnchorKey:
        """The key of one frame, in stored pixels; ``rotation_deg`` comes unwound."""
        pose = self.pose(vector)
        squeeze = np.array([1.0 / self.pixel_aspect, 1.0])
        x_px, y_px = (carry(pose, self.pivot[None])[0] * squeeze).tolist()
        if self.kind in _POSITIONS:
            turn, corners, matrix = Turn(0.0, 1.0, 1.0, 0.0), None, None
        else:
            turn = Turn.of(linear_part(pose, self.pivot))
            corners = _as_corners(carry(pose, self.corners) * squeeze)
            matrix = _as_matrix(in_stored_pixels(pose, self.pixel_aspect))
        return AnchorKey(
            frame,
            x_px,
            y_px,
            rotation_deg=rotation_deg,
            scale_x=turn.scale_x,
            scale_y=turn.scale_y,
            shear=turn.shear,
            corners=corners,
            matrix=matrix,
            confidence=confidence,
            weight=weight,
            jump_px=jump_px,
            held=held,
            keyed=keyed,
        )

    def place_px(self, vector: Array) -> Array:
        """The anchor's position ``(2,)`` in stored pixels."""
        place: Array = carry(self.pose(vector), self.pivot[None])[0] / [self.pixel_aspect, 1.0]
        return place

    def rotations_deg(self, vectors: Array, reference: int) -> Array:
        """Rotation ``(F,)`` at the pivot for each of the vectors ``(F, D)``, without leaps."""
        if self.kind in _POSITIONS or self.kind is AnchorKind.BOX:
            return np.zeros(len(vectors))
        if self.kind is AnchorKind.PLANAR:
            raw = [Turn.of(linear_part(self.pose(vector), self.pivot)).rotation_rad for vector in vectors]
            turned = np.unwrap(np.array(raw))
            turned = turned - turned[reference] + raw[reference]
        else:
            turned = vectors[:, _ROTATION]
        degrees: Array = np.degrees(turned)
        return degrees


def _as_matrix(pose: Array) -> Matrix:
    """A 3 x 3 matrix as plain numbers."""
    (a, b, c), (d, e, f), (g, h, i) = pose.tolist()
    return (a, b, c, d, e, f, g, h, i)


def _as_corners(points: Array) -> Corners:
    """Four points ``(4, 2)`` as plain numbers."""
    (ax, ay), (bx, by), (cx, cy), (dx, dy) = points.tolist()
    return ((ax, ay), (bx, by), (cx, cy), (dx, dy))
