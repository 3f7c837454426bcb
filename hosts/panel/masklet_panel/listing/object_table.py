"""Objects as a table: eye, solo, padlock and name of each, in the artist's order."""

from __future__ import annotations

from dataclasses import replace
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from masklet.errors import MaskletError
from masklet.frame_runs import runs_minus
from masklet.hosting import object_edits
from masklet.hosting.notices import notice_of
from masklet.phrases import phrase
from masklet_panel.qt import QtCore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.types import FrameRange
    from masklet_panel.panel_model import PanelModel
    from masklet_panel.qt import DropActions, Index, ItemFlags, Role
    from masklet_panel.shown_values import ShownObject

_MIME = "application/x-masklet-object"


class Column(IntEnum):
    """What a column holds."""

    SHOWN = 0
    SOLO = 1
    LOCKED = 2
    NAME = 3


class ObjectTable(QtCore.QAbstractTableModel):
    """Rows of the list, kept as the panel's model says.

    Args:
        model: Whose objects.
    """

    def __init__(self, model: PanelModel) -> None:
        super().__init__(model)
        self._model = model
        self._rows: tuple[ShownObject, ...] = model.objects
        for signal in (model.document_changed, model.plate_changed, model.selection_changed):
            signal.connect(self.refresh)
        model.span_changed.connect(self._redraw)

    @property
    def rows(self) -> tuple[ShownObject, ...]:
        """What is in the table."""
        return self._rows

    def row_of(self, uid: str) -> int:
        """The row of an object, -1 for none."""
        return next((row for row, shown in enumerate(self._rows) if shown.uid == uid), -1)

    @property
    def locked_span(self) -> FrameRange:
        """What the padlock locks: the range, or the whole plate."""
        return self._model.span or self._model.frames

    def refresh(self) -> None:
        """Show what the model says now."""
        rows = self._model.objects
        if [shown.uid for shown in rows] == [shown.uid for shown in self._rows]:
            self._rows = rows
            self._redraw()
        else:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()

    def rowCount(self, parent: Index = QtCore.QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        """As many as there are objects."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QtCore.QModelIndex()) -> int:  # noqa: B008 (Qt's own default)
        """One for each of :class:`Column`."""
        return 0 if parent.isValid() else len(Column)

    def flags(self, index: Index) -> ItemFlags:
        """Names can be edited, the others ticked; rows can be dragged between others."""
        flags = QtCore.Qt.ItemFlag
        if not index.isValid():
            return flags.ItemIsDropEnabled | flags.ItemIsDropEnabled
        found = flags.ItemIsSelectable | flags.ItemIsEnabled | flags.ItemIsDragEnabled
        return found | (flags.ItemIsEditable if index.column() == Column.NAME else flags.ItemIsUserCheckable)

    def data(self, index: Index, role: Role = QtCore.Qt.ItemDataRole.DisplayRole) -> Any:
        """What is shown, ticked, told."""
        roles, column = QtCore.Qt.ItemDataRole, index.column()
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        shown = self._rows[index.row()]
        if column == Column.NAME:
            return shown.name if role in (roles.DisplayRole, roles.EditRole) else None
        if role == roles.CheckStateRole:
            return self._state(shown, column)
        if role in (roles.AccessibleTextRole, roles.ToolTipRole):
            return self._words(shown, column)
        return None

    def setData(self, index: Index, value: Any, role: Role = QtCore.Qt.ItemDataRole.EditRole) -> bool:
        """Rename, or tick; what is refused is told."""
        shown, column = self._rows[index.row()], index.column()
        if column == Column.NAME:
            return str(value) == shown.name or self._edit(
                lambda: object_edits.renamed(self._model.document, shown.uid, str(value))
            )
        self.toggle(shown.uid, Column(column))
        return True

    def toggle(self, uid: str, column: Column) -> None:
        """Open or close an eye, show alone, lock or unlock."""
        model, shown = self._model, self._rows[self.row_of(uid)]
        kept = model.kept
        if kept is None:
            return
        if column is Column.SHOWN:
            look = replace(kept.look(uid), is_shown=not shown.is_shown)
            model.edit(model.document, {uid: look})
        elif column is Column.SOLO:
            others = [other.uid for other in self._rows if other.is_solo and other.uid != uid]
            model.set_solo(others if shown.is_solo else [*others, uid])
        elif column is Column.LOCKED:
            locks = self._state(shown, column) != QtCore.Qt.CheckState.Checked
            self._edit(lambda: object_edits.locked(model.document, (uid,), self.locked_span, locks=locks))

    def supportedDropActions(self) -> DropActions:
        """Rows are moved."""
        actions: DropActions = QtCore.Qt.DropAction.MoveAction | QtCore.Qt.DropAction.MoveAction
        return actions

    def mimeTypes(self) -> list[str]:
        """A row that is dragged."""
        return [_MIME]

    def mimeData(self, indexes: Sequence[Index]) -> QtCore.QMimeData:
        """The uid of the row that is dragged."""
        data = QtCore.QMimeData()
        data.setData(_MIME, QtCore.QByteArray(self._rows[indexes[0].row()].uid.encode()))
        return data

    def dropMimeData(
        self, data: QtCore.QMimeData, action: QtCore.Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        """Move a row; False, since the view would remove rows of its own else."""
        uid = bytes(data.data(_MIME).data()).decode()
        place = row if row >= 0 else parent.row() if parent.isValid() else len(self._rows)
        here = self.row_of(uid)
        if here >= 0:
            self._edit(
                lambda: object_edits.moved(self._model.document, uid, place - (1 if here < place else 0))
            )
        return False

    def _state(self, shown: ShownObject, column: int) -> QtCore.Qt.CheckState:
        states = QtCore.Qt.CheckState
        if column == Column.SHOWN:
            return states.Checked if shown.is_shown else states.Unchecked
        if column == Column.SOLO:
            return states.Checked if shown.is_solo else states.Unchecked
        locks = object_edits.lock_runs(self._model.document, (shown.uid,))
        if locks and not runs_minus((self.locked_span,), locks):
            return states.Checked
        return states.PartiallyChecked if locks else states.Unchecked

    def _words(self, shown: ShownObject, column: int) -> str:
        if column == Column.SHOWN:
            return (
                phrase("Hide {name}", name=shown.name)
                if shown.is_shown
                else phrase("Show {name}", name=shown.name)
            )
        if column == Column.SOLO:
            if shown.is_solo:
                return phrase("Show the others too")
            return phrase("Show {name} alone", name=shown.name)
        span = self.locked_span
        words = str(span.first) if span.first == span.last else f"{span.first}-{span.last}"
        if self._state(shown, column) == QtCore.Qt.CheckState.Checked:
            return phrase("Unlock {name} on {range}", name=shown.name, range=words)
        return phrase("Lock {name} on {range}", name=shown.name, range=words)

    def _edit(self, make: Any) -> bool:
        try:
            self._model.edit(make())
        except MaskletError as error:
            self._model.tell(notice_of(error))
            return False
        return True

    def _redraw(self) -> None:
        if self._rows:
            last = self.index(len(self._rows) - 1, len(Column) - 1)
            self.dataChanged.emit(self.index(0, 0), last, [])
