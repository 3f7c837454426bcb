"""What hard clips are painted with: things that can be cut out, and grounds to put them on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.training.material.photographs import LabelledPhotographs

Pixels = NDArray[np.uint8]

_SIDE_PX = 128
_GROUND_SIDE_PX = 768
_SMALLEST_SHARE = 0.02
_LARGEST_BORDER_SHARE = 0.02


@dataclass(frozen=True, eq=False)
class Material:
    """Things and grounds.

    Attributes:
        things: ``(s, s, 4)`` RGBA each, not premultiplied, the thing's longer side filling the square.
        grounds: ``(S, S, 3)`` RGB each.
        origins: By thing, the ground that shows it too; -1 for none.
    """

    things: tuple[Pixels, ...]
    grounds: tuple[Pixels, ...]
    origins: tuple[int, ...]


def generated(seed: int, *, things: int = 16, grounds: int = 8) -> Material:
    """Shapes and textures from noise: needs no pictures of anybody."""
    draw = np.random.default_rng(seed)
    return Material(
        tuple(_shape(draw) for _ in range(things)),
        tuple(_texture(draw, _GROUND_SIDE_PX) for _ in range(grounds)),
        (-1,) * things,
    )


def from_photographs(folder: Path) -> Material:
    """Cut-outs and grounds of photographs with instance masks (``images``, ``masks``, ``meta.json``).

    Raises:
        BadInputError: The folder is none of these.
    """
    grounds: dict[str, Pixels] = {}
    things: list[Pixels] = []
    origins: list[int] = []
    for cutout in LabelledPhotographs(folder).cutouts():
        view = cutout.views[0].astype(np.uint8)
        picture = cutout.name.split("/")[0]
        if picture not in grounds:
            size_px = (_GROUND_SIDE_PX, _GROUND_SIDE_PX)
            ground = cv2.resize(view[..., 2::-1], size_px, interpolation=cv2.INTER_AREA)
            grounds[picture] = np.ascontiguousarray(ground, np.uint8)
        thing = _squared(view)
        if thing is not None:
            things.append(thing)
            origins.append(list(grounds).index(picture))
    return Material(tuple(things), tuple(grounds.values()), tuple(origins))


def _squared(bgra: Pixels) -> Pixels | None:
    """A cut-out in the middle of a square; None for one that is small, or cut by its picture's border."""
    solid = bgra[..., 3] > 127
    area = int(solid.sum())
    border = int(solid[0].sum() + solid[-1].sum() + solid[:, 0].sum() + solid[:, -1].sum())
    if area < _SMALLEST_SHARE * solid.size or border > _LARGEST_BORDER_SHARE * np.sqrt(area) * 4:
        return None
    rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
    cut = bgra[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    scale = (_SIDE_PX - 4) / max(cut.shape[:2])
    size_px = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    small = cv2.resize(cut, size_px, interpolation=cv2.INTER_AREA)
    square = np.zeros((_SIDE_PX, _SIDE_PX, 4), np.uint8)
    top, left = (_SIDE_PX - size_px[1]) // 2, (_SIDE_PX - size_px[0]) // 2
    square[top : top + size_px[1], left : left + size_px[0]] = small[..., [2, 1, 0, 3]]
    return square


def _shape(draw: np.random.Generator) -> Pixels:
    """A blob with a surface of its own, lit from one side."""
    line = (np.arange(_SIDE_PX) + 0.5) * (2.0 / _SIDE_PX) - 1.0
    x, y = np.meshgrid(line, line)
    angle, radius = np.arctan2(y, x), np.hypot(x, y)
    waves = np.arange(2, 7)
    strength = draw.normal(size=len(waves)) / waves * 0.3
    phase = draw.uniform(0.0, 2 * np.pi, len(waves))
    ripple = (strength * np.cos(angle[..., None] * waves + phase)).sum(-1)
    stretch = draw.uniform(0.6, 1.0)
    field = 0.78 + 0.2 * np.clip(ripple, -1.0, 1.0) - np.hypot(x, y / stretch)
    alpha = np.clip(field * _SIDE_PX * 0.5 + 0.5, 0.0, 1.0)
    light = np.clip(1.1 - 0.5 * radius + 0.25 * (x * draw.normal() + y * draw.normal()), 0.3, 1.4)
    colour = _texture(draw, _SIDE_PX) * light[..., None]
    return np.dstack((np.clip(colour, 0, 255), 255 * alpha)).astype(np.uint8)


def _texture(draw: np.random.Generator, side_px: int) -> Pixels:
    """Two colours mixed by noise, stripes or both, and a third that blotches them."""
    colours = draw.uniform(20.0, 235.0, (3, 3))
    line = np.linspace(-1.0, 1.0, side_px)
    x, y = np.meshgrid(line, line)
    weight = _noise(draw, side_px, coarsest=int(draw.integers(2, 6)))
    if draw.random() < 0.5:
        turn, pitch = draw.uniform(0.0, np.pi), draw.uniform(6.0, 40.0)
        wave = np.sin((x * np.cos(turn) + y * np.sin(turn)) * pitch)
        weight = 1.0 / (1.0 + np.exp(-(wave + 2.0 * weight - 1.0) * 5.0))
    blotch = 0.5 * _noise(draw, side_px, coarsest=4)[..., None]
    mixed = colours[0] * weight[..., None] + colours[1] * (1.0 - weight[..., None])
    mixed = mixed * (1.0 - blotch) + colours[2] * blotch
    grain = 0.75 + 0.5 * _noise(draw, side_px, coarsest=24)[..., None]
    texture: Pixels = np.clip(mixed * grain, 0.0, 255.0).astype(np.uint8)
    return texture


def _noise(draw: np.random.Generator, side_px: int, *, coarsest: int) -> NDArray[np.float64]:
    """``(s, s)`` fractal noise from 0 to 1."""
    total = np.zeros((side_px, side_px), np.float64)
    for octave in range(4):
        cells = coarsest * 2**octave
        layer = draw.normal(size=(cells, cells))
        total += cv2.resize(layer, (side_px, side_px), interpolation=cv2.INTER_CUBIC) * 0.6**octave
    return 1.0 / (1.0 + np.exp(-1.5 * total))
