"""A small ray caster for figures made of ellipsoids, seen without perspective.

Camera space has x to the right, y downwards and z towards the viewer, all in pixels, so that a
ray is a line along z and a picture needs no more than one quadratic equation per part and pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Part:
    """One ellipsoid of a figure, in the figure's own space (x forward, y down, z to its right).

    Attributes:
        centre: Relative to the figure's origin, for a figure of size 1.
        radii: Along the three axes, before ``tilt_deg`` turns the part around z.
        colour: Linear RGB.
        gloss: Strength of the highlight.
        tilt_deg: Rotation in the plane of x and y.
        texture: How strongly the figure's solid texture shows, 0 to 1.
    """

    centre: Vector
    radii: Vector
    colour: Vector
    gloss: float = 0.35
    tilt_deg: float = 0.0
    texture: float = 1.0


@dataclass(frozen=True)
class Pose:
    """Where a figure stands in camera space and how it is turned."""

    x_px: float
    y_px: float
    size_px: float
    yaw_deg: float = 0.0
    roll_deg: float = 0.0


def rotation(*, yaw_deg: float, roll_deg: float) -> NDArray[np.float64]:
    """The ``(3, 3)`` rotation by yaw around the vertical axis, then by roll in the picture."""
    yaw, roll = np.radians(yaw_deg), np.radians(roll_deg)
    around_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    around_z = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(around_z @ around_y)


def cast(
    parts: tuple[Part, ...], pose: Pose, *, width_px: int, height_px: int, samples: int = 2
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Render a figure with ``samples`` x ``samples`` rays per pixel.

    Returns:
        Linear RGB premultiplied by coverage, ``(height, width, 3)``, and the coverage,
        ``(height, width)``, both float32.
    """
    reach_px = 1.4 * pose.size_px
    left, right = _span(pose.x_px, reach_px, width_px)
    top, bottom = _span(pose.y_px, reach_px, height_px)
    colour = np.zeros((height_px, width_px, 3), np.float32)
    coverage = np.zeros((height_px, width_px), np.float32)
    if right <= left or bottom <= top:
        return colour, coverage

    # Sample centres, in units of the figure's size around its origin.
    steps = (np.arange(samples) + 0.5) / samples
    x = ((np.arange(left, right)[:, None] + steps).ravel() - pose.x_px) / pose.size_px
    y = ((np.arange(top, bottom)[:, None] + steps).ravel() - pose.y_px) / pose.size_px
    shaded, hit = _trace(parts, rotation(yaw_deg=pose.yaw_deg, roll_deg=pose.roll_deg), x, y)

    rows, columns = bottom - top, right - left
    by_pixel = (rows, samples, columns, samples)
    colour[top:bottom, left:right] = shaded.reshape(*by_pixel, 3).mean(axis=(1, 3))
    coverage[top:bottom, left:right] = hit.reshape(by_pixel).mean(axis=(1, 3))
    return colour, coverage


def _span(centre_px: float, reach_px: float, limit_px: int) -> tuple[int, int]:
    return max(0, int(centre_px - reach_px)), min(limit_px, int(centre_px + reach_px) + 1)


def _trace(
    parts: tuple[Part, ...], turn: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Colours ``(rows, columns, 3)``, black where nothing is hit, and what is hit."""
    shape = (y.size, x.size)
    nearest = np.full(shape, -np.inf)
    shaded = np.zeros((*shape, 3), np.float32)
    for part in parts:
        own_turn = turn @ rotation(yaw_deg=0.0, roll_deg=part.tilt_deg)
        quadric = own_turn @ np.diag(1.0 / np.square(part.radii)) @ own_turn.T
        centre = turn @ np.asarray(part.centre)
        dx, dy = np.meshgrid(x - centre[0], y - centre[1])

        # quadric[2,2] z^2 + 2 half z + rest = 0, and of both solutions the one nearer to us.
        half = quadric[0, 2] * dx + quadric[1, 2] * dy
        rest = quadric[0, 0] * dx**2 + 2 * quadric[0, 1] * dx * dy + quadric[1, 1] * dy**2 - 1
        under_root = half**2 - quadric[2, 2] * rest
        dz = (np.sqrt(np.maximum(under_root, 0)) - half) / quadric[2, 2]
        front = (under_root > 0) & (dz + centre[2] > nearest)
        nearest[front] = dz[front] + centre[2]

        offset = np.stack([dx[front], dy[front], dz[front]], axis=-1)  # (hits, 3)
        normal = offset @ quadric
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
        shaded[front] = _shade(part, normal, (offset + centre) @ turn)
    return shaded, np.isfinite(nearest)


def _shade(part: Part, normal: NDArray[np.float64], place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear RGB ``(hits, 3)`` under one warm light, a cool fill and a highlight."""
    light = np.array([-0.45, -0.70, 0.55])
    fill = np.array([0.80, -0.10, 0.30])
    diffuse = np.maximum(normal @ light, 0)[:, None] * np.array([1.0, 0.95, 0.86])
    diffuse += 0.30 * np.maximum(normal @ fill, 0)[:, None] * np.array([0.75, 0.85, 1.0])
    diffuse += (0.20 - 0.10 * normal[:, 1])[:, None]
    halfway = light + np.array([0.0, 0.0, 1.0])
    halfway /= np.linalg.norm(halfway)
    highlight = part.gloss * np.maximum(normal @ halfway, 0)[:, None] ** 40
    # Mottling that is fixed to the figure, so that it turns with it.
    mottle = np.sin(9.1 * place[:, 0] + 2.0 * np.sin(7.3 * place[:, 1])) * np.sin(8.3 * place[:, 2] + 1.0)
    mottle += 0.6 * np.sin(23 * place[:, 0] + 5 * place[:, 1]) * np.sin(19 * place[:, 1] - 4 * place[:, 2])
    pattern = 1.0 + 0.16 * part.texture * mottle[:, None]
    return np.asarray(np.asarray(part.colour) * diffuse * pattern + highlight)
