"""The sheet of all shortcuts."""

from __future__ import annotations

from masklet.hosting.shortcuts import GROUPS, shown_keys
from masklet.phrases import phrase
from masklet_panel import theme
from masklet_panel.qt import QtCore, QtGui, QtWidgets

_COLUMNS = ((0, 1, 2), (3, 4), (5, 6))
"""Which groups stand below each other."""


class ShortcutSheet(QtWidgets.QDialog):
    """What every key does; any key closes it.

    Args:
        parent: Above which it lies.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(phrase("Shortcuts"))
        self.setAttribute(QtCore.Qt.WidgetAttribute.WA_DeleteOnClose)
        line = round(theme.line_px(self))
        columns = QtWidgets.QHBoxLayout(self)
        columns.setContentsMargins(line * 2, line, line * 2, line)
        columns.setSpacing(line * 3)
        for groups in _COLUMNS:
            column = QtWidgets.QGridLayout()
            column.setHorizontalSpacing(line)
            column.setVerticalSpacing(round(line * 0.4))
            place = 0
            for number in groups:
                group = GROUPS[number]
                title = QtWidgets.QLabel(group.title)
                font = title.font()
                font.setBold(True)
                title.setFont(font)
                if place:
                    column.setRowMinimumHeight(place, round(line * 0.8))
                    place += 1
                column.addWidget(title, place, 0, 1, 2)
                for shortcut in group.shortcuts:
                    place += 1
                    keys = QtWidgets.QLabel("   ".join(_on_this_system(key) for key in shown_keys(shortcut)))
                    keys.setForegroundRole(QtGui.QPalette.ColorRole.Link)
                    words = QtWidgets.QLabel(shortcut.words)
                    keys.setAccessibleName(f"{shortcut.words}: {keys.text()}")
                    column.addWidget(keys, place, 0, QtCore.Qt.AlignmentFlag.AlignRight)
                    column.addWidget(words, place, 1)
                place += 1
            column.setRowStretch(place, 1)
            columns.addLayout(column)

    def keyPressEvent(self, event: QtGui.QKeyEvent) -> None:
        """Close."""
        event.accept()
        self.close()

    def mousePressEvent(self, event: QtGui.QMouseEvent) -> None:
        """Close."""
        event.accept()
        self.close()


def _on_this_system(key: str) -> str:
    """A key as this system writes it: the sign of Command on a Mac."""
    if "…" in key:
        return key
    return str(QtGui.QKeySequence(key).toString(QtGui.QKeySequence.SequenceFormat.NativeText))
