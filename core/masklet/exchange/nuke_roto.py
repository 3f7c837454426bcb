"""The text of a Nuke Roto node's ``curves`` knob.

Grammar, as saved by Nuke (version 1.2 of the knob): a tree of layers whose items are
``curvegroup NAME FLAGS bezier {{cc {f 8192} POINTS} (FEATHER | idem)} TRANSFORM ATTRIBUTES``.
``POINTS`` is ``{px TIME SLOT…}`` or ``{px {TIME…} SLOT…}`` with three slots a vertex: the handle
towards the previous one, the vertex, the handle towards the next; handles are relative to their
vertex. With one time a slot is ``{x y}``; with several it is ``{{XKEY…} {YKEY…}}`` and a key
``{value left-slope 1 right-slope 1}``, slopes in pixels a frame. Measured through its API, Nuke ignores
slopes of keys of the default type and draws its own smooth curve; whether it does so with pasted text is not
known. So the slopes written are those of that curve, which comes out either way, and the shapes come with
keys for it (:mod:`masklet.exchange.redrawing`).
Nuke's y grows upwards; both put pixel centres at half-integers, so that a flip is all there is to it.

A piece becomes one Bezier per visible range, alive in that range only, so that no vertex ever flies
to where a piece appears next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.exchange.numbers import decimal
from masklet.exchange.pieces import keys_within, widest_feather_px
from masklet.interpolation import nuke_slopes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.exchange.identifiers import Identifiers
    from masklet.shapes import ObjectShapes, Piece
    from masklet.types import FrameRange

_ALIVE_IN_RANGE = 4


def curves_text(shapes: ObjectShapes, pieces: Sequence[Piece], identifiers: Identifiers) -> str:
    """The knob's value, its outermost braces included.

    Args:
        shapes: The object, for its size and name, with keys for Nuke's curve.
        pieces: Those of the object that this node draws.
        identifiers: Gives the curves their names.
    """
    items = [
        _curve(shapes, piece, span, identifiers.of(f"{shapes.name} {piece.name} {number}"))
        for piece in pieces
        for number, span in enumerate(piece.visible, start=1)
    ]
    pivot = f"{decimal(shapes.width_px / 2)} {decimal(shapes.height_px / 2)}"
    root = f"{{layer Root\n {{f 2097152}}\n {{t {pivot}}}\n {{a}}"
    return "{{{v x3f99999a} {f 0} {n\n {" + root[1:] + "".join(f"\n {item}" for item in items) + "}}}}"


def _curve(shapes: ObjectShapes, piece: Piece, span: FrameRange, name: str) -> str:
    keys = keys_within(piece, span)
    times = [frame for frame, _ in keys]
    slots = []
    for index in range(piece.vertex_count):
        path = [vertices[index] for _, vertices in keys]
        handle_in = [(one.in_dx_px, -one.in_dy_px) for one in path]
        vertex = [(one.x_px, shapes.height_px - one.y_px) for one in path]
        handle_out = [(one.out_dx_px, -one.out_dy_px) for one in path]
        slots += [_slot(times, handle_in), _slot(times, vertex), _slot(times, handle_out)]
    time = str(times[0]) if len(times) == 1 else "{" + " ".join(map(str, times)) + "}"
    points = f"{{px {time}" + "".join(f"\n    {slot}" for slot in slots) + "}"
    first = keys[0][1]
    pivot_x = decimal(sum(one.x_px for one in first) / len(first))
    pivot_y = decimal(shapes.height_px - sum(one.y_px for one in first) / len(first))
    softness = decimal(widest_feather_px(piece) / 2)
    attributes = (
        f"str 1 fx {softness} fy {softness} ff 1"
        f" spx {decimal(shapes.width_px / 2)} spy {decimal(shapes.height_px / 2)} sb 1"
        f" ltn {span.first} ltm {span.last} ltt {_ALIVE_IN_RANGE} tt {_ALIVE_IN_RANGE}"
    )
    return (
        f"{{curvegroup {name} 512 bezier\n  {{{{cc\n   {{f 8192}}\n   {points}}} idem}}"
        f"\n  {{tx {times[0]} {pivot_x} {pivot_y}}}\n  {{a {attributes}}}}}"
    )


def _slot(times: Sequence[int], points: Sequence[tuple[float, float]]) -> str:
    if len(times) == 1:
        return f"{{{decimal(points[0][0])} {decimal(points[0][1])}}}"
    return f"{{{_channel(times, [x for x, _ in points])} {_channel(times, [y for _, y in points])}}}"


def _channel(times: Sequence[int], values: Sequence[float]) -> str:
    if all(value == values[0] for value in values):
        return f"{{{{{decimal(values[0])} -}}}}"
    keys = []
    for value, slope in zip(values, nuke_slopes(times, values)):  # noqa: B905 (Python 3.9)
        text = decimal(slope, 7)
        keys.append(f"{{{decimal(value)} {text} 1 {text} 1}}")
    return "{" + " ".join(keys) + "}"
