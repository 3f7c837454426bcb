"""Icons of the viewer's tools, drawn in the palette's own colour at whatever size they are shown."""

from __future__ import annotations

from collections.abc import Callable

from masklet_panel.qt import QtCore, QtGui
from masklet_panel.view_state import Tool

_SIDE = 20
_SCALES = (1, 2)


def tool_icon(tool: Tool, palette: QtGui.QPalette) -> QtGui.QIcon:
    """The icon of a tool."""
    return _icon(_DRAWINGS[tool], palette.color(QtGui.QPalette.ColorRole.ButtonText))


def overlay_icon(name: str, palette: QtGui.QPalette) -> QtGui.QIcon:
    """The icon of what is drawn over the plate: ``prompts``, ``splines`` or ``anchors``."""
    return _icon(_OVERLAYS[name], palette.color(QtGui.QPalette.ColorRole.ButtonText))


def adds_icon(*, adds: bool) -> QtGui.QIcon:
    """A plus, or a minus."""
    return _icon(_plus, QtGui.QColor(120, 225, 135)) if adds else _icon(_minus, QtGui.QColor(255, 120, 110))


def _icon(draw: Callable[[QtGui.QPainter], None], colour: QtGui.QColor) -> QtGui.QIcon:
    icon = QtGui.QIcon()
    for scale in _SCALES:
        pixmap = QtGui.QPixmap(_SIDE * scale, _SIDE * scale)
        pixmap.fill(QtCore.Qt.GlobalColor.transparent)
        painter = QtGui.QPainter(pixmap)
        painter.scale(scale, scale)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        pen = QtGui.QPen(colour, 1.6)
        pen.setCapStyle(QtCore.Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(QtCore.Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        draw(painter)
        painter.end()
        pixmap.setDevicePixelRatio(scale)
        icon.addPixmap(pixmap)
    return icon


def _point(painter: QtGui.QPainter) -> None:
    painter.drawEllipse(QtCore.QPointF(10, 10), 2.2, 2.2)
    for x0, y0, x1, y1 in ((10, 2, 10, 5.5), (10, 14.5, 10, 18), (2, 10, 5.5, 10), (14.5, 10, 18, 10)):
        painter.drawLine(QtCore.QPointF(x0, y0), QtCore.QPointF(x1, y1))


def _scribble(painter: QtGui.QPainter) -> None:
    path = QtGui.QPainterPath(QtCore.QPointF(3, 14))
    path.cubicTo(5, 2, 9, 4, 8.5, 10)
    path.cubicTo(8, 17, 12.5, 17, 13, 10)
    path.cubicTo(13.4, 5, 16, 5, 17, 8)
    painter.drawPath(path)


def _lasso(painter: QtGui.QPainter) -> None:
    painter.drawEllipse(QtCore.QRectF(3, 3, 14, 9))
    path = QtGui.QPainterPath(QtCore.QPointF(7, 11.6))
    path.cubicTo(5, 13, 6, 15.5, 8.5, 15)
    path.cubicTo(7, 16.5, 6, 17.5, 6.5, 18)
    painter.drawPath(path)


def _pan(painter: QtGui.QPainter) -> None:
    painter.drawLine(QtCore.QPointF(10, 3), QtCore.QPointF(10, 17))
    painter.drawLine(QtCore.QPointF(3, 10), QtCore.QPointF(17, 10))
    for x, y, dx, dy in ((10, 3, 2, 2), (10, 17, 2, -2), (3, 10, 2, 2), (17, 10, -2, 2)):
        if x == 10:
            painter.drawLine(QtCore.QPointF(x, y), QtCore.QPointF(x - dx, y + dy))
            painter.drawLine(QtCore.QPointF(x, y), QtCore.QPointF(x + dx, y + dy))
        else:
            painter.drawLine(QtCore.QPointF(x, y), QtCore.QPointF(x + dx, y - dy))
            painter.drawLine(QtCore.QPointF(x, y), QtCore.QPointF(x + dx, y + dy))


def _plus(painter: QtGui.QPainter) -> None:
    painter.drawLine(QtCore.QPointF(10, 4.5), QtCore.QPointF(10, 15.5))
    _minus(painter)


def _minus(painter: QtGui.QPainter) -> None:
    painter.drawLine(QtCore.QPointF(4.5, 10), QtCore.QPointF(15.5, 10))


def _prompts(painter: QtGui.QPainter) -> None:
    painter.drawEllipse(QtCore.QPointF(7, 8), 4, 4)
    painter.drawLine(QtCore.QPointF(7, 6.3), QtCore.QPointF(7, 9.7))
    painter.drawLine(QtCore.QPointF(5.3, 8), QtCore.QPointF(8.7, 8))
    painter.drawEllipse(QtCore.QPointF(14, 13.5), 3.4, 3.4)
    painter.drawLine(QtCore.QPointF(12.6, 13.5), QtCore.QPointF(15.4, 13.5))


def _splines(painter: QtGui.QPainter) -> None:
    path = QtGui.QPainterPath(QtCore.QPointF(3.5, 15))
    path.cubicTo(5, 3, 13, 3, 16.5, 12)
    painter.drawPath(path)
    painter.drawRect(QtCore.QRectF(2, 13.5, 3, 3))
    painter.drawRect(QtCore.QRectF(15, 10.5, 3, 3))


def _anchors(painter: QtGui.QPainter) -> None:
    painter.drawEllipse(QtCore.QPointF(10, 5), 2, 2)
    painter.drawLine(QtCore.QPointF(10, 7), QtCore.QPointF(10, 16.5))
    painter.drawLine(QtCore.QPointF(7, 9.5), QtCore.QPointF(13, 9.5))
    path = QtGui.QPainterPath(QtCore.QPointF(3.5, 12))
    path.cubicTo(4, 18, 16, 18, 16.5, 12)
    painter.drawPath(path)


_OVERLAYS: dict[str, Callable[[QtGui.QPainter], None]] = {
    "prompts": _prompts,
    "splines": _splines,
    "anchors": _anchors,
}
_DRAWINGS: dict[Tool, Callable[[QtGui.QPainter], None]] = {
    Tool.POINT: _point,
    Tool.SCRIBBLE: _scribble,
    Tool.LASSO: _lasso,
    Tool.PAN: _pan,
}
