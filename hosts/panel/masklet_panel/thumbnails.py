"""Small pictures of an object on a frame: the plate where it is here, the mask in the object's colour."""

from __future__ import annotations

import time
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
ROUND_S = 0.04

Pictures = Callable[[int], Optional[QtGui.QImage]]
"""The plate's picture on a frame, if it is here."""


def no_pictures(frame: int) -> QtGui.QImage | None:
    """Where nobody shows the plate."""
    del frame
    return None


def coverage_of(mask: PackedMask, size: QtCore.QSize) -> QtGui.QImage:
    """A mask as an image whose opacity is its coverage: every n-th pixel, twice as fine as is asked for."""
    alpha, width_px, height_px = zlib.decompress(mask.packed), mask.width_px, mask.height_px
    step = max(1, width_px // max(1, 2 * size.width()))
    if step > 1:
        rows = range(step // 2, height_px, step)
        alpha = b"".join(alpha[row * width_px + step // 2 : (row + 1) * width_px : step] for row in rows)
        width_px, height_px = len(range(step // 2, width_px, step)), len(rows)
    image = QtGui.QImage(alpha, width_px, height_px, width_px, QtGui.QImage.Format.Format_Alpha8)
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
    pixmap = QtGui.QPixmap(_pixels(size, ratio))
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
    painter.drawImage(image.rect(), coverage_of(mask, size))
    painter.end()
    return image


class Thumbnails:
    """Thumbnails that were drawn last; others are drawn a few at a time, so that nothing stands still.

    Args:
        parent: Whose end ends it.
        later: Called when some could not be drawn yet: whoever shows them asks again then.
        budget_s: Of drawing, in each :data:`ROUND_S`.
    """

    def __init__(self, parent: QtCore.QObject, later: Callable[[], None], budget_s: float = 0.006) -> None:
        self._kept: OrderedDict[tuple[object, ...], tuple[object, object, QtGui.QPixmap]] = OrderedDict()
        self._last: dict[str, QtGui.QPixmap] = {}
        self._budget_s = budget_s
        self._began_s = self._spent_s = 0.0
        # Not left to Python, which might end it in another thread.
        self._timer = QtCore.QTimer(parent)
        self._timer.setSingleShot(True)
        self._timer.setInterval(round(ROUND_S * 1000))
        self._timer.timeout.connect(later)

    def get(
        self,
        place: str,
        size: QtCore.QSize,
        mask: PackedMask | None,
        colour: Colour,
        picture: QtGui.QImage | None,
        *,
        ratio: float,
    ) -> QtGui.QPixmap:
        """As :func:`thumbnail`; where it is not its turn yet, what the same place showed last, or nothing.

        Args:
            place: Where it is shown: the uid of a row's object, say.
            size: And the others are those of :func:`thumbnail`.
            mask: Of the object.
            colour: Of the object.
            picture: Of the frame.
            ratio: Of the screen.
        """
        image = None if picture is None else int(picture.cacheKey())
        key = (size.width(), size.height(), id(mask), colour, image, ratio)
        found = self._kept.get(key)
        if found is None:
            now_s = time.perf_counter()
            if now_s - self._began_s > ROUND_S:
                self._began_s, self._spent_s = now_s, 0.0
            if self._spent_s > self._budget_s:
                self._timer.start()
                last = self._last.get(place)
                is_same_size = last is not None and last.size() == _pixels(size, ratio)
                return (
                    last if last is not None and is_same_size else thumbnail(size, None, colour, ratio=ratio)
                )
            made = thumbnail(size, mask, colour, picture, ratio=ratio)
            self._spent_s += time.perf_counter() - now_s
            # The mask is kept along: another one might get its place in memory.
            found = self._kept[key] = (mask, picture, made)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        self._last[place] = found[2]
        while len(self._last) > _MOST:
            del self._last[next(iter(self._last))]
        return found[2]


def _pixels(size: QtCore.QSize, ratio: float) -> QtCore.QSize:
    return QtCore.QSize(round(size.width() * ratio), round(size.height() * ratio))
