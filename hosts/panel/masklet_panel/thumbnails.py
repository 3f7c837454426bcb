"""Small pictures of an object on a frame: the plate where it is here, the mask in the object's colour."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Optional

from masklet_panel import theme
from masklet_panel.qt import QtCore, QtGui

if TYPE_CHECKING:
    from masklet.hosting.shown.overlay_masks import PackedMask
    from masklet.hosting.shown.palette import Colour

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
        painter.drawImage(covered, _tinted(coverage_of(mask), colour))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


def _tinted(coverage: QtGui.QImage, colour: Colour) -> QtGui.QImage:
    image = coverage.convertToFormat(QtGui.QImage.Format.Format_ARGB32_Premultiplied)
    painter = QtGui.QPainter(image)
    painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(image.rect(), theme.qcolour(colour))
    painter.end()
    return image
