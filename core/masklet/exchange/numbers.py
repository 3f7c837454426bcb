"""Decimal text of numbers: short, exact to a ten-thousandth of a pixel, and never in exponent form."""

from __future__ import annotations

import math


def decimal(value: float, places: int = 5) -> str:
    """``value`` with at most ``places`` decimals and no trailing zeros.

    Raises:
        ValueError: The value is not finite: no tool can read it.
    """
    if not math.isfinite(value):
        raise ValueError(f"a number that is to be written must be finite, got {value}")
    text = f"{value:.{places}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
