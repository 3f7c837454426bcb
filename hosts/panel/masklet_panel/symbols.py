"""Symbols on buttons and in lists: drawn as lines in the palette's own colour, sharp on every screen."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from masklet_panel.qt import QtCore, QtGui

_GRID = 16.0
_SCALES = (1, 2, 3)


class Symbol(Enum):
    """What a symbol means."""

    SHOWN = "shown"
    HIDDEN = "hidden"
    SOLO = "solo"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    NEW = "new"
    DUPLICATE = "duplicate"
    MERGE = "merge"
    DELETE = "delete"
    UP = "up"
    DOWN = "down"
    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"
    ONE = "one"
    STALE = "stale"
    STOP = "stop"
    EXPORT = "export"
    UNDO = "undo"
    REDO = "redo"
    WIPE = "wipe"
    SHEET = "sheet"
    FIND = "find"
    BAD_BACK = "bad back"
    BAD_ON = "bad on"
    RETURN = "return"


def icon(symbol: Symbol, palette: QtGui.QPalette) -> QtGui.QIcon:
    """A symbol for a button, paler where the button is disabled."""
    groups, roles = QtGui.QPalette.ColorGroup, QtGui.QPalette.ColorRole
    made = QtGui.QIcon()
    for group, mode in (
        (groups.Active, QtGui.QIcon.Mode.Normal),
        (groups.Disabled, QtGui.QIcon.Mode.Disabled),
    ):
        for scale in _SCALES:
            pixmap = QtGui.QPixmap(int(_GRID) * scale, int(_GRID) * scale)
            pixmap.fill(QtCore.Qt.GlobalColor.transparent)
            painter = QtGui.QPainter(pixmap)
            area = QtCore.QRectF(0, 0, _GRID * scale, _GRID * scale)
            draw(painter, symbol, area, palette.color(group, roles.ButtonText))
            painter.end()
            pixmap.setDevicePixelRatio(scale)
            made.addPixmap(pixmap, mode)
    return made


def draw(painter: QtGui.QPainter, symbol: Symbol, area: QtCore.QRectF, colour: QtGui.QColor) -> None:
    """Draw a symbol as large as fits into the middle of an area."""
    side = min(area.width(), area.height())
    painter.save()
    painter.translate(area.center().x() - side / 2, area.center().y() - side / 2)
    painter.scale(side / _GRID, side / _GRID)
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    pen = QtGui.QPen(colour, 1.4)
    pen.setCapStyle(QtCore.Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(QtCore.Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
    _DRAWINGS[symbol](painter, colour)
    painter.restore()


def _line(painter: QtGui.QPainter, *points: tuple[float, float], closed: bool = False) -> None:
    polygon = QtGui.QPolygonF([QtCore.QPointF(x, y) for x, y in points])
    if closed:
        painter.drawPolygon(polygon)
    else:
        painter.drawPolyline(polygon)


def _filled(painter: QtGui.QPainter, colour: QtGui.QColor, *points: tuple[float, float]) -> None:
    painter.setBrush(colour)
    _line(painter, *points, closed=True)
    painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)


def _lids(painter: QtGui.QPainter) -> None:
    path = QtGui.QPainterPath(QtCore.QPointF(1.5, 8))
    path.quadTo(8, 0.5, 14.5, 8)
    path.quadTo(8, 15.5, 1.5, 8)
    painter.drawPath(path)


def _shown(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    _lids(painter)
    painter.setBrush(colour)
    painter.drawEllipse(QtCore.QPointF(8, 8), 1.9, 1.9)


def _hidden(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    path = QtGui.QPainterPath(QtCore.QPointF(1.5, 7))
    path.quadTo(8, 13.5, 14.5, 7)
    painter.drawPath(path)
    for x0, y0, x1, y1 in ((3.4, 9.2, 2.2, 11), (8, 10.4, 8, 12.6), (12.6, 9.2, 13.8, 11)):
        _line(painter, (x0, y0), (x1, y1))


def _solo(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    painter.drawEllipse(QtCore.QPointF(8, 8), 6, 6)
    painter.setBrush(colour)
    painter.drawEllipse(QtCore.QPointF(8, 8), 2.6, 2.6)


def _padlock(painter: QtGui.QPainter, colour: QtGui.QColor, *, closed: bool) -> None:
    path = QtGui.QPainterPath(QtCore.QPointF(5, 7.5))
    path.lineTo(5, 5.2)
    path.arcTo(QtCore.QRectF(5, 2, 6, 6.4), 180, -180)
    if closed:
        path.lineTo(11, 7.5)
    painter.drawPath(path)
    if closed:
        painter.setBrush(colour)
    painter.drawRoundedRect(QtCore.QRectF(3.2, 7.5, 9.6, 6.5), 1, 1)


def _new(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    _line(painter, (8, 3), (8, 13))
    _line(painter, (3, 8), (13, 8))


def _duplicate(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    painter.drawRoundedRect(QtCore.QRectF(2.5, 2.5, 8, 8), 1, 1)
    _line(painter, (13.5, 6), (13.5, 13.5), (6, 13.5))


def _merge(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    path = QtGui.QPainterPath(QtCore.QPointF(3, 2.5))
    path.cubicTo(3, 7, 8, 6, 8, 10)
    path.moveTo(13, 2.5)
    path.cubicTo(13, 7, 8, 6, 8, 10)
    path.lineTo(8, 13)
    painter.drawPath(path)
    _line(painter, (5.5, 11), (8, 13.5), (10.5, 11))


def _delete(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    _line(painter, (2.5, 4.5), (13.5, 4.5))
    _line(painter, (6, 4), (6.4, 2.4), (9.6, 2.4), (10, 4))
    _line(painter, (4, 5), (4.7, 13.8), (11.3, 13.8), (12, 5))
    _line(painter, (8, 7), (8, 11.6))


def _up(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    _line(painter, (3.5, 10), (8, 5.5), (12.5, 10))


def _down(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    _line(painter, (3.5, 6), (8, 10.5), (12.5, 6))


def _forward(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    _filled(painter, colour, (4, 3.5), (12.5, 8), (4, 12.5))


def _backward(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    _filled(painter, colour, (12, 3.5), (3.5, 8), (12, 12.5))


def _both(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    _filled(painter, colour, (6.6, 4.2), (1, 8), (6.6, 11.8))
    _filled(painter, colour, (9.4, 4.2), (15, 8), (9.4, 11.8))


def _one(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    _line(painter, (3.5, 3.5), (3.5, 12.5))
    _filled(painter, colour, (6.5, 4), (13, 8), (6.5, 12))


def _stale(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    painter.drawArc(QtCore.QRectF(3, 3, 10, 10), 60 * 16, 290 * 16)
    _filled(painter, colour, (9.2, 1.2), (13.4, 3.9), (9.2, 6.4))


def _stop(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    _filled(painter, colour, (4.2, 4.2), (11.8, 4.2), (11.8, 11.8), (4.2, 11.8))


def _export(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    _line(painter, (2.5, 9), (2.5, 13.5), (13.5, 13.5), (13.5, 9))
    _line(painter, (8, 10), (8, 2.5))
    _line(painter, (4.8, 5.4), (8, 2.2), (11.2, 5.4))


def _undo(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    path = QtGui.QPainterPath(QtCore.QPointF(3, 6))
    path.lineTo(9.5, 6)
    path.cubicTo(14.5, 6, 14.5, 12.8, 9.5, 12.8)
    path.lineTo(6.5, 12.8)
    painter.drawPath(path)
    _line(painter, (6, 2.8), (2.8, 6), (6, 9.2))


def _redo(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    painter.translate(_GRID, 0)
    painter.scale(-1, 1)
    _undo(painter, colour)


def _wipe(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    painter.drawRect(QtCore.QRectF(2, 3.5, 12, 9))
    _filled(painter, colour, (2, 3.5), (8, 3.5), (8, 12.5), (2, 12.5))
    _line(painter, (8, 1.5), (8, 14.5))


def _sheet(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    for x in (2.0, 9.0):
        for y in (2.8, 9.0):
            painter.drawRect(QtCore.QRectF(x, y, 5, 4.2))


def _find(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    painter.drawEllipse(QtCore.QPointF(7, 7), 4.4, 4.4)
    _line(painter, (10.3, 10.3), (14, 14))


def _bad_on(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    _line(painter, (3, 2.5), (3, 9))
    painter.setBrush(colour)
    painter.drawEllipse(QtCore.QPointF(3, 12.6), 0.7, 0.7)
    _filled(painter, colour, (7, 4), (13.5, 8), (7, 12))


def _bad_back(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    painter.translate(_GRID, 0)
    painter.scale(-1, 1)
    _bad_on(painter, colour)


def _return(painter: QtGui.QPainter, colour: QtGui.QColor) -> None:
    painter.drawEllipse(QtCore.QPointF(9, 8), 5.2, 5.2)
    _line(painter, (9, 5), (9, 8), (11.2, 9.4))
    _line(painter, (1.6, 5.2), (3.8, 8), (6, 5.2))


_DRAWINGS: dict[Symbol, Callable[[QtGui.QPainter, QtGui.QColor], None]] = {
    Symbol.SHOWN: _shown,
    Symbol.HIDDEN: _hidden,
    Symbol.SOLO: _solo,
    Symbol.LOCKED: lambda painter, colour: _padlock(painter, colour, closed=True),
    Symbol.UNLOCKED: lambda painter, colour: _padlock(painter, colour, closed=False),
    Symbol.NEW: _new,
    Symbol.DUPLICATE: _duplicate,
    Symbol.MERGE: _merge,
    Symbol.DELETE: _delete,
    Symbol.UP: _up,
    Symbol.DOWN: _down,
    Symbol.FORWARD: _forward,
    Symbol.BACKWARD: _backward,
    Symbol.BOTH: _both,
    Symbol.ONE: _one,
    Symbol.STALE: _stale,
    Symbol.STOP: _stop,
    Symbol.EXPORT: _export,
    Symbol.UNDO: _undo,
    Symbol.REDO: _redo,
    Symbol.WIPE: _wipe,
    Symbol.SHEET: _sheet,
    Symbol.FIND: _find,
    Symbol.BAD_BACK: _bad_back,
    Symbol.BAD_ON: _bad_on,
    Symbol.RETURN: _return,
}
