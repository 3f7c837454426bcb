"""The frame rate of a movie: what its times say, and whether they say one at all."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of a frame. Containers round times, to a millisecond in MKV; a host that counts at the rate still
# shows the right picture.
_TOLERANCE = 0.25


class Timing(NamedTuple):
    """When the pictures of a movie are shown.

    Attributes:
        frames_per_s: None where nothing in the file says; the average where the rate varies.
        frame_times_us: Where the rate varies, microseconds from the first picture to each; else empty.
    """

    frames_per_s: Fraction | None
    frame_times_us: tuple[int, ...]


def timing_of(
    times: Sequence[int] | None, time_base: Fraction, stated: Fraction | None, guessed: Fraction | None = None
) -> Timing:
    """The timing of a movie.

    Args:
        times: For each picture, ascending, in units of the time base; None where the file does not say.
        time_base: Seconds.
        stated: What the file states, or the demuxer's average.
        guessed: What the demuxer made of the first times; believed only where all times bear it out.
    """
    if times is None or len(times) < 2:
        return Timing(stated or None, ())
    rates = [rate for rate in (stated, guessed) if rate]
    ticks = [time - times[0] for time in times]
    average = (len(times) - 1) / (ticks[-1] * time_base)
    for rate in (*rates, _broadcast(average), average):
        frames_per_tick = float(time_base * rate)
        if all(abs(tick * frames_per_tick - place) < _TOLERANCE for place, tick in enumerate(ticks)):
            return Timing(rate, ())
    us_per_tick = time_base * 1_000_000
    return Timing(average, tuple(round(tick * us_per_tick) for tick in ticks))


def _broadcast(rate: Fraction) -> Fraction:
    """The whole rate nearest to this one, or its NTSC sibling: 24 or 24000/1001."""
    whole = Fraction(max(round(rate), 1))
    ntsc = whole * 1000 / 1001
    return min((whole, ntsc), key=lambda each: abs(each - rate))
