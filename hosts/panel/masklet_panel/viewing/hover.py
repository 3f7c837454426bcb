"""What a click under the hand would give, before it is made: one question at a time, the newest place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from masklet.hosting.shown.overlay_masks import PackedMask
from masklet.hosting.work import view_work
from masklet.phrases import phrase
from masklet.types import Click
from masklet_panel.qt import QtCore, Signal

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.errors import MaskletError
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.plate_session import PlateSession
    from masklet_panel.workspace import Workspace

_REST_S = 0.045
"""The hand is asked about once it is this slow, or again after an answer."""
_SHARE = 0.6
"""Of the time that an answer took, the device is left alone after it."""


class Hover(QtCore.QObject):
    """Asks what a click would give.

    Args:
        workspace: Whose plate.
    """

    changed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace.model)
        self._workspace = workspace
        self._wanted: Click | None = None
        self._asked: tuple[Click, int, str] | None = None
        self._mask: PackedMask | None = None
        self._shown_for: tuple[int, str] | None = None
        self._job: Job | None = None
        self._asked_s = 0.0
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._ask)
        model = workspace.model
        model.frame_changed.connect(self.clear)
        model.plate_changed.connect(self.clear)
        model.selection_changed.connect(self.clear)

    @property
    def mask(self) -> PackedMask | None:
        """Of the last answer, while it is about the frame and the object that show."""
        model = self._workspace.model
        return self._mask if self._shown_for == (model.frame, model.active) else None

    @property
    def is_asking(self) -> bool:
        """True while an answer is waited for."""
        return self._job is not None

    def point_at(self, click: Click) -> None:
        """The hand is here now."""
        self._wanted = click
        if self._job is None and not self._timer.isActive():
            self._timer.start(round(_REST_S * 1000))

    def show(self, mask: PackedMask | None) -> None:
        """Show this mask on the frame that shows, as what a click would give; None takes it away."""
        self.clear()
        if mask is not None:
            model = self._workspace.model
            self._mask, self._shown_for = mask, (model.frame, model.active)
            self.changed.emit()

    def clear(self) -> None:
        """The hand has left, or what it said is being done."""
        self._wanted = None
        self._timer.stop()
        if self._mask is not None:
            self._mask = self._shown_for = None
            self.changed.emit()

    def _ask(self) -> None:
        model, click = self._workspace.model, self._wanted
        if click is None or self._job is not None or model.host.is_playing or model.clip is None:
            return
        prompts = self._workspace.saying.preview_prompts(click)
        if prompts is None:
            return
        uid, frame = model.active, model.frame
        asked = (click, frame, uid)
        if asked == self._asked and self._mask is not None:
            return
        self._asked, self._asked_s = asked, time.monotonic()

        def work(session: PlateSession, job: Job, server: Server) -> Iterator[object]:
            return view_work.preview(session, job, server, uid, prompts)

        def made(value: object) -> None:
            # An answer that comes late is about another frame, or about a hand that has gone.
            if isinstance(value, PackedMask) and self._wanted is not None and model.frame == frame:
                self._mask, self._shown_for = value, (frame, uid)
                self.changed.emit()

        self._job = model.start(
            phrase("Looking ahead"), work, on_made=made, on_end=self._answered, is_long=False
        )

    def _answered(self, error: MaskletError | None, job: Job) -> None:
        del error, job
        self._job = None
        took_s = time.monotonic() - self._asked_s
        if self._wanted is not None and (self._asked is None or self._wanted != self._asked[0]):
            self._timer.start(round(max(_REST_S, took_s * _SHARE) * 1000))
