"""How a clip is read where its files do not say, or say wrongly: values, no pictures."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Optional

from masklet.types import FrameRange

MAX_FIRST_FRAME = 1_000_000_000
MAX_FRAMES_PER_S = 1_000.0
MAX_NAME_CHARACTERS = 1_000


@dataclass(frozen=True)
class ClipReading:
    """What the artist said of reading a clip; None lets the files say.

    Attributes:
        colour_space: Name of the input space for OpenColorIO.
        first_frame: The number of a movie's first picture, which is 0 otherwise. Sequences have numbers
            of their own and take no other.
        frame_rate: Pictures a second. It goes before what the files say, and pictures then follow each
            other evenly, as when a host's footage is told its rate.
        layer: The layer or part of an EXR that is the plate: ``beauty``, ``ViewLayer.Combined``.
        view: Of a stereo EXR: ``left``, ``right``.
        overscan: True to matte what the files hold beyond the display window as well.
        frames: Those that are used. Size, colour and pixel aspect of a sequence are taken from them, not
            from a slate before them.
    """

    colour_space: Optional[str] = None
    first_frame: Optional[int] = None
    frame_rate: Optional[float] = None
    layer: Optional[str] = None
    view: Optional[str] = None
    overscan: bool = False
    frames: Optional[FrameRange] = None

    def __post_init__(self) -> None:
        for what, name in (("layer", self.layer), ("view", self.view)):
            if name is not None and not (0 < len(name) <= MAX_NAME_CHARACTERS and name.isprintable()):
                raise ValueError(f"{name!r} is no name of a {what}: give it as the file has it")
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
        layer: str | None = None,
        view: str | None = None,
        overscan: bool | None = None,
    ) -> ClipReading:
        """The same with what was typed instead; a rate is a number or a fraction such as 24000/1001.

        Raises:
            ValueError: A value makes no sense; the message quotes it.
        """
        typed: dict[str, Any] = {
            "colour_space": colour_space,
            "first_frame": first_frame,
            "frame_rate": None if frame_rate is None else _rate_in(frame_rate),
            "layer": layer,
            "view": view,
            "overscan": overscan,
        }
        return replace(self, **{name: value for name, value in typed.items() if value is not None})


def _rate_in(text: str) -> float:
    from fractions import Fraction  # Hosts import this module at their start and read no typed rate.

    try:
        return float(Fraction(text.strip()))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(
            f"{text!r} is no frame rate: give pictures a second, such as 24 or 24000/1001 (23.976)"
        ) from None


AS_FILES_SAY = ClipReading()
