"""Strokes as coverage: what a freehand stroke covers is obeyed, at any size of the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.types import Scribble

if TYPE_CHECKING:
    from masklet_server.tracking import ObjectFrame

StrokesOn = Callable[["ObjectFrame"], Sequence[Scribble]]
"""The strokes that the artist drew for a result's object on its frame."""

# OpenCV draws at 1/16 of a pixel.
_SHIFT = 4


def stroke_codes(
    scribble: Scribble, width_px: int, height_px: int, plate_px: tuple[int, int]
) -> NDArray[np.uint8]:
    """``(height, width)``, 0 to 255: what a stroke covers of a picture that shows the whole plate.

    Args:
        scribble: In pixels of the plate.
        width_px: Of the picture.
        height_px: Of the picture.
        plate_px: Width and height of the plate.
    """
    moved = scribble.moved(width_px / plate_px[0], height_px / plate_px[1], 0.0, 0.0)
    covered = np.zeros((height_px, width_px), np.uint8)
    # OpenCV counts from the centre of the first pixel. Far outside its numbers would run over.
    far = 4.0 * max(width_px, height_px) + 64.0
    places = np.clip(np.array(moved.points_px) - 0.5, -far, far)
    points = np.rint(places * (1 << _SHIFT)).astype(np.int32)[:, None]  # (N, 1, 2)
    thick = max(1, round(moved.width_px))
    if len(points) == 1:
        points = np.repeat(points, 2, axis=0)
    cv2.polylines(covered, [points], False, 255, thick, cv2.LINE_AA, _SHIFT)
    return covered


def obeyed(
    coverage: NDArray[np.float32], scribbles: Sequence[Scribble], plate_px: tuple[int, int]
) -> NDArray[np.float32]:
    """Coverage ``(H, W)`` with all that positive strokes cover and nothing that negative ones cover.

    Later strokes go over earlier ones.

    Args:
        coverage: Of the whole plate, at any size.
        scribbles: In pixels of the plate.
        plate_px: Width and height of the plate.
    """
    height_px, width_px = coverage.shape
    for scribble in scribbles:
        covered = stroke_codes(scribble, width_px, height_px, plate_px).astype(np.float32) / np.float32(255.0)
        if scribble.positive:
            coverage = np.maximum(coverage, covered)
        else:
            coverage = np.minimum(coverage, np.float32(1.0) - covered)
    return coverage


def obeyed_codes(
    codes: NDArray[np.uint8], scribbles: Sequence[Scribble], plate_px: tuple[int, int]
) -> NDArray[np.uint8]:
    """The same for coverage ``(H, W)`` from 0 to 255."""
    height_px, width_px = codes.shape
    for scribble in scribbles:
        covered = stroke_codes(scribble, width_px, height_px, plate_px)
        codes = np.maximum(codes, covered) if scribble.positive else np.minimum(codes, 255 - covered)
    return codes


def obeyed_logits(
    logits: NDArray[np.floating], scribbles: Sequence[Scribble], plate_px: tuple[int, int], *, margin: float
) -> NDArray[np.floating]:
    """Logits ``(h, w)`` over the whole plate, at least ``margin`` away from 0 where strokes cover cells.

    A cell counts from half coverage on; a stroke that covers none so is left to the network's points.
    """
    rows, columns = logits.shape
    for scribble in scribbles:
        covered = stroke_codes(scribble, columns, rows, plate_px) >= 128
        bent = np.maximum(logits, margin) if scribble.positive else np.minimum(logits, -margin)
        logits = np.where(covered, bent, logits).astype(logits.dtype)
    return logits
