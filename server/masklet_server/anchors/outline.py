"""Positions read off one matte: centre of gravity, extremes, bounding box."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.anchors import AnchorKind
from masklet.errors import BadInputError
from masklet_server.anchors.geometry import Array

Matte = NDArray[np.uint8] | NDArray[np.float32] | NDArray[np.bool_]

# Fewer covered pixels than this are noise of the network's, not an object: only the centre is read,
# and with little faith.
FEW_PIXELS = 12.0
# Coverage summed over the plate below which there is nothing at all.
_NOTHING = 0.75


@dataclass(frozen=True)
class Outline:
    """What one matte says, in stored pixels.

    Attributes:
        centroid: x and y of the centre of gravity.
        left_px: Where coverage passes one half, between pixels.
        top_px: The same.
        right_px: The same.
        bottom_px: The same.
        contacts: Mean place of the outermost pixels at each edge, by kind.
        area_px: Sum of coverage.
        cut_edges: Edges at which the object leaves the plate.
    """

    centroid: tuple[float, float]
    left_px: float
    top_px: float
    right_px: float
    bottom_px: float
    contacts: dict[AnchorKind, tuple[float, float]]
    area_px: float
    cut_edges: frozenset[AnchorKind]

    def place(self, kind: AnchorKind) -> tuple[float, float]:
        """The position of an outline anchor; the box's is its centre."""
        if kind is AnchorKind.BOX:
            return (self.left_px + self.right_px) / 2.0, (self.top_px + self.bottom_px) / 2.0
        return self.contacts.get(kind, self.centroid)

    def corners(self) -> Array:
        """The bounding box ``(4, 2)``: top left, top right, bottom right, bottom left."""
        return np.array(
            [
                [self.left_px, self.top_px],
                [self.right_px, self.top_px],
                [self.right_px, self.bottom_px],
                [self.left_px, self.bottom_px],
            ]
        )

    def confidence(self, kind: AnchorKind) -> float:
        """How far the position can be trusted: little for specks, half where the plate cuts it off."""
        trust = min(1.0, self.area_px / FEW_PIXELS) * 0.7 + 0.3 if self.area_px >= FEW_PIXELS else 0.2
        if kind in (AnchorKind.CENTROID, AnchorKind.BOX):
            return trust * (0.6 if self.cut_edges else 1.0)
        return trust * (0.4 if kind in self.cut_edges else 1.0)


def coverage(matte: Matte, width_px: int, height_px: int) -> NDArray[np.uint8]:
    """A matte as ``(H, W)`` uint8, whatever its type and size.

    Args:
        matte: ``(h, w)``: uint8 up to 255, floating point up to 1, or bool; the whole plate is
            stretched to it.
        width_px: W.
        height_px: H.

    Raises:
        BadInputError: It has another shape or type.
    """
    if matte.ndim != 2 or 0 in matte.shape:
        raise BadInputError(f"a matte must be a picture with one channel, got the shape {matte.shape}")
    if matte.dtype == np.bool_:
        codes = matte.astype(np.uint8) * np.uint8(255)
    elif matte.dtype == np.uint8:
        codes = np.ascontiguousarray(matte, dtype=np.uint8)
    elif np.issubdtype(matte.dtype, np.floating):
        codes = np.rint(np.clip(np.nan_to_num(matte), 0.0, 1.0) * 255.0).astype(np.uint8)
    else:
        raise BadInputError(
            f"a matte must hold coverage as bytes, numbers from 0 to 1 or yes and no, got {matte.dtype}"
        )
    if codes.shape == (height_px, width_px):
        return codes
    stretched: NDArray[np.uint8] = np.empty((height_px, width_px), np.uint8)
    cv2.resize(codes, (width_px, height_px), dst=stretched, interpolation=cv2.INTER_LINEAR)
    return stretched


def read_outline(codes: NDArray[np.uint8]) -> Outline | None:
    """The outline of a matte ``(H, W)`` uint8, or None where it covers nothing."""
    rows_max, columns_max = codes.max(axis=1), codes.max(axis=0)  # (H,), (W,)
    rows, columns = np.flatnonzero(rows_max), np.flatnonzero(columns_max)
    if not len(rows):
        return None
    y0, y1, x0, x1 = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    alpha = codes[y0:y1, x0:x1].astype(np.float32) / 255.0  # (h, w), the object's own crop
    row_sums, column_sums = alpha.sum(axis=1, dtype=np.float64), alpha.sum(axis=0, dtype=np.float64)
    area_px = float(row_sums.sum())
    if area_px < _NOTHING:
        return None
    centres_x: Array = np.arange(x0, x1) + np.float64(0.5)
    centres_y: Array = np.arange(y0, y1) + np.float64(0.5)
    centroid = (
        float(column_sums @ centres_x) / area_px,
        float(row_sums @ centres_y) / area_px,
    )
    peak = float(max(alpha.max(), 1e-3))
    top, bottom = _extent(alpha.max(axis=1) / peak, y0)
    left, right = _extent(alpha.max(axis=0) / peak, x0)
    height_px, width_px = codes.shape
    contacts = {
        AnchorKind.TOP: (_mean(alpha, centres_x, top - y0, axis=0, near=True), top),
        AnchorKind.BOTTOM: (_mean(alpha, centres_x, bottom - y0, axis=0, near=False), bottom),
        AnchorKind.LEFT: (left, _mean(alpha, centres_y, left - x0, axis=1, near=True)),
        AnchorKind.RIGHT: (right, _mean(alpha, centres_y, right - x0, axis=1, near=False)),
    }
    if area_px < FEW_PIXELS:
        contacts = dict.fromkeys(contacts, centroid)
    cuts = {
        AnchorKind.TOP: top <= 0.5,
        AnchorKind.BOTTOM: bottom >= height_px - 0.5,
        AnchorKind.LEFT: left <= 0.5,
        AnchorKind.RIGHT: right >= width_px - 0.5,
    }
    cut_edges = frozenset(kind for kind, cut in cuts.items() if cut)
    return Outline(centroid, left, top, right, bottom, contacts, area_px, cut_edges)


def _extent(profile: NDArray[np.float32], offset_px: int) -> tuple[float, float]:
    """Where a profile of coverage first and last passes one half, as positions on the plate."""
    inside = np.flatnonzero(profile >= 0.5)
    first, last = int(inside[0]), int(inside[-1])
    before = float(profile[first - 1]) if first > 0 else 0.0
    after = float(profile[last + 1]) if last + 1 < len(profile) else 0.0
    # A pixel of coverage c at the end of a row of full ones means that the edge lies c into it.
    start = offset_px + first + (1.0 - float(profile[first])) - (before if profile[first] > 0.99 else 0.0)
    end = offset_px + last + float(profile[last]) + (after if profile[last] > 0.99 else 0.0)
    return float(start), float(end)


def _mean(alpha: NDArray[np.float32], centres: Array, edge: float, *, axis: int, near: bool) -> float:
    """Mean place along an edge of what lies within a fiftieth of the object's size of it (2 px at least)."""
    length = alpha.shape[axis]
    depth = max(2, round(length / 50))
    first = int(np.clip(np.floor(edge) if near else np.ceil(edge) - depth, 0, max(length - 1, 0)))
    band = alpha[first : first + depth] if axis == 0 else alpha[:, first : first + depth]
    sums = band.sum(axis=axis, dtype=np.float64)
    total = float(sums.sum())
    return float(sums @ centres) / total if total > 0.0 else float(centres.mean())
