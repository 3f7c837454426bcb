"""Find Again: places that look like the object, in a menu that shows each in the viewer first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Optional

from masklet.errors import MaskletError
from masklet.hosting.found_places import accepted, found_sentence, place_label
from masklet.hosting.notices import Notice, notice_of
from masklet.hosting.shown.overlay_masks import PackedMask
from masklet.hosting.work import finding
from masklet.hosting.work.finding import FoundPlaces
from masklet.phrases import phrase
from masklet.said.documents import find
from masklet_panel.qt import QtCore, QtWidgets, Signal

if TYPE_CHECKING:
    from masklet_panel.panel_model import PanelModel

    Show = Callable[[Optional[PackedMask]], None]
    """Shows a mask as what a click would give; None takes it away."""


class Finding(QtCore.QObject):
    """Looks for the active object on the frame that shows.

    Args:
        model: Whose plate.
        show: Of the viewer.
    """

    found = Signal(object)
    """The menu, with an entry for each place; whoever knows where opens it."""

    def __init__(self, model: PanelModel, show: Show) -> None:
        super().__init__(model)
        self._model, self._show = model, show

    def look(self) -> None:
        """Ask the server; nothing is said by it."""
        model = self._model
        uid, frame = model.active, model.frame
        if find(model.document, uid) is None:
            model.tell(Notice(phrase("Choose the object first that is to be found again"), is_alarm=False))
            return
        model.start(
            phrase("Finding again"),
            lambda session, job, server: finding.find_again(session, job, server, uid, frame),
            on_made=self._made,
        )

    def take(self, found: FoundPlaces, number: int) -> None:
        """Say that the object is at a place, with a click."""
        model = self._model
        self._show(None)
        try:
            document = tuple(
                accepted(said, found, number) if said.uid == found.uid else said for said in model.document
            )
        except MaskletError as error:
            model.tell(notice_of(error))
            return
        model.loop.dismiss(model.plate)
        model.edit(document)

    def _made(self, value: object) -> None:
        if not isinstance(value, FoundPlaces):
            return
        model = self._model
        said = find(model.document, value.uid)
        name = "" if said is None else said.name
        model.tell(Notice(found_sentence(name, value.frame, value), is_alarm=False))
        if value.places and (value.uid, value.frame) == (model.active, model.frame):
            self.found.emit(self._menu(value))

    def _menu(self, found: FoundPlaces) -> QtWidgets.QMenu:
        menu = QtWidgets.QMenu()
        menu.setAccessibleName(phrase("Places that look like the object"))
        for number, place in enumerate(found.places, 1):
            # Its number is its key.
            entry = menu.addAction(f"&{place_label(found, number)}")
            entry.hovered.connect(lambda mask=place.mask: self._show(mask))
            entry.triggered.connect(lambda *_, number=number: self.take(found, number))
        menu.aboutToHide.connect(lambda: self._show(None))
        return menu
