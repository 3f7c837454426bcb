"""Splines and anchors over the plate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from masklet_panel.qt import QtCore, QtGui

if TYPE_CHECKING:
    from masklet.anchors import AnchorTrack
    from masklet.shapes import BezierVertex, ObjectShapes
    from masklet_panel.viewing.placement import Placement

_VERTEX = 2.5
_TRAIL_FRAMES = 12
_ARM = 22.0
_EDGE = QtGui.QColor(10, 10, 12, 200)


def draw_shapes(
    painter: QtGui.QPainter,
    place: Placement,
    shapes: ObjectShapes,
    frame: int,
    colour: QtGui.QColor,
    *,
    is_active: bool,
) -> None:
    """The paths of an object on a frame; with vertices and handles where it is active."""
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    colour = _bright(colour)
    for piece in shapes.visible_at(frame):
        vertices = piece.path_at(frame)
        path = _path(place, vertices)
        painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
        painter.setPen(QtGui.QPen(_EDGE, 3.0))
        painter.drawPath(path)
        painter.setPen(QtGui.QPen(colour, 1.4))
        painter.drawPath(path)
        if is_active:
            _draw_vertices(painter, place, vertices, colour)


def draw_anchor(
    painter: QtGui.QPainter, place: Placement, anchor: AnchorTrack, frame: int, colour: QtGui.QColor
) -> None:
    """A turned and scaled cross where the anchor is, and the way it goes before and after."""
    painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
    colour = _bright(colour)
    near = [key for key in anchor.keys if abs(key.frame - frame) <= _TRAIL_FRAMES]
    if len(near) > 1:
        trail = QtGui.QPainterPath(_point(place, near[0].x_px, near[0].y_px))
        for key in near[1:]:
            trail.lineTo(_point(place, key.x_px, key.y_px))
        painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
        painter.setPen(QtGui.QPen(_EDGE, 2.6))
        painter.drawPath(trail)
        painter.setPen(QtGui.QPen(colour, 1.2, QtCore.Qt.PenStyle.DotLine))
        painter.drawPath(trail)
    now = anchor.key_at(frame)
    if now is None:
        return
    at = _point(place, now.x_px, now.y_px)
    angle = math.radians(now.rotation_deg)
    for turn, scale in ((angle, now.scale_x), (angle + math.pi / 2, now.scale_y)):
        arm = QtCore.QPointF(math.cos(turn), math.sin(turn)) * (_ARM * max(0.3, min(scale, 3.0)))
        for pen in (QtGui.QPen(_EDGE, 3.4), QtGui.QPen(colour, 1.6)):
            painter.setPen(pen)
            painter.drawLine(at - arm, at + arm)
    painter.setPen(QtGui.QPen(_EDGE, 1.0))
    painter.setBrush(colour if not now.held else QtCore.Qt.BrushStyle.NoBrush)
    painter.drawEllipse(at, 4.0, 4.0)


def _path(place: Placement, vertices: tuple[BezierVertex, ...]) -> QtGui.QPainterPath:
    path = QtGui.QPainterPath(_point(place, vertices[0].x_px, vertices[0].y_px))
    for number, one in enumerate(vertices):
        other = vertices[(number + 1) % len(vertices)]
        path.cubicTo(
            _point(place, one.x_px + one.out_dx_px, one.y_px + one.out_dy_px),
            _point(place, other.x_px + other.in_dx_px, other.y_px + other.in_dy_px),
            _point(place, other.x_px, other.y_px),
        )
    return path


def _draw_vertices(
    painter: QtGui.QPainter, place: Placement, vertices: tuple[BezierVertex, ...], colour: QtGui.QColor
) -> None:
    for vertex in vertices:
        at = _point(place, vertex.x_px, vertex.y_px)
        painter.setPen(QtGui.QPen(colour, 0.8))
        for dx_px, dy_px in (
            (vertex.in_dx_px, vertex.in_dy_px),
            (vertex.out_dx_px, vertex.out_dy_px),
        ):
            painter.drawLine(at, _point(place, vertex.x_px + dx_px, vertex.y_px + dy_px))
        painter.fillRect(QtCore.QRectF(at.x() - _VERTEX, at.y() - _VERTEX, 2 * _VERTEX, 2 * _VERTEX), colour)


def _bright(colour: QtGui.QColor) -> QtGui.QColor:
    """Half way to white, to be seen over the object's own tint."""
    return QtGui.QColor(*((part + 255) // 2 for part in (colour.red(), colour.green(), colour.blue())))


def _point(place: Placement, x_px: float, y_px: float) -> QtCore.QPointF:
    return QtCore.QPointF(*place.to_view(x_px, y_px))
