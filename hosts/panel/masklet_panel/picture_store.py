"""Pictures of the plate as the viewer draws them: fetched ahead of the playhead, kept while they fit."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.hosting.work import view_work
from masklet.hosting.work.plate_events import ResultCame
from masklet.phrases import phrase
from masklet.pictures import Grade, Picture, PictureRequest
from masklet_panel.qt import QtCore, QtGui, Signal

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.errors import MaskletError
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.plate_session import PlateSession
    from masklet_panel.panel_model import PanelModel

LIMIT_BYTES = 1 << 30
"""Of decoded pictures: 600 of 854 x 480, or 30 in 4K."""
_SIDES_PX = (256, 512, 1024, 1536, 2048, 3072, 4096, 6144, 8192)
_BATCH_S = 0.2
"""A request brings what comes in so long: where the hand goes meanwhile decides about the next one."""
_MAX_BATCH = 24
_LATER_MS = 200
_AGAIN_S = 3.0
"""After a failure, such as a server that is gone, nothing is asked for so long."""


@dataclass(frozen=True)
class _Key:
    frame: int
    side_px: int
    grade: Grade


@dataclass(frozen=True)
class _Decoded:
    """A picture ready to be drawn."""

    key: _Key
    image: QtGui.QImage
    reason: str


class PictureStore(QtCore.QObject):
    """Has pictures of the plate.

    Args:
        model: Whose plate.
        limit_bytes: Of decoded pictures.
    """

    arrived = Signal(int)
    """The frame of a picture that came."""

    def __init__(self, model: PanelModel, limit_bytes: int = LIMIT_BYTES) -> None:
        super().__init__(model)
        self._model = model
        self._limit_bytes = limit_bytes
        self._images: OrderedDict[_Key, QtGui.QImage] = OrderedDict()
        self._reasons: dict[int, str] = {}
        self._held_bytes = 0
        self._side_px = 1024
        self._grade = Grade()
        self._job: Job | None = None
        self._per_picture_s = 0.05
        self._wait_until_s = 0.0
        self._wanted = 0
        self._plate: object = None
        self._later = QtCore.QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_LATER_MS)
        self._later.timeout.connect(lambda: self.want(self._model.frame))
        model.plate_changed.connect(self._plate_changed)

    def show(self, side_px: float, grade: Grade) -> None:
        """What size and grade the viewer draws now; pictures are asked for so."""
        longest_px = max(self._plate_size())
        side_px = next((side for side in _SIDES_PX if side >= side_px), _SIDES_PX[-1])
        # A plate that is hardly larger is shown as it is.
        self._side_px = 0 if side_px * 1.2 >= longest_px else side_px
        self._grade = grade

    def get(self, frame: int) -> QtGui.QImage | None:
        """The picture as it is wanted, or the best there is of this frame; None where there is none."""
        image = self._images.get(self._key(frame))
        if image is not None:
            self._images.move_to_end(self._key(frame))
            return image
        others = [key for key in self._images if key.frame == frame and key.grade == self._grade]
        others = others or [key for key in self._images if key.frame == frame]
        best = max(others, key=lambda key: key.side_px or 1 << 20, default=None)
        return None if best is None else self._images[best]

    def has(self, frame: int) -> bool:
        """True where the picture is here as it is wanted, or there will never be one."""
        return self._key(frame) in self._images or frame in self._reasons

    def reason(self, frame: int) -> str:
        """Why a frame has no picture; empty where it may have one."""
        return self._reasons.get(frame, "")

    @property
    def frames(self) -> frozenset[int]:
        """Those whose pictures are here as they are wanted."""
        return frozenset(key.frame for key in self._images if self._key(key.frame) == key)

    def want(self, frame: int) -> None:
        """Have the picture of a frame come, and those that are looked at next."""
        self._wanted = frame
        if self._job is None and time.monotonic() >= self._wait_until_s:
            self._fetch()

    def retry(self) -> None:
        """The server can be reached again, say."""
        self._wait_until_s = 0.0
        self._reasons.clear()
        self.want(self._model.frame)

    def _fetch(self) -> None:
        model = self._model
        if model.plate is None:
            return
        frames = self._next_frames()
        if not frames:
            if self._is_in_the_way():
                self._later.start()
            return
        request = PictureRequest(frames, self._side_px, self._grade)
        keys = {frame: self._key(frame) for frame in frames}
        began_s = time.monotonic()

        def work(session: PlateSession, job: Job, server: Server) -> Iterator[object]:
            for event in view_work.pictures(session, job, server, request):
                if isinstance(event, ResultCame) and isinstance(event.value, Picture):
                    yield ResultCame(_decoded(keys[event.value.frame], event.value))
                else:
                    yield event

        def ended(error: MaskletError | None, job: Job) -> None:
            self._job = None
            if error is not None:
                self._wait_until_s = time.monotonic() + _AGAIN_S
                QtCore.QTimer.singleShot(round(_AGAIN_S * 1000) + 50, self._ask_again)
                return
            self._per_picture_s = max(0.002, (time.monotonic() - began_s) / len(frames))
            if model.plate is not None and self._plate is model.plate:
                self._fetch()

        self._plate = model.plate
        self._job = model.start(
            phrase("Reading pictures"), work, on_made=self._take, on_end=ended, is_long=False
        )
        if self._job is None:
            self._wait_until_s = time.monotonic() + _AGAIN_S

    def _next_frames(self) -> tuple[int, ...]:
        """Those that are wanted most and not here: the one that shows, then what is played next."""
        model = self._model
        span = model.span or model.frames
        fitting = max(8, self._limit_bytes // max(1, self._bytes_of_one()))
        batch = max(1, min(_MAX_BATCH, int(_BATCH_S / self._per_picture_s)))
        backward = model.host.speed < 0
        found: list[int] = [] if self.has(self._wanted) else [self._wanted]
        if self._is_in_the_way():
            return tuple(found)
        ahead = min(len(span), int(fitting * 0.8))
        for distance in range(1, ahead):
            if len(found) >= batch:
                break
            step = -distance if backward else distance
            frame = span.first + (self._wanted + step - span.first) % len(span)
            if not self.has(frame):
                found.append(frame)
        return tuple(found)

    def _is_in_the_way(self) -> bool:
        """True while a click or a track needs the machine: pictures that nobody looks at yet can wait."""
        model = self._model
        return not model.host.is_playing and any(job is not self._job for job in model.loop.board.jobs)

    def _take(self, value: object) -> None:
        if not isinstance(value, _Decoded) or self._plate is not self._model.plate:
            return
        if value.reason:
            self._reasons[value.key.frame] = value.reason
        else:
            self._put(value.key, value.image)
        self.arrived.emit(value.key.frame)

    def _put(self, key: _Key, image: QtGui.QImage) -> None:
        old = self._images.pop(key, None)
        if old is not None:
            self._held_bytes -= _bytes_in(old)
        self._images[key] = image
        self._held_bytes += _bytes_in(image)
        while self._held_bytes > self._limit_bytes and len(self._images) > 1:
            gone = next((each for each in self._images if each.grade != self._grade), None)
            gone = gone or self._furthest()
            self._held_bytes -= _bytes_in(self._images.pop(gone))

    def _furthest(self) -> _Key:
        """What is looked at last when it plays on."""
        span = self._model.frames
        backward = self._model.host.speed < 0

        def ahead(key: _Key) -> int:
            distance = self._wanted - key.frame if backward else key.frame - self._wanted
            return distance % len(span)

        return max(self._images, key=ahead)

    def _key(self, frame: int) -> _Key:
        return _Key(frame, self._side_px, self._grade)

    def _plate_size(self) -> tuple[int, int]:
        kept = self._model.kept
        shape = None if kept is None else kept.shape
        return (1 << 14, 1 << 14) if shape is None else (shape.width_px, shape.height_px)

    def _bytes_of_one(self) -> int:
        width_px, height_px = self._plate_size()
        scale = min(1.0, (self._side_px or 1 << 20) / max(width_px, height_px))
        return int(width_px * height_px * scale * scale * 4)

    def _ask_again(self) -> None:
        if not self.has(self._wanted):
            self.want(self._wanted)

    def _plate_changed(self) -> None:
        if self._model.plate is self._plate and self._plate is not None:
            return
        self._images.clear()
        self._reasons.clear()
        self._held_bytes, self._wait_until_s, self._plate = 0, 0.0, self._model.plate
        self._job = None


def _decoded(key: _Key, picture: Picture) -> _Decoded:
    """In the job's thread: decoding takes longer than the interface may stand still."""
    if not picture.jpeg:
        return _Decoded(key, QtGui.QImage(), picture.reason)
    image = QtGui.QImage.fromData(picture.jpeg)
    if image.isNull():
        return _Decoded(key, image, phrase("the picture that came cannot be decoded: update masklet"))
    # As it is painted, so that painting converts nothing.
    return _Decoded(key, image.convertToFormat(QtGui.QImage.Format.Format_RGB32), "")


def _bytes_in(image: QtGui.QImage) -> int:
    return int(image.bytesPerLine()) * int(image.height())
