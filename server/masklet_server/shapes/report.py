"""What splines achieved against the mattes they were made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from masklet.shapes import ObjectShapes, ShapeReport
from masklet_server.shapes.raster import draw
from masklet_server.shapes.reading import PackedMask


def measured(
    shapes: ObjectShapes,
    insides: Mapping[int, PackedMask],
    *,
    tolerance_px: float,
    largest_distance_px: float,
    left_out: int,
    tell: Callable[[float], None],
) -> ObjectShapes:
    """The shapes with their report; both sides are cut at one half for the IoU."""
    ious: dict[int, float] = {}
    has_matte = False
    for index, frame in enumerate(sorted(insides)):
        inside = insides[frame]
        has_matte = has_matte or bool(inside.shape[0])
        ious[frame] = _iou_with_part(draw(shapes, frame, feathered=False) >= 0.5, inside)
        tell((index + 1) / len(insides))
    worst = min(ious, key=lambda frame: ious[frame])
    report = ShapeReport(
        tolerance_px=tolerance_px,
        mean_iou=float(np.mean(list(ious.values()))),
        worst_iou=ious[worst],
        worst_frame=worst if has_matte else None,
        largest_distance_px=largest_distance_px,
        vertices=sum(piece.vertex_count for piece in shapes.pieces),
        keyframes=len({key.frame for piece in shapes.pieces for key in piece.keys}),
        frames=len(insides),
        left_out=left_out,
    )
    return replace(shapes, report=report)


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union; 1 where both are empty."""
    union = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / union if union else 1.0


def _iou_with_part(drawn: NDArray[np.bool_], packed: PackedMask) -> float:
    part = packed.part()
    rows, columns = packed.shape
    here = drawn[packed.top : packed.top + rows, packed.left : packed.left + columns]
    common = int(np.count_nonzero(here & part))
    union = int(np.count_nonzero(drawn)) + int(np.count_nonzero(part)) - common
    return common / union if union else 1.0
