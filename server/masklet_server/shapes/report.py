"""What splines achieved against the mattes they were made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from masklet.shapes import ObjectShapes, ShapeReport
from masklet_server.shapes.raster import draw


def measured(
    shapes: ObjectShapes,
    mattes: Mapping[int, NDArray[np.float32] | NDArray[np.uint8]],
    *,
    tolerance_px: float,
    largest_distance_px: float,
    left_out: int,
    tell: Callable[[float], None],
) -> ObjectShapes:
    """The shapes with their report; both sides are cut at one half for the IoU."""
    ious: dict[int, float] = {}
    has_matte = False
    for index, frame in enumerate(sorted(mattes)):
        matte = mattes[frame]
        inside = matte >= (128 if matte.dtype == np.uint8 else 0.5)
        has_matte = has_matte or bool(inside.any())
        ious[frame] = iou(draw(shapes, frame, feathered=False) >= 0.5, inside)
        tell((index + 1) / len(mattes))
    worst = min(ious, key=lambda frame: ious[frame])
    report = ShapeReport(
        tolerance_px=tolerance_px,
        mean_iou=float(np.mean(list(ious.values()))),
        worst_iou=ious[worst],
        worst_frame=worst if has_matte else None,
        largest_distance_px=largest_distance_px,
        vertices=sum(piece.vertex_count for piece in shapes.pieces),
        keyframes=len({key.frame for piece in shapes.pieces for key in piece.keys}),
        frames=len(mattes),
        left_out=left_out,
    )
    return replace(shapes, report=report)


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union; 1 where both are empty."""
    union = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / union if union else 1.0
