"""Temporal flicker: how much a mask changes from frame to frame beyond what motion explains.

Each mask is compared with the one before, warped by dense optical flow, on the pixels whose
flow can be trusted: forward and backward flow cancel, by the test of Sundaram, Brox and Keutzer
(ECCV 2010), as in the warping error of Lai et al., "Learning Blind Video Temporal Consistency"
(ECCV 2018). The figure is the share of changed pixels in the union of both masks, in percent:
0 for a mask that moves with the picture, 100 for one that is somewhere else each time. Flow is
not perfect, so the truth itself scores above 0 and is the figure to compare with.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from masklet_server.evaluation.baselines import DenseFlow, grey_picture


class FlickerMeter:
    """Measures several mask tracks of one clip at once, as flow costs far more than comparing.

    Args:
        width_px: Of the pictures.
        height_px: Of the pictures.
        tracks: How many mask tracks are measured.
    """

    def __init__(self, width_px: int, height_px: int, *, tracks: int) -> None:
        self._flow = DenseFlow(width_px, height_px)
        self._before: tuple[NDArray[np.uint8], list[NDArray[np.bool_]]] | None = None
        self._changes: list[list[float]] = [[] for _ in range(tracks)]

    def add(
        self, picture: NDArray[np.uint8] | NDArray[np.float32], masks: Iterable[NDArray[np.bool_]]
    ) -> None:
        """Take the next frame: its ``(h, w, 3)`` picture and one ``(h, w)`` mask a track."""
        grey, current = grey_picture(picture), list(masks)
        if self._before is not None:
            grey_before, earlier = self._before
            field = self._flow.backward(grey_before, grey)
            trusted = self._trusted(grey_before, grey, field)
            for changes, old, new in zip(self._changes, earlier, current, strict=True):
                if (change := self._change(old, new, field, trusted)) is not None:
                    changes.append(change)
        self._before = (grey, current)

    def percent(self) -> list[float | None]:
        """Mean flicker of each track; None for one that was never visible on two frames in a row."""
        return [100 * float(np.mean(changes)) if changes else None for changes in self._changes]

    def _change(
        self,
        old: NDArray[np.bool_],
        new: NDArray[np.bool_],
        field: NDArray[np.float32],
        trusted: NDArray[np.bool_],
    ) -> float | None:
        warped = self._flow.warp(old.astype(np.float32), field) > 0.5
        union = int(np.count_nonzero((warped | new) & trusted))
        return int(np.count_nonzero((warped ^ new) & trusted)) / union if union else None

    def _trusted(
        self, before: NDArray[np.uint8], after: NDArray[np.uint8], field: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """``(h, w)`` pixels of ``after`` whose flow is undone by the flow the other way."""
        opposite = self._flow.backward(after, before)
        back = np.stack([self._flow.warp(np.ascontiguousarray(opposite[..., i]), field) for i in (0, 1)], -1)
        gap = np.sum((field + back) ** 2, axis=-1)
        size = np.sum(field**2, axis=-1) + np.sum(back**2, axis=-1)
        return np.asarray(gap < 0.01 * size + 0.5, dtype=np.bool_)
