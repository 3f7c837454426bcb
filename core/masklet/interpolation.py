"""How keyed values run between their keys, by the rules of the tools that draw them.

Every rule hits its keys exactly, and before the first and after the last key the nearest one holds.

================  =========================================  ==============================================
who draws         rule                                       source
================  =========================================  ==============================================
masklet, JSON     LINEAR                                     :mod:`masklet.shapes`
Nuke, Roto        NUKE_SMOOTH                                measured in Nuke 17.1 through its Python API:
                                                             keys of the default type ignore stored slopes
Nuke, knobs       LINEAR with ``curve L``                    scripts that make a curve straight by that
                                                             letter
Fusion            LINEAR with the flag ``Linear``, else      saved compositions: ``LH`` and ``RH`` are
                  :func:`timed_bezier`                       handles in time and value; one such curve
                                                             leads all points of a polyline
After Effects     LINEAR with that type on both keys, else   scripting guide: KeyframeInterpolationType,
                  :func:`after_effects_eased`                KeyframeEase(speed, influence); one ease for
                                                             all vertices of a mask path
Blender, masks    LINEAR, of vertices and both handles       what Blender itself drew between shape keys
================  =========================================  ==============================================

An ease that all vertices share moves them along the same straight ways, so that it saves no keys where an
outline bends its way. Only Nuke's cubic does, each number having a curve of its own.

Nothing but the standard library is needed (Python 3.9+).
"""

from __future__ import annotations

from bisect import bisect_right
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

Weights = dict[int, float]
"""By index of a key: how much its value counts."""


class Interpolation(Enum):
    """A rule that is linear in the keys' values: between keys each number is a weighted sum of them."""

    LINEAR = "linear"
    NUKE_SMOOTH = "nuke-smooth"

    @property
    def words(self) -> str:
        """How the rule is called in a sentence."""
        return _WORDS[self]


_WORDS = {
    Interpolation.LINEAR: "straight between keys",
    Interpolation.NUKE_SMOOTH: "Nuke's smooth curve between keys",
}


def weights(times: Sequence[float], time: float, rule: Interpolation) -> Weights:
    """What each key counts at ``time``: the weights sum to 1.

    Args:
        times: Of the keys, ascending, at least one.
        time: Any.
        rule: Of the tool that draws.
    """
    following = bisect_right(times, time)
    if following == 0:
        return {0: 1.0}
    before = following - 1
    if following == len(times) or times[before] == time:
        return {before: 1.0}
    length = times[following] - times[before]
    share = (time - times[before]) / length
    if rule is Interpolation.LINEAR:
        return {before: 1 - share, following: share}
    rest = 1 - share
    total = {before: (1 + 2 * share) * rest * rest, following: share * share * (3 - 2 * share)}
    leaving, arriving = share * rest * rest * length, -share * share * rest * length
    for index, factor in ((before, leaving), (following, arriving)):
        for key, weight in _slope_weights(times, index).items():
            total[key] = total.get(key, 0.0) + factor * weight
    return total


def value_at(times: Sequence[float], values: Sequence[float], time: float, rule: Interpolation) -> float:
    """One keyed number at ``time``."""
    return sum(values[index] * weight for index, weight in weights(times, time, rule).items())


def nuke_slopes(times: Sequence[float], values: Sequence[float]) -> list[float]:
    """Value per unit of time at each key of Nuke's default curve, whatever slopes are stored."""
    return [
        sum(values[key] * weight for key, weight in _slope_weights(times, index).items())
        for index in range(len(times))
    ]


def timed_bezier(
    start: tuple[float, float],
    leaving: tuple[float, float],
    arriving: tuple[float, float],
    end: tuple[float, float],
    time: float,
) -> float:
    """A cubic Bezier in the plane of time and value, at ``time``.

    Args:
        start: Time and value of the key before.
        leaving: Its handle; in Fusion's text ``RH``.
        arriving: The handle of the key after; in Fusion's text ``LH``.
        end: Time and value of the key after.
        time: From the one to the other.
    """
    if time <= start[0]:
        return start[1]
    if time >= end[0]:
        return end[1]
    # A handle beyond the other key would make time run backwards; tools cut it there.
    out_t, in_t = (min(max(handle[0], start[0]), end[0]) for handle in (leaving, arriving))
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _cubic(start[0], out_t, in_t, end[0], middle) < time:
            low = middle
        else:
            high = middle
    return _cubic(start[1], leaving[1], arriving[1], end[1], (low + high) / 2)


def after_effects_eased(
    start: tuple[float, float],
    leaving: tuple[float, float],
    arriving: tuple[float, float],
    end: tuple[float, float],
    time: float,
) -> float:
    """Between two keys of the type ``BEZIER``.

    Args:
        start: Time and value of the key before.
        leaving: Its ease: speed in units of value per unit of time, and influence in per cent, 0.1 to 100.
        arriving: The ease of the key after.
        end: Time and value of the key after.
        time: From the one to the other.
    """
    length = end[0] - start[0]
    after, before = leaving[1] / 100 * length, arriving[1] / 100 * length
    return timed_bezier(
        start,
        (start[0] + after, start[1] + leaving[0] * after),
        (end[0] - before, end[1] - arriving[0] * before),
        end,
        time,
    )


def _slope_weights(times: Sequence[float], index: int) -> Weights:
    """The slope at a key of Nuke's default curve, as weights of the keys' values."""
    last = len(times) - 1
    if last == 0:
        return {}
    if last == 1:
        length = times[1] - times[0]
        return {0: -1 / length, 1: 1 / length}
    if 0 < index < last:
        span = times[index + 1] - times[index - 1]
        return {index - 1: -1 / span, index + 1: 1 / span}
    inner = 1 if index == 0 else last - 1
    chord = 3 / (times[inner] - times[index])
    total = {index: -chord / 2, inner: chord / 2}
    for key, weight in _slope_weights(times, inner).items():
        total[key] = total.get(key, 0.0) - weight / 2
    return total


def _cubic(a: float, b: float, c: float, d: float, share: float) -> float:
    rest = 1 - share
    return rest**3 * a + 3 * rest * rest * share * b + 3 * rest * share * share * c + share**3 * d
