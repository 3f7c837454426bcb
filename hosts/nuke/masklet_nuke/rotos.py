"""Shapes as native Roto nodes, through Nuke's own API.

Text of shapes is not read by every edition of Nuke, and keys that are set through the API were measured: they
are smooth cubics, for which the shapes are fitted. What was set is read back on every frame; where it is not
what was wanted, there is a key on every frame instead, which no interpolation can change.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from masklet.exchange.identifiers import Identifiers
from masklet.exchange.pieces import keys_within, runs, widest_feather_px
from masklet.exchange.redrawing import redrawn
from masklet.interpolation import Interpolation
from masklet_nuke.node_knobs import set_text, text
from masklet_nuke.results import PLATE, Results, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.exchange.pieces import Path
    from masklet.shapes import BezierVertex, ObjectShapes, Piece
    from masklet.types import FrameRange
    from masklet_nuke.api import Node, Nuke, Rotopaint

SHAPES = "masklet_shapes"
"""Names of the curves that are ours: others are the artist's and stay."""
ALIVE_IN_RANGE = 4.0
_NOTICEABLE_PX = 0.1


@dataclass(frozen=True)
class MadeRotos:
    """What became of shapes.

    Attributes:
        nodes: The Rotos, the one of outer paths first.
        keys: Of all curves together.
        off_px: The farthest that any vertex is read back beside its place, on any frame.
        is_every_frame: True where Nuke drew otherwise between keys, so that each frame got one.
    """

    nodes: tuple[Node, ...]
    keys: int
    off_px: float
    is_every_frame: bool


def make_rotos(nuke: Nuke, rotopaint: Rotopaint, results: Results, shapes: ObjectShapes) -> MadeRotos:
    """A Roto with animated Beziers; where there are holes or islands, further ones and Merges.

    Args:
        nuke: The module.
        rotopaint: Its module for shapes.
        results: Of the object.
        shapes: On the frames of the script.
    """
    shapes = redrawn(shapes, Interpolation.NUKE_SMOOTH).shapes
    stretches = runs(shapes) or [[]]
    wanted = _wanted(shapes, stretches)
    results.remove_others("roto", wanted)
    results.remove_others("merge", wanted)
    results.make(wanted)
    nodes, keys, off_px, every = [], 0, 0.0, False
    identifiers = Identifiers()
    for number, pieces in enumerate(stretches, 1):
        node = results.find(f"roto {number}")
        assert node is not None
        count, off, was_every = _draw(nuke, rotopaint, node, shapes, pieces, identifiers)
        nodes.append(node)
        keys, off_px, every = keys + count, max(off_px, off), every or was_every
    return MadeRotos(tuple(nodes), keys, off_px, every)


def _wanted(shapes: ObjectShapes, stretches: Sequence[Sequence[Piece]]) -> list[Wanted]:
    # A Roto without an input has the script's format, which need not be the plate's.
    found = [Wanted("format", "Remove", f"{shapes.name} format", ("channels all",), (PLATE,))]
    for number, pieces in enumerate(stretches, 1):
        kind = "holes" if pieces and pieces[0].hole else "roto"
        name = f"{shapes.name} {kind}" if number <= 2 else f"{shapes.name} {kind} {number}"
        found.append(Wanted(f"roto {number}", "Roto", name, ("output alpha", "cliptype none"), ("format",)))
    below = "roto 1"
    for number, pieces in enumerate(stretches[1:], 2):
        operation = "stencil" if pieces[0].hole else "max"
        # Input 0 is B, the object so far; input 1 is A, what takes away from it or adds to it.
        found.append(
            Wanted(
                f"merge {number}",
                "Merge2",
                f"{shapes.name} matte {number}",
                (f"operation {operation}",),
                (below, f"roto {number}"),
            )
        )
        below = f"merge {number}"
    return found


def _draw(
    nuke: Nuke,
    rotopaint: Rotopaint,
    node: Node,
    shapes: ObjectShapes,
    pieces: Sequence[Piece],
    identifiers: Identifiers,
) -> tuple[int, float, bool]:
    """How many keys were set, how far off the curves are, and whether each frame got one."""
    curves: Any = node["curves"]
    _remove_ours(node, curves)
    names, keys, worst, every = [], 0, 0.0, False
    for piece in pieces:
        for number, span in enumerate(piece.visible, 1):
            wanted = keys_within(piece, span)
            shape = _shape(rotopaint, curves, shapes, piece, span)
            shape.name = identifiers.of(f"{shapes.name} {piece.name} {number}")
            curves.rootLayer.append(shape)
            _key(rotopaint, shape, wanted, shapes.height_px)
            off = _off_px(shape, piece, span, shapes.height_px)
            if off > _NOTICEABLE_PX:
                frames = [(frame, piece.path_at(frame)) for frame in range(span.first, span.last + 1)]
                _key(rotopaint, shape, frames, shapes.height_px)
                wanted, every = frames, True
                off = _off_px(shape, piece, span, shapes.height_px)
            names.append(str(shape.name))
            keys, worst = keys + len(wanted), max(worst, off)
    # Told once, at the end: it works all curves out anew.
    curves.changed()
    _remember(nuke, node, names)
    return keys, worst, every


def _shape(rotopaint: Rotopaint, curves: Any, shapes: ObjectShapes, piece: Piece, span: FrameRange) -> Any:
    shape = rotopaint.Shape(curves)
    for vertex in piece.path_at(span.first):
        shape.append(rotopaint.ShapeControlPoint(vertex.x_px, shapes.height_px - vertex.y_px))
    attributes = shape.getAttributes()
    for name, value in (("ltt", ALIVE_IN_RANGE), ("ltn", span.first), ("ltm", span.last)):
        attributes.set(name, float(value))
    softness_px = widest_feather_px(piece) / 2
    for name in ("fx", "fy"):
        attributes.set(name, softness_px)
    return shape


def _key(rotopaint: Rotopaint, shape: Any, keys: Sequence[tuple[int, Path]], height_px: int) -> None:
    for frame, path in keys:
        for point, vertex in zip(shape, path):
            for side, (x, y) in _places(vertex, height_px).items():
                getattr(point, side).addPositionKey(float(frame), rotopaint.CVec3(x, y, 0.0))


def _places(vertex: BezierVertex, height_px: int) -> dict[str, tuple[float, float]]:
    """Of the vertex and both handles, as Nuke counts: handles are relative to their vertex."""
    return {
        "center": (vertex.x_px, height_px - vertex.y_px),
        "leftTangent": (vertex.in_dx_px, -vertex.in_dy_px),
        "rightTangent": (vertex.out_dx_px, -vertex.out_dy_px),
    }


def _off_px(shape: Any, piece: Piece, span: FrameRange, height_px: int) -> float:
    """The farthest that a vertex or a handle's end is read back beside its place."""
    worst = 0.0
    for frame in range(span.first, span.last + 1):
        for point, vertex in zip(shape, piece.path_at(frame)):
            wanted = _places(vertex, height_px)
            apart = {
                side: (at.x - x, at.y - y)
                for side, (x, y) in wanted.items()
                for at in [getattr(point, side).getPosition(float(frame))]
            }
            x, y = apart["center"]
            worst = max(
                worst,
                math.hypot(x, y),
                *(
                    math.hypot(x + apart[side][0], y + apart[side][1])
                    for side in ("leftTangent", "rightTangent")
                ),
            )
    return worst


def _remove_ours(node: Node, curves: Any) -> None:
    ours = set(text(node, SHAPES).split())
    layer = curves.rootLayer
    for index in reversed(range(len(layer))):
        if layer[index].name in ours:
            layer.remove(index)


def _remember(nuke: Nuke, node: Node, names: Sequence[str]) -> None:
    if node.knob(SHAPES) is None:
        knob = nuke.String_Knob(SHAPES, SHAPES)
        knob.setFlag(nuke.NO_ANIMATION | nuke.INVISIBLE)
        node.addKnob(knob)
    set_text(node, SHAPES, " ".join(names))
