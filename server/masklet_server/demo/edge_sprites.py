"""The objects of the edge clips, drawn once, flat, with coverage and colour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]

# Fixed-point bits of the drawing functions.
_SHIFT = 4


@dataclass(frozen=True, eq=False)
class Sprite:
    """An object by itself.

    Attributes:
        layers: ``(side, side, 4)``: red, green and blue in linear light, times coverage; coverage.
    """

    layers: NDArray[np.float32]

    @property
    def side_px(self) -> int:
        """Rows and columns."""
        return int(self.layers.shape[0])


def sprite_of(name: str, *, side_px: int) -> Sprite:
    """The object called ``gear``, ``hair`` or ``wire``, on a square of ``side_px``."""
    generator = np.random.default_rng(sum(name.encode()))
    finer_px = 2 * side_px
    canvas = np.zeros((finer_px, finer_px), np.uint8)
    _SHAPES[name](canvas, generator)
    coverage = cv2.resize(canvas, (side_px, side_px), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    colour = _skin(generator, side_px, _COLOURS[name])
    return Sprite(np.dstack([colour * coverage[..., None], coverage]).astype(np.float32))


def _gear(canvas: NDArray[np.uint8], generator: np.random.Generator) -> None:
    """Corners, straight edges, curves and a hole."""
    angle = np.linspace(0, 2 * np.pi, 1441)[:-1]
    teeth = np.where(np.sin(9 * angle) > 0.2, 1.0, 0.80) * (0.80 + 0.10 * np.sin(2 * angle + 0.4))
    _fill(canvas, np.stack([teeth * np.cos(angle), teeth * np.sin(angle)], -1), 255)
    hole = np.stack([0.22 * np.cos(angle) + 0.1, 0.17 * np.sin(angle) - 0.05], -1)
    _fill(canvas, hole, 0)


def _hair(canvas: NDArray[np.uint8], generator: np.random.Generator) -> None:
    """A head with loose strands that grow thinner."""
    angle = np.linspace(0, 2 * np.pi, 721)[:-1]
    radius = 0.56 * (1 + 0.08 * np.sin(3 * angle) + 0.04 * np.sin(5 * angle + 1))
    _fill(canvas, np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1), 255)
    along = np.linspace(0, 1, 14)
    for _ in range(520):
        start = generator.uniform(0, 2 * np.pi)
        length, lean, curl = generator.uniform(0.08, 0.30), generator.normal(0, 0.5), generator.normal(0, 0.7)
        direction = start + lean + curl * along
        steps = np.stack([np.cos(direction), np.sin(direction)], -1) * length / len(along)
        points = 0.54 * np.array([np.cos(start), np.sin(start)]) + np.cumsum(steps, 0)
        width = generator.uniform(0.0022, 0.0055)
        for part in range(len(along) - 1):
            thickness = max(1, round(width * (1 - 0.75 * along[part]) * canvas.shape[0] / 2))
            ends = _pixels(canvas, points[part : part + 2])
            cv2.line(canvas, ends[0].tolist(), ends[1].tolist(), 255, thickness, cv2.LINE_AA, _SHIFT)


def _wire(canvas: NDArray[np.uint8], generator: np.random.Generator) -> None:
    """A thin wire bent into a coat hanger's loop, with a solid bob."""
    time = np.linspace(0, 2 * np.pi, 400)
    loop = np.stack([0.82 * np.sin(time), 0.45 * np.sin(2 * time + 0.6) - 0.1 * np.cos(time)], -1)
    thickness = max(1, round(0.0175 * canvas.shape[0] / 2))
    cv2.polylines(canvas, [_pixels(canvas, loop)], True, 255, thickness, cv2.LINE_AA, _SHIFT)
    angle = np.linspace(0, 2 * np.pi, 181)[:-1]
    _fill(canvas, np.stack([0.2 * np.cos(angle), 0.22 * np.sin(angle) + 0.62], -1), 255)
    cv2.polylines(
        canvas,
        [_pixels(canvas, np.array([[0.0, 0.5], [0.02, 0.1]]))],
        False,
        255,
        thickness,
        cv2.LINE_AA,
        _SHIFT,
    )


def _skin(generator: np.random.Generator, side_px: int, colour: tuple[float, float, float]) -> Plane:
    """``(side, side, 3)`` linear light with patches and fine texture."""
    skin = np.zeros((side_px, side_px, 3), np.float32) + np.array(colour, np.float32)
    for cells, depth in ((5, 0.22), (22, 0.14), (110, 0.10)):
        coarse = generator.normal(0, depth, (cells, cells, 3)).astype(np.float32)
        # Mostly light and dark, a little colour.
        coarse = 0.7 * coarse[..., :1] + 0.3 * coarse
        skin *= 1.0 + cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    return np.clip(skin, 0.005, 0.95)


def _fill(canvas: NDArray[np.uint8], outline: NDArray[np.float64], value: int) -> None:
    cv2.fillPoly(canvas, [_pixels(canvas, outline)], value, cv2.LINE_AA, _SHIFT)


def _pixels(canvas: NDArray[np.uint8], points: NDArray[np.float64]) -> NDArray[np.int32]:
    """Points from -1 to 1 as fixed-point pixels of the canvas."""
    half_px = canvas.shape[0] / 2
    fixed: NDArray[np.int32] = np.rint(((points + 1) * half_px - 0.5) * (1 << _SHIFT)).astype(np.int32)
    return fixed


_SHAPES: dict[str, Callable[[NDArray[np.uint8], np.random.Generator], None]] = {
    "gear": _gear,
    "hair": _hair,
    "wire": _wire,
}
_COLOURS = {"gear": (0.52, 0.20, 0.09), "hair": (0.30, 0.12, 0.04), "wire": (0.60, 0.42, 0.10)}
