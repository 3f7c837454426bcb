"""Tiles for an object that fills most of a large plate: windows along its outline that go with it.

Inside and outside, far from the outline, finer cells would show nothing new, so nobody looks there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.mattes.windows import LEAST_PIXELS, Window, follow, plan_windows

if TYPE_CHECKING:
    from masklet.types import ClipInfo

# Sides of a tile by the plate's: the network sees it stretched as it saw the plate.
_PART = 0.6
# Each tile costs as much as tracking the object once.
_MOST = 6
# Of its side, how far from a tile's rim an outline must run to count as seen: the network needs to see
# what lies beyond.
_MARGIN = 0.12
# Steps by which tiles are tried, in parts of their side.
_STEP = 1 / 8
# Outline that remains unseen at the end, and what one more tile must add, in parts of the whole.
_UNSEEN, _LEAST_GAIN = 0.01, 0.02
# Frames and points a frame on which places are tried.
_FRAMES, _POINTS = 8, 400

_Points = NDArray[np.float64]


def plan_views(
    clip: ClipInfo, logits: Mapping[int, NDArray[np.floating]], *, image_side_px: int
) -> tuple[dict[int, Window], ...]:
    """Windows by frame for second looks: one that holds all of the object, or tiles where it is too large.

    Arguments as for :func:`plan_tiles`.
    """
    whole = plan_windows(clip, logits, image_side_px=image_side_px)
    return (whole,) if whole else plan_tiles(clip, logits, image_side_px=image_side_px)


def plan_tiles(
    clip: ClipInfo, logits: Mapping[int, NDArray[np.floating]], *, image_side_px: int
) -> tuple[dict[int, Window], ...]:
    """Windows by frame, for each tile; together they hold the outline, or most of it where it takes too many.

    None where a plate has hardly more pixels than the network looks at, and where there is no outline.

    Args:
        clip: Gives the plate's size.
        logits: Of the object over the whole plate, by frame, on consecutive frames.
        image_side_px: Side of the picture that the network looks at.
    """
    path = follow(clip, logits)
    if not path or max(clip.width_px, clip.height_px) < LEAST_PIXELS * image_side_px:
        return ()
    size_px = (math.ceil(_PART * clip.width_px), math.ceil(_PART * clip.height_px))
    frames = list(path)
    samples = [frames[place] for place in np.unique(np.linspace(0, len(frames) - 1, _FRAMES).astype(int))]
    outlines = {frame: _outline(clip, logits[frame]) for frame in samples}
    reach = np.vstack([points - path[frame] for frame, points in outlines.items()])
    if not len(reach):
        return ()
    steps_px = (_STEP * size_px[0], _STEP * size_px[1])
    offsets = [
        (x_px, y_px)
        for x_px in np.arange(reach[:, 0].min(), reach[:, 0].max() + steps_px[0], steps_px[0])
        for y_px in np.arange(reach[:, 1].min(), reach[:, 1].max() + steps_px[1], steps_px[1])
    ]
    sees = np.array(
        [
            np.concatenate(
                [
                    _sees(_placed(clip, size_px, path[frame], offset), points, clip)
                    for frame, points in outlines.items()
                ]
            )
            for offset in offsets
        ]
    )  # (offsets, points)
    unseen = np.ones(sees.shape[1], bool)
    chosen: list[int] = []
    while len(chosen) < _MOST and unseen.mean() > _UNSEEN:
        gains = (sees & unseen).mean(axis=1)
        best = int(gains.argmax())
        if gains[best] < _LEAST_GAIN:
            break
        chosen.append(best)
        unseen &= ~sees[best]
    return tuple(
        {frame: _placed(clip, size_px, centre, offsets[place]) for frame, centre in path.items()}
        for place in chosen
    )


def _placed(
    clip: ClipInfo, size_px: tuple[int, int], centre_px: tuple[float, float], offset_px: tuple[float, float]
) -> Window:
    """A tile at an offset from the object's centre, moved as little as keeps it within the plate."""
    left_px, top_px = (
        int(np.clip(round(centre + offset - side / 2), 0, whole - side))
        for centre, offset, side, whole in zip(
            centre_px, offset_px, size_px, (clip.width_px, clip.height_px), strict=True
        )
    )
    return Window(left_px, top_px, *size_px)


def _sees(window: Window, points: _Points, clip: ClipInfo) -> NDArray[np.bool_]:
    """For each point, whether it lies well inside a window; the plate's own border is no rim."""
    inside = np.ones(len(points), bool)
    starts, sizes = (window.left_px, window.top_px), (window.width_px, window.height_px)
    for axis, (start, size, whole) in enumerate(
        zip(starts, sizes, (clip.width_px, clip.height_px), strict=True)
    ):
        margin = _MARGIN * size
        if start > 0:
            inside &= points[:, axis] >= start + margin
        if start + size < whole:
            inside &= points[:, axis] <= start + size - margin
    return inside


def _outline(clip: ClipInfo, logits: NDArray[np.floating]) -> _Points:
    """Positions ``(n, 2)`` in the plate along the outline; where the object leaves the plate it has none."""
    inside = (logits > 0).astype(np.uint8)
    square = np.ones((3, 3), np.uint8)
    eroded = cv2.erode(inside, square, borderType=cv2.BORDER_CONSTANT, borderValue=1)
    rows, columns = np.nonzero(inside > eroded)
    if len(rows) > _POINTS:
        kept = np.linspace(0, len(rows) - 1, _POINTS).astype(int)
        rows, columns = rows[kept], columns[kept]
    scale_x, scale_y = clip.width_px / logits.shape[1], clip.height_px / logits.shape[0]
    return np.stack([(columns + 0.5) * scale_x, (rows + 0.5) * scale_y], axis=1)
