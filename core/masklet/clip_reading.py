"""How a clip is read where its files do not say, or say wrongly: values, no pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass
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


AS_FILES_SAY = ClipReading()
