"""What a source yields: objects with views, and photographs with numbered objects.

Letters: H rows, W columns, C side of a cut-out.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class CutOut:
    """One object.

    Attributes:
        name: For the index; unique within its source.
        views: (H, W, 4) each, BGR and straight alpha, all of one size: turns or frames in order.
        weight: How often it appears, relative to others of its source.
    """

    name: str
    views: tuple[Pixels, ...]
    weight: float = 1.0


@dataclass(frozen=True)
class Photo:
    """A background or a scene.

    Attributes:
        name: For the index; unique within its source.
        picture: (H, W, 3), BGR.
        labels: (H, W), 0 for background and 1 upwards for objects, or None.
        weight: How often it appears, 1 for a sharp photograph.
    """

    name: str
    picture: Pixels
    labels: Pixels | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class Licence:
    """Where a source's pictures come from and what allows their use.

    Attributes:
        source: Short name, used in the index.
        origin: Package or folder that holds them.
        licence: SPDX where there is one.
        attribution: Who must be named.
    """

    source: str
    origin: str
    licence: str
    attribution: str


class Source(Protocol):
    """A package of pictures."""

    licence: Licence
    share: float
    """How much of the drawing falls to this source, relative to others."""

    def cutouts(self) -> Iterator[CutOut]:
        """Its objects."""

    def photos(self) -> Iterator[Photo]:
        """Its backgrounds."""


def order_of(name: str) -> int:
    """A number that shuffles names the same way everywhere."""
    return zlib.crc32(name.encode())


def squared(views: tuple[Pixels, ...], side_px: int, *, margin: float = 0.03) -> tuple[Pixels, ...]:
    """Crop all views to what is ever opaque, centre it in a square and scale to ``side_px``.

    Returns:
        (C, C, 4) each; empty if nothing is opaque.
    """
    covered = np.max([view[..., 3] for view in views], axis=0) > 24
    if not covered.any():
        return ()
    rows, columns = np.flatnonzero(covered.any(1)), np.flatnonzero(covered.any(0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    side = int(np.ceil(max(bottom - top, right - left) * (1.0 + 2.0 * margin)))
    scale = side_px / side
    shift_x = (side_px - (right - left) * scale) / 2 - left * scale
    shift_y = (side_px - (bottom - top) * scale) / 2 - top * scale
    return tuple(placed(view, scale, shift_x, shift_y, side_px) for view in views)


def placed(view: Pixels, scale: float, shift_x: float, shift_y: float, side_px: int) -> Pixels:
    """Scale, then shift by pixels into a square of ``side_px``.

    Alpha is multiplied in meanwhile, so that hidden colours do not bleed into the border.
    """
    alpha = view[..., 3:].astype(np.float32) / 255.0
    whole = np.concatenate((view[..., :3].astype(np.float32) * alpha, alpha), axis=2)
    if scale < 1.0:
        # An area average first: a warp alone would skip pixels.
        size = (max(1, round(view.shape[1] * scale)), max(1, round(view.shape[0] * scale)))
        whole = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
        matrix = np.array([[1.0, 0.0, shift_x], [0.0, 1.0, shift_y]])
    else:
        matrix = np.array(
            [[scale, 0.0, shift_x + 0.5 * scale - 0.5], [0.0, scale, shift_y + 0.5 * scale - 0.5]]
        )
    moved = cv2.warpAffine(whole, matrix, (side_px, side_px), flags=cv2.INTER_LINEAR)
    colour = moved[..., :3] / np.maximum(moved[..., 3:], 1e-3)
    straight = np.concatenate((colour, moved[..., 3:] * 255.0), axis=2)
    return np.clip(np.rint(straight), 0, 255).astype(np.uint8)


def resized(square: Pixels, side_px: int) -> Pixels:
    """A square picture with alpha at another size, (side_px, side_px, 4); quick, for many pictures."""
    alpha = cv2.merge([square[..., 3]] * 3)
    hidden = cv2.multiply(square[..., :3], alpha, scale=1.0 / 255.0)
    whole = cv2.resize(np.dstack((hidden, square[..., 3])), (side_px, side_px), interpolation=cv2.INTER_AREA)
    colour = cv2.divide(whole[..., :3], cv2.merge([np.maximum(whole[..., 3], 1)] * 3), scale=255.0)
    return np.dstack((colour, whole[..., 3])).astype(np.uint8)


def fitted(photo: Photo, longest_px: int) -> Photo:
    """The photograph no longer than ``longest_px`` on its longer side."""
    height, width = photo.picture.shape[:2]
    scale = longest_px / max(height, width)
    if scale >= 1.0:
        return photo
    size = (round(width * scale), round(height * scale))
    labels = photo.labels
    if labels is not None:
        labels = cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    picture = cv2.resize(photo.picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)
    return Photo(photo.name, picture, labels, photo.weight)
