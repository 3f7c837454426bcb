"""Clicks, boxes and strokes over the plate, and what is being drawn just now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from masklet_panel.qt import QtCore, QtGui

if TYPE_CHECKING:
    from masklet.types import FramePrompts
    from masklet_panel.viewing.placement import Placement

_POSITIVE = QtGui.QColor(90, 220, 110)
_NEGATIVE = QtGui.QColor(255, 90, 80)
_EDGE = QtGui.QColor(10, 10, 12, 220)
_RADIUS = 5.0
_FAINT = 0.45

Points = Sequence[tuple[float, float]]


def draw_prompts(
    painter: QtGui.QPainter,
    place: Placement,
    prompts: FramePrompts,
    colour: QtGui.QColor,
    *,
    is_active: bool,
) -> None:
    """What is said about one object on a frame; about objects that are not active it is faint."""
    painter.save()
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    painter.setOpacity(1.0 if is_active else _FAINT)
    for scribble in prompts.scribbles:
        draw_stroke(painter, place, scribble.points_px, scribble.width_px, positive=scribble.positive)
    if prompts.box is not None:
        box = prompts.box
        draw_box(painter, place, (box.left_px, box.top_px, box.right_px, box.bottom_px), colour)
    for click in prompts.clicks:
        draw_click(painter, place, click.x_px, click.y_px, positive=click.positive)
    painter.restore()


def draw_click(
    painter: QtGui.QPainter, place: Placement, x_px: float, y_px: float, *, positive: bool
) -> None:
    """A disc with a plus or a minus, readable over any picture."""
    at = QtCore.QPointF(*place.to_view(x_px, y_px))
    painter.setPen(QtGui.QPen(_EDGE, 2.0))
    painter.setBrush(_POSITIVE if positive else _NEGATIVE)
    painter.drawEllipse(at, _RADIUS, _RADIUS)
    painter.setPen(QtGui.QPen(QtGui.QColor(15, 15, 18), 1.6))
    arm = _RADIUS - 2.2
    painter.drawLine(at - QtCore.QPointF(arm, 0), at + QtCore.QPointF(arm, 0))
    if positive:
        painter.drawLine(at - QtCore.QPointF(0, arm), at + QtCore.QPointF(0, arm))


def draw_box(
    painter: QtGui.QPainter,
    place: Placement,
    edges_px: tuple[float, float, float, float],
    colour: QtGui.QColor,
) -> None:
    """A box, light over dark so that it shows on any picture."""
    left, top = place.to_view(edges_px[0], edges_px[1])
    right, bottom = place.to_view(edges_px[2], edges_px[3])
    rect = QtCore.QRectF(QtCore.QPointF(left, top), QtCore.QPointF(right, bottom)).normalized()
    painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
    painter.setPen(QtGui.QPen(_EDGE, 3.0))
    painter.drawRect(rect)
    painter.setPen(QtGui.QPen(colour, 1.4, QtCore.Qt.PenStyle.DashLine))
    painter.drawRect(rect)


def draw_stroke(
    painter: QtGui.QPainter, place: Placement, points_px: Points, width_px: float, *, positive: bool
) -> None:
    """A stroke, as wide as it is on the plate."""
    colour = QtGui.QColor(_POSITIVE if positive else _NEGATIVE)
    colour.setAlphaF(0.45)
    pen = QtGui.QPen(colour, max(1.5, width_px * place.scale))
    pen.setCapStyle(QtCore.Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(QtCore.Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
    if len(points_px) == 1:
        painter.drawPoint(QtCore.QPointF(*place.to_view(*points_px[0])))
    else:
        painter.drawPath(path_of(place, points_px))


def draw_lasso(painter: QtGui.QPainter, place: Placement, points_px: Points, *, positive: bool) -> None:
    """A line that is being drawn around something."""
    path = path_of(place, points_px)
    painter.setPen(QtGui.QPen(_EDGE, 3.0))
    painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
    painter.drawPath(path)
    colour = _POSITIVE if positive else _NEGATIVE
    fill = QtGui.QColor(colour)
    fill.setAlphaF(0.15)
    painter.setBrush(fill)
    painter.setPen(QtGui.QPen(colour, 1.4))
    painter.drawPath(path)


def path_of(place: Placement, points_px: Points) -> QtGui.QPainterPath:
    """The line through some points of the plate, in the viewer."""
    path = QtGui.QPainterPath(QtCore.QPointF(*place.to_view(*points_px[0])))
    for point in points_px[1:]:
        path.lineTo(QtCore.QPointF(*place.to_view(*point)))
    return path
