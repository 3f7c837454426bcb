"""Flat shapes in the pixels of a region, many in one call to the graphics card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import blf
import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from masklet.hosting.shown.ribbons import ribbon_of

Edges = tuple[float, float, float, float]
"""Left, bottom, right, top."""

_OUTLINE = (0.0, 0.0, 0.0, 0.9)
_text: Any = blf
"""Its stubs know no results."""

_ALARM = (1.0, 0.55, 0.35, 1.0)


def draw_rectangles(rectangles: Iterable[tuple[Edges, tuple[float, ...]]]) -> None:
    """Filled rectangles, each in its colour, in the order given."""
    places: list[tuple[float, float]] = []
    colours: list[tuple[float, ...]] = []
    for (x0, y0, x1, y1), colour in rectangles:
        places.extend(((x0, y0), (x1, y0), (x1, y1), (x0, y0), (x1, y1), (x0, y1)))
        colours.extend([colour] * 6)
    if not places:
        return
    shader = _shader()
    batch = batch_for_shader(shader, "TRIS", {"pos": places, "color": colours})
    shader.bind()
    batch.draw(shader)


def frame_of_box(edges: Edges, colour: tuple[float, ...]) -> list[tuple[Edges, tuple[float, ...]]]:
    """A box's outline, light on dark."""
    x0, y0, x1, y1 = edges
    left, right, low, high = min(x0, x1), max(x0, x1), min(y0, y1), max(y0, y1)
    parts: list[tuple[Edges, tuple[float, ...]]] = []
    for grown, own in ((1.75, _OUTLINE), (0.75, colour)):
        parts.append(((left - grown, low - grown, right + grown, low + grown), own))
        parts.append(((left - grown, high - grown, right + grown, high + grown), own))
        parts.append(((left - grown, low, left + grown, high), own))
        parts.append(((right - grown, low, right + grown, high), own))
    return parts


def draw_stroke(points: Sequence[tuple[float, float]], width: float, colour: tuple[float, ...]) -> None:
    """A stroke while it is drawn, as wide as the brush; the picture shows through."""
    corners = ribbon_of(points, max(2.0, width))
    shader = _shader()
    colours = [(*colour[:3], 0.5)] * len(corners)
    batch = batch_for_shader(shader, "TRI_STRIP", {"pos": corners, "color": colours})
    shader.bind()
    batch.draw(shader)


def sign(
    x: float, y: float, arm: float, colour: tuple[float, ...], *, plus: bool
) -> list[tuple[Edges, tuple[float, ...]]]:
    """A plus or a minus, light on dark."""
    parts: list[tuple[Edges, tuple[float, ...]]] = []
    for grown, half, own in ((arm + 1.5, 2.5, _OUTLINE), (arm, 1.0, colour)):
        parts.append(((x - grown, y - half, x + grown, y + half), own))
        if plus:
            parts.append(((x - half, y - grown, x + half, y + grown), own))
    return parts


def draw_sentence(text: str, x: float, y: float, width: float, size: float) -> None:
    """A line of text on a dark ground, its foot at ``y``, cut off where it would be wider than ``width``."""
    font = 0
    _text.size(font, size)
    while len(text) > 8 and _text.dimensions(font, text)[0] > width:
        text = text[:-4].rstrip(" ….") + "…"
    draw_rectangles([((x - 4, y - 5, x + _text.dimensions(font, text)[0] + 4, y + size + 1), _OUTLINE)])
    _text.position(font, x, y, 0)
    _text.color(font, *_ALARM)
    _text.draw(font, text)
    # Blender leaves blending off after a text; what is drawn next may be half transparent.
    gpu.state.blend_set("ALPHA")


def _shader() -> Any:
    # Its name lost a prefix in 4.0.
    return gpu.shader.from_builtin("2D_SMOOTH_COLOR" if bpy.app.version < (4, 0, 0) else "SMOOTH_COLOR")
