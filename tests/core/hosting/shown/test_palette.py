"""Colours of objects, seen by eyes of every kind."""

from __future__ import annotations

import math
from itertools import combinations

from masklet.hosting.shown.palette import PALETTE

_APART = 25.0
"""In CIELAB; about 2 can just be told apart side by side."""
# Machado, Oliveira and Fernandes 2009, severity 1, on linear light.
_EYES = {
    "common": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "no red": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
    "no green": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "no blue": (
        (1.255528, -0.076749, -0.178779),
        (-0.078411, 0.930809, 0.147602),
        (0.004733, 0.691367, 0.303900),
    ),
}


def seen(colour: tuple[float, float, float], eyes: str) -> tuple[float, float, float]:
    """A colour in CIELAB as these eyes see it."""
    light = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in colour]
    red, green, blue = (
        min(1.0, max(0.0, sum(share * value for share, value in zip(row, light, strict=True))))
        for row in _EYES[eyes]
    )
    x, y, z = (
        value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116
        for value in (
            (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
            0.2126 * red + 0.7152 * green + 0.0722 * blue,
            (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
        )
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def test_any_two_objects_are_told_apart_by_every_kind_of_eyes() -> None:
    for eyes in _EYES:
        for one, other in combinations(PALETTE, 2):
            assert math.dist(seen(one, eyes), seen(other, eyes)) > _APART, (eyes, one, other)
