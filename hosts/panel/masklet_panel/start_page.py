"""What shows while no plate is open: the ways to open one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.hosting.kept_plate import SUFFIX
from masklet.phrases import phrase
from masklet_panel.file_finder import FileFinder
from masklet_panel.qt import QtCore, QtGui, QtWidgets, Signal

if TYPE_CHECKING:
    from masklet_panel.recent_documents import RecentDocuments

_SHOWN = 6


class StartPage(QtWidgets.QWidget):
    """Three ways in, and those of last time.

    Args:
        recent: Documents that were opened last.
        offer: Of better weights.
    """

    opened = Signal(str)
    """The path of a clip or a document."""
    open_asked = Signal()
    demo_asked = Signal()

    def __init__(self, recent: RecentDocuments, offer: QtWidgets.QWidget) -> None:
        super().__init__()
        self._recent = recent
        self._finder = FileFinder(self)
        outer = QtWidgets.QVBoxLayout(self)
        outer.addStretch(2)
        card = QtWidgets.QWidget()
        card.setMaximumWidth(560)
        self._card = QtWidgets.QVBoxLayout(card)
        self._card.setSpacing(10)
        title = QtWidgets.QLabel("masklet")
        font = title.font()
        font.setPointSizeF(font.pointSizeF() * 2.2)
        font.setWeight(QtGui.QFont.Weight.DemiBold)
        title.setFont(font)
        self._card.addWidget(title)
        words = QtWidgets.QLabel(phrase("Click an object, get its matte on every frame."))
        words.setEnabled(False)
        self._card.addWidget(words)
        self._card.addSpacing(8)
        row = QtWidgets.QHBoxLayout()
        row.setSpacing(8)
        first = self._button(phrase("Open Clip or Document …"), self.open_asked.emit)
        first.setDefault(True)
        row.addWidget(first)
        self.demo = self._button(phrase("Try the Demo Clip"), self.demo_asked.emit)
        row.addWidget(self.demo)
        row.addStretch(1)
        self._card.addLayout(row)
        self._card.addSpacing(4)
        drop = QtWidgets.QLabel(phrase("or drop a clip, a folder of pictures or a document here"))
        drop.setAlignment(QtCore.Qt.AlignmentFlag.AlignCenter)
        drop.setStyleSheet("border: 1px dashed palette(light); border-radius: 6px; padding: 26px;")
        self._card.addWidget(drop)
        self._card.addWidget(offer)
        self._card.addSpacing(14)
        self._heading = QtWidgets.QLabel(phrase("Opened last"))
        self._card.addWidget(self._heading)
        self._list = QtWidgets.QVBoxLayout()
        self._list.setSpacing(2)
        self._card.addLayout(self._list)
        centred = QtWidgets.QHBoxLayout()
        centred.addStretch(1)
        centred.addWidget(card, 4)
        centred.addStretch(1)
        outer.addLayout(centred)
        outer.addStretch(3)
        self.refresh()

    def refresh(self) -> None:
        """Show the documents that were opened last."""
        while self._list.count():
            item = self._list.takeAt(0)
            old = None if item is None else item.widget()
            if old is not None:
                old.deleteLater()
        self._heading.setVisible(False)
        self._finder.ask(self._recent.all, self._show_recent)

    def _show_recent(self, documents: tuple[Path, ...]) -> None:
        found = documents[:_SHOWN]
        self._heading.setVisible(bool(found))
        for path in found:
            self._list.addWidget(self._entry(path))

    def _entry(self, path: Path) -> QtWidgets.QPushButton:
        name = path.name.replace(SUFFIX, "")
        folder = str(path.parent).replace(str(Path.home()), "~", 1)
        button = self._button(f"{name}      {folder}", lambda: self.opened.emit(str(path)))
        button.setFlat(True)
        button.setStyleSheet("text-align: left; padding: 5px 8px;")
        button.setToolTip(str(path))
        button.setAccessibleName(phrase("Open {name}", name=name))
        return button

    def _button(self, words: str, act: Callable[[], None]) -> QtWidgets.QPushButton:
        button = QtWidgets.QPushButton(words)
        button.clicked.connect(lambda *_: act())
        button.setMinimumHeight(round(button.fontMetrics().height() * 2.1))
        button.setStyleSheet("padding: 0 14px;")
        return button


def dropped_path(data: QtCore.QMimeData) -> str:
    """The first file of what is dragged here; empty where there is none."""
    for url in data.urls():
        if url.isLocalFile():
            return str(url.toLocalFile())
    return ""
