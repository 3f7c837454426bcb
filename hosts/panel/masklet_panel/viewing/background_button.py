"""What lies behind objects that are cut out: a checker, or a colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.phrases import phrase
from masklet_panel import theme
from masklet_panel.qt import QtCore, QtGui, QtWidgets
from masklet_panel.view_state import Mode

if TYPE_CHECKING:
    from masklet.hosting.shown.palette import Colour
    from masklet_panel.view_state import ViewState

_SIDE = 16
_CHOICES: tuple[tuple[str, Colour | None], ...] = (
    (phrase("Checker"), None),
    (phrase("Black"), (0.0, 0.0, 0.0)),
    (phrase("Grey"), (0.5, 0.5, 0.5)),
    (phrase("White"), (1.0, 1.0, 1.0)),
    (phrase("Green"), (0.0, 0.69, 0.25)),
    (phrase("Blue"), (0.0, 0.28, 0.73)),
    (phrase("Red"), (1.0, 0.0, 0.0)),
)


class BackgroundButton(QtWidgets.QToolButton):
    """Shows the background that is chosen, and asks for another; of use while objects are cut out.

    Args:
        view: Whose background.
    """

    def __init__(self, view: ViewState) -> None:
        super().__init__()
        self._view = view
        words = phrase("Background of what is cut out")
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.setAutoRaise(True)
        self.setIconSize(QtCore.QSize(_SIDE, _SIDE))
        self.setPopupMode(QtWidgets.QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QtWidgets.QMenu(self)
        for name, colour in _CHOICES:
            menu.addAction(_icon(colour), name).triggered.connect(
                lambda *_, colour=colour: view.change(background=colour)
            )
        menu.addAction(phrase("Another …")).triggered.connect(lambda *_: self._ask())
        self.setMenu(menu)
        view.changed.connect(self._show)
        self._show()

    def _ask(self) -> None:
        before = self._view.look.background or (0.5, 0.5, 0.5)
        chosen = QtWidgets.QColorDialog.getColor(theme.qcolour(before), self, phrase("Background"))
        if chosen.isValid():
            self._view.change(background=(chosen.redF(), chosen.greenF(), chosen.blueF()))

    def _show(self) -> None:
        look = self._view.look
        self.setIcon(_icon(look.background))
        self.setEnabled(look.mode is Mode.CUT_OUT)


def _icon(colour: Colour | None) -> QtGui.QIcon:
    pixmap = QtGui.QPixmap(_SIDE, _SIDE)
    if colour is None:
        half = _SIDE // 2
        pixmap.fill(QtGui.QColor(92, 92, 96))
        painter = QtGui.QPainter(pixmap)
        for x, y in ((0, 0), (half, half)):
            painter.fillRect(x, y, half, half, QtGui.QColor(190, 190, 194))
        painter.end()
    else:
        pixmap.fill(theme.qcolour(colour))
    return QtGui.QIcon(pixmap)
