"""Masks as images: tinted, white, outlined. Bytes are moved by Qt alone."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from typing import TYPE_CHECKING

from masklet_panel.qt import QtCore, QtGui

if TYPE_CHECKING:
    from masklet.hosting.shown.overlay_masks import PackedMask
    from masklet.hosting.shown.palette import Colour

_KEPT = 96
_PREMULTIPLIED = QtGui.QImage.Format.Format_ARGB32_Premultiplied


class MaskImages:
    """Images of masks, those that were drawn last."""

    def __init__(self) -> None:
        self._images: OrderedDict[tuple[int, int], tuple[PackedMask, QtGui.QImage]] = OrderedDict()

    def tinted(self, mask: PackedMask, colour: QtGui.QColor) -> QtGui.QImage:
        """The mask in a colour, its coverage as opacity; the colour's own opacity counts too."""
        key = (id(mask), int(colour.rgba()))
        # The mask is kept along: another one might get its place in memory.
        found = self._images.get(key)
        if found is None:
            found = self._images[key] = (mask, _tinted(mask, colour))
            while len(self._images) > _KEPT:
                self._images.popitem(last=False)
        self._images.move_to_end(key)
        return found[1]


def as_qcolor(colour: Colour, opacity: float = 1.0) -> QtGui.QColor:
    """A colour of ours as Qt's."""
    red, green, blue = colour
    return QtGui.QColor.fromRgbF(red, green, blue, opacity)


def mask_rect(mask: PackedMask, plate: QtCore.QRectF) -> QtCore.QRectF:
    """Where a mask lies over the plate."""
    return QtCore.QRectF(
        plate.left(), plate.top(), plate.width() * mask.covers_x, plate.height() * mask.covers_y
    )


def outlined(coverage: QtGui.QImage, colour: QtGui.QColor, width: int) -> QtGui.QImage:
    """The edge of what is covered, as wide as that, from an image at the size at which it is shown.

    Args:
        coverage: Opaque where the object is.
        colour: Of the line.
        width: In the image's own pixels.
    """
    size = coverage.size()
    ring = QtGui.QImage(size, _PREMULTIPLIED)
    ring.fill(0)
    painter = QtGui.QPainter(ring)
    for dx, dy in _around(width):
        painter.drawImage(dx, dy, coverage)
    painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_DestinationOut)
    painter.drawImage(0, 0, coverage)
    painter.setCompositionMode(QtGui.QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(ring.rect(), colour)
    painter.end()
    return ring


def hard(image: QtGui.QImage) -> QtGui.QImage:
    """Opaque where an image is more than half covered, clear elsewhere."""
    alpha = image.convertToFormat(QtGui.QImage.Format.Format_Alpha8)
    grey = QtGui.QImage(
        alpha.constBits(),
        alpha.width(),
        alpha.height(),
        alpha.bytesPerLine(),
        QtGui.QImage.Format.Format_Indexed8,
    )
    grey.setColorTable([0] * 128 + [0xFFFFFFFF] * 128)
    return grey.convertToFormat(_PREMULTIPLIED)


def _around(width: int) -> tuple[tuple[int, int], ...]:
    diagonal = max(1, round(width * 0.7))
    return (
        (-width, 0),
        (width, 0),
        (0, -width),
        (0, width),
        (-diagonal, -diagonal),
        (diagonal, -diagonal),
        (-diagonal, diagonal),
        (diagonal, diagonal),
    )


def _tinted(mask: PackedMask, colour: QtGui.QColor) -> QtGui.QImage:
    alpha = zlib.decompress(mask.packed)
    indexed = QtGui.QImage(
        alpha, mask.width_px, mask.height_px, mask.width_px, QtGui.QImage.Format.Format_Indexed8
    )
    rgb, opacity = int(colour.rgb()) & 0xFFFFFF, colour.alphaF()
    indexed.setColorTable([(round(code * opacity) << 24) | rgb for code in range(256)])
    # A copy: the bytes above go with this call.
    return indexed.convertToFormat(_PREMULTIPLIED)
