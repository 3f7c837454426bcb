"""Colours of objects."""

from __future__ import annotations

Colour = tuple[float, float, float]
"""Red, green and blue as they are shown, 0 to 1."""

PALETTE: tuple[Colour, ...] = (
    (0.3, 0.7, 1.0),
    (1.0, 0.6, 0.1),
    (0.7, 1.0, 0.5),
    (0.8, 0.2, 0.4),
    (0.0, 1.0, 0.7),
    (0.6, 0.0, 1.0),
    (0.8, 0.0, 0.0),
    (0.0, 0.4, 0.7),
)
"""Colours of the first objects, told apart by people who see no red, no green or no blue as well.

Any two are at least 25 apart in CIELAB under the full dichromacies of Machado, Oliveira and Fernandes, "A
Physiologically-based Model for Simulation of Color Vision Deficiency", 2009.
"""
