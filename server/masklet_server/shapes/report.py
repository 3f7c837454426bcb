"""What splines achieved against the mattes they were made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from masklet.interpolation import Interpolation
from masklet.shapes import ObjectShapes, ShapeReport
from masklet.types import FrameRange
from masklet_server.shapes.raster import draw_part
from masklet_server.shapes.reading import PackedMask

_THREADS = 2


def measured(
    shapes: ObjectShapes,
    insides: Mapping[int, PackedMask],
    *,
    tolerance_px: float,
    largest_distance_px: float,
    largest_between_keys_px: float,
    interpolation: Interpolation,
    left_out: int,
    gaps: tuple[FrameRange, ...],
    tell: Callable[[float], None],
) -> ObjectShapes:
    """The shapes with their report; both sides are cut at one half for the IoU."""
    frames = sorted(insides)
    ious: dict[int, float] = {}

    def agreement(frame: int) -> float:
        return _agreement(draw_part(shapes, frame, feathered=False), insides[frame])

    with ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="report") as threads:
        try:
            for frame, found in zip(frames, threads.map(agreement, frames), strict=True):
                ious[frame] = found
                tell(len(ious) / len(frames))
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
    worst = min(ious, key=lambda frame: ious[frame])
    has_matte = any(inside.shape[0] for inside in insides.values())
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
        gaps=gaps,
        interpolation=interpolation,
        largest_between_keys_px=largest_between_keys_px,
    )
    return replace(shapes, report=report)


def iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union; 1 where both are empty."""
    union = int(np.count_nonzero(a | b))
    return int(np.count_nonzero(a & b)) / union if union else 1.0


def _agreement(drawn: tuple[tuple[int, int], NDArray[np.float32]], inside: PackedMask) -> float:
    (top, left), covered = drawn
    there, part = covered >= 0.5, inside.part()
    # Both in their own windows of the picture; in common is at most what the windows have in common.
    first_row, first_column = max(top, inside.top), max(left, inside.left)
    last_row = min(top + there.shape[0], inside.top + part.shape[0])
    last_column = min(left + there.shape[1], inside.left + part.shape[1])
    common = 0
    if first_row < last_row and first_column < last_column:
        here = there[first_row - top : last_row - top, first_column - left : last_column - left]
        other = part[
            first_row - inside.top : last_row - inside.top,
            first_column - inside.left : last_column - inside.left,
        ]
        common = int(np.count_nonzero(here & other))
    union = int(np.count_nonzero(there)) + int(np.count_nonzero(part)) - common
    return common / union if union else 1.0
