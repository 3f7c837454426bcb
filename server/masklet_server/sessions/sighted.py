"""Everything in a picture, from many clicks: where to click, and which of the masks are things of their own.

After SAM's automatic masks (Kirillov et al. 2023, appendix B): a regular grid of clicks on the whole picture
and, for small things, on overlapping parts of it; of masks that are much alike the best one stays. Here masks
are compared as masks, not as boxes: things that lie across each other have nearly the same box.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.types import Box, ClipInfo
from masklet_server.sightings import Part, Sighting

SAME_FROM_IOU = 0.7
"""Two masks that overlap so much are of one thing."""
INSIDE_FROM = 0.85
"""So much of a mask inside another makes it a part of that."""
CANVAS = 256
"""Side of the grid on which masks are compared; the plate is stretched to it."""
MOST_HELD = 512
_CROP_OVERLAP = 0.34
_BITS = np.array([bin(value).count("1") for value in range(256)], np.uint8)


def parts_of(clip: ClipInfo, layers: int) -> list[Part]:
    """The whole plate, and for each layer twice as many parts along each side, overlapping by a third."""
    parts = [Part(0, 0, clip.width_px, clip.height_px)]
    for layer in range(1, layers + 1):
        count = 2**layer
        lefts, width_px = _cuts(clip.width_px, count)
        tops, height_px = _cuts(clip.height_px, count)
        parts += [Part(left, top, width_px, height_px) for top in tops for left in lefts]
    return parts


def grid_of(part: Part, per_side: int) -> list[tuple[float, float]]:
    """``per_side`` squared places in a part, evenly, row by row, in pixels of the plate."""
    steps = (np.arange(per_side) + 0.5) / per_side
    return [
        (float(part.left_px + across * part.width_px), float(part.top_px + down * part.height_px))
        for down in steps
        for across in steps
    ]


def per_side_in(part: Part, clip: ClipInfo, per_side: int) -> int:
    """Clicks along a side of a part: fewer than on the plate, and still closer together there."""
    share = (part.width_px * part.height_px / (clip.width_px * clip.height_px)) ** 0.5
    return max(4, int(per_side * min(1.0, 1.25 * share) + 0.5))


@dataclass(frozen=True, eq=False)
class Thing:
    """A sighting as one of the things in a picture.

    Attributes:
        sighting: The best of those of this thing.
        bits: Its mask on the canvas, packed.
        area: Cells of the canvas that it covers.
        box: First and last row and column of these, last ones excluded.
        rank: The higher, the better.
    """

    sighting: Sighting
    bits: NDArray[np.uint8]
    area: int
    box: tuple[int, int, int, int]
    rank: float

    @property
    def share(self) -> float:
        """Of the picture."""
        return float(self.area / CANVAS**2)


class Things:
    """Gathers sightings and keeps the best of each thing.

    Args:
        clip: The plate.
        least_share: Of the picture; smaller masks are specks.
        drop_parts: Drop masks that lie inside a better one.
    """

    def __init__(self, clip: ClipInfo, *, least_share: float = 0.0, drop_parts: bool = False) -> None:
        self._clip = clip
        self._least_share = least_share
        self._drop_parts = drop_parts
        self._things: list[Thing] = []

    @property
    def best(self) -> Sequence[Thing]:
        """The best one first."""
        return tuple(self._things)

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Take more sightings."""
        fresh = [thing for each in sightings if (thing := self._thing(each)) is not None]
        self._things = distinct([*self._things, *fresh], drop_parts=self._drop_parts)[:MOST_HELD]

    def _thing(self, sighting: Sighting) -> Thing | None:
        if _is_cut(sighting, self._clip):
            return None
        mask = on_canvas(sighting, self._clip)
        area = int(np.count_nonzero(mask))
        if area == 0 or area < self._least_share * mask.size:
            return None
        rank = sighting.predicted_iou * sighting.stability * (1.0 + sighting.likeness)
        return Thing(sighting, np.packbits(mask.ravel()), area, box_of(mask), rank)


def distinct(things: Sequence[Thing], *, drop_parts: bool) -> list[Thing]:
    """Those that are not nearly the same as a better one; the best first."""
    kept: list[Thing] = []
    for thing in sorted(things, key=lambda each: -each.rank):
        if not any(_is_same(thing, other, drop_parts=drop_parts) for other in kept):
            kept.append(thing)
    return kept


def overlap_of(one: Thing, other: Thing) -> int:
    """Cells of the canvas that both cover."""
    tops, lefts, bottoms, rights = zip(one.box, other.box, strict=True)
    if max(tops) >= min(bottoms) or max(lefts) >= min(rights):
        return 0
    return int(_BITS[one.bits & other.bits].sum())


def iou_of(one: Thing, other: Thing) -> float:
    """Of two masks on the canvas."""
    both = overlap_of(one, other)
    return both / (one.area + other.area - both)


def on_canvas(sighting: Sighting, clip: ClipInfo) -> NDArray[np.bool_]:
    """``(CANVAS, CANVAS)``: the mask where it is on the plate, which is stretched to that."""
    return np.asarray(plate_logits(sighting, clip, CANVAS) > 0)


def plate_logits(sighting: Sighting, clip: ClipInfo, side: int) -> NDArray[np.float32]:
    """``(side, side)``: logits over the whole plate; far below zero outside of the part."""
    part = sighting.part
    logits = sighting.logits.astype(np.float32)
    left, right = (round(x * side / clip.width_px) for x in (part.left_px, part.left_px + part.width_px))
    top, bottom = (round(y * side / clip.height_px) for y in (part.top_px, part.top_px + part.height_px))
    canvas = np.full((side, side), np.float32(-32.0))
    shape = max(1, right - left), max(1, bottom - top)
    canvas[top:bottom, left:right] = cv2.resize(
        np.clip(logits, -32, 32), shape, interpolation=cv2.INTER_LINEAR
    )
    return canvas


def box_of(mask: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """First row and column, and those behind the last, of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1


def plate_box(mask: NDArray[np.bool_], clip: ClipInfo) -> Box:
    """The box of a mask over the whole plate, in its pixels."""
    top, left, bottom, right = box_of(mask)
    across, down = clip.width_px / mask.shape[1], clip.height_px / mask.shape[0]
    return Box(left * across, top * down, right * across, bottom * down)


def _is_same(thing: Thing, better: Thing, *, drop_parts: bool) -> bool:
    smaller, larger = sorted((thing.area, better.area))
    if not drop_parts and smaller < SAME_FROM_IOU * larger:
        return False
    both = overlap_of(thing, better)
    if both >= SAME_FROM_IOU * (thing.area + better.area - both):
        return True
    return drop_parts and both >= INSIDE_FROM * smaller


def _is_cut(sighting: Sighting, clip: ClipInfo) -> bool:
    """Whether a mask goes on beyond the part that was looked at."""
    part, inside = sighting.part, sighting.logits > 0
    return bool(
        (part.left_px > 0 and inside[:, 0].any())
        or (part.top_px > 0 and inside[0].any())
        or (part.left_px + part.width_px < clip.width_px and inside[:, -1].any())
        or (part.top_px + part.height_px < clip.height_px and inside[-1].any())
    )


def _cuts(length_px: int, count: int) -> tuple[list[int], int]:
    """Where ``count`` parts along a side begin, and how long they are."""
    size_px = min(length_px, round(length_px / count * (1 + _CROP_OVERLAP)))
    starts = np.linspace(0, length_px - size_px, count)
    return [round(start) for start in starts], size_px
