"""What the writers write: the results of one clip, in the plate's own coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.types import FrameRange

if TYPE_CHECKING:
    from masklet.anchors import AnchorTrack
    from masklet.holes import Hole
    from masklet.shapes import ObjectShapes
    from masklet.types import ClipInfo, StateRange


ASSUMED_RATE = 24.0
"""Frames a second, where neither the clip nor the artist says any."""


@dataclass(frozen=True)
class MatteSequence:
    """Mattes of the clip that were written: one file a frame.

    Attributes:
        folder: Where they lie, with forward slashes. It may hold anything, percent signs too.
        files: Their names, with a frame field: ``shot_mattes.%04d.exr``.
        frames: Those that have a file, ascending, at least one.
        layers: One per object, as named in the files; empty where each file is of one object.
        kind: What they are, a word of :class:`masklet.events.MatteFormat`.
    """

    folder: str
    files: str
    frames: tuple[FrameRange, ...]
    layers: tuple[str, ...] = ()
    kind: str = "exr"

    @property
    def pattern(self) -> str:
        """Folder and names in one."""
        return f"{self.folder}/{self.files}" if self.folder else self.files

    @property
    def first_frame(self) -> int:
        """The first that has a file."""
        return self.frames[0].first

    @property
    def last_frame(self) -> int:
        """The last that has a file."""
        return self.frames[-1].last

    @property
    def first_file(self) -> str:
        """Folder and name of the first file, which is how some tools name a sequence."""
        # Only the name is a pattern: in the folder's, a percent sign is a percent sign.
        name = self.files % self.first_frame
        return f"{self.folder}/{name}" if self.folder else name

    @property
    def missing(self) -> tuple[FrameRange, ...]:
        """Frames between the first and the last that have no file."""
        return tuple(
            FrameRange(before.last + 1, after.first - 1)
            for before, after in zip(self.frames, self.frames[1:])  # noqa: B905 (Python 3.9)
        )


@dataclass(frozen=True)
class ExchangeScene:
    """Everything that is known of one clip and may be carried to another tool.

    Attributes:
        clip: The plate.
        shapes: One per object that has splines.
        anchors: As tracked.
        mattes: Those that were written.
        states: Per object, for tools that show markers.
        object_names: By object id, for the states.
        holes: Frames that were asked for and have no matte.
        frames_per_s: Used where a tool counts seconds and the clip does not say.
    """

    clip: ClipInfo
    shapes: tuple[ObjectShapes, ...] = ()
    anchors: tuple[AnchorTrack, ...] = ()
    mattes: tuple[MatteSequence, ...] = ()
    states: tuple[StateRange, ...] = ()
    object_names: tuple[tuple[int, str], ...] = ()
    holes: tuple[Hole, ...] = ()
    frames_per_s: float = ASSUMED_RATE

    @property
    def rate(self) -> float:
        """Frames per second: the clip's own, or the one that was given."""
        return self.clip.frames_per_s or self.frames_per_s

    @property
    def rate_is_assumed(self) -> bool:
        """True where neither the clip nor the artist says a rate."""
        return self.clip.frames_per_s is None

    def units(self, frame: int) -> float:
        """Where a frame lies on a time line of :attr:`rate`, counted from the clip's first picture.

        Whole numbers, unless the clip's rate varies: then each picture's own time counts.
        """
        seconds = self.clip.time_s(frame) if self.clip.is_variable_rate else None
        return float(frame - self.clip.first_frame) if seconds is None else round(seconds * self.rate, 6)

    def name_of(self, object_id: int) -> str:
        """The object's name, or a made-up one where none was given."""
        return dict(self.object_names).get(object_id, f"object {object_id}")
