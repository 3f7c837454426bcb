"""How long each piece of an object is drawn, in the terms of tools that key their shapes."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masklet.shapes import BezierVertex, ObjectShapes, Piece
    from masklet.types import FrameRange

Path = tuple["BezierVertex", ...]


def drawn_pieces(shapes: ObjectShapes) -> list[Piece]:
    """Pieces that are drawn on some frame, in the order in which they add to the object and take away."""
    return [piece for piece in shapes.pieces if piece.visible]


def runs(shapes: ObjectShapes) -> list[list[Piece]]:
    """The drawn pieces in stretches of one kind: outer paths, holes, islands inside the holes, and so on."""
    return [list(run) for _, run in groupby(drawn_pieces(shapes), key=lambda piece: piece.hole)]


def keys_within(piece: Piece, span: FrameRange) -> list[tuple[int, Path]]:
    """Keys that draw ``piece`` through ``span``: its own inside, and the span's two ends."""
    frames = sorted({key.frame for key in piece.keys if key.frame in span} | {span.first, span.last})
    return [(frame, piece.path_at(frame)) for frame in frames]


def switches(piece: Piece, clip: FrameRange) -> list[tuple[int, bool]]:
    """Frames from which the piece is drawn or not drawn, the clip's first frame always among them."""
    found = [(clip.first, piece.is_visible(clip.first))]
    for span in piece.visible:
        if span.first > clip.first:
            found.append((span.first, True))
        if span.last < clip.last:
            found.append((span.last + 1, False))
    # Two ranges that touch would switch off and on within one frame.
    return [(frame, piece.is_visible(frame)) for frame in sorted({frame for frame, _ in found})]


def widest_feather_px(piece: Piece) -> float:
    """The full width of the softest stretch of the piece's edge on any key that draws it."""
    paths = [path for span in piece.visible for _, path in keys_within(piece, span)]
    return max(vertex.feather_px for path in paths for vertex in path)
