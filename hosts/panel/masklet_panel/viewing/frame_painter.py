"""Paints the frame under the playhead: picture, masks, what a click would give, splines, anchors, prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet_panel.qt import QtCore, QtGui
from masklet_panel.view_state import Mode
from masklet_panel.viewing import marks
from masklet_panel.viewing.geometry_marks import draw_anchor, draw_shapes
from masklet_panel.viewing.mask_images import as_qcolor
from masklet_panel.viewing.scene import ScenePainter, ShownMask

if TYPE_CHECKING:
    from typing import Any

    from masklet.hosting.shown.overlay_masks import PackedMask
    from masklet_panel.viewing.placement import Placement
    from masklet_panel.workspace import Workspace

_NEW_COLOUR = (1.0, 1.0, 1.0)


class FramePainter:
    """Paints what is known of the frame that shows.

    Args:
        workspace: Whose plate.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._scene = ScenePainter()

    def paint(
        self,
        painter: QtGui.QPainter,
        plate: QtCore.QRectF,
        place: Placement,
        picture: QtGui.QImage | None,
        preview: PackedMask | None,
    ) -> None:
        """Everything but the hand.

        Args:
            painter: Of the viewer.
            plate: Where the plate lies.
            place: The same, for its pixels.
            picture: Of the frame; None while there is none.
            preview: What a click under the hand would give; None for nothing.
        """
        look = self._workspace.view.look
        self._paint_masks(painter, plate, picture)
        self._paint_found(painter, plate)
        if preview is not None and look.mode is not Mode.PLATE:
            self._scene.draw_preview(painter, plate, preview, self._active_colour())
        self._paint_geometry(painter, place)
        if look.shows_prompts:
            self._paint_prompts(painter, place)

    def _paint_masks(
        self, painter: QtGui.QPainter, plate: QtCore.QRectF, picture: QtGui.QImage | None
    ) -> None:
        look = self._workspace.view.look
        if look.wipe is None:
            self._paint_side(painter, plate, picture, None)
            return
        line = plate.left() + plate.width() * look.wipe.position
        width, height = painter.device().width(), painter.device().height()
        sides = (
            (QtCore.QRectF(0, 0, line, height), look.wipe.left),
            (QtCore.QRectF(line, 0, width - line, height), look.wipe.right),
        )
        for clip, version in sides:
            painter.save()
            painter.setClipRect(clip)
            self._paint_side(painter, plate, picture, version)
            painter.restore()
        painter.setPen(QtGui.QPen(QtGui.QColor(255, 255, 255, 220), 1.5))
        painter.drawLine(QtCore.QPointF(line, plate.top()), QtCore.QPointF(line, plate.bottom()))

    def _paint_found(self, painter: QtGui.QPainter, plate: QtCore.QRectF) -> None:
        """Things that may be taken, the largest behind; the one under the hand with a bright edge."""
        finding = self._workspace.finding
        for thing in sorted(finding.things, key=lambda each: -each.share):
            self._scene.draw_found(painter, plate, thing.mask, thing.colour)
        hovered = finding.hovered
        if hovered is not None:
            self._scene.draw_preview(painter, plate, hovered.mask, hovered.colour)

    def _paint_side(
        self, painter: QtGui.QPainter, plate: QtCore.QRectF, picture: QtGui.QImage | None, version: Any
    ) -> None:
        look = self._workspace.view.look
        self._scene.paint(
            painter,
            plate,
            picture,
            self._shown_masks(version),
            look.mode,
            opacity=look.opacity,
            background=look.background,
        )

    def _shown_masks(self, version: Any) -> list[ShownMask]:
        model, look = self._workspace.model, self._workspace.view.look
        if look.mode is Mode.PLATE:
            return []
        frame, shown = model.frame, []
        before = look.before or (model.versions[-1] if model.versions else None)
        for item in model.objects:
            if not item.is_visible:
                continue
            mask = model.mask(item.uid, frame) if version is None else version.mask(item.uid, frame)
            old = (
                before.mask(item.uid, frame) if before is not None and look.mode is Mode.DIFFERENCE else None
            )
            shown.append(ShownMask(mask, item.colour, item.is_active, old))
        return shown

    def _paint_prompts(self, painter: QtGui.QPainter, place: Placement) -> None:
        model = self._workspace.model
        for item in model.objects:
            said = model.said(item.uid)
            if said is None or not (item.is_visible or item.is_active):
                continue
            prompts = said.at(model.frame)
            if not prompts.is_empty:
                marks.draw_prompts(painter, place, prompts, as_qcolor(item.colour), is_active=item.is_active)

    def _paint_geometry(self, painter: QtGui.QPainter, place: Placement) -> None:
        look, model, geometry = (
            self._workspace.view.look,
            self._workspace.model,
            self._workspace.geometry,
        )
        for item in model.objects:
            if not item.is_visible:
                continue
            colour = as_qcolor(item.colour)
            shapes = geometry.shapes(item.uid) if look.shows_splines else None
            if shapes is not None:
                draw_shapes(painter, place, shapes, model.frame, colour, is_active=item.is_active)
            anchor = geometry.anchor(item.uid) if look.shows_anchors else None
            if anchor is not None:
                draw_anchor(painter, place, anchor, model.frame, colour)

    def _active_colour(self) -> tuple[float, float, float]:
        return next((item.colour for item in self._workspace.model.objects if item.is_active), _NEW_COLOUR)
