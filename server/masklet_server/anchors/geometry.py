"""Poses as 3 x 3 matrices in square coordinates, and what the eye calls rotation, scale and shear."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def carry(pose: Array, points: Array) -> Array:
    """Points ``(N, 2)`` where the pose takes them."""
    moved = points @ pose[:2, :2].T + pose[:2, 2]
    depth = points @ pose[2, :2] + pose[2, 2]
    # A plane seen from behind its horizon has no place in the picture; far away is as good as none.
    depth = np.where(depth > 1e-6, depth, 1e-6)
    carried: Array = moved / depth[:, None]
    return carried


def linear_part(pose: Array, point: Array) -> Array:
    """The 2 x 2 matrix by which the pose turns and stretches the surroundings of a point."""
    depth = float(pose[2, :2] @ point + pose[2, 2])
    image = (pose[:2, :2] @ point + pose[:2, 2]) / depth
    linear: Array = (pose[:2, :2] - np.outer(image, pose[2, :2])) / depth
    return linear


def is_sane(pose: Array, points: Array) -> bool:
    """True where the pose is finite, does not mirror, and keeps areas within a factor of 400."""
    if not np.isfinite(pose).all():
        return False
    if (points @ pose[2, :2] + pose[2, 2] < 0.1).any():
        return False
    areas = [float(np.linalg.det(linear_part(pose, point))) for point in points]
    return all(1.0 / 400.0 < area < 400.0 for area in areas)


@dataclass(frozen=True)
class Turn:
    """A linear part taken apart: ``rotation @ [[1, shear], [0, 1]] @ diag(scale_x, scale_y)``."""

    rotation_rad: float
    scale_x: float
    scale_y: float
    shear: float

    @staticmethod
    def of(linear: Array) -> Turn:
        """The parts of a 2 x 2 matrix with a positive determinant."""
        rotation_rad = math.atan2(linear[1, 0], linear[0, 0])
        cosine, sine = math.cos(rotation_rad), math.sin(rotation_rad)
        scale_x = math.hypot(linear[0, 0], linear[1, 0])
        scale_y = cosine * linear[1, 1] - sine * linear[0, 1]
        return Turn(rotation_rad, scale_x, scale_y, (cosine * linear[0, 1] + sine * linear[1, 1]) / scale_y)

    def linear(self) -> Array:
        """The 2 x 2 matrix of these parts."""
        stretch = np.array([[self.scale_x, self.shear * self.scale_y], [0.0, self.scale_y]])
        linear: Array = turn_and_scale(self.rotation_rad, 1.0) @ stretch
        return linear


def turn_and_scale(angle_rad: float, scale: float) -> Array:
    """The 2 x 2 matrix of a similarity."""
    cosine, sine = scale * math.cos(angle_rad), scale * math.sin(angle_rad)
    return np.array([[cosine, -sine], [sine, cosine]])


def pose_about(pivot: Array, target: Array, linear: Array) -> Array:
    """The affine pose that takes ``pivot`` to ``target`` and turns around it."""
    pose = np.eye(3)
    pose[:2, :2] = linear
    pose[:2, 2] = target - linear @ pivot
    return pose


def nearest_affine(pose: Array, point: Array, *, rigid: bool) -> Array:
    """The affine pose that agrees with another at a point, in place and in linear part.

    With ``rigid``, the similarity nearest to it.
    """
    linear = linear_part(pose, point)
    if rigid:
        cosine, sine = 0.5 * (linear[0, 0] + linear[1, 1]), 0.5 * (linear[1, 0] - linear[0, 1])
        linear = np.array([[cosine, -sine], [sine, cosine]])
    return pose_about(point, carry(pose, point[None])[0], linear)


def pose_between(corners: Array, moved: Array) -> Array:
    """The homography that takes four corners ``(4, 2)`` to four others, exactly."""
    rows = []
    for (x, y), (u, v) in zip(corners, moved, strict=True):
        rows.append([x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y])
        rows.append([0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y])
    solution = np.linalg.lstsq(np.array(rows), moved.reshape(-1), rcond=None)[0]  # (8,)
    return np.append(solution, 1.0).reshape(3, 3)


def in_stored_pixels(pose: Array, pixel_aspect: float) -> Array:
    """The same pose for stored pixels instead of square ones."""
    squeeze = np.diag([1.0 / pixel_aspect, 1.0, 1.0])
    stored: Array = squeeze @ pose @ np.linalg.inv(squeeze)
    stored /= stored[2, 2]
    return stored
