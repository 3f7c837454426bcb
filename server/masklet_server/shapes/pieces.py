"""Which contours are worth a piece, and which are the same piece on the next frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.shapes.contours import Contour

MAX_OUTER, MAX_HOLES = 24, 24
NEGLIGIBLE_SHARE = 0.002

_FLEETING_FRAMES = 2
_FLEETING_SHARE = 0.003
_PATCH_PX = 96
_MIN_OVERLAP = 0.55
_MIN_AREA_RATIO = 0.5
_SHIFT_COST = 0.15


@dataclass(eq=False)
class Strand:
    """One contour followed through consecutive frames.

    Attributes:
        hole: Whether the object lies outside.
        first: Index of its first frame.
        contours: One per frame from there on.
    """

    hole: bool
    first: int
    contours: list[Contour] = field(default_factory=list)


def worth_a_piece(contours: Sequence[Contour], tolerance_px: float) -> list[Contour]:
    """The contours of one frame that become pieces, the largest first.

    The largest outer contour always does. Of the others, those of less than a disc with the tolerance as its
    radius are noise; the rest counts from the largest down until what is left is less than
    ``NEGLIGIBLE_SHARE`` of the object, and ``MAX_OUTER`` outer contours and ``MAX_HOLES`` holes at the most.
    """
    whole_px = sum(abs(contour.area_px) for contour in contours)
    rest_px = whole_px
    kept: list[Contour] = []
    places = {False: MAX_OUTER, True: MAX_HOLES}
    for contour in sorted(contours, key=lambda c: -abs(c.area_px)):
        is_speck = abs(contour.area_px) < np.pi * tolerance_px**2 or rest_px < NEGLIGIBLE_SHARE * whole_px
        if kept and is_speck:
            break
        if places[contour.is_hole] > 0:
            places[contour.is_hole] -= 1
            kept.append(contour)
        rest_px -= abs(contour.area_px)
    return kept


def strands(frames: Sequence[Sequence[Contour]]) -> list[Strand]:
    """Contours linked over the frames, in order of appearance.

    A contour goes on where the next frame has one of nearly its area and form, once its shift is taken
    off. Where a contour splits or two merge, neither side is like the other any more: strands end and
    others begin.
    """
    finished: list[Strand] = []
    running: list[Strand] = []
    for index, contours in enumerate(frames):
        free = list(range(len(contours)))
        going_on: list[Strand] = []
        for strand, place in _pairs(running, contours):
            if strand in going_on or place not in free:
                continue
            strand.contours.append(contours[place])
            going_on.append(strand)
            free.remove(place)
        finished += [strand for strand in running if strand not in going_on]
        running = going_on + [Strand(contours[p].is_hole, index, [contours[p]]) for p in free]
    return sorted(finished + running, key=lambda strand: strand.first)


def lasting(found: Sequence[Strand], frames: Sequence[Sequence[Contour]]) -> list[Strand]:
    """The strands without those that flicker: a few pixels that are there for a frame or two.

    Nobody keeps a shape for them. Together they never cover more than ``_FLEETING_SHARE`` of the object.
    """
    if len(frames) <= _FLEETING_FRAMES:
        return list(found)
    whole_px = [sum(abs(contour.area_px) for contour in contours) for contours in frames]
    room = [_FLEETING_SHARE] * len(frames)
    kept = list(found)
    for strand in sorted(found, key=lambda strand: max(abs(contour.area_px) for contour in strand.contours)):
        if len(strand.contours) > _FLEETING_FRAMES:
            continue
        shares = {
            strand.first + offset: abs(contour.area_px) / whole_px[strand.first + offset]
            for offset, contour in enumerate(strand.contours)
        }
        if all(share <= room[index] for index, share in shares.items()):
            kept.remove(strand)
            for index, share in shares.items():
                room[index] -= share
    return kept


def _pairs(running: Sequence[Strand], contours: Sequence[Contour]) -> list[tuple[Strand, int]]:
    """What may be the same, the most alike first."""
    scored = []
    for strand in running:
        rivals = sum(other.hole == strand.hole for other in running)
        for place, contour in enumerate(contours):
            if contour.is_hole == strand.hole:
                score = _likeness(strand.contours[-1], contour, is_alone=rivals == 1)
                if score > 0:
                    scored.append((score, strand, place))
    scored.sort(key=lambda entry: -entry[0])
    return [(strand, place) for _, strand, place in scored]


def _likeness(before: Contour, after: Contour, *, is_alone: bool) -> float:
    """Overlap once centred, less something for the way between; 0 where they cannot be the same."""
    areas = sorted((abs(before.area_px), abs(after.area_px)))
    if areas[0] < _MIN_AREA_RATIO * areas[1] and areas[1] > 50:
        return 0.0
    start, end = before.box
    shift = after.centre - before.centre
    way = math.hypot(*shift.tolist()) / max(math.hypot(*(end - start).tolist()), 1.0)
    if way > (4.0 if is_alone else 0.75):
        return 0.0
    other_start, other_end = after.box
    common = np.minimum(end + shift, other_end) - np.maximum(start + shift, other_start)
    if np.prod(np.maximum(common, 0)) < _MIN_OVERLAP * areas[1]:
        return 0.0
    overlap = _overlap(before.points + shift, after.points)
    return overlap - _SHIFT_COST * min(way, 1.0) if overlap >= _MIN_OVERLAP else 0.0


def _overlap(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    low = np.minimum(a.min(axis=0), b.min(axis=0))
    extent_px = float(np.max(np.maximum(a.max(axis=0), b.max(axis=0)) - low))
    scale = (_PATCH_PX - 3) / max(extent_px, 1e-6)
    patches = []
    for points in (a, b):
        patch = np.zeros((_PATCH_PX, _PATCH_PX), np.uint8)
        cv2.fillPoly(patch, [np.rint((points - low) * scale + 1).astype(np.int32)], 1)
        patches.append(patch)
    both = int(np.count_nonzero(patches[0] & patches[1]))
    return both / max(int(np.count_nonzero(patches[0] | patches[1])), 1)
