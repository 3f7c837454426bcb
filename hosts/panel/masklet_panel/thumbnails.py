"""Small pictures of an object on a frame: the plate where it is here, the mask in the object's colour."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Optional

from masklet_panel import theme
from masklet_panel.qt import QtCore, QtGui

if TYPE_CHECKING:
    from masklet.hosting.shown.overlay_masks import PackedMask
    from masklet.hosting.shown.palette import Colour

_MOST = 64

Pictures = Callable[[int], Optional[QtGui.QImage]]
"""The plate's picture on a frame, if it is here."""


def no_pictures(frame: int) -> QtGui.QImage | None:
    """Where nobody shows the plate."""
    del frame
    return None


def coverage_of(mask: PackedMask) -> QtGui.QImage:
    """A mask as an image whose opacity is its coverage."""
    alpha = zlib.decompress(mask.packed)
    image = QtGui.QImage(
        alpha, mask.width_px, mask.height_px, mask.width_px, QtGui.QImage.Format.Format_Alpha8
    )
    # The bytes go away with this call.
    return image.copy()


def thumbnail(
    size: QtCore.QSize,
    mask: PackedMask | None,
    colour: Colour,
    picture: QtGui.QImage | None = None,
    *,
    ratio: float = 1.0,
) -> QtGui.QPixmap:
    """A picture of a size, in the widget's own pixels.

    Args:
        size: To fill; what is missing on two sides stays dark.
        mask: None where the object has none.
        colour: Of the object.
        picture: The plate; None where it is not here.
        ratio: Of the screen's pixels to the widget's.
    """
    pixmap = QtGui.QPixmap(round(size.width() * ratio), round(size.height() * ratio))
    pixmap.fill(QtGui.QColor(14, 14, 15))
    whole = QtCore.QSizeF(pixmap.size())
    shape = QtCore.QSizeF(16, 9)
    if picture is not None:
        shape = QtCore.QSizeF(picture.size())
    elif mask is not None:
        shape = QtCore.QSizeF(mask.width_px / mask.covers_x, mask.height_px / mask.covers_y)
    fitted = shape.scaled(whole, QtCore.Qt.AspectRatioMode.KeepAspectRatio)
    area = QtCore.QRectF(
        QtCore.QPointF((whole.width() - fitted.width()) / 2, (whole.height() - fitted.height()) / 2), fitted
    )
    painter = QtGui.QPainter(pixmap)
    painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
    painter.fillRect(area, QtGui.QColor(30, 30, 32))
    if picture is not None:
        painter.drawImage(area, picture)
    if mask is not None and not mask.is_empty:
        covered = QtCore.QRectF(
            area.topLeft(), QtCore.QSizeF(area.width() * mask.covers_x, area.height() * mask.covers_y)
        )
        painter.setOpacity(1.0 if picture is None else 0.6)
        painter.drawImage(covered.topLeft(), _tinted(mask, colour, covered.size().toSize()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _tinted(mask: PackedMask, colour: Colour, size: QtCore.QSize) -> QtGui.QImage:
    """A mask in a colour, small: the large one is looked at only where its pixels are needed."""
    image = QtGui.QImage(size, QtGui.QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(theme.qcolour(colour))
    painter = QtGui.QPainter(image)
    painter.setRenderHint(QtGui.QPainter.RenderHint.SmoothPixmapTransform)
    painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_DestinationIn)
    painter.drawImage(image.rect(), coverage_of(mask))
    painter.end()
    return image


class Thumbnails:
    """Thumbnails that were drawn last, so that what did not change is not drawn again."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], tuple[object, object, QtGui.QPixmap]] = OrderedDict()

    def get(
        self,
        size: QtCore.QSize,
        mask: PackedMask | None,
        colour: Colour,
        picture: QtGui.QImage | None,
        *,
        ratio: float,
    ) -> QtGui.QPixmap:
        """As :func:`thumbnail`."""
        image = None if picture is None else int(picture.cacheKey())
        key = (size.width(), size.height(), id(mask), colour, image, ratio)
        found = self._kept.get(key)
        if found is None:
            made = thumbnail(size, mask, colour, picture, ratio=ratio)
            # The mask is kept along: another one might get its place in memory.
            found = self._kept[key] = (mask, picture, made)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return found[2]
