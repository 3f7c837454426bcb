"""Buttons that say what they do: to the eye, to a screen reader, and with the key that does the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.hosting.shortcuts import tooltip
from masklet_panel import symbols, theme
from masklet_panel.qt import QtCore, QtWidgets

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet.hosting.shortcuts import Action
    from masklet_panel.symbols import Symbol


class SymbolButton(QtWidgets.QToolButton):
    """A button with a symbol.

    Args:
        symbol: On it.
        words: What it does, in few words.
        pressed: Called when it is pressed.
        action: Whose key does the same; None for none.
        parent: As ever.
    """

    def __init__(
        self,
        symbol: Symbol,
        words: str,
        pressed: Callable[[], object],
        action: Action | None = None,
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._symbol = symbol
        self.setAccessibleName(words)
        self.setToolTip(words if action is None else tooltip(words, action))
        self.setAutoRaise(True)
        self.setFocusPolicy(QtCore.Qt.FocusPolicy.TabFocus)
        side = round(theme.line_px(self) * 1.1)
        self.setIconSize(QtCore.QSize(side, side))
        self.clicked.connect(lambda *_: pressed())
        self._draw()

    def set_symbol(self, symbol: Symbol) -> None:
        """Show another symbol."""
        if symbol is not self._symbol:
            self._symbol = symbol
            self._draw()

    def changeEvent(self, event: QtCore.QEvent) -> None:
        """The host's palette may change."""
        if event.type() == QtCore.QEvent.Type.PaletteChange:
            self._draw()
        super().changeEvent(event)

    def _draw(self) -> None:
        self.setIcon(symbols.icon(self._symbol, self.palette()))


def spacer() -> QtWidgets.QWidget:
    """Takes what room is left."""
    made = QtWidgets.QWidget()
    made.setSizePolicy(QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Preferred)
    return made


def row(*widgets: QtWidgets.QWidget, margin: int = 0, spacing: int = 2) -> QtWidgets.QWidget:
    """Widgets side by side."""
    made = QtWidgets.QWidget()
    layout = QtWidgets.QHBoxLayout(made)
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(spacing)
    for widget in widgets:
        layout.addWidget(widget)
    return made
