"""What Resolve's timeline or a composition has under the playhead, as a plate and its place in time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from masklet.clip_reading import ClipReading
from masklet.errors import BadInputError
from masklet.frame_runs import part_in
from masklet.hosting.plate_files import sequence_pattern
from masklet.patterns import FramePattern
from masklet.phrases import phrase
from masklet.types import FrameRange
from masklet_resolve.retimes import Speed, speed_in
from masklet_resolve.time_base import TimeBase

if TYPE_CHECKING:
    from masklet.phrases import Phrase
    from masklet_resolve.api import FusionComp, MediaPoolItem, Resolve, Timeline, TimelineItem

_MANY_FRAMES = 10_000_000


@dataclass(frozen=True)
class PlaceOnTimeline:
    """Where a clip lies.

    Attributes:
        track: Of the pictures, counted from 1 at the bottom.
        first: The timeline's own frame on which it begins.
        frames: How many of the timeline's frames it lasts.
        timeline_first: The timeline's first frame, an hour in usually.
        rate: Of the timeline, frames a second.
    """

    track: int
    first: int
    frames: int
    timeline_first: int
    rate: float


@dataclass(frozen=True)
class TakenClip:
    """A clip that was taken from Resolve or Fusion.

    Attributes:
        name: For people.
        path: The plate: a movie or a pattern such as ``plate.%04d.exr``.
        used: The plate's own frames that the timeline shows.
        time: From the plate's frames to those of the clip's composition.
        rate: Of the plate, frames a second; None where nobody says.
        place: On the timeline; None in a composition of Fusion Studio.
        size_px: Width and height of the plate; None where Resolve does not say.
        whole: All frames of the plate; None where Resolve does not say.
        speed: Whether the clip's speed is the same all through.
        told: What was assumed, a sentence each.
    """

    name: str
    path: str
    used: FrameRange
    time: TimeBase
    rate: float | None = None
    place: PlaceOnTimeline | None = None
    size_px: tuple[int, int] | None = None
    whole: FrameRange | None = None
    speed: Speed = Speed.STEADY
    told: tuple[str, ...] = ()

    @property
    def reading(self) -> ClipReading:
        """How the plate is to be read, so that numbers are Resolve's: movies count from 0 there, too."""
        return ClipReading(frame_rate=self.rate)


def check_steady(clip: TakenClip) -> None:
    """Refuse what would lie beside a clip whose speed changes.

    Raises:
        BadInputError: It does.
    """
    if clip.speed is Speed.RAMP:
        raise BadInputError(
            phrase(
                "the speed of {name} changes: what is keyed or placed by frames would lie beside the object. "
                "Its mattes come as a clip matte, which is retimed with it; for the rest render the clip in "
                "place, and take that",
                name=clip.name,
            )
        )


def take_item(timeline: Timeline, resolve: Resolve | None = None) -> tuple[TakenClip, TimelineItem]:
    """The clip under the playhead of the timeline.

    Args:
        timeline: That is open.
        resolve: Asked whether the clip's speed changes; None asks nobody.

    Raises:
        BadInputError: There is none, or it has no file of its own.
    """
    item = timeline.GetCurrentVideoItem()
    if item is None:
        raise BadInputError(
            phrase("no clip is under the playhead: put the playhead on the clip, and look at Edit or Color")
        )
    found = cast("TimelineItem", item)
    media = found.GetMediaPoolItem()
    path = "" if media is None else str(media.GetClipProperty("File Path") or "")
    if not path:
        raise BadInputError(
            phrase(
                "{name} has no file of its own, as titles, generators and compound clips have none: take "
                "the clip "
                "inside, or render it in place",
                name=str(found.GetName()),
            )
        )
    return _taken(found, cast("MediaPoolItem", media), path, timeline, resolve), found


def take_comp(comp: FusionComp) -> TakenClip:
    """What the composition's MediaIn or Loader reads.

    Raises:
        BadInputError: It has neither, or its file is not known.
    """
    for name in ("MediaIn1", "Loader1"):
        tool = comp.FindTool(name)
        if tool is not None:
            return _of_tool(comp, name, tool)
    raise BadInputError(
        phrase(
            "the composition has neither MediaIn1 nor Loader1: add the Loader of the plate, and name it so"
        )
    )


def comp_start(comp: FusionComp) -> int:
    """The frame of the composition on which its clip begins.

    Resolve's compositions on clips count from the clip's start, Fusion's from what the artist set: it is
    read, and never assumed.
    """
    attributes = comp.GetAttrs() or {}
    for name in ("COMPN_RenderStart", "COMPN_GlobalStart"):
        if attributes.get(name) is not None:
            return round(float(attributes[name]))
    return 0


def _taken(
    item: TimelineItem, media: MediaPoolItem, path: str, timeline: Timeline, resolve: Resolve | None
) -> TakenClip:
    told: list[str] = []
    source_first, source_last = int(item.GetSourceStartFrame()), int(item.GetSourceEndFrame())
    first = round(float(item.GetStart()))
    frames = max(1, round(float(item.GetEnd())) - first)
    rate, timeline_rate = _number(media, "FPS"), _rate_of(timeline)
    pattern, file_first = _plate(path, media)
    # Whether Resolve counts a sequence's frames from its first number or from 0 differs between versions.
    base = file_first if source_first < file_first else 0
    if base:
        told.append(
            phrase(
                "Resolve counts {name} from 0, its files begin at {first}",
                name=item.GetName(),
                first=file_first,
            )
        )
    used = FrameRange(source_first + base, max(source_first, source_last) + base)
    whole = _range_of_files(media, file_first)
    if whole is not None and (part := part_in(used, whole)) is not None:
        used = part
    speed = len(used) / frames
    if rate and timeline_rate and abs(rate - timeline_rate) > 1e-3:
        # A clip at its own rate plays faster or slower on a timeline of another: that is no retime of the
        # artist's.
        told.append(
            phrase(
                "the clip has {rate:g} frames a second and the timeline {other:g}",
                rate=rate,
                other=timeline_rate,
            )
        )
    known = Speed.UNKNOWN
    if resolve is not None:
        known = speed_in(
            resolve, timeline, name=str(item.GetName()), frames=frames, rate=timeline_rate or rate or 24.0
        )
    if abs(len(used) - frames) <= 1:
        speed = 1.0
    elif abs(speed - 1.0) > 1e-6 and known is not Speed.RAMP:
        told.append(
            phrase(
                "{name} is retimed ({percent:.0f} %): results get a key on every frame",
                name=item.GetName(),
                percent=100 * speed,
            )
        )
    told += _told_of_speed(str(item.GetName()), known, is_asked=resolve is not None)
    kind, track = item.GetTrackTypeAndIndex() or ("video", 1)
    del kind
    place = PlaceOnTimeline(
        int(track), first, frames, int(timeline.GetStartFrame()), timeline_rate or rate or 24.0
    )
    return TakenClip(
        str(item.GetName()),
        pattern,
        used,
        TimeBase(used.first, 0, speed, frames),
        rate,
        place,
        _size(media),
        whole,
        known,
        tuple(map(str, told)),
    )


def _told_of_speed(name: str, speed: Speed, *, is_asked: bool) -> list[Phrase]:
    if speed is Speed.RAMP:
        return [phrase("the speed of {name} changes: only its mattes can come, as a clip matte", name=name)]
    if speed is Speed.UNKNOWN and is_asked:
        return [
            phrase(
                "Resolve did not say how fast {name} runs: its speed is taken to be the same all through, so "
                "look whether it has a speed ramp",
                name=name,
            )
        ]
    return []


def _of_tool(comp: FusionComp, name: str, tool: Any) -> TakenClip:
    attributes = tool.GetAttrs() or {}
    path = attributes.get("TOOLST_Clip_Name")
    if isinstance(path, dict):
        # A table of Lua comes as {1: …}.
        path = path.get(1) or path.get(1.0)
    if not path:
        raise BadInputError(
            phrase("{name} does not say its file: take the clip on Resolve's timeline instead", name=name)
        )
    start = comp_start(comp)
    end = round(float((comp.GetAttrs() or {}).get("COMPN_RenderEnd", start)))
    pattern = sequence_pattern(str(path))
    is_sequence = FramePattern.parse(Path(pattern).name) is not None
    # A Loader shows file number N at composition frame N unless it was moved; a MediaIn begins with its clip.
    first = start if is_sequence and name.startswith("Loader") else 0
    frames = max(1, end - start + 1)
    used = FrameRange(first, first + frames - 1)
    told: tuple[str, ...] = ()
    if not name.startswith("Loader"):
        told = (
            str(
                phrase(
                    "the composition does not say where its clip begins: its first frame is taken for "
                    "{first}",
                    first=first,
                )
            ),
        )
    return TakenClip(name, pattern, used, TimeBase(first, start, 1.0, frames), told=told)


def _plate(path: str, media: MediaPoolItem) -> tuple[str, int]:
    """The plate's pattern and its first number; Resolve writes ``plate.[1001-1100].exr`` for a sequence."""
    name = Path(path).name
    if "[" in name and "-" in name and "]" in name:
        head, _, rest = name.partition("[")
        numbers, _, tail = rest.partition("]")
        first = numbers.split("-")[0]
        if first.isdigit():
            pattern = FramePattern(head, len(first), tail)
            return str(Path(path).with_name(str(pattern))), int(first)
    start = _number(media, "Start")
    pattern_of_file = sequence_pattern(path)
    is_movie = str(media.GetClipProperty("Type") or "").lower().startswith("video") and not start
    if is_movie or pattern_of_file == path:
        return path, 0
    return pattern_of_file, round(start or 0)


def _range_of_files(media: MediaPoolItem, first: int) -> FrameRange | None:
    frames = _number(media, "Frames")
    if not frames or frames > _MANY_FRAMES:
        return None
    return FrameRange(first, first + round(frames) - 1)


def _number(media: MediaPoolItem, name: str) -> float | None:
    try:
        return float(str(media.GetClipProperty(name)).split()[0])
    except (ValueError, IndexError):
        return None


def _size(media: MediaPoolItem) -> tuple[int, int] | None:
    """Of ``1920x1080``, as the media pool has it."""
    width, _, height = str(media.GetClipProperty("Resolution") or "").partition("x")
    return (int(width), int(height)) if width.isdigit() and height.isdigit() else None


def _rate_of(timeline: Timeline) -> float | None:
    try:
        return float(str(timeline.GetSetting("timelineFrameRate")).split()[0])
    except (ValueError, IndexError):
        return None
