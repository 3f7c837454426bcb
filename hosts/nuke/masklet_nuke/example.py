"""A small shot for the self-test: a plate, mattes, shapes with keys apart from each other, and an anchor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from masklet.anchors import AnchorKey, AnchorKind, AnchorTrack
from masklet.exchange.scene import MatteSequence
from masklet.interpolation import Interpolation
from masklet.mask import Mask
from masklet.png import write_mask
from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.types import FrameRange

if TYPE_CHECKING:
    from pathlib import Path

WIDTH_PX, HEIGHT_PX = 320, 180
FIRST, LAST = 1001, 1024
KEYS = (1001, 1006, 1015, 1024)
_HANDLE = 4 / 3 * math.tan(math.pi / 8)


def centre(frame: float) -> tuple[float, float]:
    """Where the object is: it speeds up, so that straight lines between keys would miss it."""
    share = (frame - FIRST) / (LAST - FIRST)
    return 60.0 + 180.0 * share**2, 90.0 + 30.0 * math.sin(3 * share)


def shapes() -> ObjectShapes:
    """An ellipse with a hole, for Nuke's smooth curve."""
    outer = Piece("piece 1", False, (FrameRange(FIRST, LAST),), _keys(40.0, 26.0), Interpolation.NUKE_SMOOTH)
    hole = Piece("hole 1", True, (FrameRange(FIRST, LAST),), _keys(14.0, 9.0), Interpolation.NUKE_SMOOTH)
    report = ShapeReport(
        1.0, 0.99, 0.98, FIRST, 0.4, 8, len(KEYS), LAST - FIRST + 1, interpolation=Interpolation.NUKE_SMOOTH
    )
    return ObjectShapes("hero", WIDTH_PX, HEIGHT_PX, 1.0, (outer, hole), report)


def anchor() -> AnchorTrack:
    """Follows the same way, turns and grows; with corners."""
    keys = []
    for frame in range(FIRST, LAST + 1):
        x_px, y_px = centre(frame)
        turn, size = 2.0 * (frame - FIRST), 1.0 + 0.01 * (frame - FIRST)
        corners = tuple((x_px + dx * size, y_px + dy * size) for dx, dy in _CORNERS)
        keys.append(
            AnchorKey(
                frame,
                x_px,
                y_px,
                rotation_deg=turn,
                scale_x=size,
                scale_y=size,
                corners=(corners[0], corners[1], corners[2], corners[3]),
            )
        )
    return AnchorTrack("hero_similarity", "hero", AnchorKind.SIMILARITY, FIRST, tuple(keys))


def write_pictures(folder: Path) -> tuple[str, MatteSequence]:
    """A plate and mattes as PNGs: the plate's pattern, and where the mattes are."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame in range(FIRST, LAST + 1):
        content = write_mask(Mask(WIDTH_PX, HEIGHT_PX, _disc(*centre(frame))))
        (folder / f"plate.{frame}.png").write_bytes(content)
        (folder / f"hero.{frame}.png").write_bytes(content)
    mattes = MatteSequence(folder.as_posix(), "hero.%04d.png", (FrameRange(FIRST, LAST),))
    return (folder / "plate.%04d.png").as_posix(), mattes


_CORNERS = ((-40.0, -26.0), (40.0, -26.0), (40.0, 26.0), (-40.0, 26.0))


def _keys(across_px: float, down_px: float) -> tuple[ShapeKey, ...]:
    return tuple(ShapeKey(frame, _ellipse(*centre(frame), across_px, down_px)) for frame in KEYS)


def _ellipse(x_px: float, y_px: float, across_px: float, down_px: float) -> tuple[BezierVertex, ...]:
    vertices = []
    for x, y in ((1, 0), (0, 1), (-1, 0), (0, -1)):
        out = -y * across_px * _HANDLE, x * down_px * _HANDLE
        vertices.append(
            BezierVertex(x_px + x * across_px, y_px + y * down_px, -out[0], -out[1], out[0], out[1])
        )
    return tuple(vertices)


def _disc(x_px: float, y_px: float) -> bytes:
    rows = bytearray()
    for row in range(HEIGHT_PX):
        reach = 1.0 - ((row + 0.5 - y_px) / 26.0) ** 2
        half = 40.0 * math.sqrt(reach) if reach > 0 else 0.0
        left = max(0, min(WIDTH_PX, round(x_px - half)))
        right = max(left, min(WIDTH_PX, round(x_px + half)))
        rows += bytes(left) + b"\xff" * (right - left) + bytes(WIDTH_PX - right)
    return bytes(rows)
