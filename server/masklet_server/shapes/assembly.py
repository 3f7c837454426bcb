"""Pieces as values: named, and in the order in which they are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from masklet.interpolation import Interpolation
from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.types import FrameRange
from masklet_server.shapes.life import Life
from masklet_server.shapes.samples import Array

_DECIMALS = 4


@dataclass(frozen=True, eq=False)
class Drawn:
    """A piece before it has a name.

    Attributes:
        life: Its contours, in square pixels.
        table: Its keys, ``(keys, V, 7)``, in the plate's pixels, in the order of :class:`BezierVertex`.
        keys: Indices of its keyframes, counted from its first frame.
        apart_px: The largest distance from the matte's edge on any frame.
        between_keys_px: The same on frames without a key.
    """

    life: Life
    table: Array
    keys: NDArray[np.int64]
    apart_px: float
    between_keys_px: float


def assembled(
    drawn: Sequence[Drawn],
    frames: Sequence[int],
    *,
    name: str,
    size_px: tuple[int, int],
    pixel_aspect: float,
    interpolation: Interpolation,
) -> ObjectShapes:
    """The pieces as one object's shapes, with a report that is still to be filled in."""
    pieces = []
    numbers = {False: 0, True: 0}
    for index in _drawing_order([piece.life for piece in drawn]):
        piece = drawn[index]
        hole = piece.life.hole
        numbers[hole] += 1
        own_frames = frames[piece.life.first : piece.life.first + len(piece.life.contours)]
        pieces.append(
            Piece(
                name=f"{'hole' if hole else 'piece'} {numbers[hole]}",
                hole=hole,
                visible=_ranges(own_frames),
                keys=tuple(
                    ShapeKey(own_frames[key], _vertices(row))
                    for key, row in zip(piece.keys, piece.table, strict=True)
                ),
                interpolation=interpolation,
            )
        )
    report = ShapeReport(0.0, 1.0, 1.0, None, 0.0, 0, 0, len(frames))
    return ObjectShapes(name, *size_px, pixel_aspect, tuple(pieces), report)


def _vertices(row: Array) -> tuple[BezierVertex, ...]:
    return tuple(BezierVertex(*numbers) for numbers in np.round(row, _DECIMALS).tolist())


def _ranges(frames: Sequence[int]) -> tuple[FrameRange, ...]:
    """Frames as ranges without the numbers that are missing."""
    gaps = [index for index in range(1, len(frames)) if frames[index] != frames[index - 1] + 1]
    starts, ends = [0, *gaps], [*gaps, len(frames)]
    return tuple(FrameRange(frames[start], frames[end - 1]) for start, end in zip(starts, ends, strict=True))


def _drawing_order(lives: Sequence[Life]) -> list[int]:
    """A hole after what it is cut out of, an island after the hole it lies in; else by appearance."""
    by_frame: dict[int, list[tuple[float, int]]] = {}
    for index, life in enumerate(lives):
        for offset, contour in enumerate(life.contours):
            by_frame.setdefault(life.first + offset, []).append((-abs(contour.area_px), index))
    before: dict[int, set[int]] = {index: set() for index in range(len(lives))}
    for there in by_frame.values():
        there.sort()
        for rank, (_, smaller) in enumerate(there):
            for _, larger in there[:rank]:
                if lives[larger].hole != lives[smaller].hole and larger not in before[smaller]:
                    before[smaller].add(larger)
    for index, earlier in before.items():
        # Two that change places in size on the way are not inside each other.
        earlier -= {other for other in earlier if index in before[other]}
    try:
        return list(TopologicalSorter(before).static_order())
    except CycleError:
        peaks = [max(abs(contour.area_px) for contour in life.contours) for life in lives]
        return sorted(range(len(lives)), key=lambda index: -peaks[index])
