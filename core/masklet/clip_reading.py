"""How a clip is read where its files do not say, or say wrongly: values, no pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Optional

MAX_FIRST_FRAME = 1_000_000_000
MAX_FRAMES_PER_S = 1_000.0


@dataclass(frozen=True)
class ClipReading:
    """What the artist said of reading a clip; None lets the files say.

    Attributes:
        colour_space: Name of the input space for OpenColorIO.
        first_frame: The number of a movie's first picture, which is 0 otherwise. Sequences have numbers
            of their own and take no other.
        frame_rate: Pictures a second. It goes before what the files say, and pictures then follow each
            other evenly, as when a host's footage is told its rate.
    """

    colour_space: Optional[str] = None
    first_frame: Optional[int] = None
    frame_rate: Optional[float] = None

    def __post_init__(self) -> None:
        if self.first_frame is not None and abs(self.first_frame) > MAX_FIRST_FRAME:
            raise ValueError(
                f"the first frame {self.first_frame} is too far off: stay within {MAX_FIRST_FRAME} of zero"
            )
        rate = self.frame_rate
        if rate is not None and not (math.isfinite(rate) and 0 < rate <= MAX_FRAMES_PER_S):
            raise ValueError(
                f"{rate:g} is no frame rate: give pictures a second, such as 24 or 24000/1001 (23.976)"
            )

    def typed_over(
        self,
        *,
        colour_space: str | None = None,
        first_frame: int | None = None,
        frame_rate: str | None = None,
    ) -> ClipReading:
        """The same with what was typed instead; a rate is a number or a fraction such as 24000/1001.

        Raises:
            ValueError: A value makes no sense; the message quotes it.
        """
        return ClipReading(
            self.colour_space if colour_space is None else colour_space,
            self.first_frame if first_frame is None else first_frame,
            self.frame_rate if frame_rate is None else _rate_in(frame_rate),
        )


def _rate_in(text: str) -> float:
    try:
        return float(Fraction(text.strip()))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(
            f"{text!r} is no frame rate: give pictures a second, such as 24 or 24000/1001 (23.976)"
        ) from None


AS_FILES_SAY = ClipReading()
