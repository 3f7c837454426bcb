"""Splines and anchors of objects, for the viewer: made once they are looked at and masks are at rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.anchors import Absence, AnchorKind, AnchorTrack
from masklet.hosting.work import plate_work
from masklet.phrases import phrase
from masklet.shapes import ObjectShapes
from masklet_panel.qt import QtCore, Signal

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.errors import MaskletError
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.plate_session import PlateSession
    from masklet_panel.panel_model import PanelModel
    from masklet_panel.view_state import ViewState

TOLERANCE_PX = 1.0
_REST_MS = 700
_SHAPES, _ANCHOR = "shapes", "anchor"


@dataclass(frozen=True)
class _Held:
    """What was made, and of which masks."""

    made: ObjectShapes | AnchorTrack | None
    of: object


class GeometryStore(QtCore.QObject):
    """Has the active object's spline and anchor made while they show; those of others stay as they were.

    Args:
        model: Whose objects.
        view: Says what is shown.
    """

    changed = Signal()

    def __init__(self, model: PanelModel, view: ViewState) -> None:
        super().__init__(model)
        self._model, self._view = model, view
        self._held: dict[tuple[str, str], _Held] = {}
        self._job: Job | None = None
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST_MS)
        self._timer.timeout.connect(self._make)
        for signal in (model.states_changed, model.document_changed, model.selection_changed, view.changed):
            signal.connect(self._look)
        model.plate_changed.connect(self._plate_changed)
        self._plate: object = None

    def shapes(self, uid: str) -> ObjectShapes | None:
        """The spline of an object as it was fitted last; None where it was not."""
        held = self._held.get((_SHAPES, uid))
        return held.made if held is not None and isinstance(held.made, ObjectShapes) else None

    def anchor(self, uid: str) -> AnchorTrack | None:
        """The anchor of an object as it was made last."""
        held = self._held.get((_ANCHOR, uid))
        return held.made if held is not None and isinstance(held.made, AnchorTrack) else None

    def _look(self) -> None:
        if self._job is None and self._wanted() is not None:
            self._timer.start()

    def _wanted(self) -> tuple[str, str] | None:
        """What is shown and out of date."""
        model, look = self._model, self._view.look
        uid = model.active
        if not uid or model.clip is None or not model.strips(uid):
            return None
        for kind, is_shown in ((_SHAPES, look.shows_splines), (_ANCHOR, look.shows_anchors)):
            held = self._held.get((kind, uid))
            if is_shown and (held is None or held.of != self._stamp(uid)):
                return kind, uid
        return None

    def _make(self) -> None:
        wanted, model = self._wanted(), self._model
        if wanted is None or self._job is not None:
            return
        if model.job is not None or model.host.is_playing:
            # Whatever the artist waits for goes first.
            self._timer.start()
            return
        kind, uid = wanted
        stamp = self._stamp(uid)

        def work(session: PlateSession, job: Job, server: Server) -> Iterator[object]:
            if kind == _SHAPES:
                return plate_work.shapes(session, job, server, uid, tolerance_px=TOLERANCE_PX)
            return plate_work.anchor(
                session,
                job,
                server,
                uid,
                kind=AnchorKind.SIMILARITY,
                absence=Absence.HOLD,
                reference_frame=None,
                point_px=None,
                smoothing_frames=0.0,
            )

        def made(value: object) -> None:
            if isinstance(value, (ObjectShapes, AnchorTrack)):
                self._held[kind, uid] = _Held(value, stamp)
                self.changed.emit()

        def ended(error: MaskletError | None, job: Job) -> None:
            del job
            self._job = None
            if error is not None:
                # Not again until something changes.
                self._held[kind, uid] = _Held(None, stamp)
            self._look()

        name = phrase("Fitting the spline") if kind == _SHAPES else phrase("Making the anchor")
        self._job = model.start(name, work, on_made=made, on_end=ended)

    def _stamp(self, uid: str) -> object:
        """What the masks of an object are made of; another value when they may be others."""
        return self._model.said(uid), self._model.strips(uid)

    def _plate_changed(self) -> None:
        if self._model.plate is not self._plate:
            self._plate = self._model.plate
            self._held, self._job = {}, None
            self._timer.stop()
