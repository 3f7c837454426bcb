"""The viewer's widget: shows the frame under the playhead, and takes what the hand says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.phrases import phrase
from masklet.types import Click
from masklet_panel.qt import QtCore, QtGui, QtWidgets, Signal, position_of
from masklet_panel.view_state import Tool
from masklet_panel.viewing import marks
from masklet_panel.viewing.frame_painter import FramePainter
from masklet_panel.viewing.hover import Hover
from masklet_panel.viewing.placement import Placement, centred, fitted
from masklet_panel.viewing.scene import GROUND
from masklet_panel.viewing.wipe_handle import WipeHandle

if TYPE_CHECKING:
    from masklet_panel.workspace import Workspace

_DRAG_FROM = 5.0
"""A hand that moves less has clicked, in the viewer's pixels."""
_SHIFT_OR_ALT = QtCore.Qt.KeyboardModifier.ShiftModifier | QtCore.Qt.KeyboardModifier.AltModifier


class Viewer(QtWidgets.QWidget):
    """The plate, and the hand that points at it.

    Args:
        workspace: Whose plate.

    Attributes:
        hover: What a click would give.
    """

    moved = Signal()
    """The plate lies elsewhere in the viewer, or is larger or smaller."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.hover = Hover(workspace)
        self._frame = FramePainter(workspace)
        self._place = Placement()
        self._is_fitted = True
        self._pressed: QtCore.QPointF | None = None
        self._wipe = WipeHandle(workspace.view)
        self._pan_from: QtCore.QPointF | None = None
        self._line_px: list[tuple[float, float]] = []
        self._hand: QtCore.QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.StrongFocus)
        self.setMinimumSize(240, 160)
        self.setAccessibleName("Viewer")
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_OpaquePaintEvent)
        model, view = workspace.model, workspace.view
        for signal in (model.masks_changed, model.document_changed, model.selection_changed):
            signal.connect(self._redraw)
        for signal in (model.frame_changed, model.plate_changed, view.changed):
            signal.connect(self._look_elsewhere)
        model.plate_changed.connect(self._plate_changed)
        workspace.pictures.arrived.connect(self._picture_came)
        self.hover.changed.connect(self._redraw)
        workspace.geometry.changed.connect(self._redraw)
        workspace.finding.changed.connect(self._redraw)
        view.fit_asked.connect(self.fit)
        view.scale_asked.connect(self.scale_to)
        view.zoom_asked.connect(self._zoom)
        self._plate_changed()

    @property
    def placement(self) -> Placement:
        """Where the plate lies now."""
        return self._place

    def fit(self) -> None:
        """Show the whole plate, now and whenever the viewer changes its size."""
        self._is_fitted = True
        self._refit()

    def scale_to(self, scale: float) -> None:
        """Show the middle of the plate with so many screen pixels for one of its own."""
        self._is_fitted = False
        width_px, height_px = self._size_px()
        ratio = self.devicePixelRatioF()
        self._place = centred(
            width_px, height_px, self.width(), self.height(), scale=scale / ratio, aspect=self._aspect()
        )
        self._look_elsewhere()

    # What Qt asks.

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Paint the frame that shows."""
        del event
        painter = QtGui.QPainter(self)
        painter.fillRect(self.rect(), GROUND)
        model = self._workspace.model
        if model.plate is not None:
            plate = self._plate_rect()
            picture = self._workspace.pictures.get(model.frame)
            preview = self.hover.mask if self._pressed is None else None
            self._frame.paint(painter, plate, self._place, picture, preview)
            self._paint_hand(painter)
            self._paint_words(painter, has_picture=picture is not None)
        painter.end()

    def resizeEvent(self, event: QtGui.QResizeEvent) -> None:
        """Keep the plate fitted, or its middle in the middle."""
        if self._is_fitted:
            self._refit()
        else:
            old = event.oldSize()
            if old.isValid():
                self._place = self._place.moved(
                    (self.width() - old.width()) / 2, (self.height() - old.height()) / 2
                )
        super().resizeEvent(event)

    def wheelEvent(self, event: QtGui.QWheelEvent) -> None:
        """Zoom around the hand."""
        at = _wheel_position(event)
        self._is_fitted = False
        self._place = self._place.stepped(event.angleDelta().y() / 120.0, at.x(), at.y())
        self._look_elsewhere()
        event.accept()

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """Begin to pan, to click or to draw."""
        at = position_of(event)
        tool = self._workspace.view.look.tool
        middle = event.button() == QtCore.Qt.MouseButton.MiddleButton
        left = event.button() == QtCore.Qt.MouseButton.LeftButton
        if self._workspace.model.plate is None:
            return
        if middle or (left and tool is Tool.PAN):
            self._pan_from = at
            self.setCursor(QtCore.Qt.CursorShape.ClosedHandCursor)
        elif left and self._wipe.take(at, self._plate_rect()):
            self.hover.clear()
        elif left:
            self._workspace.playback.stop()
            self._pressed = at
            self._line_px = [self._place.to_plate(at.x(), at.y())]
            self.hover.clear()
        self.update()

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """Pan, draw, or ask what a click would give."""
        at = self._hand = position_of(event)
        if self._pan_from is not None:
            delta = at - self._pan_from
            self._pan_from = at
            self._is_fitted = False
            self._place = self._place.moved(delta.x(), delta.y())
            self._look_elsewhere()
        elif self._wipe.is_held:
            self._wipe.drag(at, self._plate_rect())
        elif self._pressed is not None:
            self._line_px.append(self._place.to_plate(at.x(), at.y()))
            self.update()
        elif self._wipe.is_under(at, self._plate_rect()):
            self.hover.clear()
            self.setCursor(QtCore.Qt.CursorShape.SizeHorCursor)
        else:
            self._set_cursor()
            self._point_at(at, event)

    def mouseReleaseEvent(self, event: QtGui.QMouseEvent) -> None:
        """Say what was clicked or drawn."""
        at = position_of(event)
        if self._pan_from is not None:
            self._pan_from = None
            self._set_cursor()
        elif self._wipe.is_held:
            self._wipe.let_go()
        elif self._pressed is not None:
            began, self._pressed = self._pressed, None
            self._say(began, at, positive=self._is_positive(event))
            self._line_px = []
        self.update()

    def mouseDoubleClickEvent(self, event: QtGui.QMouseEvent) -> None:
        """Two quick clicks are two clicks."""
        self.mousePressEvent(event)

    def leaveEvent(self, event: QtCore.QEvent) -> None:
        """The hand has gone."""
        self._hand = None
        self.hover.clear()
        super().leaveEvent(event)

    # Inside.

    def _say(self, began: QtCore.QPointF, at: QtCore.QPointF, *, positive: bool) -> None:
        saying, look = self._workspace.saying, self._workspace.view.look
        line_px = [*self._line_px, self._place.to_plate(at.x(), at.y())]
        if look.tool is Tool.SCRIBBLE:
            saying.scribble(line_px, look.brush_px, positive=positive)
        elif look.tool is Tool.LASSO:
            if len(line_px) > 3:
                saying.lasso(line_px, positive=positive)
        elif (at - began).manhattanLength() >= _DRAG_FROM:
            (x0, y0), (x1, y1) = line_px[0], line_px[-1]
            saying.box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
        elif not (positive and self._workspace.finding.take(*line_px[0])):
            saying.click(*line_px[0], positive=positive)

    def _point_at(self, at: QtCore.QPointF, event: QtGui.QMouseEvent) -> None:
        x_px, y_px = self._place.to_plate(at.x(), at.y())
        width_px, height_px = self._workspace.model.size_px
        look = self._workspace.view.look
        is_inside = 0.0 <= x_px < width_px and 0.0 <= y_px < height_px
        positive = self._is_positive(event)
        if self._workspace.finding.point_at(x_px, y_px) and look.tool is Tool.POINT and positive:
            self.hover.clear()
        elif look.tool is Tool.POINT and is_inside and not event.buttons():
            self.hover.point_at(Click(round(x_px, 1), round(y_px, 1), positive))
        else:
            self.hover.clear()
        if look.tool is Tool.SCRIBBLE:
            self.update()

    def _is_positive(self, event: QtGui.QMouseEvent) -> bool:
        adds = self._workspace.view.look.adds
        return not adds if event.modifiers() & _SHIFT_OR_ALT else adds

    def _paint_hand(self, painter: QtGui.QPainter) -> None:
        """What is being drawn, and how wide the brush is."""
        look = self._workspace.view.look
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        modifiers = QtWidgets.QApplication.keyboardModifiers()
        positive = not look.adds if modifiers & _SHIFT_OR_ALT else look.adds
        if self._pressed is not None and self._line_px:
            if look.tool is Tool.SCRIBBLE:
                marks.draw_stroke(painter, self._place, self._line_px, look.brush_px, positive=positive)
            elif look.tool is Tool.LASSO:
                marks.draw_lasso(painter, self._place, self._line_px, positive=positive)
            else:
                began, now = self._line_px[0], self._line_px[-1]
                marks.draw_box(painter, self._place, (*began, *now), QtGui.QColor("white"))
        elif look.tool is Tool.SCRIBBLE and self._hand is not None:
            radius = look.brush_px * self._place.scale / 2
            painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)
            painter.setPen(QtGui.QPen(QtGui.QColor(255, 255, 255, 200), 1.2))
            painter.drawEllipse(self._hand, radius, radius)

    def _paint_words(self, painter: QtGui.QPainter, *, has_picture: bool) -> None:
        """Why there is no picture; and how large one is shown."""
        model = self._workspace.model
        reason = self._workspace.pictures.reason(model.frame)
        is_told = model.notice is not None and model.notice.is_alarm
        if reason or not (has_picture or is_told):
            painter.setPen(QtGui.QColor(200, 200, 204))
            words = reason or phrase("Reading the picture …")
            flags = QtCore.Qt.AlignmentFlag.AlignCenter | QtCore.Qt.TextFlag.TextWordWrap
            painter.drawText(QtCore.QRectF(self.rect()).adjusted(40, 40, -40, -40), int(flags), words)

    def _plate_rect(self) -> QtCore.QRectF:
        width_px, height_px = self._size_px()
        left, top = self._place.to_view(0.0, 0.0)
        right, bottom = self._place.to_view(float(width_px), float(height_px))
        return QtCore.QRectF(QtCore.QPointF(left, top), QtCore.QPointF(right, bottom))

    def _size_px(self) -> tuple[int, int]:
        width_px, height_px = self._workspace.model.size_px
        return (width_px, height_px) if width_px and height_px else (1920, 1080)

    def _aspect(self) -> float:
        clip = self._workspace.model.clip
        return 1.0 if clip is None else clip.pixel_aspect

    def _refit(self) -> None:
        width_px, height_px = self._size_px()
        self._place = fitted(width_px, height_px, self.width(), self.height(), aspect=self._aspect())
        self._look_elsewhere()

    def _zoom(self, steps: float) -> None:
        self._is_fitted = False
        self._place = self._place.stepped(steps, self.width() / 2, self.height() / 2)
        self._look_elsewhere()

    def _plate_changed(self) -> None:
        if self._is_fitted or self._workspace.model.plate is None:
            self.fit()
        self._set_cursor()

    def _look_elsewhere(self) -> None:
        """Another frame, another part of it, or in another way: have its picture come."""
        look, model = self._workspace.view.look, self._workspace.model
        width_px, height_px = self._size_px()
        ratio = self.devicePixelRatioF() if self.isVisible() else 1.0
        side_px = max(width_px * self._place.aspect, height_px) * self._place.scale * ratio
        self._workspace.pictures.show(side_px, look.grade)
        if model.plate is not None and not self._workspace.pictures.has(model.frame):
            self._workspace.pictures.want(model.frame)
        self._set_cursor()
        self.update()
        self.moved.emit()

    def _picture_came(self, frame: int) -> None:
        if frame == self._workspace.model.frame:
            self.update()

    def _redraw(self) -> None:
        self.update()

    def _set_cursor(self) -> None:
        tool = self._workspace.view.look.tool
        if self._workspace.model.plate is None:
            self.unsetCursor()
        elif tool is Tool.PAN:
            self.setCursor(QtCore.Qt.CursorShape.OpenHandCursor)
        else:
            self.setCursor(QtCore.Qt.CursorShape.CrossCursor)


def _wheel_position(event: QtGui.QWheelEvent) -> QtCore.QPointF:
    """Where the wheel was turned."""
    return QtCore.QPointF(event.position())
