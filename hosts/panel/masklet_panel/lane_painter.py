"""Draws the timeline: ruler, range, cuts, and a lane per object whose states differ in more than colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.hosting.shown.lanes import LaneState, MarkKind
from masklet_panel import theme
from masklet_panel.qt import QtCore, QtGui

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.hosting.shown.lanes import Lane, Mark
    from masklet.hosting.shown.time_map import Rows, TimeMap
    from masklet.types import FrameRange
    from masklet_panel.qt import QtWidgets
    from masklet_panel.shown_values import ShownObject

_BAD_PX = 3.0
"""A bad frame is never thinner, however long the plate."""
_MARK_PX = 9.0


@dataclass(frozen=True)
class TimelineLook:
    """All that is drawn.

    Attributes:
        place: Where frames lie.
        rows: Where lanes lie.
        objects: In the order of lanes.
        lanes: One for each object.
        cuts: First frames of new shots.
        frame: The playhead's.
        span: From in to out; None for the whole plate.
        hover: Frame under the pointer; None for none.
    """

    place: TimeMap
    rows: Rows
    objects: tuple[ShownObject, ...]
    lanes: Sequence[Lane]
    cuts: tuple[int, ...]
    frame: int
    span: FrameRange | None
    hover: int | None = None


class LanePainter:
    """Draws once.

    Args:
        painter: Draws in the widget's own pixels.
        widget: Whose palette and font are used.
        look: What is drawn.
    """

    def __init__(self, painter: QtGui.QPainter, widget: QtWidgets.QWidget, look: TimelineLook) -> None:
        self._painter, self._widget, self._look = painter, widget, look
        roles = QtGui.QPalette.ColorRole
        self._text = theme.role(widget, roles.WindowText)
        self._ground = theme.role(widget, roles.Base)
        self._window = theme.role(widget, roles.Window)
        self._accent = theme.role(widget, roles.Highlight)
        self._right = look.place.left_px + look.place.width_px

    def paint_below(self) -> None:
        """Draw what lies under the lanes."""
        self._painter.fillRect(self._widget.rect(), self._ground)

    def paint_above(self) -> None:
        """Draw what lies over the lanes and stays while the playhead and the pointer move."""
        self._outside_span()
        self._cuts()
        self._ruler()
        self._span_bar()

    def paint_hand(self) -> None:
        """Draw the playhead, and a line under the pointer."""
        look, painter = self._look, self._painter
        if look.hover is not None and look.hover != look.frame:
            line = QtCore.QRectF(look.place.centre_of(look.hover), 0, 1, self._widget.height())
            painter.fillRect(line, theme.mixed(self._text, self._window, 0.65))
        self._playhead()

    def paint_lane(self, number: int) -> None:
        """Draw the lane of an object."""
        look, painter = self._look, self._painter
        lane, shown = look.lanes[number], look.objects[number]
        top, height = look.rows.top_of(number), look.rows.lane_px
        ground = self._ground
        if shown.is_selected:
            ground = theme.mixed(self._ground, self._accent, 0.22 if shown.is_active else 0.12)
        painter.fillRect(QtCore.QRectF(0, top, self._widget.width(), height - 1), ground)
        self._header(shown, top, height)
        painter.save()
        painter.setClipRect(QtCore.QRectF(look.place.left_px, top, look.place.width_px, height))
        if not shown.is_visible:
            painter.setOpacity(0.45)
        inner_top, inner_height = top + height * 0.22, height * 0.5
        # Bad frames last: they may be wider than they are, and must not be covered.
        for block in sorted(lane.blocks, key=lambda block: block.state.is_bad and not block.locked):
            bad = block.state.is_bad and not block.locked
            found = look.place.seen(block.first, block.last, least_px=_BAD_PX if bad else 1.0)
            if found is not None:
                self._block(QtCore.QRectF(found[0], inner_top, found[1], inner_height), block.state)
        for lock in lane.locks:
            found = look.place.seen(lock.first, lock.last, least_px=_BAD_PX)
            if found is not None:
                self._lock(QtCore.QRectF(found[0], top + height * 0.78, found[1], height * 0.14))
        for mark in lane.marks:
            if look.place.seen(mark.frame, mark.frame) is not None:
                self._mark(mark, look.place.centre_of(mark.frame), inner_top + inner_height / 2)
        painter.restore()

    def _header(self, shown: ShownObject, top: float, height: float) -> None:
        painter, line = self._painter, theme.line_px(self._widget)
        left = self._look.place.left_px
        chip = QtCore.QRectF(line * 0.45, top + (height - line * 0.62) / 2, line * 0.62, line * 0.62)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(theme.qcolour(shown.colour, 1.0 if shown.is_visible else 0.35))
        painter.drawRoundedRect(chip, 2, 2)
        room = QtCore.QRectF(chip.right() + line * 0.4, top, left - chip.right() - line * 0.9, height - 1)
        painter.setPen(self._text if shown.is_visible else theme.mixed(self._text, self._ground, 0.5))
        font = QtGui.QFont(self._widget.font())
        font.setBold(shown.is_active)
        painter.setFont(font)
        name = QtGui.QFontMetrics(font).elidedText(
            shown.name, QtCore.Qt.TextElideMode.ElideRight, int(room.width())
        )
        painter.drawText(room, int(QtCore.Qt.AlignmentFlag.AlignVCenter), name)
        painter.setFont(self._widget.font())

    def _block(self, area: QtCore.QRectF, state: LaneState) -> None:
        painter, colour = self._painter, theme.state_colour(state)
        if state is LaneState.ABSENT:
            # Nothing is there: a line says that somebody looked.
            middle = QtCore.QRectF(area.left(), area.center().y() - 1, area.width(), 2)
            painter.fillRect(middle, colour)
            return
        if state is LaneState.LOST:
            painter.setPen(QtGui.QPen(colour, 1, QtCore.Qt.PenStyle.DotLine))
            painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
            painter.drawRect(area.adjusted(0.5, 0.5, -0.5, -0.5))
            return
        painter.fillRect(area, colour)
        if state is LaneState.UNCERTAIN:
            self._pattern(area, QtCore.Qt.BrushStyle.BDiagPattern)
        elif state is LaneState.RIVAL:
            self._pattern(area, QtCore.Qt.BrushStyle.VerPattern)
        elif state is LaneState.STALE:
            self._pattern(area, QtCore.Qt.BrushStyle.DiagCrossPattern)

    def _pattern(self, area: QtCore.QRectF, style: QtCore.Qt.BrushStyle) -> None:
        self._painter.fillRect(area, QtGui.QBrush(QtGui.QColor(0, 0, 0, 110), style))

    def _lock(self, area: QtCore.QRectF) -> None:
        colour = theme.qcolour(theme.LOCKED)
        self._painter.fillRect(area, colour)
        for edge in (area.left(), area.right() - 2):
            self._painter.fillRect(QtCore.QRectF(edge, area.top() - 3, 2, area.height() + 3), colour)

    def _mark(self, mark: Mark, x_px: float, y_px: float) -> None:
        painter, half = self._painter, _MARK_PX / 2
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QtGui.QPen(QtGui.QColor(10, 10, 10), 1.2))
        white = QtGui.QColor(255, 255, 255)
        if mark.kind is MarkKind.DRAWN:
            painter.setBrush(white)
            painter.drawRect(QtCore.QRectF(x_px - half + 1, y_px - half + 1, _MARK_PX - 2, _MARK_PX - 2))
        elif mark.kind is MarkKind.CORRECTION:
            painter.setBrush(white)
            painter.drawEllipse(QtCore.QPointF(x_px, y_px), half - 0.5, half - 0.5)
            painter.setBrush(QtGui.QColor(10, 10, 10))
            painter.drawEllipse(QtCore.QPointF(x_px, y_px), 1.2, 1.2)
        else:
            painter.setBrush(white)
            points = ((0, -half - 0.5), (half + 0.5, 0), (0, half + 0.5), (-half - 0.5, 0))
            painter.drawPolygon(QtGui.QPolygonF([QtCore.QPointF(x_px + x, y_px + y) for x, y in points]))
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, False)

    def _ruler(self) -> None:
        painter, look = self._painter, self._look
        ruler = QtCore.QRectF(0, 0, self._widget.width(), look.rows.ruler_px)
        painter.fillRect(ruler, self._window)
        metrics = self._widget.fontMetrics()
        faint = theme.mixed(self._text, self._window, 0.45)
        widest = max(len(str(look.place.frames.first)), len(str(look.place.frames.last)))
        label_px = float(metrics.horizontalAdvance("0" * (widest + 2)))
        ticks = look.place.ticks(label_px=label_px)
        for frame in ticks:
            x_px = look.place.centre_of(frame)
            painter.fillRect(QtCore.QRectF(x_px, ruler.bottom() - 4, 1, 4), faint)
            width = metrics.horizontalAdvance(str(frame))
            left = min(max(x_px - width / 2, look.place.left_px), self._right - width)
            painter.setPen(faint)
            room = QtCore.QRectF(left, 0, width + 2, ruler.height() - 4)
            painter.drawText(room, int(QtCore.Qt.AlignmentFlag.AlignVCenter), str(frame))

    def _span_bar(self) -> None:
        painter, look = self._painter, self._look
        top, height = look.rows.ruler_px, look.rows.bar_px
        painter.fillRect(QtCore.QRectF(0, top, self._widget.width(), height), self._ground)
        left, width = look.place.left_px, look.place.width_px
        groove = QtCore.QRectF(left, top + height / 2 - 1, width, 2)
        painter.fillRect(groove, theme.mixed(self._ground, self._text, 0.25))
        if look.span is None:
            return
        found = look.place.seen(look.span.first, look.span.last, least_px=2.0)
        if found is None:
            return
        area = QtCore.QRectF(found[0], top + 2, found[1], height - 4)
        painter.fillRect(area, self._accent)
        grip = self._accent.lighter(150)
        for edge in (area.left(), area.right() - 3):
            painter.fillRect(QtCore.QRectF(edge, top + 1, 3, height - 2), grip)

    def _outside_span(self) -> None:
        look = self._look
        if look.span is None:
            return
        first, last = look.place.x_of(look.span.first), look.place.x_of(look.span.last + 1)
        shade = QtGui.QColor(self._ground)
        shade.setAlphaF(0.62)
        top, height = look.rows.head_px, self._widget.height() - look.rows.head_px
        left, right = look.place.left_px, self._right
        if first > left:
            self._painter.fillRect(QtCore.QRectF(left, top, min(first, right) - left, height), shade)
        if last < right:
            begin = max(last, left)
            self._painter.fillRect(QtCore.QRectF(begin, top, right - begin, height), shade)

    def _cuts(self) -> None:
        look, painter = self._look, self._painter
        painter.setPen(QtGui.QPen(theme.qcolour(theme.CUT), 1, QtCore.Qt.PenStyle.DashLine))
        for frame in look.cuts:
            if look.place.seen(frame, frame) is not None:
                x_px = round(look.place.x_of(frame)) + 0.5
                painter.drawLine(QtCore.QLineF(x_px, look.rows.head_px, x_px, self._widget.height()))

    def _playhead(self) -> None:
        look, painter = self._look, self._painter
        found = look.place.seen(look.frame, look.frame, least_px=1.0)
        if found is None:
            return
        head = QtGui.QColor(255, 255, 255) if self._ground.lightnessF() < 0.5 else QtGui.QColor(20, 20, 20)
        x_px = look.place.centre_of(look.frame)
        if found[1] > 6:
            veil = QtGui.QColor(head)
            veil.setAlphaF(0.14)
            top = look.rows.head_px
            painter.fillRect(QtCore.QRectF(found[0], top, found[1], self._widget.height() - top), veil)
        painter.fillRect(QtCore.QRectF(x_px - 0.75, 0, 1.5, self._widget.height()), head)
        label = str(look.frame)
        metrics = self._widget.fontMetrics()
        width = metrics.horizontalAdvance(label) + 10
        left = min(max(x_px - width / 2, look.place.left_px), self._right - width)
        box = QtCore.QRectF(left, 1, width, look.rows.ruler_px - 4)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, True)
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(head)
        painter.drawRoundedRect(box, 3, 3)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QtGui.QColor(20, 20, 20) if head.lightnessF() > 0.5 else QtGui.QColor(255, 255, 255))
        painter.drawText(box, int(QtCore.Qt.AlignmentFlag.AlignCenter), label)
