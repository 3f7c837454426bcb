"""Clips as one picture, with the outlines of their masks, to judge them by eye."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from masklet_server.training.clips import ClipBatch

_OUTLINES = ((0, 255, 0), (60, 60, 255), (255, 120, 60), (0, 255, 255))
_INVALID = (160, 160, 160)


def draw_clips(batch: ClipBatch, picture: Path) -> None:
    """One row per clip; grey outlines belong to objects that cannot be prompted on the first frame."""
    frames = (batch.images.clamp(0.0, 1.0) * 255.0).byte().permute(0, 1, 3, 4, 2).cpu().numpy()
    masks, valid = batch.masks.cpu().numpy(), batch.valid.cpu().numpy()
    rows = [
        np.concatenate(
            [
                _outlined(frames[clip, time], masks[clip, time], valid[clip])
                for time in range(frames.shape[1])
            ],
            1,
        )
        for clip in range(frames.shape[0])
    ]
    picture.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(picture), np.concatenate(rows))


def _outlined(
    frame: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    masks: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
    valid: np.ndarray[tuple[int, ...], np.dtype[np.bool_]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """(S, S, 3), BGR, from RGB."""
    drawn = np.ascontiguousarray(frame[..., ::-1])
    for number, mask in enumerate(masks):
        edges, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        colour = _OUTLINES[number % len(_OUTLINES)] if valid[number] else _INVALID
        cv2.drawContours(drawn, edges, -1, colour, 1)
    return drawn
