"""Frames, clicks, strokes and boxes as people type them."""

from __future__ import annotations

import re

from masklet.errors import BadInputError
from masklet.types import Box, Click, FrameRange, Scribble

_RANGE = re.compile(r"(-?\d+)(?:-(-?\d+))?")
_FRAME = re.compile(r"(-?\d+):(.+)", re.DOTALL)


def parse_range(text: str, *, flag: str = "--range") -> FrameRange:
    """The range in ``1001-1100``, ``-5--1`` or ``1001``.

    Raises:
        BadInputError: It is no range, or it ends before it begins.
    """
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise BadInputError(f"{flag} {text!r} is no range: write it like 1001-1100")
    first = int(match[1])
    last = int(match[2]) if match[2] is not None else first
    if last < first:
        raise BadInputError(f"{flag} {text!r} ends before it begins: write it like 1001-1100")
    try:
        return FrameRange(first, last)
    except ValueError as error:
        raise BadInputError(f"{flag} {text!r}: {error}") from error


def split_frame(flag: str, value: str) -> tuple[int, str]:
    """The frame number that a value begins with, and the rest.

    Raises:
        BadInputError: It begins with none.
    """
    match = _FRAME.fullmatch(value)
    if match is None:
        raise BadInputError(f"{flag} {value!r} names no frame: begin with its number, like 1001:…")
    return int(match[1]), match[2]


def parse_click(value: str, rest: str) -> Click:
    """The click in the rest of a value: ``640,360`` or ``640,360:-``.

    Raises:
        BadInputError: It is no click.
    """
    place, _, sign = rest.partition(":")
    numbers = _numbers(place)
    if len(numbers) != 2 or sign not in ("", "+", "-"):
        raise BadInputError(
            f"--click {value!r} is no click: write 1001:640,360, or 1001:640,360:- for a point off the object"
        )
    try:
        return Click(numbers[0], numbers[1], positive=sign != "-")
    except ValueError as error:
        raise BadInputError(f"--click {value!r}: {error}") from error


def parse_scribble(value: str, rest: str) -> Scribble:
    """The stroke in the rest of a value: ``12:600,300/640,320``, with ``:-`` behind it off the object.

    Raises:
        BadInputError: It is no stroke.
    """
    width, _, drawn = rest.partition(":")
    line, _, sign = drawn.partition(":")
    widths, places = _numbers(width), [_numbers(place) for place in line.split("/")]
    if len(widths) != 1 or any(len(place) != 2 for place in places) or sign not in ("", "+", "-"):
        raise BadInputError(
            f"--scribble {value!r} is no stroke: write 1001:WIDTH:x,y/x,y/x,y in pixels, and :- behind it "
            "for one off the object"
        )
    try:
        return Scribble(tuple((x, y) for x, y in places), widths[0], positive=sign != "-")
    except ValueError as error:
        raise BadInputError(f"--scribble {value!r}: {error}") from error


def parse_box(value: str, rest: str) -> Box:
    """The box in the rest of a value: left, top, right, bottom.

    Raises:
        BadInputError: It is no box.
    """
    numbers = _numbers(rest)
    if len(numbers) != 4:
        raise BadInputError(f"--box {value!r} is no box: write 1001:left,top,right,bottom in pixels")
    try:
        return Box(*numbers)
    except ValueError as error:
        raise BadInputError(f"--box {value!r}: {error}") from error


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        return []
