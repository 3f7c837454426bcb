"""The timeline: a lane per object, the playhead, the range, and what a mouse does there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.hosting.sentences import state_parts
from masklet.hosting.shown.time_map import Part, Rows, TimeMap, dragged, hit, moved, with_in, with_out
from masklet.phrases import phrase
from masklet.types import FrameRange
from masklet_panel import theme
from masklet_panel.lane_images import LaneImages, Lanes
from masklet_panel.lane_menu import range_menu
from masklet_panel.lane_painter import LanePainter, TimelineLook
from masklet_panel.qt import QtCore, QtGui, QtWidgets, position_of

if TYPE_CHECKING:
    from masklet.hosting.shown.time_map import Hit
    from masklet_panel.panel_model import PanelModel

_WHEEL_STEP = 120.0
_ZOOM = 1.25
_REST_MS = 15
_STANDS_MS = 250
"""A frame that shows for so long is told to screen readers."""


class Timeline(QtWidgets.QWidget):
    """Lanes of all objects over the plate's frames.

    A drag on the ruler or on lanes moves the playhead, with Shift it makes a range; the bar between them
    holds the range. The wheel moves lanes, with Ctrl it zooms, with Shift it moves along, as the middle
    button does.

    Args:
        model: What is shown.
        parent: As ever.
    """

    def __init__(self, model: PanelModel, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._place = TimeMap.whole(model.frames, left_px=0, width_px=1)
        self._scrolled_px = 0.0
        self._lanes = Lanes(model)
        self._images = LaneImages(model)
        self._rest = QtCore.QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST_MS)
        self._rest.timeout.connect(self._redraw)
        self._standing = QtCore.QTimer(self)
        self._standing.setSingleShot(True)
        self._standing.setInterval(_STANDS_MS)
        self._standing.timeout.connect(self._describe)
        self._ground: QtGui.QPixmap | None = None
        self._hover: int | None = None
        self._drag: tuple[Hit, FrameRange | None] | None = None
        self._panned_px: float | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Expanding)
        self.setAccessibleName(phrase("Timeline"))
        self.setContextMenuPolicy(QtCore.Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._show_menu)
        model.plate_changed.connect(self._plate_changed)
        model.frame_changed.connect(self._frame_changed)
        for signal in (
            model.document_changed,
            model.selection_changed,
            model.span_changed,
            model.states_changed,
        ):
            signal.connect(self._changed)
        self._plate_changed()

    def look(self) -> TimelineLook:
        """What is drawn now."""
        return TimelineLook(
            self._place,
            self._rows,
            self._model.objects,
            self._lanes,
            self._model.cuts,
            self._model.frame,
            self._model.span,
            self._hover,
        )

    def show_whole(self) -> None:
        """Show all frames of the plate."""
        self._take(
            TimeMap.whole(self._model.frames, left_px=self._place.left_px, width_px=self._place.width_px)
        )

    def sizeHint(self) -> QtCore.QSize:
        """Room for four lanes."""
        line = theme.line_px(self)
        return QtCore.QSize(int(line * 45), int(self._rows.head_px + 4 * self._rows.lane_px))

    def minimumSizeHint(self) -> QtCore.QSize:
        """Room for one lane."""
        line = theme.line_px(self)
        return QtCore.QSize(int(line * 16), int(self._rows.head_px + self._rows.lane_px))

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Draw."""
        look = self.look()
        if self._ground is None:
            self._ground = self._images.ground(self, look)
            if self._images.lacks:
                self._rest.start()
        painter = QtGui.QPainter(self)
        painter.drawPixmap(0, 0, self._ground)
        LanePainter(painter, self, look).paint_hand()
        if self.hasFocus():
            painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
            painter.setPen(theme.role(self, QtGui.QPalette.ColorRole.Highlight))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.end()

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Show the same frames in the new width."""
        line = theme.line_px(self)
        left_px = min(line * 10.0, self.width() * 0.3)
        self._place = self._place.resized(left_px=left_px, width_px=self.width() - left_px - line * 0.6)
        self._scroll_by(0.0)

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """Begin to drag what is under the pointer."""
        where = position_of(event)
        if event.button() == QtCore.Qt.MouseButton.MiddleButton:
            self._panned_px = where.x()
            return
        if event.button() != QtCore.Qt.MouseButton.LeftButton:
            return
        found = self._hit(where)
        shift = bool(event.modifiers() & QtCore.Qt.KeyboardModifier.ShiftModifier)
        if shift and found.part in (Part.RULER, Part.LANE):
            found = replace(found, part=Part.BAR)
        if found.part is Part.NOTHING:
            self._press_beside(where, event)
            return
        self._drag = (found, self._model.span)
        if found.part is Part.LANE:
            self._choose(found.lane, event)
        if found.part in (Part.RULER, Part.LANE):
            self._model.go_to(found.frame)

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """Drag, or tell what is under the pointer."""
        where = position_of(event)
        if self._panned_px is not None:
            by = (self._panned_px - where.x()) / self._place.frame_px
            self._panned_px = where.x()
            self._take(self._place.scrolled(by))
            return
        frame = self._place.frame_at(where.x())
        if self._drag is not None:
            self._drag_to(frame)
        else:
            self._hover_over(self._hit(where))

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:
        """Let go."""
        if event.button() == QtCore.Qt.MouseButton.MiddleButton:
            self._panned_px = None
        elif event.button() == QtCore.Qt.MouseButton.LeftButton:
            self._drag = None

    def mouseDoubleClickEvent(self, event: QtGui.QMouseEvent) -> None:
        """On the bar of the range: the whole plate again."""
        if self._hit(position_of(event)).part in (Part.SPAN, Part.BAR, Part.IN, Part.OUT):
            self._model.set_span(None)
        else:
            self.mousePressEvent(event)

    def leaveEvent(self, event: QtCore.QEvent) -> None:
        """No frame is under the pointer any more."""
        self._hover = None
        self.update()

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        """Zoom with Ctrl, move along with Shift or sideways, else move lanes."""
        turns = event.angleDelta()
        modifiers = event.modifiers()
        if modifiers & QtCore.Qt.KeyboardModifier.ControlModifier:
            x_px = position_of(event).x()
            self._take(self._place.zoomed(_ZOOM ** (turns.y() / _WHEEL_STEP), x_px))
        elif turns.x() or modifiers & QtCore.Qt.KeyboardModifier.ShiftModifier:
            by = -(turns.x() or turns.y()) / _WHEEL_STEP
            self._take(self._place.scrolled(by * self._place.shown / 10))
        else:
            self._scroll_by(-turns.y() / _WHEEL_STEP * self._rows.lane_px)
        event.accept()

    def event(self, event: QtCore.QEvent) -> bool:
        """Tooltips say what is known of the frame under the pointer."""
        if event.type() == QtCore.QEvent.Type.ToolTip and isinstance(event, QtGui.QHelpEvent):
            found = self._hit(QtCore.QPointF(event.pos()))
            text = self.words_of(found.lane, found.frame) if found.part is Part.LANE else ""
            QtWidgets.QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def words_of(self, lane: int, frame: int) -> str:
        """What is known of an object on a frame, as a sentence."""
        shown = self._model.objects[lane]
        said = self._model.said(shown.uid)
        if said is None:
            return ""
        strip = next((one for one in self._model.strips(shown.uid) if one.first <= frame <= one.last), None)
        parts = ", ".join(state_parts(said.at(frame), strip))
        return phrase("{name}, frame {frame}: {state}", name=shown.name, frame=frame, state=parts)

    @property
    def _rows(self) -> Rows:
        line = theme.line_px(self)
        return Rows(round(line * 1.5), round(line * 0.85), round(line * 1.6), self._scrolled_px)

    def _hit(self, where: QtCore.QPointF) -> Hit:
        lanes = len(self._model.objects)
        return hit(self._place, self._rows, where.x(), where.y(), lanes=lanes, span=self._model.span)

    def _press_beside(self, where: QtCore.QPointF, event: QtGui.QMouseEvent) -> None:
        """A click on a name chooses the object."""
        lane = self._rows.lane_at(where.y())
        if where.x() < self._place.left_px and 0 <= lane < len(self._model.objects):
            self._choose(lane, event)

    def _choose(self, lane: int, event: QtGui.QMouseEvent) -> None:
        uid = self._model.objects[lane].uid
        if event.modifiers() & QtCore.Qt.KeyboardModifier.ControlModifier:
            chosen = [one for one in self._model.selected if one != uid]
            self._model.select(chosen if uid in self._model.selected else [*chosen, uid])
        elif uid not in self._model.selected or event.button() == QtCore.Qt.MouseButton.LeftButton:
            self._model.select([uid])

    def _drag_to(self, frame: int) -> None:
        assert self._drag is not None
        found, before = self._drag
        if found.part in (Part.RULER, Part.LANE):
            self._model.go_to(frame)
        elif found.part is Part.BAR:
            span = dragged(found.frame, frame)
            self._model.set_span(None if span == self._model.frames else span)
        elif found.part is Part.IN and before is not None:
            self._model.set_span(with_in(before, min(frame, before.last), self._model.frames))
        elif found.part is Part.OUT and before is not None:
            self._model.set_span(with_out(before, max(frame, before.first), self._model.frames))
        elif found.part is Part.SPAN and before is not None:
            self._model.set_span(moved(before, frame - found.frame, self._model.frames))

    def _hover_over(self, found: Hit) -> None:
        shapes = QtCore.Qt.CursorShape
        cursor = {
            Part.IN: shapes.SizeHorCursor,
            Part.OUT: shapes.SizeHorCursor,
            Part.SPAN: shapes.OpenHandCursor,
        }
        self.setCursor(cursor.get(found.part, shapes.ArrowCursor))
        hover = None if found.part is Part.NOTHING else found.frame
        if hover != self._hover:
            self._hover = hover
            self.update()

    def changeEvent(self, event: QtCore.QEvent) -> None:
        """The host's palette or font may change."""
        self._redraw()
        super().changeEvent(event)

    def _redraw(self) -> None:
        """Draw the lanes anew, not only the playhead over them."""
        self._ground = None
        self.update()

    def _scroll_by(self, by_px: float) -> None:
        rows = self._rows
        most = max(0.0, len(self._model.objects) * rows.lane_px - (self.height() - rows.head_px))
        self._scrolled_px = min(max(self._scrolled_px + by_px, 0.0), most)
        self._redraw()

    def _take(self, place: TimeMap) -> None:
        self._place = place
        self._redraw()

    def _plate_changed(self) -> None:
        self._lanes.keep([said.uid for said in self._model.document])
        self._place = self._place.of_clip(self._model.frames)
        self._changed()

    def _frame_changed(self) -> None:
        place = self._place.showing(self._model.frame)
        if place is not self._place:
            self._take(place)
        self.update()
        self._standing.start()

    def _changed(self) -> None:
        self._scroll_by(0.0)
        self._standing.start()

    def _describe(self) -> None:
        """Tell a screen reader the frame, once it stands."""
        if not self._model.host.is_playing:
            lanes = range(len(self._model.objects))
            self.setAccessibleDescription("; ".join(self.words_of(lane, self._model.frame) for lane in lanes))

    def _show_menu(self, where: QtCore.QPoint) -> None:
        self.menu(self._hit(QtCore.QPointF(where))).popup(self.mapToGlobal(where))

    def menu(self, found: Hit) -> QtWidgets.QMenu:
        """What can be done at a place."""
        menu = range_menu(self._model, found, self)
        menu.addSeparator()
        menu.addAction(phrase("Show all frames")).triggered.connect(lambda *_: self.show_whole())
        return menu
