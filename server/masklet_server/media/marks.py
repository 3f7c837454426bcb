"""Timecode, reel and owner out of what files say, whatever they call them."""

from __future__ import annotations

from collections.abc import Mapping

from masklet.plate_marks import PlateMarks, packed_timecode

_MAX_CHARACTERS = 200


def marks_of_picture(metadata: Mapping[str, object]) -> PlateMarks:
    """The marks in the header of an EXR, DPX or other picture.

    Args:
        metadata: The file's attributes, under OpenImageIO's names.
    """
    timecode = metadata.get("smpte:TimeCode")
    packed: tuple[int, int] | None = None
    if isinstance(timecode, tuple) and len(timecode) == 2 and all(isinstance(part, int) for part in timecode):
        packed = (timecode[0] & 0xFFFFFFFF, timecode[1] & 0xFFFFFFFF)
    # DPX has no place for a reel; grading systems and Nuke take its input device for one.
    reel = _text(metadata, "reelName", "ReelName", "dpx:InputDevice")
    return PlateMarks(packed, reel, _text(metadata, "Copyright", "owner"))


def marks_of_movie(metadata: Mapping[str, str], place: int, frames_per_s: float | None) -> PlateMarks:
    """The marks of the place-th picture of a movie.

    Args:
        metadata: Of its container and streams together.
        place: 0 for the first picture.
        frames_per_s: None where it varies or nobody says: the first picture alone has a timecode then.
    """
    packed = packed_timecode(metadata.get("timecode", ""), place, frames_per_s)
    return PlateMarks(
        None if packed is None else (packed, 0),
        _text(metadata, "reel_name", "com.apple.quicktime.reelname", "tape"),
        _text(metadata, "copyright", "com.apple.quicktime.copyright"),
    )


def _text(metadata: Mapping[str, object], *names: str) -> str:
    for name in names:
        value = metadata.get(name)
        if isinstance(value, str) and value.strip("\0 "):
            return value.strip("\0 ")[:_MAX_CHARACTERS]
    return ""
