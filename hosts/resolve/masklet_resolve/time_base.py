"""From the plate's frames to those of a composition: a straight line, and nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from masklet.exchange.redrawing import redrawn
from masklet.frame_runs import runs_of
from masklet.interpolation import Interpolation
from masklet.shapes import Piece, ShapeKey

if TYPE_CHECKING:
    from masklet.anchors import AnchorKey, AnchorTrack
    from masklet.exchange.scene import ExchangeScene
    from masklet.shapes import ObjectShapes


@dataclass(frozen=True)
class TimeBase:
    """Where the plate's frames lie in a composition.

    Attributes:
        plate_first: The plate's frame that is shown first.
        comp_first: The composition's frame that shows it.
        speed: Plate's frames for each frame of the composition; 1 where nothing is retimed, negative never.
        frames: How many of the composition's frames there are.
    """

    plate_first: int
    comp_first: int
    speed: float = 1.0
    frames: int = 1

    def __post_init__(self) -> None:
        if not (math.isfinite(self.speed) and self.speed > 0 and self.frames > 0):
            raise ValueError(f"a clip of {self.frames} frames at speed {self.speed} has no time of its own")

    @property
    def is_retimed(self) -> bool:
        """True where a frame of the composition is not just one of the plate."""
        return self.speed != 1.0

    def comp_of(self, plate_frame: int) -> int:
        """The composition's frame that shows one of the plate, or the nearest."""
        return self.comp_first + round((plate_frame - self.plate_first) / self.speed)

    def plate_of(self, comp_frame: int) -> int:
        """The plate's frame that one of the composition shows: the last that has begun."""
        return self.plate_first + math.floor((comp_frame - self.comp_first) * self.speed + 1e-6)

    @property
    def comp_frames(self) -> range:
        """All frames of the composition that show the clip."""
        return range(self.comp_first, self.comp_first + self.frames)

    def starting_at(self, comp_first: int) -> TimeBase:
        """The same in a composition that begins elsewhere."""
        return replace(self, comp_first=comp_first)

    def scene(self, scene: ExchangeScene) -> ExchangeScene:
        """Shapes and anchors in the composition's frames; mattes stay files with the plate's numbers."""
        clip = replace(
            scene.clip,
            first_frame=self.comp_first,
            last_frame=self.comp_first + self.frames - 1,
            missing_frames=(),
            frame_times_us=(),
        )
        return replace(
            scene,
            clip=clip,
            shapes=tuple(self.shapes(one) for one in scene.shapes),
            anchors=tuple(self.anchor(one) for one in scene.anchors),
        )

    def shapes(self, shapes: ObjectShapes) -> ObjectShapes:
        """The same shapes; where the clip is retimed, with a key on every frame that shows them."""
        # What was fitted for another tool's curve gets the keys that a straight way needs.
        shapes = redrawn(shapes, Interpolation.LINEAR).shapes
        worst = shapes.report.worst_frame
        report = replace(shapes.report, worst_frame=None if worst is None else self.comp_of(worst), gaps=())
        pieces = tuple(piece for one in shapes.pieces if (piece := self._piece(one)) is not None)
        return replace(shapes, pieces=pieces, report=report)

    def anchor(self, track: AnchorTrack) -> AnchorTrack:
        """The same anchor, on the frames that the clip shows."""
        by_frame = {key.frame: key for key in track.keys}
        keys: list[AnchorKey] = []
        for frame in self.comp_frames:
            key = by_frame.get(self.plate_of(frame))
            if key is not None:
                keys.append(replace(key, frame=frame))
        return replace(track, reference_frame=self.comp_of(track.reference_frame), keys=tuple(keys))

    def _piece(self, piece: Piece) -> Piece | None:
        shown = [frame for frame in self.comp_frames if piece.is_visible(self.plate_of(frame))]
        if not shown:
            return None
        if self.is_retimed:
            keys = tuple(ShapeKey(frame, piece.path_at(self.plate_of(frame))) for frame in shown)
        else:
            # Keys beyond the clip's ends say where its path goes at them.
            keys = tuple(ShapeKey(self.comp_of(key.frame), key.vertices) for key in piece.keys)
        return replace(piece, visible=runs_of(shown), keys=keys)
