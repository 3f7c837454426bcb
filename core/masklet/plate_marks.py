"""What a plate says of one of its frames besides the picture: timecode, reel, owner."""

from __future__ import annotations

import re
from dataclasses import dataclass

# Bits of a timecode as SMPTE ST 12 packs it for television at 60 fields, which OpenEXR and DPX follow.
_DROP_FRAME = 1 << 6
_FIELDS = ((0, 0x3F), (8, 0x7F), (16, 0x7F), (24, 0x3F))
"""Lowest bit and mask of frames, seconds, minutes and hours, each two decimal digits."""
_TEXT = re.compile(r"(\d{2}):(\d{2}):(\d{2})([:;.])(\d{2})")
_DROPPED_A_MINUTE = 2


@dataclass(frozen=True)
class PlateMarks:
    """As far as the plate has them.

    Attributes:
        timecode: Packed time and user bits, as in the header of an EXR; None for none.
        reel: Name of the reel or tape; empty for none.
        owner: Whom the picture belongs to; empty for none.
    """

    timecode: tuple[int, int] | None = None
    reel: str = ""
    owner: str = ""


NO_MARKS = PlateMarks()


def packed_timecode(text: str, later_frames: int = 0, frames_per_s: float | None = None) -> int | None:
    """A timecode such as ``01:02:03:04`` as its packed bits, so many frames later.

    Args:
        text: Drop frame where a semicolon or a dot stands before the frames.
        later_frames: 0 or more.
        frames_per_s: Of the movie; needed where ``later_frames`` is not 0.

    Returns:
        None where the text is no timecode, or no rate is known to count with.
    """
    match = _TEXT.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes, seconds, frames = (int(match[part]) for part in (1, 2, 3, 5))
    drops = match[4] != ":"
    if later_frames:
        if not frames_per_s:
            return None
        rate = round(frames_per_s)
        dropped = _DROPPED_A_MINUTE * max(1, rate // 30) if drops else 0
        number = ((hours * 60 + minutes) * 60 + seconds) * rate + frames + later_frames
        if dropped:
            past = 60 * hours + minutes
            number -= dropped * (past - past // 10)
            number = _with_drops(number, rate, dropped)
        frames, rest = number % rate, number // rate
        hours, minutes, seconds = rest // 3600 % 24, rest // 60 % 60, rest % 60
    packed = _DROP_FRAME if drops else 0
    for (shift, _), value in zip(_FIELDS, (frames, seconds, minutes, hours)):  # noqa: B905 (Python 3.9)
        packed |= (value // 10 << 4 | value % 10) << shift
    # More than 39 frames a second do not fit their two bits of tens.
    return packed if frames < 40 else None


def timecode_text(packed: int) -> str:
    """The packed bits as people write them: ``01:02:03:04``, with a semicolon for drop frame."""
    frames, seconds, minutes, hours = (packed >> shift & mask for shift, mask in _FIELDS)
    mark = ";" if packed & _DROP_FRAME else ":"
    return f"{hours:02x}:{minutes:02x}:{seconds:02x}{mark}{frames:02x}"


def _with_drops(number: int, rate: int, dropped: int) -> int:
    """The number that a frame shows where every minute but each tenth leaves some numbers out."""
    ten_minutes = 600 * rate - 9 * dropped
    tens, rest = divmod(number, ten_minutes)
    more = 0 if rest < dropped else (rest - dropped) // (60 * rate - dropped)
    return number + dropped * (9 * tens + more)
