"""Paints the plate with its masks, in every way in which they can be shown."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet_panel.qt import QtCore, QtGui
from masklet_panel.view_state import Mode
from masklet_panel.viewing.mask_images import MaskImages, as_qcolor, hard, outlined

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from masklet.hosting.shown.overlay_masks import PackedMask
    from masklet.hosting.shown.palette import Colour

GROUND = QtGui.QColor(24, 24, 26)
_CHECKER = (QtGui.QColor(92, 92, 96), QtGui.QColor(124, 124, 128))
_CHECKER_SIDE = 12
_GAINED = QtGui.QColor(70, 220, 120, 190)
_LOST = QtGui.QColor(255, 80, 70, 190)
_PREMULTIPLIED = QtGui.QImage.Format.Format_ARGB32_Premultiplied
_OUTLINE = 1.6
_FILL_UNDER_OUTLINE = 0.12
_RINGS_KEPT = 96
"""As many as things are found on a frame, and objects beside them: with fewer all would be made each time."""
_PIXELS_FROM = 3.0
"""From this zoom on pixels are shown as they are."""

Composition = QtGui.QPainter.CompositionMode


@dataclass(frozen=True)
class ShownMask:
    """One object's mask as it is drawn.

    Attributes:
        mask: On the frame that shows.
        colour: Of the object.
        is_active: It is the one that clicks are about.
        before: The mask of the version that differences are shown to.
    """

    mask: PackedMask | None
    colour: Colour
    is_active: bool = False
    before: PackedMask | None = None


class ScenePainter:
    """Paints into any widget or image; what it makes of masks is kept for the next time."""

    def __init__(self) -> None:
        self._images = MaskImages()
        self._rings: OrderedDict[tuple[object, ...], tuple[PackedMask, QtGui.QImage]] = OrderedDict()

    def paint(
        self,
        painter: QtGui.QPainter,
        plate: QtCore.QRectF,
        picture: QtGui.QImage | None,
        masks: Sequence[ShownMask],
        mode: Mode,
        *,
        opacity: float = 0.5,
        background: Colour | None = None,
    ) -> None:
        """The plate's rectangle, with masks over it.

        Args:
            painter: Of the widget.
            plate: Where the plate lies.
            picture: Of the frame; None while there is none.
            masks: From the first object to the last.
            mode: How masks are shown.
            opacity: Of colours over the plate.
            background: Behind what is cut out; None for a checker.
        """
        if mode in (Mode.MATTE, Mode.CUT_OUT):
            behind = background if mode is Mode.CUT_OUT else (0.0, 0.0, 0.0)
            self._cut_out(painter, plate, picture, masks, behind)
            return
        if mode is Mode.ALPHA:
            painter.fillRect(plate, QtGui.QColor(0, 0, 0))
            self._draw_masks(painter, plate, ((item.mask, QtGui.QColor("white")) for item in masks))
            return
        self._draw_picture(painter, plate, picture)
        if mode is Mode.COLOUR:
            tints = ((item.mask, as_qcolor(item.colour, opacity)) for item in masks)
            self._draw_masks(painter, plate, tints)
            for item in masks:
                if item.is_active:
                    self._draw_outline(painter, plate, item)
        elif mode is Mode.OUTLINE:
            tints = ((item.mask, as_qcolor(item.colour, _FILL_UNDER_OUTLINE)) for item in masks)
            self._draw_masks(painter, plate, tints)
            for item in masks:
                self._draw_outline(painter, plate, item)
        elif mode is Mode.DIFFERENCE:
            for item in masks:
                self._draw_difference(painter, plate, item)

    def draw_preview(
        self, painter: QtGui.QPainter, plate: QtCore.QRectF, mask: PackedMask, colour: Colour
    ) -> None:
        """What a click would give: a pale veil with a bright edge."""
        self._draw_masks(painter, plate, [(mask, as_qcolor(colour, 0.25))])
        self._draw_ring(painter, plate, mask, QtGui.QColor(255, 255, 255, 230))

    def draw_found(
        self, painter: QtGui.QPainter, plate: QtCore.QRectF, mask: PackedMask, colour: Colour
    ) -> None:
        """A thing that was found and not taken yet: a veil and an edge of its own colour."""
        self._draw_masks(painter, plate, [(mask, as_qcolor(colour, 0.35))])
        self._draw_ring(painter, plate, mask, as_qcolor(colour))

    def _draw_picture(
        self, painter: QtGui.QPainter, plate: QtCore.QRectF, picture: QtGui.QImage | None
    ) -> None:
        if picture is None:
            painter.fillRect(plate, QtGui.QColor(40, 40, 43))
            return
        smooth = plate.width() < picture.width() * _PIXELS_FROM
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(plate, picture)

    def _draw_masks(
        self,
        painter: QtGui.QPainter,
        plate: QtCore.QRectF,
        masks: Iterable[tuple[PackedMask | None, QtGui.QColor]],
    ) -> None:
        painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform, True)
        for mask, colour in masks:
            if mask is not None and not mask.is_empty:
                made = self._images.tinted(mask, colour)
                painter.drawImage(made.rect(plate), made.image)

    def _draw_outline(self, painter: QtGui.QPainter, plate: QtCore.QRectF, item: ShownMask) -> None:
        if item.mask is not None and not item.mask.is_empty:
            self._draw_ring(painter, plate, item.mask, as_qcolor(item.colour))

    def _draw_difference(self, painter: QtGui.QPainter, plate: QtCore.QRectF, item: ShownMask) -> None:
        for one, other, colour in ((item.mask, item.before, _GAINED), (item.before, item.mask, _LOST)):
            if one is None or one.is_empty:
                continue
            area = self._area_of(painter, plate, [one])
            if area.isEmpty():
                continue
            buffer, inner = _buffer(painter, area)
            self._draw_masks(inner, plate, [(one, colour)])
            inner.setCompositionMode(Composition.CompositionMode_DestinationOut)
            self._draw_masks(inner, plate, [(other, QtGui.QColor("white"))])
            inner.end()
            painter.drawImage(area.topLeft(), buffer)

    def _cut_out(
        self,
        painter: QtGui.QPainter,
        plate: QtCore.QRectF,
        picture: QtGui.QImage | None,
        masks: Sequence[ShownMask],
        background: Colour | None,
    ) -> None:
        if background is not None:
            painter.fillRect(plate, as_qcolor(background))
        else:
            _draw_checker(painter, plate)
        area = self._area_of(painter, plate, [item.mask for item in masks])
        if area.isEmpty():
            return
        coverage, inner = _buffer(painter, area)
        self._draw_masks(inner, plate, ((item.mask, QtGui.QColor("white")) for item in masks))
        inner.setCompositionMode(Composition.CompositionMode_SourceIn)
        self._draw_picture(inner, plate, picture)
        inner.end()
        painter.drawImage(area.topLeft(), coverage)

    def _draw_ring(
        self, painter: QtGui.QPainter, plate: QtCore.QRectF, mask: PackedMask, colour: QtGui.QColor
    ) -> None:
        """The mask's edge, at the screen's own resolution; it is kept until it is another one."""
        area = self._area_of(painter, plate, [mask])
        if area.isEmpty():
            return
        ratio = painter.device().devicePixelRatioF()
        key = (id(mask), int(colour.rgba()), plate.getRect(), area.getRect(), ratio)
        found = self._rings.get(key)
        if found is None:
            buffer, inner = _buffer(painter, area)
            self._draw_masks(inner, plate, [(mask, QtGui.QColor("white"))])
            inner.end()
            ring = outlined(hard(buffer), colour, max(1, round(_OUTLINE * ratio)))
            ring.setDevicePixelRatio(ratio)
            # The mask is kept along: another one might get its place in memory.
            found = self._rings[key] = (mask, ring)
            while len(self._rings) > _RINGS_KEPT:
                self._rings.popitem(last=False)
        self._rings.move_to_end(key)
        painter.drawImage(area.topLeft(), found[1])

    def _area_of(
        self, painter: QtGui.QPainter, plate: QtCore.QRectF, masks: Iterable[PackedMask | None]
    ) -> QtCore.QRect:
        """Where masks cover anything that is seen, with room for a line around it."""
        device, whole = painter.device(), QtCore.QRectF()
        for mask in masks:
            if mask is not None and not mask.is_empty:
                whole = whole.united(self._images.part(mask).rect(plate))
        room = 2 * _OUTLINE
        seen = QtCore.QRectF(0, 0, device.width(), device.height())
        if whole.isEmpty():
            return QtCore.QRect()
        return whole.adjusted(-room, -room, room, room).intersected(seen).toAlignedRect()


def _buffer(painter: QtGui.QPainter, area: QtCore.QRect) -> tuple[QtGui.QImage, QtGui.QPainter]:
    """An empty image for an area of what is painted on, and a painter of it in the same coordinates."""
    ratio = painter.device().devicePixelRatioF()
    image = QtGui.QImage(round(area.width() * ratio), round(area.height() * ratio), _PREMULTIPLIED)
    image.setDevicePixelRatio(ratio)
    image.fill(0)
    inner = QtGui.QPainter(image)
    inner.translate(-area.topLeft())
    return image, inner


def _draw_checker(painter: QtGui.QPainter, plate: QtCore.QRectF) -> None:
    side = _CHECKER_SIDE
    tile = QtGui.QPixmap(2 * side, 2 * side)
    tile.fill(_CHECKER[0])
    inner = QtGui.QPainter(tile)
    inner.fillRect(0, 0, side, side, _CHECKER[1])
    inner.fillRect(side, side, side, side, _CHECKER[1])
    inner.end()
    painter.drawTiledPixmap(plate, tile)
