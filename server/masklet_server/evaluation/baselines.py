"""What needs no network: copying the first mask, and warping it by optical flow.

Both are given the true mask of the first frame on which an object is visible, whatever the
protocol they are printed beside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.evaluation.clips import AnnotatedClip

Masks = Mapping[int, NDArray[np.bool_]]


def copy_first_mask(clip: AnnotatedClip) -> Iterator[tuple[int, Masks]]:
    """Frame and masks by object, frame after frame: each object stays where it was first seen."""
    starts = clip.first_visible()
    held: dict[int, NDArray[np.bool_]] = {}
    for frame in clip.frames:
        for object_id in _starting(starts, frame):
            held[object_id] = clip.read_truth(frame).masks[object_id]
        yield frame, dict(held)


def warp_by_flow(clip: AnnotatedClip) -> Iterator[tuple[int, Masks]]:
    """Frame and masks by object: each mask follows OpenCV's DIS flow (medium), frame to frame.

    Coverage is warped, not labels, and cut at one half for the result only, so that rounding
    does not add up.
    """
    starts = clip.first_visible()
    flow = DenseFlow(clip.info.width_px, clip.info.height_px)
    held: dict[int, NDArray[np.float32]] = {}
    before: NDArray[np.uint8] | None = None
    for frame in clip.frames:
        grey = grey_picture(clip.limited_source.read(frame))
        if before is not None and held:
            field = flow.backward(before, grey)
            held = {object_id: flow.warp(coverage, field) for object_id, coverage in held.items()}
        for object_id in _starting(starts, frame):
            held[object_id] = clip.read_truth(frame).masks[object_id].astype(np.float32)
        before = grey
        yield frame, {object_id: coverage > 0.5 for object_id, coverage in held.items()}


class DenseFlow:
    """DIS optical flow (Kroeger et al., ECCV 2016), medium preset, and warping by it."""

    def __init__(self, width_px: int, height_px: int) -> None:
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        columns, rows = np.meshgrid(
            np.arange(width_px, dtype=np.float32), np.arange(height_px, dtype=np.float32)
        )
        self._columns, self._rows = columns, rows

    def backward(self, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(h, w, 2)`` x and y from each pixel of ``after`` to where it was in ``before``."""
        # OpenCV's stubs forget None, and any array, even of zeros, would be taken as a first guess.
        field: NDArray[np.float32] = self._flow.calc(after, before, None)  # type: ignore[call-overload]
        return field

    def warp(self, values: NDArray[np.float32], field: NDArray[np.float32]) -> NDArray[np.float32]:
        """``(h, w)`` values fetched from where ``field`` points, zero from outside."""
        at_x, at_y = self._columns + field[..., 0], self._rows + field[..., 1]
        return cv2.remap(values, at_x, at_y, cv2.INTER_LINEAR).astype(np.float32, copy=False)


def grey_picture(picture: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.uint8]:
    """``(h, w)`` brightness of a picture, uint8."""
    if picture.dtype != np.uint8:
        picture = np.clip(picture * 255 + 0.5, 0, 255).astype(np.uint8)
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def _starting(starts: Mapping[int, int], frame: int) -> list[int]:
    return [object_id for object_id, start in starts.items() if start == frame]
