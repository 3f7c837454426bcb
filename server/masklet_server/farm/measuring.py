"""Measures of written mattes against their plate: size, place, flicker, and what lies under the prompts.

What is measured here is judged in :mod:`masklet.farm.quality`. Shape letters: H and W are those of the small
pictures that are compared; whole mattes are read under prompts alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from masklet.errors import ClipError, MaskletError
from masklet_server.farm.measure_request import BoxEdges, MatteFile, MeasureRequest
from masklet_server.farm.surroundings import Surroundings
from masklet_server.media.source import open_clip

SIDE_PX = 384
"""Longest side of the pictures that are compared: flow is quick there, and film grain is gone."""
_INSIDE = 0.5
_MARGIN = 0.1
"""Of a box's width and height that a matte may reach beyond it: people draw with a mouse."""
_STRAY = 0.002
"""Of a matte, on each side, that does not count for how far it reaches."""
_MOST_LEARNT = 16
"""Prompted frames whose colours are counted, about."""


def measure(request: MeasureRequest) -> dict[str, Any]:
    """Measures by object and frame, as JSON can hold them.

    For each frame with a matte: ``area`` (share of the picture), ``x`` and ``y`` of its centre and
    ``moved_x``, ``moved_y`` of the plate's own motion inside the matte since the frame before (shares of the
    longest side), and ``flicker``: the share of the object that differs from the frames before and after it
    where these two, carried along by the plate's motion, agree with each other. It is None without both
    neighbours. ``around`` is the share of the matte that looks like what lay around the object where it was
    prompted (:mod:`masklet_server.farm.surroundings`), or None. ``under`` is the coverage below the points
    that were asked for; ``box`` tells of a box the ``iou`` of it and of the matte's own box, and the share of
    the matte ``beside`` it.

    Raises:
        MaskletError: The plate or a matte cannot be read.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in request.mattes}
    with open_clip(request.clip, frames=request.frames, **request.reading) as clip:
        window = _Window(request, _learnt(request, clip))
        for frame in range(request.frames.first, request.frames.last + 1):
            window.come_to(frame, _picture(clip, frame))
            for name in request.mattes:
                told = window.measured(name)
                if told is not None:
                    found[name][str(window.middle)] = told
        window.come_to(request.frames.last + 1, None)
        for name in request.mattes:
            told = window.measured(name)
            if told is not None:
                found[name][str(window.middle)] = told
    for name, frames in request.points.items():
        for frame, points in frames.items():
            own = found.get(name, {}).setdefault(str(frame), {})
            own["under"] = _under(request.mattes.get(name, {}).get(frame), points)
    for name, boxes in request.boxes.items():
        for frame, box in boxes.items():
            file = request.mattes.get(name, {}).get(frame)
            if file is not None:
                found[name].setdefault(str(frame), {})["box"] = _against_box(_read(file), box)
    return {"objects": found}


class _Window:
    """Three frames in a row; the middle one is measured."""

    def __init__(self, request: MeasureRequest, surroundings: Mapping[str, Surroundings]) -> None:
        self._request = request
        self._surroundings = surroundings
        self._colours: list[NDArray[np.uint8] | None] = [None, None, None]
        self._grey: list[NDArray[np.uint8] | None] = [None, None, None]
        self._mattes: list[dict[str, NDArray[np.float32]]] = [{}, {}, {}]
        # From the middle frame to the one before, and to the one after.
        self._flows: tuple[NDArray[np.float32] | None, NDArray[np.float32] | None] = (None, None)
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self.middle = request.frames.first - 1

    def come_to(self, newest: int, picture: NDArray[Any] | None) -> None:
        """Take in the next frame."""
        colours = None if picture is None else _colours(picture)
        self._colours = [*self._colours[1:], colours]
        self._grey = [*self._grey[1:], None if colours is None else _grey(colours)]
        mattes = {
            name: _small(_read(files[newest]))
            for name, files in self._request.mattes.items()
            if newest in files and picture is not None
        }
        self._mattes = [*self._mattes[1:], mattes]
        self.middle = newest - 1
        before, now, after = self._grey
        self._flows = (self._flow(now, before), self._flow(now, after))

    def measured(self, name: str) -> dict[str, Any] | None:
        """Of an object on the middle frame; None where it has no matte there."""
        alpha = self._mattes[1].get(name)
        if alpha is None:
            return None
        height, width = alpha.shape
        longest = max(height, width)
        total = float(alpha.sum())
        told: dict[str, Any] = {"area": total / alpha.size, "flicker": self._flicker(name, alpha)}
        colours = self._colours[1]
        if colours is not None and name in self._surroundings and colours.shape[:2] == alpha.shape:
            told["around"] = self._surroundings[name].share(colours, alpha)
        if total > 0:
            rows, columns = np.mgrid[0:height, 0:width]
            told["x"] = float((alpha * (columns + 0.5)).sum() / total / longest)
            told["y"] = float((alpha * (rows + 0.5)).sum() / total / longest)
            back = self._flows[0]
            if back is not None:
                told["moved_x"] = float(-(alpha * back[..., 0]).sum() / total / longest)
                told["moved_y"] = float(-(alpha * back[..., 1]).sum() / total / longest)
        return told

    def _flicker(self, name: str, alpha: NDArray[np.float32]) -> float | None:
        back, on = self._flows
        before, after = self._mattes[0].get(name), self._mattes[2].get(name)
        if back is None or on is None or before is None or after is None:
            return None
        then, later = _carried(before, back) > _INSIDE, _carried(after, on) > _INSIDE
        inside = alpha > _INSIDE
        size = max(int(inside.sum()), int(then.sum()), 1)
        return float(((then == later) & (inside != then)).sum() / size)

    def _flow(
        self, source: NDArray[np.uint8] | None, target: NDArray[np.uint8] | None
    ) -> NDArray[np.float32] | None:
        if source is None or target is None or source.shape != target.shape:
            return None
        flow = np.zeros((*source.shape, 2), np.float32)
        return np.asarray(self._dis.calc(source, target, flow), np.float32)


def _picture(clip: Any, frame: int) -> NDArray[Any] | None:
    """A picture of the plate; None where it has none that can be used."""
    try:
        picture: NDArray[Any] = clip.read(frame)
    except MaskletError:
        return None
    return picture


def _learnt(request: MeasureRequest, clip: Any) -> dict[str, Surroundings]:
    """What objects and their surroundings look like on the frames that they were prompted on."""
    found = {name: Surroundings() for name in request.mattes}
    wanted = sorted({frame for frames in request.prompted.values() for frame in frames})
    for frame in wanted[:: max(1, len(wanted) // _MOST_LEARNT)]:
        picture = _picture(clip, frame) if frame in request.frames else None
        if picture is None:
            continue
        colours = _colours(picture)
        for name, surroundings in found.items():
            file = request.mattes[name].get(frame)
            if file is not None and frame in request.prompted.get(name, ()):
                alpha = _small(_read(file))
                if alpha.shape == colours.shape[:2]:
                    surroundings.learn(colours, alpha)
    return found


def _against_box(alpha: NDArray[np.float32], box: BoxEdges) -> dict[str, float]:
    """How a matte agrees with a box that was drawn around its object."""
    rows, columns = np.nonzero(alpha > _INSIDE)
    if not len(rows):
        return {"iou": 0.0, "beside": 0.0}
    left, top, right, bottom = box
    across, down = _MARGIN * (right - left), _MARGIN * (bottom - top)
    x, y = columns + 0.5, rows + 0.5
    beside = (x < left - across) | (x > right + across) | (y < top - down) | (y > bottom + down)
    own_left, own_right = np.quantile(x, (_STRAY, 1 - _STRAY))
    own_top, own_bottom = np.quantile(y, (_STRAY, 1 - _STRAY))
    width = max(0.0, min(right, own_right) - max(left, own_left))
    height = max(0.0, min(bottom, own_bottom) - max(top, own_top))
    union = (right - left) * (bottom - top) + (own_right - own_left) * (own_bottom - own_top)
    return {"iou": float(width * height / (union - width * height)), "beside": float(beside.mean())}


def _colours(picture: NDArray[Any]) -> NDArray[np.uint8]:
    values = picture.astype(np.float32)
    if picture.dtype != np.uint8:
        values *= 255.0
    return np.clip(_small(values), 0, 255).astype(np.uint8)


def _grey(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(colours, cv2.COLOR_RGB2GRAY), np.uint8)


def _small(values: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = values.shape[:2]
    factor = min(1.0, SIDE_PX / max(height, width))
    size = (max(16, round(width * factor)), max(16, round(height * factor)))
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _carried(alpha: NDArray[np.float32], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """A neighbour's matte, moved to where the plate has moved by now."""
    rows, columns = np.mgrid[0 : flow.shape[0], 0 : flow.shape[1]].astype(np.float32)
    return np.asarray(
        cv2.remap(alpha, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR), np.float32
    )


def _read(file: MatteFile) -> NDArray[np.float32]:
    """The coverage in the display window, ``(height, width)`` of the plate."""
    buffer = oiio.ImageBuf(str(file.path))
    names = buffer.spec().channelnames
    if buffer.has_error or file.channel not in names:
        raise ClipError(f"{file.path.name} cannot be read, or has no {file.channel}: make the mattes again")
    pixels = buffer.get_pixels(oiio.FLOAT, oiio.get_roi_full(buffer.spec()))
    if pixels is None:
        raise ClipError(f"{file.path.name} cannot be read: {buffer.geterror()}")
    return np.ascontiguousarray(pixels[..., names.index(file.channel)], np.float32)


def _under(file: MatteFile | None, points: Sequence[tuple[float, float]]) -> list[float]:
    """The coverage of the pixels that some points lie in; of one beside the picture that of its edge."""
    if file is None:
        return [0.0 for _ in points]
    alpha = _read(file)
    height, width = alpha.shape
    found = []
    for x_px, y_px in points:
        column, row = min(max(int(x_px), 0), width - 1), min(max(int(y_px), 0), height - 1)
        found.append(float(alpha[row, column]))
    return found
