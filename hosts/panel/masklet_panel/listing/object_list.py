"""The list of objects with its buttons: name, colour, eye, solo, padlock, copy, merge, delete, order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.hosting import object_edits
from masklet.hosting.shortcuts import Action
from masklet.hosting.shown.palette import PALETTE
from masklet.phrases import phrase
from masklet.said.documents import SaidObject, new_uid
from masklet_panel import theme
from masklet_panel.controls import SymbolButton, row, spacer
from masklet_panel.listing.object_delegate import ObjectDelegate
from masklet_panel.listing.object_table import Column, ObjectTable
from masklet_panel.panel_model import new_name
from masklet_panel.qt import QtCore, QtGui, QtWidgets
from masklet_panel.symbols import Symbol
from masklet_panel.thumbnails import no_pictures

if TYPE_CHECKING:
    from masklet.hosting.shown.palette import Colour
    from masklet_panel.panel_model import PanelModel
    from masklet_panel.thumbnails import Pictures

_COLOUR_NAMES = (
    phrase("Sky"),
    phrase("Orange"),
    phrase("Lime"),
    phrase("Raspberry"),
    phrase("Aqua"),
    phrase("Violet"),
    phrase("Red"),
    phrase("Blue"),
)


class ObjectView(QtWidgets.QTableView):
    """The rows; letters and digits are shortcuts here, and look for no name."""

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        """Move and tick; whatever else is pressed is for the panel."""
        keys = QtCore.Qt.Key
        plain = event.modifiers() in (
            QtCore.Qt.KeyboardModifier.NoModifier,
            QtCore.Qt.KeyboardModifier.ShiftModifier,
            QtCore.Qt.KeyboardModifier.KeypadModifier,
        )
        moves = (
            keys.Key_Up,
            keys.Key_Down,
            keys.Key_PageUp,
            keys.Key_PageDown,
            keys.Key_Tab,
            keys.Key_Backtab,
        )
        cells = (keys.Key_Left, keys.Key_Right, keys.Key_Space, keys.Key_F2, keys.Key_Return, keys.Key_Enter)
        is_cell = event.key() in cells and self.currentIndex().isValid()
        if plain and (event.key() in moves or is_cell):
            super().keyPressEvent(event)
        else:
            event.ignore()


class ObjectList(QtWidgets.QWidget):
    """All objects, and what can be done to them.

    Args:
        model: Whose objects.
        pictures: Of the plate, for small pictures.
        parent: As ever.
    """

    def __init__(
        self, model: PanelModel, pictures: Pictures = no_pictures, parent: QtWidgets.QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._model = model
        self._follows = False
        self.table = ObjectTable(model)
        self.view = ObjectView(self)
        self._dress_view(pictures)
        self._buttons = {
            Symbol.NEW: self._button(Symbol.NEW, phrase("New object"), Action.NEW_OBJECT, self.add),
            Symbol.DUPLICATE: self._button(
                Symbol.DUPLICATE, phrase("Duplicate"), Action.DUPLICATE_OBJECT, self.duplicate
            ),
            Symbol.MERGE: self._button(
                Symbol.MERGE, phrase("Make one object of those chosen"), Action.MERGE_OBJECTS, self.merge
            ),
            Symbol.UP: self._button(Symbol.UP, phrase("Move up"), None, lambda: self.move_active(-1)),
            Symbol.DOWN: self._button(Symbol.DOWN, phrase("Move down"), None, lambda: self.move_active(1)),
            Symbol.DELETE: self._button(Symbol.DELETE, phrase("Delete"), Action.DELETE_OBJECT, self.delete),
        }
        buttons = list(self._buttons.values())
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.view, 1)
        column.addWidget(row(*buttons[:5], spacer(), buttons[5], margin=2))
        for signal in (model.document_changed, model.selection_changed, model.plate_changed):
            signal.connect(self._follow)
        for signal in (model.frame_changed, model.masks_changed):
            signal.connect(self.redraw_pictures)
        self._follow()

    def redraw_pictures(self) -> None:
        """Draw small pictures again, and what stands beside them; nothing else changes with a frame."""
        left_px = self.view.horizontalHeader().sectionViewportPosition(Column.NAME)
        port = self.view.viewport()
        port.update(left_px, 0, port.width() - left_px, port.height())

    def add(self) -> None:
        """A new object, which the next click is about."""
        if self._model.plate is None:
            return
        made = SaidObject(new_uid(), new_name(self._model.document))
        self._model.edit((*self._model.document, made))
        self._model.select((made.uid,))

    def duplicate(self) -> None:
        """A copy of every chosen object, with what is said about it."""
        document, copies = self._model.document, []
        for uid in self._model.selected:
            document, copy = object_edits.duplicated(document, uid)
            copies.append(copy)
        if copies:
            self._model.edit(document)
            self._model.select(copies)

    def merge(self) -> None:
        """One object of those chosen, with the name of the first."""
        model, chosen = self._model, self._model.selected
        if model.attempt(lambda: model.edit(object_edits.merged(model.document, chosen, self._covers))):
            model.select(chosen[:1])

    def delete(self) -> None:
        """The chosen objects go, with what is said about them; an undo brings them back."""
        chosen = self._model.selected
        if not chosen:
            return
        rows = [self.table.row_of(uid) for uid in chosen]
        self._model.edit(object_edits.removed(self._model.document, chosen))
        left = self._model.document
        self._model.select([left[min(rows[0], len(left) - 1)].uid] if left else [])

    def move_active(self, by: int) -> None:
        """Up or down among the others."""
        uid = self._model.active
        place = self.table.row_of(uid)
        if place >= 0:
            self._model.edit(object_edits.moved(self._model.document, uid, place + by))

    def rename(self) -> None:
        """Type another name for the object that clicks are about."""
        place = self.table.row_of(self._model.active)
        if place >= 0:
            index = self.table.index(place, Column.NAME)
            self.view.setCurrentIndex(index)
            self.view.setFocus()
            self.view.edit(index)

    def toggle(self, column: Column) -> None:
        """Hide, show alone or lock every chosen object."""
        for uid in self._model.selected:
            self.table.toggle(uid, column)

    def paint_in(self, colour: Colour) -> None:
        """Give the chosen objects a colour."""
        kept = self._model.kept
        if kept is not None and self._model.selected:
            looks = {uid: replace(kept.look(uid), colour=colour) for uid in self._model.selected}
            self._model.edit(self._model.document, looks)

    def menu(self) -> QtWidgets.QMenu:
        """What can be done to the chosen objects."""
        menu = QtWidgets.QMenu(self)
        for words, done in (
            (phrase("Rename"), self.rename),
            (phrase("Duplicate"), self.duplicate),
            (phrase("Make One Object"), self.merge),
        ):
            menu.addAction(words).triggered.connect(lambda *_, done=done: done())
        colours = menu.addMenu(phrase("Colour"))
        for name, colour in zip(_COLOUR_NAMES, PALETTE):
            pixmap = QtGui.QPixmap(16, 16)
            pixmap.fill(theme.qcolour(colour))
            action = colours.addAction(QtGui.QIcon(pixmap), name)
            action.triggered.connect(lambda *_, colour=colour: self.paint_in(colour))
        colours.addAction(phrase("Another …")).triggered.connect(lambda *_: self._ask_colour())
        menu.addSeparator()
        menu.addAction(phrase("Delete")).triggered.connect(lambda *_: self.delete())
        return menu

    def sizeHint(self) -> QtCore.QSize:
        """Room for six objects."""
        line = theme.line_px(self)
        return QtCore.QSize(round(line * 18), round(line * 16))

    def _button(self, symbol: Symbol, words: str, action: Action | None, pressed: object) -> SymbolButton:
        assert callable(pressed)
        return SymbolButton(symbol, words, pressed, action, self)

    def _dress_view(self, pictures: Pictures) -> None:
        view = self.view
        view.setModel(self.table)
        view.setItemDelegate(ObjectDelegate(self._model, self.table, pictures, view))
        view.setAccessibleName(phrase("Objects"))
        view.horizontalHeader().hide()
        view.verticalHeader().hide()
        view.setShowGrid(False)
        view.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        view.setSelectionBehavior(QtWidgets.QAbstractItemView.SelectionBehavior.SelectRows)
        view.setSelectionMode(QtWidgets.QAbstractItemView.SelectionMode.ExtendedSelection)
        triggers = QtWidgets.QAbstractItemView.EditTrigger
        view.setEditTriggers(triggers.DoubleClicked | triggers.EditKeyPressed)
        view.setDragDropMode(QtWidgets.QAbstractItemView.DragDropMode.InternalMove)
        view.setDragDropOverwriteMode(False)
        view.setTabKeyNavigation(False)
        view.setVerticalScrollMode(QtWidgets.QAbstractItemView.ScrollMode.ScrollPerPixel)
        line = theme.line_px(view)
        view.verticalHeader().setMinimumSectionSize(4)
        view.verticalHeader().setDefaultSectionSize(round(line * 2.3))
        header = view.horizontalHeader()
        header.setMinimumSectionSize(4)
        for column in (Column.SHOWN, Column.SOLO, Column.LOCKED):
            header.resizeSection(column, round(line * 1.7))
        header.setStretchLastSection(True)
        view.setContextMenuPolicy(QtCore.Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(
            lambda where: self.menu().popup(view.viewport().mapToGlobal(where))
        )
        view.selectionModel().selectionChanged.connect(self._chosen)

    def _chosen(self) -> None:
        """The rows that were chosen by hand are the objects that buttons work on; the current one last."""
        if self._follows:
            return
        rows = sorted({index.row() for index in self.view.selectionModel().selectedRows()})
        current = self.view.currentIndex().row()
        ordered = [one for one in rows if one != current] + [one for one in rows if one == current]
        self._model.select(self.table.rows[one].uid for one in ordered)

    def _follow(self) -> None:
        """Show what is chosen elsewhere."""
        self._follows = True
        selection = QtCore.QItemSelection()
        for place, shown in enumerate(self.table.rows):
            if shown.is_selected:
                selection.select(self.table.index(place, 0), self.table.index(place, len(Column) - 1))
        flags = QtCore.QItemSelectionModel.SelectionFlag
        self.view.selectionModel().select(selection, flags.ClearAndSelect)
        active = self.table.row_of(self._model.active)
        if active >= 0 and self.view.currentIndex().row() != active:
            index = self.table.index(active, Column.NAME)
            self.view.selectionModel().setCurrentIndex(index, flags.NoUpdate)
            self.view.scrollTo(index)
        self._follows = False
        chosen = len(self._model.selected)
        self._buttons[Symbol.NEW].setEnabled(self._model.plate is not None)
        for symbol, least in (
            (Symbol.DUPLICATE, 1),
            (Symbol.MERGE, 2),
            (Symbol.UP, 1),
            (Symbol.DOWN, 1),
            (Symbol.DELETE, 1),
        ):
            self._buttons[symbol].setEnabled(chosen >= least)

    def _covers(self, uid: str, frame: int, x_px: float, y_px: float) -> bool | None:
        """Whether an object's mask covers a place; None where its mask is not here."""
        memory, clip = self._model.memory, self._model.clip
        mask = None if memory is None else memory.masks.get(uid, frame)
        if mask is None or clip is None:
            return None
        return mask.covers(x_px / clip.width_px, y_px / clip.height_px)

    def _ask_colour(self) -> None:
        kept = self._model.kept
        if kept is None or not self._model.active:
            return
        before = theme.qcolour(kept.look(self._model.active).colour)
        chosen = QtWidgets.QColorDialog.getColor(before, self, phrase("Colour"))
        if chosen.isValid():
            self.paint_in((chosen.redF(), chosen.greenF(), chosen.blueF()))
