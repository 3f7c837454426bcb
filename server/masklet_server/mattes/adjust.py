"""What an artist asks of a matte after it was made: size, softness, levels, holes, specks, overlap."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.matte_settings import MatteSettings

Plane = NDArray[np.float32]

# Level sets that stand for a soft edge while it grows or shrinks: each moves as a whole, so a soft
# edge keeps its profile. Eight are finer than the ramp of one pixel that each of them is drawn with.
_LEVELS = 8
_PLAIN = MatteSettings()


def adjust(alpha: Plane, settings: MatteSettings, *, scale: float = 1.0) -> Plane:
    """Coverage ``(H, W)`` with the settings applied, in the order that they document.

    Overlap with other objects is not among them: see :func:`adjust_all`.

    Args:
        alpha: ``(H, W)`` coverage, 0 to 1; stays as it is.
        settings: Distances and areas in pixels of the plate.
        scale: Size of this picture by the size of the plate, for previews.
    """
    shaped = _shape(alpha, settings, scale)
    return 1.0 - shaped if settings.invert else shaped


def adjust_all(
    alphas: Mapping[int, Plane],
    settings: Mapping[int, MatteSettings],
    *,
    scale: float = 1.0,
    drawn: Collection[int] = (),
) -> dict[int, Plane]:
    """Coverage of all objects of one frame with their settings applied, overlap included.

    Of the exclusive objects, the one that covers most of a pixel keeps its coverage there and the
    others share what is left of the pixel, most coverage first. Two soft edges that meet therefore
    still add up to one. What the artist drew comes before what was tracked.

    Args:
        alphas: ``(H, W)`` coverage by object id, in the order in which objects were added.
        settings: By object id; none is none.
        scale: Size of the pictures by the size of the plate, for previews.
        drawn: Objects whose coverage the artist drew on this frame.

    Returns:
        Coverage by object id, in the same order.
    """
    own = {object_id: settings.get(object_id, _PLAIN) for object_id in alphas}
    shaped = {object_id: _shape(alpha, own[object_id], scale) for object_id, alpha in alphas.items()}
    exclusive = [object_id for object_id in shaped if own[object_id].exclusive]
    if len(exclusive) > 1:
        by_hand = np.array([object_id in drawn for object_id in exclusive])
        parted = _part(np.stack([shaped[object_id] for object_id in exclusive]), by_hand)  # (B, H, W)
        shaped.update(zip(exclusive, parted, strict=True))
    return {object_id: 1.0 - plane if own[object_id].invert else plane for object_id, plane in shaped.items()}


def _shape(alpha: Plane, settings: MatteSettings, scale: float) -> Plane:
    """Everything that concerns one object alone, but for its inversion."""
    if settings.fill_holes_px:
        alpha = _fill_small(alpha, settings.fill_holes_px * scale**2, at_border=False)
    if settings.drop_specks_px:
        alpha = 1.0 - _fill_small(1.0 - alpha, settings.drop_specks_px * scale**2, at_border=True)
    if settings.grow_px:
        alpha = _grow(alpha, settings.grow_px * scale)
    if settings.feather_px:
        alpha = _feather(alpha, settings.feather_px * scale)
    if (settings.black, settings.white, settings.gamma) != (_PLAIN.black, _PLAIN.white, _PLAIN.gamma):
        alpha = np.clip((alpha - settings.black) / (settings.white - settings.black), 0.0, 1.0)
        alpha = np.power(alpha, 1.0 / settings.gamma)
    return np.asarray(alpha, np.float32)


def _fill_small(alpha: Plane, area_px: float, *, at_border: bool) -> Plane:
    """Dark pieces of up to this area made white.

    Args:
        alpha: Coverage.
        area_px: Counted at half coverage.
        at_border: True to fill pieces that touch the frame's border as well.
    """
    dark = (alpha < 0.5).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] <= area_px
    if not at_border:
        height, width = alpha.shape
        left, top = stats[:, cv2.CC_STAT_LEFT], stats[:, cv2.CC_STAT_TOP]
        right, bottom = left + stats[:, cv2.CC_STAT_WIDTH], top + stats[:, cv2.CC_STAT_HEIGHT]
        small &= (left > 0) & (top > 0) & (right < width) & (bottom < height)
    small[0] = False
    filled = small[labels]
    if not filled.any():
        return alpha
    result = alpha.copy()
    result[filled] = 1.0
    # What is left of a filled hole is its soft rim: partly covered, touching the filling, and
    # nowhere open to what stays dark.
    partly = (result < 0.98).astype(np.uint8)
    count, rims = cv2.connectedComponents(partly, connectivity=8)
    touching = np.unique(rims[cv2.dilate(filled.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0])
    is_rim = np.zeros(count, bool)
    is_rim[touching] = True
    is_rim[np.unique(rims[result < 0.5])] = False
    is_rim[0] = False
    result[is_rim[rims]] = 1.0
    changed = (filled | is_rim[rims]).astype(np.uint8)
    # The last two hundredths fade out over a few more pixels.
    result[(cv2.dilate(changed, np.ones((7, 7), np.uint8)) > 0) & (result >= 0.98)] = 1.0
    return result


def _grow(alpha: Plane, distance_px: float) -> Plane:
    """Coverage whose every level set lies ``distance_px`` further out; further in where negative."""
    margin_px = math.ceil(abs(distance_px)) + 2
    height, width = alpha.shape
    left, top, box_width, box_height = cv2.boundingRect((alpha > 0).astype(np.uint8))
    if not box_width:
        return alpha
    rows = slice(max(0, top - margin_px), min(height, top + box_height + margin_px))
    columns = slice(max(0, left - margin_px), min(width, left + box_width + margin_px))
    part = alpha[rows, columns]
    moved = np.zeros(part.shape, np.float32)
    for level in range(_LEVELS):
        inside = (part >= (level + 0.5) / _LEVELS).astype(np.uint8)
        if not inside.any():
            break
        # Distances run between pixel centres, and the edge lies half a pixel before the nearest.
        outwards = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        if inside.all():
            moved += 1.0 / _LEVELS
            continue
        inwards = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        from_edge = np.where(inside, 0.5 - inwards, outwards - 0.5)
        moved += np.clip(distance_px - from_edge + 0.5, 0.0, 1.0) / _LEVELS
    result = np.zeros_like(alpha)
    result[rows, columns] = moved
    return result


def _feather(alpha: Plane, distance_px: float) -> Plane:
    """Coverage softened by ``distance_px`` to either side of its edges and no further."""
    reach_px = round(distance_px)
    if reach_px < 3:
        side_px = 2 * math.ceil(distance_px) + 1
        blurred = cv2.GaussianBlur(
            alpha, (side_px, side_px), distance_px / 2, borderType=cv2.BORDER_REPLICATE
        )
        return np.asarray(blurred, np.float32)
    # Three box filters are a Gaussian for the eye, end where they should and cost the same at any width.
    for share in range(3):
        radius_px = (reach_px + share) // 3
        alpha = np.asarray(
            cv2.blur(alpha, (2 * radius_px + 1,) * 2, borderType=cv2.BORDER_REPLICATE), np.float32
        )
    return alpha


def _part(alphas: NDArray[np.float32], by_hand: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Share each pixel out among ``(B, H, W)`` coverages: ``(B,)`` drawn ones, then most coverage first."""
    # Stable, so that of equals the one that was added first comes first; no coverage is more than 1.
    rank = -alphas - np.where(by_hand, np.float32(2), np.float32(0))[:, None, None]
    order = np.argsort(rank, axis=0, kind="stable")  # (B, H, W)
    ranked = np.take_along_axis(alphas, order, axis=0)
    before = np.cumsum(ranked, axis=0) - ranked
    granted = np.minimum(ranked, np.maximum(0.0, 1.0 - before)).astype(np.float32)
    parted = np.empty_like(alphas)
    np.put_along_axis(parted, order, granted, axis=0)
    return parted
