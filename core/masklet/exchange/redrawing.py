"""Shapes with the keys that make a tool draw them as they are, whatever rule it has between keys.

Shapes are fitted under one rule. A tool with another gets the same paths with keys added where its own way
from key to key would leave them by more than the fit left of its tolerance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from masklet.interpolation import Interpolation, weights
from masklet.shapes import ShapeKey

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.shapes import BezierVertex, ObjectShapes, Piece

RULES = {"nuke": Interpolation.NUKE_SMOOTH}
"""By tool: how it draws shapes between keys of the type that its export writes; the others straight."""

_LEAST_SHARE = 0.05
_LEAST_PX = 0.02

Row = tuple[float, ...]
"""Of each vertex: itself and the ends of both handles, as positions."""


@dataclass(frozen=True)
class Redrawn:
    """Shapes as a tool draws them.

    Attributes:
        shapes: With keys for the tool's rule; the report tells what holds under it.
        added_keys: How many more there are, of all pieces together.
        apart_px: The farthest that any path lies beside the one it was made of, on any frame.
    """

    shapes: ObjectShapes
    added_keys: int
    apart_px: float


def rule_of(tool: str) -> Interpolation:
    """How a tool of :data:`masklet.exchange.files.TOOLS` draws shapes between keys."""
    return RULES.get(tool, Interpolation.LINEAR)


def redrawn(shapes: ObjectShapes, rule: Interpolation) -> Redrawn:
    """The shapes under a rule; as they are where that is their own."""
    report = shapes.report
    within_px = max(
        report.tolerance_px - report.largest_distance_px, _LEAST_SHARE * report.tolerance_px, _LEAST_PX
    )
    pieces, added, apart_px = [], 0, 0.0
    for piece in shapes.pieces:
        if piece.interpolation is rule or not piece.visible:
            pieces.append(piece)
            continue
        other, off_px = _redrawn(piece, rule, within_px)
        pieces.append(other)
        added += len(other.keys) - len(piece.keys)
        apart_px = max(apart_px, off_px)
    report = replace(
        report,
        interpolation=rule,
        keyframes=len({key.frame for piece in pieces for key in piece.keys}),
        largest_distance_px=report.largest_distance_px + apart_px,
        largest_between_keys_px=max(report.largest_between_keys_px, report.largest_distance_px) + apart_px
        if apart_px
        else report.largest_between_keys_px,
    )
    return Redrawn(replace(shapes, pieces=tuple(pieces), report=report), added, apart_px)


def _redrawn(piece: Piece, rule: Interpolation, within_px: float) -> tuple[Piece, float]:
    keys: list[ShapeKey] = []
    apart_px = 0.0
    for span in piece.visible:
        frames = range(span.first, span.last + 1)
        paths = [piece.path_at(frame) for frame in frames]
        chosen, off_px = _keys([_row(path) for path in paths], piece, rule, within_px, span.first)
        keys += [ShapeKey(frames[index], paths[index]) for index in chosen]
        apart_px = max(apart_px, off_px)
    return replace(piece, keys=tuple(keys), interpolation=rule), apart_px


def _keys(
    rows: Sequence[Row], piece: Piece, rule: Interpolation, within_px: float, first: int
) -> tuple[list[int], float]:
    """Indices of the frames that need a key, and how far the others are off."""
    own = {key.frame - first for key in piece.keys}
    chosen = sorted({0, len(rows) - 1} | {index for index in own if 0 <= index < len(rows)})
    while True:
        off_px = [_off_px(rows, chosen, index, rule) for index in range(len(rows))]
        worst = [
            max(range(before, chosen[number]), key=off_px.__getitem__)
            for number, before in enumerate(chosen[:-1], start=1)
        ]
        added = [index for index in worst if off_px[index] > within_px]
        if not added:
            return chosen, max(off_px)
        chosen = sorted({*chosen, *added})


def _row(path: Sequence[BezierVertex]) -> Row:
    return tuple(
        number
        for one in path
        for number in (
            one.x_px,
            one.y_px,
            one.x_px + one.in_dx_px,
            one.y_px + one.in_dy_px,
            one.x_px + one.out_dx_px,
            one.y_px + one.out_dy_px,
        )
    )


def _off_px(rows: Sequence[Row], chosen: Sequence[int], index: int, rule: Interpolation) -> float:
    """How far any control point is from its place: no point of a Bezier curve is farther."""
    counted = weights(chosen, index, rule)
    if len(counted) == 1:
        return 0.0
    paths = [rows[chosen[key]] for key in counted]
    shares = tuple(counted.values())
    found = [
        sum(number * share for number, share in zip(column, shares))  # noqa: B905 (Python 3.9)
        for column in zip(*paths)  # noqa: B905 (Python 3.9)
    ]
    wanted = rows[index]
    return max(
        math.hypot(found[at] - wanted[at], found[at + 1] - wanted[at + 1]) for at in range(0, len(wanted), 2)
    )
