"""Whether a clip's speed is the same all through: Resolve's scripts do not say, its exported timeline does.

FCPXML (Apple's reference and DTD): a clip that is retimed has a ``timeMap`` of points, each with the clip's
new ``time`` and the ``value`` that it had before, in seconds as rational numbers, ``1001/24000s``.
"""

from __future__ import annotations

import tempfile
from enum import Enum
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet_resolve.api import Resolve, Timeline

_CLIPS = ("asset-clip", "clip", "video", "ref-clip")
_MAX_BYTES = 64 << 20
_SAME_SPEED = Fraction(1, 500)


class Speed(Enum):
    """What is known of a clip's speed."""

    STEADY = "steady"
    RAMP = "ramp"
    UNKNOWN = "unknown"


def speed_in(resolve: Resolve, timeline: Timeline, *, name: str, frames: int, rate: float) -> Speed:
    """Ask the timeline, by having it export itself; unknown where it does not, or lists no such clip.

    Args:
        resolve: Resolve Studio.
        timeline: That is open.
        name: Of the clip.
        frames: How many of the timeline's frames it lasts.
        rate: Of the timeline, frames a second.
    """
    with tempfile.TemporaryDirectory(prefix="masklet-") as folder:
        file = Path(folder) / "timeline.fcpxml"
        if not timeline.Export(str(file), resolve.EXPORT_FCPXML_1_10, resolve.EXPORT_NONE):
            return Speed.UNKNOWN
        try:
            # Some versions write a folder with that name, and the file inside.
            inside = file / "Info.fcpxml" if file.is_dir() else file
            if inside.stat().st_size > _MAX_BYTES:
                return Speed.UNKNOWN
            text = inside.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return Speed.UNKNOWN
    return speed_told(text, name=name, frames=frames, rate=rate)


def speed_told(text: str, *, name: str, frames: int, rate: float) -> Speed:
    """What an exported timeline says of the clips of a name and a length.

    Where several have both, one ramp among them is enough: to be asked in vain is better than a wrong matte.
    """
    if "<!ENTITY" in text:
        # No exporter writes any, and what they stand for may grow without end.
        return Speed.UNKNOWN
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return Speed.UNKNOWN
    found = [_of_clip(clip) for clip in _clips(root, name, frames, rate)]
    if not found:
        return Speed.UNKNOWN
    return next((speed for speed in (Speed.RAMP, Speed.UNKNOWN) if speed in found), Speed.STEADY)


def _clips(root: ElementTree.Element, name: str, frames: int, rate: float) -> Iterator[ElementTree.Element]:
    for clip in root.iter():
        length_s = _seconds(clip.get("duration", ""))
        if clip.tag not in _CLIPS or clip.get("name") != name or length_s is None:
            continue
        if abs(float(length_s) * rate - frames) <= 1.0:
            yield clip


def _of_clip(clip: ElementTree.Element) -> Speed:
    mapped = clip.find("timeMap")
    if mapped is None:
        return Speed.STEADY
    points = [
        (_seconds(point.get("time", "")), _seconds(point.get("value", ""))) for point in mapped.iter("timept")
    ]
    known = [(time, value) for time, value in points if time is not None and value is not None]
    if len(known) != len(points) or len(known) < 2:
        return Speed.UNKNOWN
    known.sort()
    speeds: list[Fraction] = []
    for (time, value), (later, value_later) in pairwise(known):
        if later == time:
            return Speed.UNKNOWN
        speeds.append((value_later - value) / (later - time))
    largest = max(Fraction(1), *(abs(speed) for speed in speeds))
    is_steady = max(speeds) - min(speeds) <= _SAME_SPEED * largest
    return Speed.STEADY if is_steady else Speed.RAMP


def _seconds(text: str) -> Fraction | None:
    try:
        return Fraction(text.rstrip("s")) if text else None
    except (ValueError, ZeroDivisionError):
        return None
