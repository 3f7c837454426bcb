"""Results on the frames of the script, where the plate's own numbers are others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.shapes import ShapeKey
from masklet.types import FrameRange

if TYPE_CHECKING:
    from masklet.anchors import AnchorTrack
    from masklet.shapes import ObjectShapes, Piece


def shifted_shapes(shapes: ObjectShapes, shift: int) -> ObjectShapes:
    """The same shapes, so many frames later."""
    report = shapes.report
    worst = None if report.worst_frame is None else report.worst_frame + shift
    moved = replace(report, worst_frame=worst, gaps=tuple(_shifted(frames, shift) for frames in report.gaps))
    return replace(shapes, pieces=tuple(_piece(piece, shift) for piece in shapes.pieces), report=moved)


def shifted_anchor(track: AnchorTrack, shift: int) -> AnchorTrack:
    """The same anchor, so many frames later."""
    keys = tuple(replace(key, frame=key.frame + shift) for key in track.keys)
    return replace(track, reference_frame=track.reference_frame + shift, keys=keys)


def _piece(piece: Piece, shift: int) -> Piece:
    return replace(
        piece,
        visible=tuple(_shifted(frames, shift) for frames in piece.visible),
        keys=tuple(ShapeKey(key.frame + shift, key.vertices) for key in piece.keys),
    )


def _shifted(frames: FrameRange, shift: int) -> FrameRange:
    return FrameRange(frames.first + shift, frames.last + shift)
