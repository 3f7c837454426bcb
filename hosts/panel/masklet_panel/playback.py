"""Plays the plate: forward, backward, faster, round and round between in and out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from masklet_panel.qt import QtCore, Signal

if TYPE_CHECKING:
    from masklet.types import FrameRange
    from masklet_panel.panel_model import PanelModel
    from masklet_panel.picture_store import PictureStore

FRAMES_PER_S = 24.0
"""Where neither files nor artist say a rate."""
_MAX_SPEED = 8
_TICK_MS = 4


class Playback(QtCore.QObject):
    """Moves the playhead at the plate's rate; frames whose pictures are not here yet are waited for.

    Args:
        model: Whose playhead.
        pictures: Has them.
    """

    changed = Signal()

    def __init__(self, model: PanelModel, pictures: PictureStore) -> None:
        super().__init__(model)
        self._model = model
        self._pictures = pictures
        self._due_s = 0.0
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.setTimerType(QtCore.Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        model.plate_changed.connect(self._plate_changed)
        self.shown_per_s = 0.0
        """Frames that were shown in the last second of playing."""
        self._shown_s: list[float] = []

    @property
    def speed(self) -> int:
        """0 when it stands; 1 forward at the plate's rate, 2 twice as fast, -1 backward."""
        return self._model.host.speed

    @property
    def frames_per_s(self) -> float:
        """The plate's rate."""
        clip = self._model.clip
        return (clip.frames_per_s if clip is not None else None) or FRAMES_PER_S

    @property
    def span(self) -> FrameRange:
        """Between in and out, or the whole plate."""
        return self._model.span or self._model.frames

    def play(self, direction: int = 1) -> None:
        """Play forward (1) or backward (-1); again for twice as fast."""
        if self._model.plate is None or len(self.span) < 2:
            return
        same_way = self.speed * direction > 0
        self._set_speed(self.speed * 2 if same_way and abs(self.speed) < _MAX_SPEED else direction)

    def stop(self) -> None:
        """Stand."""
        self._set_speed(0)

    def toggle(self) -> None:
        """Play, or stand."""
        self._set_speed(0 if self.speed else 1)

    def step(self, frames: int) -> None:
        """Stand, and go so many frames on."""
        self.stop()
        self._model.go_to(self._model.frame + frames)

    def _set_speed(self, speed: int) -> None:
        if self._model.plate is None:
            speed = 0
        if speed == self.speed:
            return
        self._model.host.speed = speed
        self._due_s = time.perf_counter() + self._frame_s
        self._shown_s = []
        if speed:
            self._timer.start()
        else:
            self._timer.stop()
            # What is not fetched while it plays is fetched now.
            self._model.masks_changed.emit()
        self.changed.emit()

    @property
    def _frame_s(self) -> float:
        return 1.0 / (self.frames_per_s * max(1, abs(self.speed)))

    def _tick(self) -> None:
        now_s = time.perf_counter()
        if now_s < self._due_s:
            return
        span, frame = self.span, self._model.frame
        # Late by more than a frame, those in between are left out: the rate is what is looked at.
        steps = 1 + int((now_s - self._due_s) / self._frame_s)
        length = len(span)
        place = (frame - span.first + (steps if self.speed > 0 else -steps)) % length
        wanted = span.first + place
        if not self._pictures.has(wanted):
            after = span.first + (frame - span.first + (1 if self.speed > 0 else -1)) % length
            self._pictures.want(wanted)
            if not self._pictures.has(after):
                self._due_s = now_s
                return
            wanted, steps = after, 1
        self._due_s = max(self._due_s + steps * self._frame_s, now_s - self._frame_s)
        self._shown_s = [shown_s for shown_s in self._shown_s if now_s - shown_s < 1.0] + [now_s]
        self.shown_per_s = float(len(self._shown_s))
        self._model.go_to(wanted)

    def _plate_changed(self) -> None:
        if self._model.plate is None:
            self.stop()
