"""Windows that follow an object through the plate, for a look at it with finer cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.errors import FrameMissingError
from masklet_server.mattes.alpha import EdgeSettings, render_alpha

if TYPE_CHECKING:
    from masklet.types import ClipInfo
    from masklet_server.tracking import FrameSource

Plane = NDArray[np.float32]

LEAST_PIXELS = 1.5
"""A plate must have so many pixels to one of the network's: it sees the others well enough."""

# Side of a window by the longest side of the object: with 1.3 tracking of fast objects got worse,
# with 2.5 there was less to gain.
_ROOM = 1.7
# A window must be at most this part of the plate, or its cells are hardly finer.
_LARGEST_PART = 0.85
# Frames to either side over which a window's path is evened out.
_PATH_FRAMES = 2
# Of the window's side, how wide its rim fades into what lies outside.
_RIM = 0.06
# Of the object as the first look has it: below this the second look has gone astray.
_LEAST_AGREEMENT = 0.7
# Logits nearer to 0 may become a speck or a hole on the way to the plate's pixels.
_SURE = 2.0
# Of the first look's grid: where looks differ by more, one of them has lost the object.
_EDGE_CELLS = 4


@dataclass(frozen=True)
class Window:
    """A part of the plate, in whole pixels."""

    left_px: int
    top_px: int
    width_px: int
    height_px: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns."""
        return (
            slice(self.top_px, self.top_px + self.height_px),
            slice(self.left_px, self.left_px + self.width_px),
        )


@dataclass(frozen=True, eq=False)
class Look:
    """A look through a window on one frame.

    Attributes:
        window: Where.
        logits: ``(h, w)``, over the window.
        trust: ``(h, w)``, how much of it counts, 0 to 1; all of it when None.
    """

    window: Window
    logits: NDArray[np.float16]
    trust: Plane | None = None


class WindowSource:
    """A clip seen through windows of one size: a ``FrameSource``.

    Args:
        source: The whole clip.
        windows: By frame.
    """

    def __init__(self, source: FrameSource, windows: Mapping[int, Window]) -> None:
        self._source = source
        self._windows = windows
        some = next(iter(windows.values()))
        first, last = min(windows), max(windows)
        # Only frames with a window: whoever reads ahead asks for the next one that the clip has.
        self.info: ClipInfo = replace(
            source.info,
            width_px=some.width_px,
            height_px=some.height_px,
            first_frame=first,
            last_frame=last,
            missing_frames=tuple(frame for frame in range(first, last + 1) if frame not in windows),
            frame_times_us=(),
        )

    def read(self, frame: int) -> NDArray[np.uint8] | NDArray[np.float32]:
        """The picture in the window of ``frame``.

        Raises:
            FrameMissingError: The frame has no window.
            ClipError: The picture cannot be read.
        """
        if frame not in self._windows:
            raise FrameMissingError(f"frame {frame} is not among those that are looked at")
        picture = self._source.read(frame)
        part = picture[self._windows[frame].slices]
        return part.copy()


def plan_windows(
    clip: ClipInfo, logits: Mapping[int, NDArray[np.floating]], *, image_side_px: int
) -> dict[int, Window]:
    """Windows of one size that follow an object; none where they would show no more than the plate does.

    Args:
        clip: Gives the plate's size.
        logits: Of the object over the whole plate, by frame, on consecutive frames; one with nothing
            inside keeps its window where the last one was.
        image_side_px: Side of the picture that the network looks at.
    """
    plate_px = max(clip.width_px, clip.height_px)
    boxes = _boxes(clip, logits)
    if not boxes or plate_px < LEAST_PIXELS * image_side_px:
        return {}
    sides = np.array(list(boxes.values()))[:, 2:]
    side_px = max(32, round(_ROOM * float(sides.max())))
    if side_px > _LARGEST_PART * plate_px:
        return {}
    width_px, height_px = min(side_px, clip.width_px), min(side_px, clip.height_px)
    return {
        frame: Window(
            int(np.clip(round(x_px - width_px / 2), 0, clip.width_px - width_px)),
            int(np.clip(round(y_px - height_px / 2), 0, clip.height_px - height_px)),
            width_px,
            height_px,
        )
        for frame, (x_px, y_px) in follow(clip, logits).items()
    }


def follow(clip: ClipInfo, logits: Mapping[int, NDArray[np.floating]]) -> dict[int, tuple[float, float]]:
    """An object's way through the plate, evened out: x and y in pixels by frame, empty if it is never there.

    Args:
        clip: Gives the plate's size.
        logits: As in :func:`plan_windows`.
    """
    boxes = _boxes(clip, logits)
    if not boxes:
        return {}
    centres = np.array([box[:2] for box in boxes.values()])  # (T, 2)
    few = len(centres) <= _PATH_FRAMES
    margins = ((_PATH_FRAMES, _PATH_FRAMES), (0, 0))
    # Turned about the last points, so that steady motion stays steady up to both ends.
    padded = (
        np.pad(centres, margins, "edge") if few else np.pad(centres, margins, "reflect", reflect_type="odd")
    )
    count = 2 * _PATH_FRAMES + 1
    path = np.mean([padded[i : i + len(centres)] for i in range(count)], axis=0)
    return {frame: (float(x_px), float(y_px)) for frame, (x_px, y_px) in zip(boxes, path, strict=True)}


def look_into(first: Plane, *looks: Look, edge: EdgeSettings | None = None) -> Plane:
    """Coverage ``(H, W)`` from the whole plate, with the windows' in its place and no seams between them.

    The weights of all looks and the first add up to one at each pixel and change nowhere abruptly.

    Args:
        first: ``(H, W)``, from the whole plate; stays as it is.
        looks: Through windows, which may overlap.
        edge: How the edge looks.
    """
    height_px, width_px = first.shape
    weights = [_weight(look, width_px, height_px) for look in looks]
    total = np.zeros_like(first)
    for look, weight in zip(looks, weights, strict=True):
        total[look.window.slices] += weight
    # Less than one in all: the rest is the first look's.
    np.maximum(total, 1.0, out=total)
    result = first.copy()
    for look, weight in zip(looks, weights, strict=True):
        window = look.window
        inner = render_alpha(look.logits, window.width_px, window.height_px, edge=edge)
        inner -= first[window.slices]
        inner *= weight / total[window.slices]
        result[window.slices] += inner
    return result


def _weight(look: Look, width_px: int, height_px: int) -> Plane:
    """How much a look counts at each of its window's pixels, 0 to 1: less towards the rim."""
    window = look.window
    rim_px = max(1.0, _RIM * max(window.width_px, window.height_px))

    def rise(length_px: int, start_px: int, plate_px: int) -> Plane:
        place = np.arange(length_px, dtype=np.float32) + 0.5
        # Where the plate ends there is nothing to fade into.
        before = place if start_px > 0 else np.full_like(place, rim_px)
        after = length_px - place if start_px + length_px < plate_px else np.full_like(place, rim_px)
        return np.clip(np.minimum(before, after) / rim_px, 0.0, 1.0).astype(np.float32)

    down = rise(window.height_px, window.top_px, height_px)
    weight = np.outer(down, rise(window.width_px, window.left_px, width_px))
    if look.trust is not None:
        weight *= cv2.resize(look.trust, (window.width_px, window.height_px), interpolation=cv2.INTER_LINEAR)
    return weight


def agreement(first: NDArray[np.floating], look: Look, clip: ClipInfo) -> float:
    """IoU of what both looks take for the object inside the window; 1 if neither sees any of it."""
    own, other = look.logits > 0, seen_through(first, look.window, clip, look.logits.shape)
    union = int(np.count_nonzero(own | other))
    return int(np.count_nonzero(own & other)) / union if union else 1.0


def trusted(first: NDArray[np.floating], look: Look, clip: ClipInfo) -> Look | None:
    """The look with no trust where it differs from the first by more than an edge: there, the first stands.

    None where the two agree by less than IoU 0.7 in the whole window. What is as wide as a disc of four of
    the first look's cells is no difference about the edge; trust is 0 on it and within another four cells,
    and grows to 1 over four more. What lies a cell away from the first look's edge (a speck, a hole) is left
    out by itself: trust is 0 on it and within a cell, and grows to 1 over one more, but stays on what begins
    at the edge next to it. Specks come and go from frame to frame, and would take that along.
    """
    if agreement(first, look, clip) < _LEAST_AGREEMENT:
        return None
    seen = seen_through(first, look.window, clip, look.logits.shape).astype(np.uint8)
    differing = ((look.logits > 0) ^ (seen > 0)).astype(np.uint8)
    doubtful = (np.where(seen > 0, -look.logits, look.logits) > -_SURE).astype(np.uint8)
    rows, columns = seen.shape
    # Both grids are stretched over what they show.
    cell_x = clip.width_px / first.shape[1] * columns / look.window.width_px
    cell_y = clip.height_px / first.shape[0] * rows / look.window.height_px
    disc = _disc(_EDGE_CELLS * cell_x / 2, _EDGE_CELLS * cell_y / 2)
    wide = np.asarray(cv2.morphologyEx(differing, cv2.MORPH_OPEN, disc), np.uint8)
    edge = cv2.morphologyEx(seen, cv2.MORPH_GRADIENT, _disc(cell_x, cell_y))
    _, parts = cv2.connectedComponents(doubtful, connectivity=8)
    at_edge = np.isin(parts, np.unique(parts[edge > 0]))
    loose = np.where(at_edge, 0, doubtful).astype(np.uint8)
    if not (wide.any() or loose.any()):
        return look
    begins = cv2.dilate(np.where(at_edge, doubtful, 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    trust = np.where(begins, np.float32(1), _clear_of(loose, cell_x, cell_y))
    trust = np.minimum(trust, _clear_of(wide, _EDGE_CELLS * cell_x, _EDGE_CELLS * cell_y))
    return replace(look, trust=trust.astype(np.float32))


def _clear_of(mask: NDArray[np.uint8], across: float, down: float) -> Plane:
    """0 on the mask and within so many cells of it, growing to 1 over as many more."""
    if not mask.any():
        return np.ones(mask.shape, np.float32)
    around = cv2.dilate(mask, _disc(across, down))
    apart = cv2.distanceTransform(1 - around, cv2.DIST_L2, cv2.DIST_MASK_3)
    return np.asarray(np.clip(apart / max(1.0, across), 0.0, 1.0), np.float32)


def _disc(across: float, down: float) -> NDArray[np.uint8]:
    """An ellipse of so many cells to either side, for morphology."""
    size = (2 * max(1, round(across)) + 1, 2 * max(1, round(down)) + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size), np.uint8)


def seen_through(
    first: NDArray[np.floating], window: Window, clip: ClipInfo, shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """What the first look takes for the object in a window, on a grid of ``shape`` that spans it."""
    rows, columns = shape
    scale_x, scale_y = first.shape[1] / clip.width_px, first.shape[0] / clip.height_px
    x = (window.left_px + (np.arange(columns) + 0.5) * window.width_px / columns) * scale_x - 0.5
    y = (window.top_px + (np.arange(rows) + 0.5) * window.height_px / rows) * scale_y - 0.5
    map_x, map_y = np.meshgrid(x.astype(np.float32), y.astype(np.float32))
    seen = cv2.remap(
        np.clip(first, -24, 24).astype(np.float32),
        map_x,
        map_y,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(seen > 0)


def _boxes(
    clip: ClipInfo, logits: Mapping[int, NDArray[np.floating]]
) -> dict[int, tuple[float, float, float, float]]:
    """Centre, width and height in pixels of what is inside, by frame; empty where it never is."""
    found: dict[int, tuple[float, float, float, float] | None] = {}
    for frame, own in logits.items():
        left, top, width, height = cv2.boundingRect((own > 0).astype(np.uint8))
        x_px, y_px = clip.width_px / own.shape[1], clip.height_px / own.shape[0]
        box = ((left + width / 2) * x_px, (top + height / 2) * y_px, width * x_px, height * y_px)
        found[frame] = box if width else None
    known = [box for box in found.values() if box is not None]
    boxes: dict[int, tuple[float, float, float, float]] = {}
    last = known[0] if known else None
    for frame, each in found.items():
        last = each or last
        if last is not None:
            boxes[frame] = last
    return boxes
