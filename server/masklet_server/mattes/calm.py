"""Calm in time: what flickers in the network's outline and does not move with the plate is evened out.

The logits of the frames around are brought to where the plate's dense optical flow (DIS, T. Kroeger et al.,
"Fast Optical Flow using Dense Inverse Search", ECCV 2016) says that the same points were, and averaged with
the frame's own. Both sides count alike, so nothing lags. A neighbour counts only where flow there and back
cancels (N. Sundaram, T. Brox, K. Keutzer, ECCV 2010) and the plate looks the same along it, and whoever is
far from what the others say counts little: at cuts, occlusions and turns that flow does not follow, the
frame's own logits stand. It is done before edges are refined, so that those still come from each frame's
own pixels: an outline on a coarse grid forgives an error of flow that a finished edge would show.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet_server.mattes.windows import Look, Window

Plane = NDArray[np.float32]

# Longest side of the pictures between which motion is measured.
_FLOW_SIDE_PX = 480
# Room around the object in them, in parts of its longest side.
_ROOM = 0.15
# Differences of brightness along the motion, of 255, that halve trust and more.
_LOOKS_ALIKE = 16.0
# Logits beyond this are all the same; they only keep averages from moving.
_CLAMP = 10.0
# Logits that differ by this from the mean of all count much less in the end.
_AGREES = 8.0


@dataclass(frozen=True, eq=False)
class Motion:
    """Where the points of one frame are on another, in one part of the plate.

    Attributes:
        window: Which part.
        field_px: ``(h, w, 2)`` x and y in pixels of the plate, to be added to positions on the first frame.
        trust: ``(h, w)``, 0 to 1.
    """

    window: Window
    field_px: NDArray[np.float32]
    trust: Plane


@dataclass(frozen=True, eq=False)
class Neighbour:
    """What was seen on a frame close by.

    Attributes:
        look: Its logits.
        motion: From the frame in question to that one.
    """

    look: Look
    motion: Motion


def is_one_shot(frame: int, other: int, cuts: Collection[int]) -> bool:
    """True where no cut lies between two frames; cuts are first frames of new shots."""
    return not any(min(frame, other) < cut <= max(frame, other) for cut in cuts)


def measure_motion(before: NDArray[np.uint8], after: NDArray[np.uint8], window: Window) -> Motion:
    """Motion between two greys ``(h, w)`` that both show ``window`` of the plate."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # OpenCV's stubs forget None, and any array, even of zeros, would be taken as a first guess.
    field = np.asarray(flow.calc(before, after, None), np.float32)  # type: ignore[call-overload]
    opposite = np.asarray(flow.calc(after, before, None), np.float32)  # type: ignore[call-overload]
    rows, columns = before.shape
    x, y = np.meshgrid(np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32))
    at_x, at_y = x + field[..., 0], y + field[..., 1]
    back = cv2.remap(opposite, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    gap = np.sum((field + back) ** 2, axis=-1)
    size = np.sum(field**2, axis=-1) + np.sum(back**2, axis=-1)
    returns = (gap < 0.01 * size + 0.5).astype(np.float32)
    seen = cv2.remap(after, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # Over a few pixels: grain is no change, and single pixels know little.
    apart = cv2.blur(np.abs(seen.astype(np.float32) - before), (5, 5))
    trust = cv2.blur(returns, (5, 5)) * np.exp(-np.square(apart / _LOOKS_ALIKE))
    scale = np.array((window.width_px / columns, window.height_px / rows), np.float32)
    return Motion(window, np.asarray(field * scale, np.float32), np.asarray(trust, np.float32))


def motion_window(looks: Sequence[Look], width_px: int, height_px: int) -> Window | None:
    """The part of a plate in which all of this can be seen, with room; None where there is nothing.

    Args:
        looks: Of one object on the frames between which motion is measured.
        width_px: Of the plate.
        height_px: Of the plate.
    """
    boxes = []
    for look in looks:
        left, top, width, height = cv2.boundingRect((look.logits > 0).astype(np.uint8))
        if width:
            rows, columns = look.logits.shape
            x_px, y_px = look.window.width_px / columns, look.window.height_px / rows
            across, down = look.window.left_px, look.window.top_px
            boxes.append(
                (
                    across + left * x_px,
                    down + top * y_px,
                    across + (left + width) * x_px,
                    down + (top + height) * y_px,
                )
            )
    if not boxes:
        return None
    corners = np.array(boxes)
    (left_px, top_px), (right_px, bottom_px) = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
    room_px = _ROOM * max(right_px - left_px, bottom_px - top_px) + 8
    left, top = max(0, int(left_px - room_px)), max(0, int(top_px - room_px))
    right, bottom = min(width_px, int(right_px + room_px) + 1), min(height_px, int(bottom_px + room_px) + 1)
    return Window(left, top, right - left, bottom - top)


def flow_size(window: Window) -> tuple[int, int]:
    """Columns and rows of the pictures between which motion in a window is measured."""
    scale = min(1.0, _FLOW_SIDE_PX / max(window.width_px, window.height_px))
    # The flow's own pyramid needs a few pixels.
    return max(16, round(window.width_px * scale)), max(16, round(window.height_px * scale))


def calm_logits(own: Look, neighbours: Sequence[Neighbour], *, strength: float = 1.0) -> NDArray[np.float16]:
    """``(h, w)`` logits of ``own`` with what its neighbours say of the same points.

    Args:
        own: Of the frame in question.
        neighbours: As many before it as after it, as far as there are some.
        strength: What a neighbour that is trusted fully counts beside the frame itself, 0 to 1.
    """
    logits = _clamped(own)
    said = [logits]
    shares = [np.ones_like(logits)]
    x_px, y_px = _centres(own)
    for neighbour in neighbours:
        shift_x, shift_y, trust = _read(neighbour.motion, x_px, y_px)
        values, inside = _sample(neighbour.look, x_px + shift_x, y_px + shift_y)
        said.append(values)
        shares.append(np.asarray(strength * trust * inside, np.float32))
    heard = np.sum(shares[1:], axis=0) if len(shares) > 1 else np.zeros_like(logits)
    middle = _mean(said, shares)
    agreeing = [
        share * np.exp(-np.square((each - middle) / _AGREES))
        for each, share in zip(said, shares, strict=True)
    ]
    calmed = _mean(said, agreeing)
    # What no neighbour speaks of stays to the last digit.
    return np.asarray(np.where(heard > 1e-3, calmed, own.logits.astype(np.float32)), np.float16)


def _mean(planes: Sequence[Plane], shares: Sequence[Plane]) -> Plane:
    total = np.sum([plane * share for plane, share in zip(planes, shares, strict=True)], axis=0)
    return np.asarray(total / np.maximum(np.sum(shares, axis=0), 1e-6), np.float32)


def _clamped(look: Look) -> Plane:
    return np.clip(np.nan_to_num(look.logits.astype(np.float32), nan=-_CLAMP), -_CLAMP, _CLAMP)


def _centres(look: Look) -> tuple[Plane, Plane]:
    """Positions x and y of the cells' centres on the plate, ``(h, w)`` each."""
    rows, columns = look.logits.shape
    window = look.window
    x = window.left_px + (np.arange(columns, dtype=np.float32) + 0.5) * (window.width_px / columns)
    y = window.top_px + (np.arange(rows, dtype=np.float32) + 0.5) * (window.height_px / rows)
    across, down = np.meshgrid(x, y)
    return across.astype(np.float32), down.astype(np.float32)


def _places(window: Window, shape: tuple[int, ...], x_px: Plane, y_px: Plane) -> tuple[Plane, Plane]:
    """Columns and rows, on a grid over the window, of positions on the plate."""
    columns = (x_px - window.left_px) * np.float32(shape[1] / window.width_px) - 0.5
    rows = (y_px - window.top_px) * np.float32(shape[0] / window.height_px) - 0.5
    return columns.astype(np.float32), rows.astype(np.float32)


def _read(motion: Motion, x_px: Plane, y_px: Plane) -> tuple[Plane, Plane, Plane]:
    """x, y and trust of a motion at positions on the plate; outside of its window there is no trust."""
    columns, rows = _places(motion.window, motion.trust.shape, x_px, y_px)
    field = cv2.remap(motion.field_px, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    trust = cv2.remap(motion.trust, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return (
        np.asarray(field[..., 0], np.float32),
        np.asarray(field[..., 1], np.float32),
        np.asarray(trust, np.float32),
    )


def _sample(look: Look, x_px: Plane, y_px: Plane) -> tuple[Plane, Plane]:
    """Logits at positions on the plate, and 1 where the look shows them, else 0."""
    columns, rows = _places(look.window, look.logits.shape, x_px, y_px)
    # Linear sampling between cells would blunt corners each time.
    values = cv2.remap(_clamped(look), columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    inside = (columns > -0.5) & (rows > -0.5)
    inside &= (columns < look.logits.shape[1] - 0.5) & (rows < look.logits.shape[0] - 0.5)
    return np.asarray(np.clip(values, -_CLAMP, _CLAMP), np.float32), inside.astype(np.float32)
