"""Where frames lie on a timeline, what lies under a pointer, and what dragging there means.

Positions are in the widget's own pixels, from its left and top edge; a frame is as wide as its picture lasts,
and ``x`` of a frame is its left edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import Enum

from masklet.types import FrameRange

_STEPS = (1, 2, 5, 10, 20, 25, 50, 100)
_CLOSEST_PX = 48.0
"""Width of a frame at the closest zoom."""
_GRIP_PX = 5.0
"""How far beside a handle a pointer still holds it."""


@dataclass(frozen=True)
class TimeMap:
    """Which frames a timeline shows.

    Attributes:
        frames: Of the plate.
        left_px: Where the lanes begin.
        width_px: How wide they are, above 0.
        start: The frame at the left edge; a part of one where it is cut.
        shown: How many frames are seen.
    """

    frames: FrameRange
    left_px: float
    width_px: float
    start: float
    shown: float

    @staticmethod
    def whole(frames: FrameRange, *, left_px: float, width_px: float) -> TimeMap:
        """All frames of a plate."""
        return TimeMap(frames, left_px, max(1.0, width_px), float(frames.first), float(len(frames)))

    @property
    def frame_px(self) -> float:
        """Width of one frame."""
        return self.width_px / self.shown

    @property
    def is_whole(self) -> bool:
        """True where every frame of the plate is seen."""
        return self.shown >= len(self.frames)

    def x_of(self, frame: float) -> float:
        """Left edge of a frame; of the next one it is its right edge."""
        return self.left_px + (frame - self.start) * self.frame_px

    def centre_of(self, frame: int) -> float:
        """Middle of a frame."""
        return self.x_of(frame + 0.5)

    def frame_at(self, x_px: float) -> int:
        """The frame under a place; beyond the ends the last one there is."""
        frame = math.floor(self.start + (x_px - self.left_px) / self.frame_px)
        return min(max(frame, self.frames.first), self.frames.last)

    def resized(self, *, left_px: float, width_px: float) -> TimeMap:
        """The same frames in another place."""
        return replace(self, left_px=left_px, width_px=max(1.0, width_px))._inside()

    def of_clip(self, frames: FrameRange) -> TimeMap:
        """The same view on a plate with other ends; all of it where all was seen."""
        if self.is_whole:
            return TimeMap.whole(frames, left_px=self.left_px, width_px=self.width_px)
        return replace(self, frames=frames)._inside()

    def zoomed(self, factor: float, x_px: float) -> TimeMap:
        """Closer by a factor above 1, or further; the frame under a place stays where it is."""
        fewest = min(float(len(self.frames)), max(1.0, self.width_px / _CLOSEST_PX))
        shown = min(max(self.shown / factor, fewest), float(len(self.frames)))
        under = self.start + (x_px - self.left_px) / self.frame_px
        start = under - (under - self.start) * shown / self.shown
        return replace(self, start=start, shown=shown)._inside()

    def scrolled(self, frames: float) -> TimeMap:
        """Further along by so many frames, as far as there are any."""
        return replace(self, start=self.start + frames)._inside()

    def showing(self, frame: int) -> TimeMap:
        """With a frame in sight: a page further where it is not."""
        if self.start <= frame and frame + 1 <= self.start + self.shown:
            return self
        return replace(self, start=frame + 0.5 - self.shown / 2)._inside()

    def seen(self, first: int, last: int, *, least_px: float = 0.0) -> tuple[float, float] | None:
        """Left edge and width of a run, cut at the edges; None where it is out of sight.

        Args:
            first: Of the run.
            last: Of the run.
            least_px: How wide it is at least: a single bad frame of ten thousand is still seen.
        """
        if last + 1 <= self.start or first >= self.start + self.shown:
            return None
        left = max(self.left_px, self.x_of(first))
        right = min(self.left_px + self.width_px, self.x_of(last + 1))
        if right - left < least_px:
            middle = (left + right) / 2
            left = min(max(self.left_px, middle - least_px / 2), self.left_px + self.width_px - least_px)
            right = left + least_px
        return left, right - left

    def ticks(self, *, label_px: float) -> tuple[int, ...]:
        """Frames that get a number, at round steps, so far apart that numbers of a width fit."""
        least = label_px / self.frame_px
        scale = 1
        while True:
            step = next((one * scale for one in _STEPS if one * scale >= least), 0)
            if step:
                break
            scale *= 100
        begin = math.ceil(self.start / step) * step
        end = min(self.start + self.shown, self.frames.last + 1)
        return tuple(frame for frame in range(begin, math.ceil(end), step) if frame >= self.frames.first)

    def _inside(self) -> TimeMap:
        count = float(len(self.frames))
        shown = min(max(self.shown, 1.0), count)
        start = min(max(self.start, float(self.frames.first)), self.frames.first + count - shown)
        return replace(self, start=start, shown=shown)


class Part(Enum):
    """What of a timeline lies under a pointer."""

    RULER = "ruler"
    """Frame numbers: dragging moves the playhead."""
    BAR = "bar"
    """The bar of the range, where none is: dragging makes one."""
    IN = "in"
    """The handle where the range begins."""
    OUT = "out"
    """The handle where it ends."""
    SPAN = "span"
    """Between the two: dragging moves the range."""
    LANE = "lane"
    """Of an object: dragging moves the playhead."""
    NOTHING = "nothing"


@dataclass(frozen=True)
class Rows:
    """How a timeline is laid out, from the top.

    Attributes:
        ruler_px: Height of the ruler.
        bar_px: Height of the bar below it, on which the range lies.
        lane_px: Height of each lane.
        scrolled_px: How far lanes are scrolled up.
    """

    ruler_px: float
    bar_px: float
    lane_px: float
    scrolled_px: float = 0.0

    @property
    def head_px(self) -> float:
        """Where lanes begin."""
        return self.ruler_px + self.bar_px

    def top_of(self, lane: int) -> float:
        """Upper edge of a lane."""
        return self.head_px + lane * self.lane_px - self.scrolled_px

    def lane_at(self, y_px: float) -> int:
        """The lane at a height, -1 above all of them; there need not be one."""
        return -1 if y_px < self.head_px else int((y_px - self.head_px + self.scrolled_px) // self.lane_px)


@dataclass(frozen=True)
class Hit:
    """What lies under a pointer.

    Attributes:
        part: Of the timeline.
        frame: Under it.
        lane: Number of the lane; -1 for none.
    """

    part: Part
    frame: int
    lane: int = -1


def hit(place: TimeMap, rows: Rows, x_px: float, y_px: float, *, lanes: int, span: FrameRange | None) -> Hit:
    """What lies under a pointer.

    Args:
        place: Where frames lie.
        rows: Where lanes lie.
        x_px: Of the pointer.
        y_px: Of the pointer.
        lanes: How many there are.
        span: From in to out; None for the whole plate, which has no handles.
    """
    frame = place.frame_at(x_px)
    if not place.left_px <= x_px <= place.left_px + place.width_px:
        return Hit(Part.NOTHING, frame)
    lane = rows.lane_at(y_px)
    if lane >= lanes:
        return Hit(Part.NOTHING, frame)
    if lane >= 0:
        return Hit(Part.LANE, frame, lane)
    if y_px < rows.ruler_px:
        return Hit(Part.RULER, frame)
    if span is None:
        return Hit(Part.BAR, frame)
    to_in, to_out = abs(x_px - place.x_of(span.first)), abs(x_px - place.x_of(span.last + 1))
    if min(to_in, to_out) <= _GRIP_PX:
        return Hit(Part.IN if to_in <= to_out else Part.OUT, frame)
    return Hit(Part.SPAN if frame in span else Part.BAR, frame)


def dragged(anchor: int, frame: int) -> FrameRange:
    """The range between where a drag began and where it is."""
    return FrameRange(min(anchor, frame), max(anchor, frame))


def moved(span: FrameRange, by: int, frames: FrameRange) -> FrameRange:
    """The range further along, as long as before, and no further than the plate's ends."""
    by = min(max(by, frames.first - span.first), frames.last - span.last)
    return FrameRange(span.first + by, span.last + by)


def with_in(span: FrameRange | None, frame: int, frames: FrameRange) -> FrameRange | None:
    """The range that begins at a frame; behind its end it goes on to the plate's.

    Returns:
        None where that is the whole plate.
    """
    last = frames.last if span is None or frame > span.last else span.last
    return _span(frame, last, frames)


def with_out(span: FrameRange | None, frame: int, frames: FrameRange) -> FrameRange | None:
    """The range that ends at a frame; before its begin it comes from the plate's. As :func:`with_in`."""
    first = frames.first if span is None or frame < span.first else span.first
    return _span(first, frame, frames)


def _span(first: int, last: int, frames: FrameRange) -> FrameRange | None:
    span = FrameRange(max(first, frames.first), min(last, frames.last))
    return None if span == frames else span
