"""Draws a row of the list: symbols in the first columns, then colour, small picture, number and name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from masklet_panel import symbols, theme
from masklet_panel.listing.object_table import Column
from masklet_panel.qt import QtCore, QtGui, QtWidgets
from masklet_panel.symbols import Symbol
from masklet_panel.thumbnails import Thumbnails

if TYPE_CHECKING:
    from masklet_panel.listing.object_table import ObjectTable
    from masklet_panel.panel_model import PanelModel
    from masklet_panel.qt import Index
    from masklet_panel.shown_values import ShownObject
    from masklet_panel.thumbnails import Pictures

_NUMBERED = 9
_SYMBOLS_KEPT = 200


class ObjectDelegate(QtWidgets.QStyledItemDelegate):
    """Draws rows, and ticks on a click anywhere in a symbol's cell.

    Args:
        model: Whose masks are shown.
        table: What is drawn.
        pictures: Of the plate.
        parent: The view.
    """

    def __init__(
        self, model: PanelModel, table: ObjectTable, pictures: Pictures, parent: QtWidgets.QAbstractItemView
    ) -> None:
        super().__init__(parent)
        self._model, self._table, self._pictures = model, table, pictures
        self._symbols: dict[tuple[object, ...], QtGui.QPixmap] = {}
        self._thumbnails = Thumbnails(self, parent.viewport().update)

    def paint(
        self,
        painter: QtGui.QPainter,
        option: QtWidgets.QStyleOptionViewItem,
        index: Index,
    ) -> None:
        """Draw a cell."""
        shown = self._table.rows[index.row()]
        widget = self.parent()
        assert isinstance(widget, QtWidgets.QWidget)
        area = QtCore.QRectF(option.rect)
        roles = QtGui.QPalette.ColorRole
        ground = theme.role(widget, roles.Base)
        if shown.is_selected:
            ground = theme.mixed(
                ground, theme.role(widget, roles.Highlight), 0.55 if shown.is_active else 0.3
            )
        painter.save()
        painter.fillRect(area, ground)
        text = theme.role(widget, roles.Text)
        if index.column() == Column.NAME:
            self._name(
                painter,
                area,
                shown,
                index.row(),
                text if shown.is_visible else theme.mixed(text, ground, 0.5),
            )
        else:
            self._symbol(painter, area, index.row(), index.column(), text, ground)
        if option.state & QtWidgets.QStyle.StateFlag.State_HasFocus:
            painter.setPen(QtGui.QPen(theme.role(widget, roles.Highlight).lighter(140), 1))
            painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(0.5, 0.5, -0.5, -0.5))
        painter.restore()

    def sizeHint(
        self,
        option: QtWidgets.QStyleOptionViewItem,
        index: Index,
    ) -> QtCore.QSize:
        """Room for a small picture."""
        line = QtGui.QFontMetrics(option.font).height()
        return QtCore.QSize(round(line * (1.7 if index.column() != Column.NAME else 10)), round(line * 2.3))

    def editorEvent(
        self,
        event: QtCore.QEvent,
        model: QtCore.QAbstractItemModel,
        option: QtWidgets.QStyleOptionViewItem,
        index: Index,
    ) -> bool:
        """A click in a symbol's cell ticks it, and so does the space bar."""
        if index.column() == Column.NAME:
            return super().editorEvent(event, model, option, index)
        pressed = isinstance(event, QtGui.QKeyEvent) and event.key() == QtCore.Qt.Key.Key_Space
        kinds = QtCore.QEvent.Type
        if event.type() in (kinds.MouseButtonPress, kinds.MouseButtonDblClick):
            # Rows are not chosen by ticking.
            return True
        if pressed or event.type() == kinds.MouseButtonRelease:
            self._table.toggle(self._table.rows[index.row()].uid, Column(index.column()))
            return True
        return False

    def _symbol(
        self,
        painter: QtGui.QPainter,
        area: QtCore.QRectF,
        row: int,
        column: int,
        text: QtGui.QColor,
        ground: QtGui.QColor,
    ) -> None:
        state = self._table.data(self._table.index(row, column), QtCore.Qt.ItemDataRole.CheckStateRole)
        is_on = state == QtCore.Qt.CheckState.Checked
        in_part = state == QtCore.Qt.CheckState.PartiallyChecked
        colour = text if is_on else theme.mixed(text, ground, 0.72)
        if column == Column.SHOWN:
            symbol = Symbol.SHOWN if is_on else Symbol.HIDDEN
        elif column == Column.SOLO:
            symbol = Symbol.SOLO
            colour = QtGui.QColor(255, 205, 70) if is_on else colour
        else:
            symbol = Symbol.LOCKED if is_on or in_part else Symbol.UNLOCKED
            colour = theme.qcolour(theme.LOCKED, 1.0 if is_on else 0.55) if is_on or in_part else colour
        side = min(area.width(), area.height()) * 0.62
        box = QtCore.QRectF(0, 0, side, side)
        box.moveCenter(area.center())
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(box.topLeft(), self._symbol_image(symbol, side, colour, ratio))

    def _symbol_image(self, symbol: Symbol, side: float, colour: QtGui.QColor, ratio: float) -> QtGui.QPixmap:
        """A symbol drawn once: rows are drawn again with every mask that comes."""
        key = (symbol, side, int(colour.rgba()), ratio)
        found = self._symbols.get(key)
        if found is None:
            if len(self._symbols) > _SYMBOLS_KEPT:
                self._symbols.clear()
            found = QtGui.QPixmap(math.ceil(side * ratio), math.ceil(side * ratio))
            found.setDevicePixelRatio(ratio)
            found.fill(QtCore.Qt.GlobalColor.transparent)
            painter = QtGui.QPainter(found)
            symbols.draw(painter, symbol, QtCore.QRectF(0, 0, side, side), colour)
            painter.end()
            self._symbols[key] = found
        return found

    def _name(
        self, painter: QtGui.QPainter, area: QtCore.QRectF, shown: ShownObject, row: int, text: QtGui.QColor
    ) -> None:
        line = painter.fontMetrics().height()
        chip = QtCore.QRectF(area.left() + line * 0.3, area.top() + 3, line * 0.28, area.height() - 6)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(theme.qcolour(shown.colour))
        painter.drawRoundedRect(chip, 2, 2)
        height = area.height() - 6
        size = QtCore.QSize(round(height * 16 / 9), round(height))
        ratio = painter.device().devicePixelRatioF()
        frame = self._model.frame
        mask = self._model.mask(shown.uid, frame)
        small = self._thumbnails.get(shown.uid, size, mask, shown.colour, self._pictures(frame), ratio=ratio)
        where = QtCore.QPointF(chip.right() + line * 0.35, area.top() + 3)
        painter.drawPixmap(where, small)
        left = where.x() + size.width() + line * 0.5
        number = str(row + 1) if row < _NUMBERED else ""
        digits = painter.fontMetrics().horizontalAdvance("0") * 1.6
        right = area.right() - line * 0.4
        room = QtCore.QRectF(left, area.top(), max(0.0, right - digits - left), area.height())
        font = QtGui.QFont(painter.font())
        font.setBold(shown.is_active)
        painter.setFont(font)
        painter.setPen(text)
        name = QtGui.QFontMetrics(font).elidedText(
            shown.name, QtCore.Qt.TextElideMode.ElideRight, int(room.width())
        )
        painter.drawText(room, int(QtCore.Qt.AlignmentFlag.AlignVCenter), name)
        faint = QtGui.QColor(text)
        faint.setAlphaF(0.45)
        painter.setPen(faint)
        end = QtCore.QRectF(right - digits, area.top(), digits, area.height())
        flags = QtCore.Qt.AlignmentFlag
        painter.drawText(end, int(flags.AlignVCenter | flags.AlignRight), number)
