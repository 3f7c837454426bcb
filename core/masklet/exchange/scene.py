"""What the writers write: the results of one clip, in the plate's own coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masklet.anchors import AnchorTrack
    from masklet.shapes import ObjectShapes
    from masklet.types import ClipInfo, StateRange


@dataclass(frozen=True)
class MatteSequence:
    """Where the mattes of the clip lie.

    Attributes:
        pattern: With forward slashes and a frame field such as ``%04d``: ``mattes/shot.%04d.exr``.
        layers: One per object, as named in the files; empty where each pattern is one object's.
    """

    pattern: str
    layers: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExchangeScene:
    """Everything that is known of one clip and may be carried to another tool.

    Attributes:
        clip: The plate.
        shapes: One per object that has splines.
        anchors: As tracked.
        mattes: None where no mattes were written.
        states: Per object, for tools that show markers.
        object_names: By object id, for the states.
        frames_per_s: Used where a tool counts seconds and the clip does not say.
    """

    clip: ClipInfo
    shapes: tuple[ObjectShapes, ...] = ()
    anchors: tuple[AnchorTrack, ...] = ()
    mattes: MatteSequence | None = None
    states: tuple[StateRange, ...] = ()
    object_names: tuple[tuple[int, str], ...] = ()
    frames_per_s: float = 24.0

    @property
    def rate(self) -> float:
        """Frames per second: the clip's own, or the one that was given."""
        return self.clip.frames_per_s or self.frames_per_s

    def name_of(self, object_id: int) -> str:
        """The object's name, or a made-up one where none was given."""
        return dict(self.object_names).get(object_id, f"object {object_id}")
