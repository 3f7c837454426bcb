"""Things found on the frame that shows, and the hand that takes them: one click makes one an object."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.hosting.notices import Notice, notice_of
from masklet.hosting.prompting import taken
from masklet.hosting.shown.found_things import FoundThing, FoundThings
from masklet.hosting.work import view_work
from masklet.phrases import phrase
from masklet_panel.panel_model import new_name
from masklet_panel.qt import QtCore, Signal

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.plate_session import PlateSession
    from masklet_panel.panel_model import PanelModel


class Finding(QtCore.QObject):
    """What was found on a frame and not taken yet.

    Args:
        model: What is open.
    """

    changed = Signal()

    def __init__(self, model: PanelModel) -> None:
        super().__init__(model)
        self._model = model
        self._hovered: FoundThing | None = None
        model.frame_changed.connect(self._look_elsewhere)
        model.plate_changed.connect(self.clear)

    @property
    def things(self) -> tuple[FoundThing, ...]:
        """On the frame that shows, the best first."""
        found = self._found
        return () if found is None or found.frame != self._model.frame else found.things

    @property
    def hovered(self) -> FoundThing | None:
        """The one under the hand; a click takes it."""
        return self._hovered if self._hovered in self.things else None

    def find(self, *, alike: bool = False) -> None:
        """Look for everything on the frame that shows, or for all that looks like the active object."""
        model = self._model
        like, frame = (model.active if alike else ""), model.frame
        if model.plate is None:
            return
        if alike and not like:
            model.tell(Notice(phrase("choose an object first: what looks like it is found"), is_alarm=False))
            return
        self.clear()

        def work(session: PlateSession, job: Job, server: Server) -> Iterator[object]:
            return view_work.find(session, job, server, frame, like=like)

        model.start(phrase("Finding"), work, on_made=self._came)

    def point_at(self, x_px: float, y_px: float) -> bool:
        """The hand is here; True where it is on a thing."""
        under = self._at(x_px, y_px)
        if under != self._hovered:
            self._hovered = under
            self.changed.emit()
        return under is not None

    def take(self, x_px: float, y_px: float) -> bool:
        """Make the thing under a place an object; True where there was one."""
        thing, model = self._at(x_px, y_px), self._model
        if thing is None or self._found is None:
            return False
        try:
            document, uid = taken(model.document, thing, new_name(model.document))
        except MaskletError as error:
            model.tell(notice_of(error))
            return True
        self._keep(self._found.without((thing.number,)))
        model.edit(document)
        model.select((uid,))
        return True

    def clear(self) -> None:
        """Show nothing that was found any more."""
        if self._found is not None:
            self._model.loop.dismiss(self._model.plate)
        self._keep(None)

    @property
    def _found(self) -> FoundThings | None:
        memory = self._model.memory
        return None if memory is None else memory.found

    def _keep(self, found: FoundThings | None) -> None:
        memory = self._model.memory
        if memory is not None and memory.found is not found:
            memory.found = found
        self._hovered = None
        self.changed.emit()

    def _at(self, x_px: float, y_px: float) -> FoundThing | None:
        width_px, height_px = self._model.size_px
        if not self.things or not (width_px and height_px) or self._found is None:
            return None
        return self._found.at(x_px / width_px, y_px / height_px)

    def _came(self, value: object) -> None:
        if not isinstance(value, FoundThings):
            return
        self._keep(value)
        words = phrase(
            "{count} things were found: click those you want, Esc when done", count=len(value.things)
        )
        if len(value.things) == 1:
            words = phrase("One thing was found: click it, if you want it, Esc when done")
        elif not value.things:
            words = phrase("nothing was found on this frame: click what you want instead")
        self._model.tell(Notice(words, is_alarm=False))

    def _look_elsewhere(self) -> None:
        self._hovered = None
        self.changed.emit()
