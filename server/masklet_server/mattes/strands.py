"""Coverage beyond the network's outline: hair, wires, motion blur.

What is thinner than a cell of its grid a network cannot see, and what it cannot see begins at the
outline that it does see. So colour decides beyond the open band too, but only for what is joined to
the object there and is either thin or fades away; something thick of the object's colour that the
network did not take is something else. Nor is anything followed where as much of that colour stands
apart: then what touches the object is likely to be one more line of the ground.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.mattes.colour_split import ColourSplit
from masklet_server.mattes.guided import window_mean

Plane = NDArray[np.float32]
Mask = NDArray[np.bool_]

# Scatter of known pixels, in standard deviations, that is no coverage yet.
_DEVIATIONS = 1.0
_LEAST_NOISE = 0.05
# Mean coverage of a small window, of this radius, where something solid is.
_SOLID_PX = 1
_SOLID = 0.4
# Colour is not asked where ground and object are less apart than the first, and trusted from the second.
_APART, _TRUSTED = 0.7, 0.85
# From this trust on colour joins; it is least next to an object of many colours, where strands begin.
_JOINS = 0.05
# Of all that stands out around an object, the share that is joined to it: below the first where the ground
# has lines of that colour as well (brickwork, branches); from the second on the colour is the object's own.
_COMMON, _OWN = 0.4, 0.55
# Thick is what holds a disc of this radius, in cells.
_THICK_CELLS = 0.75


@dataclass(frozen=True, eq=False)
class Beyond:
    """Where coverage is read off colour, ``(h, w)`` planes on the split's grid.

    Attributes:
        trust: How far colour tells object from ground, 0 to 1.
        outside: 0 to 1: where colour may add coverage, in the band and beyond it on the ground's side.
    """

    trust: Plane
    outside: Plane


def find_beyond(
    values: Plane,
    split: ColourSplit,
    before: Plane,
    band: Mask,
    after: Plane,
    *,
    cell_px: float,
    reach_px: float,
) -> Beyond:
    """What lies beyond the band.

    Args:
        values: ``(h, w)``: the split's, unbounded.
        split: The split.
        before: ``(h, w)`` coverage from the network's outline.
        band: ``(h, w)``: True where that is open.
        after: ``(h, w)`` coverage as far as it is refined.
        cell_px: Side of a cell of the network's grid, in pixels of this grid.
        reach_px: How far to follow strands, in pixels of this grid.
    """
    low = np.clip(_DEVIATIONS * split.ground_noise, _LEAST_NOISE, 0.95)
    high = 1.0 - np.clip(_DEVIATIONS * split.object_noise, _LEAST_NOISE, 0.9)
    trust = np.clip((high - low - _APART) / (_TRUSTED - _APART), 0.0, 1.0).astype(np.float32)
    usable = trust > _JOINS
    outer = (before < 0.02) & ~band
    thick_px = _THICK_CELLS * cell_px
    joined = _joined(usable & (values > low), values, after > 0.5, outer, band, thick_px)
    away_px = np.asarray(
        cv2.distanceTransform(outer.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_3), np.float32
    )
    # Squared, for grain adds up as well.
    stands_out = np.square(trust * np.clip(values - low, 0.0, 1.0)) * (outer & (away_px < reach_px))
    outside = _fading(joined, away_px, reach_px)
    outside[outer] *= _only_there(stands_out, joined)
    return Beyond(trust, outside)


def _joined(seen: Mask, amount: Plane, core: Mask, side: Mask, band: Mask, thick_px: float) -> Mask:
    """What is seen in the band and on one side of it, without thick parts, if joined to the core."""
    # Of one side only: the fading rim of a blurred object is thin there, whatever it fades from.
    solid = (window_mean(np.clip(amount, 0.0, 1.0), _SOLID_PX) > _SOLID) & side
    thick = cv2.morphologyEx(solid.astype(np.uint8), cv2.MORPH_OPEN, _disc(thick_px))
    strange = cv2.dilate(thick, _disc(thick_px)) > 0
    allowed = (side | band) & ~strange
    count, labels = cv2.connectedComponents(((seen & allowed) | core).astype(np.uint8), connectivity=8)
    joined = np.zeros(count, bool)
    joined[np.unique(labels[core])] = True
    joined[0] = False
    return np.asarray(joined[labels] & (side | band), np.bool_)


def _only_there(stands_out: Plane, joined: Mask) -> float:
    """0 to 1: whether what stands out by the object's colour is mostly what is joined to the object."""
    share = float(stands_out[joined].sum()) / max(float(stands_out.sum()), 1e-6)
    return float(np.clip((share - _COMMON) / (_OWN - _COMMON), 0.0, 1.0))


def _fading(mask: Mask, away_px: Plane, reach_px: float) -> Plane:
    """1 on the mask and a pixel around it, fading out where it is far away."""
    around = cv2.dilate(mask.astype(np.float32), np.ones((3, 3), np.uint8))
    return np.asarray(around * np.clip(5.0 * (1.0 - away_px / reach_px), 0.0, 1.0), np.float32)


def _disc(radius_px: float) -> NDArray[np.uint8]:
    side_px = 2 * max(1, round(radius_px)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side_px, side_px)), np.uint8)
