"""Measures of written mattes against their plate: size, place, flicker, and what lies under the prompts.

What is measured here is judged in :mod:`masklet.farm.quality`. Shape letters: H and W are those of the small
pictures that are compared; whole mattes are read under prompts alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from masklet.errors import BadInputError, ClipError, MaskletError
from masklet.types import FrameRange
from masklet_server.media.source import open_clip

SIDE_PX = 384
"""Longest side of the pictures that are compared: flow is quick there, and film grain is gone."""
_INSIDE = 0.5


@dataclass(frozen=True)
class MatteFile:
    """Where the matte of one object on one frame lies."""

    path: Path
    channel: str


@dataclass(frozen=True)
class MeasureRequest:
    """What is measured.

    Attributes:
        clip: The plate.
        reading: Words of :func:`masklet_server.media.source.open_clip`.
        frames: The range.
        mattes: By object, then frame.
        points: By object and frame: x and y in pixels of the plate, below which the matte is read.
    """

    clip: str
    reading: Mapping[str, Any]
    frames: FrameRange
    mattes: Mapping[str, Mapping[int, MatteFile]]
    points: Mapping[str, Mapping[int, Sequence[tuple[float, float]]]]


def request_from_json(content: Any) -> MeasureRequest:
    """The request in parsed JSON.

    Raises:
        BadInputError: It is none.
    """
    try:
        first, last = content["frames"]
        return MeasureRequest(
            str(content["clip"]),
            dict(content["reading"]),
            FrameRange(int(first), int(last)),
            {
                str(name): {
                    int(frame): MatteFile(Path(path), str(channel))
                    for frame, (path, channel) in files.items()
                }
                for name, files in content["mattes"].items()
            },
            {
                str(name): {
                    int(frame): [(float(x_px), float(y_px)) for x_px, y_px in points]
                    for frame, points in frames.items()
                }
                for name, frames in content["points"].items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInputError(f"this is no request to measure mattes ({error})") from error


def measure(request: MeasureRequest) -> dict[str, Any]:
    """Measures by object and frame, as JSON can hold them.

    For each frame with a matte: ``area`` (share of the picture), ``x`` and ``y`` of its centre and
    ``moved_x``, ``moved_y`` of the plate's own motion inside the matte since the frame before (shares of the
    longest side), and ``flicker``: the share of the object that differs from the frames before and after it
    where these two, carried along by the plate's motion, agree with each other. It is None without both
    neighbours. ``under`` is the coverage below the points that were asked for.

    Raises:
        MaskletError: The plate or a matte cannot be read.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in request.mattes}
    with open_clip(request.clip, frames=request.frames, **request.reading) as clip:
        window = _Window(request)
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
    return {"objects": found}


class _Window:
    """Three frames in a row; the middle one is measured."""

    def __init__(self, request: MeasureRequest) -> None:
        self._request = request
        self._grey: list[NDArray[np.uint8] | None] = [None, None, None]
        self._mattes: list[dict[str, NDArray[np.float32]]] = [{}, {}, {}]
        # From the middle frame to the one before, and to the one after.
        self._flows: tuple[NDArray[np.float32] | None, NDArray[np.float32] | None] = (None, None)
        self._dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self.middle = request.frames.first - 1

    def come_to(self, newest: int, picture: NDArray[Any] | None) -> None:
        """Take in the next frame."""
        self._grey = [*self._grey[1:], None if picture is None else _grey(picture)]
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


def _grey(picture: NDArray[Any]) -> NDArray[np.uint8]:
    values = picture.astype(np.float32)
    if picture.dtype != np.uint8:
        values *= 255.0
    small = _small(values)
    return np.clip(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), 0, 255).astype(np.uint8)


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
