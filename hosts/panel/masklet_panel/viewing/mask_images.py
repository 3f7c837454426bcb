"""Masks as images: tinted, white, outlined. Bytes are moved by Qt alone."""

from __future__ import annotations

import zlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.hosting.shown.overlay_masks import filled_box
from masklet_panel.qt import QtCore, QtGui

if TYPE_CHECKING:
    from masklet.hosting.shown.overlay_masks import PackedMask
    from masklet.hosting.shown.palette import Colour

_KEPT = 96
_MARGIN_PX = 2
"""Kept around what is covered, so that smoothing looks the same at its edges."""
_PREMULTIPLIED = QtGui.QImage.Format.Format_ARGB32_Premultiplied


@dataclass(frozen=True)
class MaskImage:
    """The part of a mask that covers anything, ready to be drawn.

    Attributes:
        image: Of that part.
        share: Where the part lies on the plate, in shares of its width and height.
    """

    image: QtGui.QImage
    share: QtCore.QRectF

    def rect(self, plate: QtCore.QRectF) -> QtCore.QRectF:
        """Where the part lies in the viewer."""
        return QtCore.QRectF(
            plate.left() + plate.width() * self.share.left(),
            plate.top() + plate.height() * self.share.top(),
            plate.width() * self.share.width(),
            plate.height() * self.share.height(),
        )


class MaskImages:
    """Images of masks, those that were drawn last."""

    def __init__(self) -> None:
        self._images: OrderedDict[tuple[int, int], tuple[PackedMask, MaskImage]] = OrderedDict()
        self._parts: OrderedDict[int, tuple[PackedMask, MaskImage]] = OrderedDict()

    def tinted(self, mask: PackedMask, colour: QtGui.QColor) -> MaskImage:
        """The mask in a colour, its coverage as opacity; the colour's own opacity counts too."""
        key = (id(mask), int(colour.rgba()))
        # The mask is kept along: another one might get its place in memory.
        found = self._images.get(key)
        if found is None:
            found = self._images[key] = (mask, _tinted(self.part(mask), colour))
            while len(self._images) > _KEPT:
                self._images.popitem(last=False)
        self._images.move_to_end(key)
        return found[1]

    def part(self, mask: PackedMask) -> MaskImage:
        """What a mask covers, in grey; kept, since one mask is drawn in several colours."""
        found = self._parts.get(id(mask))
        if found is None:
            found = self._parts[id(mask)] = (mask, _covered(mask))
            while len(self._parts) > _KEPT:
                self._parts.popitem(last=False)
        self._parts.move_to_end(id(mask))
        return found[1]


def as_qcolor(colour: Colour, opacity: float = 1.0) -> QtGui.QColor:
    """A colour of ours as Qt's."""
    red, green, blue = colour
    return QtGui.QColor.fromRgbF(red, green, blue, opacity)


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


def _covered(mask: PackedMask) -> MaskImage:
    alpha = zlib.decompress(mask.packed)
    left, top, right, bottom = filled_box(alpha, mask.width_px) or (0, 0, 1, 1)
    part = QtCore.QRect(QtCore.QPoint(left, top), QtCore.QPoint(right - 1, bottom - 1))
    part = part.adjusted(-_MARGIN_PX, -_MARGIN_PX, _MARGIN_PX, _MARGIN_PX)
    part &= QtCore.QRect(0, 0, mask.width_px, mask.height_px)
    indexed = QtGui.QImage(
        alpha, mask.width_px, mask.height_px, mask.width_px, QtGui.QImage.Format.Format_Indexed8
    )
    across, down = mask.covers_x / mask.width_px, mask.covers_y / mask.height_px
    share = QtCore.QRectF(
        part.left() * across, part.top() * down, part.width() * across, part.height() * down
    )
    # A copy: the bytes above go with this call.
    return MaskImage(indexed.copy(part), share)


def _tinted(part: MaskImage, colour: QtGui.QColor) -> MaskImage:
    rgb, opacity = int(colour.rgb()) & 0xFFFFFF, colour.alphaF()
    image = QtGui.QImage(part.image)
    image.setColorTable([(round(code * opacity) << 24) | rgb for code in range(256)])
    return MaskImage(image.convertToFormat(_PREMULTIPLIED), part.share)
