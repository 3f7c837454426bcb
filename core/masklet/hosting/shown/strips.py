"""States of frames as strips: where each object is present, uncertain, absent, locked, out of date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.types import Presence

if TYPE_CHECKING:
    from masklet.hosting.shown.frame_book import Strip

Colour = tuple[float, float, float, float]

COLOURS = {
    Presence.PRESENT: (0.30, 0.70, 0.35, 0.95),
    Presence.UNCERTAIN: (0.95, 0.75, 0.15, 0.95),
    Presence.ABSENT: (0.35, 0.35, 0.38, 0.95),
}
STALE: Colour = (0.90, 0.30, 0.20, 0.95)
LOCKED: Colour = (0.35, 0.60, 0.95, 1.0)
PROMPTED: Colour = (1.0, 1.0, 1.0, 1.0)
GROUND: Colour = (0.10, 0.10, 0.10, 0.80)
_PALE = 0.35
"""Opacity of frames whose masks are gone, as a share of the others'."""


@dataclass(frozen=True)
class Rectangle:
    """A filled part of a row; x in frames, y from 0 at the row's bottom to 1 at its top."""

    first: float
    last: float
    low: float
    high: float
    colour: Colour


def rectangles(strips: tuple[Strip, ...]) -> Iterator[Rectangle]:
    """One object's row, in the order of drawing; a frame is one wide and lies around its number."""
    for strip in strips:
        first, last = strip.first - 0.5, strip.last + 0.5
        red, green, blue, opacity = STALE if strip.stale else COLOURS[strip.presence]
        yield Rectangle(first, last, 0.0, 1.0, (red, green, blue, opacity if strip.held else opacity * _PALE))
        if strip.locked:
            yield Rectangle(first, last, 0.75, 1.0, LOCKED)
    for strip in strips:
        if strip.prompted:
            for frame in range(strip.first, strip.last + 1):
                yield Rectangle(frame - 0.5, frame + 0.5, 0.2, 0.8, PROMPTED)
