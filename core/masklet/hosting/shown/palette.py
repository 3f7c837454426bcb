"""Colours of objects."""

from __future__ import annotations

Colour = tuple[float, float, float]
"""Red, green and blue as they are shown, 0 to 1."""

PALETTE: tuple[Colour, ...] = (
    (0.10, 0.60, 1.00),
    (1.00, 0.45, 0.10),
    (0.35, 0.85, 0.30),
    (0.95, 0.25, 0.55),
    (0.95, 0.85, 0.15),
    (0.60, 0.40, 1.00),
    (0.10, 0.85, 0.80),
    (0.85, 0.55, 0.35),
)
"""Colours of the first objects, far apart from each other and from skin."""
