"""How near a rival came: by what looks like the object, or by what the masks that were not taken say.

For a network whose features were measured, a rival is a piece of the picture beside the mask that looks like
the object did where it was prompted. For others: where something looks like the object, one of the network's
other masks often reaches over to it, and how far the box of the object has to grow to hold that piece as well
says how much of a rival it is (J. Videnovic et al., "A Distractor-Aware Memory for Visual Object Tracking
with SAM2", arXiv 2411.17576).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.engine.policies.boxes import MaskBox, box_of

_SMALLEST_SHARE = 0.15
_SMALLEST_LIKENESS_SHARE = 0.25
_FAR_SIDES = 2.0


def rivalry(taken: NDArray[np.bool_], others: Sequence[NDArray[np.bool_]]) -> float:
    """0 where no other mask reaches beyond the one taken, towards 1 the farther one does.

    Args:
        taken: ``(h, w)`` the mask that was taken.
        others: ``(h, w)`` each, those that were not.
    """
    return _as_kept(max((growth for growth, _ in _reaches(taken, taken, others)), default=0.0))


def reached(
    own: NDArray[np.bool_], spoken_for: NDArray[np.bool_], others: Sequence[NDArray[np.bool_]], least: float
) -> MaskBox | None:
    """The box of the nearest rival that other masks reach over to; None where none does.

    Args:
        own: ``(h, w)`` the object.
        spoken_for: ``(h, w)`` it, and what is known of its rivals.
        others: ``(h, w)`` each, masks that were not taken.
        least: How far one has to reach, as :func:`rivalry` says it.
    """
    found = [(growth, box) for growth, box in _reaches(own, spoken_for, others) if growth >= least]
    return min(found, key=lambda each: each[0])[1] if found else None


def _reaches(
    own: NDArray[np.bool_], spoken_for: NDArray[np.bool_], others: Sequence[NDArray[np.bool_]]
) -> Iterator[tuple[float, MaskBox]]:
    """Pieces of other masks, each with the share by which the object's box grows to hold it."""
    around = box_of(own)
    if around is None:
        return
    # A rim of a few pixels is doubt about an edge, not somebody else.
    smallest = _SMALLEST_SHARE * int(np.count_nonzero(own))
    for other in others:
        for box, size in _pieces(other & ~spoken_for):
            if size >= smallest:
                yield 1.0 - around.iou(around.union(box)), box


def beside(taken: NDArray[np.bool_], likeness: NDArray[np.float32], least: float) -> float:
    """0 where nothing like the object is near, towards 1 the nearer something is; 1 beside it.

    Args:
        taken: ``(s, s)`` the mask that was taken.
        likeness: ``(h, w)`` how much every cell looks like the object.
        least: From which likeness on a cell may be of a rival.
    """
    own = box_of(taken)
    if own is None:
        return 0.0
    rows, columns = likeness.shape
    cover = cv2.resize(taken.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    area = float(cover.sum())
    # Features of a cell see its neighbours too.
    around = cv2.dilate((cover > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    side = max(area, 1.0) ** 0.5
    nearest = 0.0
    for box, size in _pieces((likeness >= least) & ~around):
        if size >= max(1.0, _SMALLEST_LIKENESS_SHARE * area):
            nearest = max(nearest, 1.0 - _gap(own, box, rows, columns) / (_FAR_SIDES * side))
    return _as_kept(nearest)


def _pieces(mask: NDArray[np.bool_]) -> Iterator[tuple[MaskBox, int]]:
    """Boxes and sizes of connected parts."""
    height, width = mask.shape
    count, _, statistics, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    for left, top, wide, high, size in statistics[1:count].tolist():
        yield MaskBox(left / width, top / height, (left + wide) / width, (top + high) / height), size


def _gap(own: MaskBox, other: MaskBox, rows: int, columns: int) -> float:
    """Cells between two boxes; 0 where they meet."""
    across = max(own.left - other.right, other.left - own.right, 0.0) * columns
    down = max(own.top - other.bottom, other.top - own.bottom, 0.0) * rows
    return max(across, down)


def _as_kept(value: float) -> float:
    """As documents and journals keep it, so that it is the same after a way through them."""
    return float(np.float32(value))
