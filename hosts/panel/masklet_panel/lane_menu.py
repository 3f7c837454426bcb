"""What can be done at a place of the timeline: begin and end the range, lock and unlock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.hosting import object_edits
from masklet.hosting.shown.time_map import Part, with_in, with_out
from masklet.phrases import phrase
from masklet.types import FrameRange
from masklet_panel.qt import QtWidgets

if TYPE_CHECKING:
    from masklet.hosting.shown.time_map import Hit
    from masklet_panel.panel_model import PanelModel


def range_menu(model: PanelModel, found: Hit, parent: QtWidgets.QWidget) -> QtWidgets.QMenu:
    """The menu of a place; locks are of the lane under it, or of the chosen objects."""
    menu = QtWidgets.QMenu(parent)
    frame, span = found.frame, model.span or FrameRange(found.frame, found.frame)
    menu.addAction(phrase("Range begins at {frame}", frame=frame)).triggered.connect(
        lambda *_: model.set_span(with_in(model.span, frame, model.frames))
    )
    menu.addAction(phrase("Range ends at {frame}", frame=frame)).triggered.connect(
        lambda *_: model.set_span(with_out(model.span, frame, model.frames))
    )
    whole = menu.addAction(phrase("The whole plate"))
    whole.setEnabled(model.span is not None)
    whole.triggered.connect(lambda *_: model.set_span(None))
    menu.addSeparator()
    uids = [model.objects[found.lane].uid] if found.part is Part.LANE else list(model.selected)
    words = str(span.first) if span.first == span.last else f"{span.first}-{span.last}"
    for locks, text in (
        (True, phrase("Lock {range}", range=words)),
        (False, phrase("Unlock {range}", range=words)),
    ):
        action = menu.addAction(text)
        action.setEnabled(bool(uids))
        action.triggered.connect(lambda *_, locks=locks: _lock(model, uids, span, locks=locks))
    return menu


def _lock(model: PanelModel, uids: list[str], span: FrameRange, *, locks: bool) -> None:
    model.edit(object_edits.locked(model.document, uids, span, locks=locks))
