"""What the artist is told, with the button that repairs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from masklet.hosting.notices import Remedy
from masklet.phrases import phrase
from masklet_panel.qt import QtCore, QtWidgets

if TYPE_CHECKING:
    from masklet_panel.panel_model import PanelModel

_WORDS = {
    Remedy.RECONNECT: phrase("Reconnect"),
    Remedy.ACCEPT_PLATE: phrase("Use This Plate"),
    Remedy.FIND_PLATE: phrase("Find Plate …"),
    Remedy.OTHER_WEIGHTS: phrase("Use the Embedded Model"),
    Remedy.OPEN_THEIRS: phrase("Open Theirs"),
    Remedy.TRACK: phrase("Track Again"),
}
_ALARM = "background: #5a2b2b; border-left: 4px solid #ff6a5a;"
_WORD = "background: #2c3a4c; border-left: 4px solid #5aa0ff;"


class NoticeBar(QtWidgets.QFrame):
    """One sentence below the viewer; hidden while there is none.

    Args:
        model: Tells it.
        repairs: What the button of each remedy does.
    """

    def __init__(self, model: PanelModel, repairs: Mapping[Remedy, Callable[[], None]]) -> None:
        super().__init__()
        self._model, self._repairs = model, repairs
        self.setObjectName("notice")
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(10, 5, 6, 5)
        self._words = QtWidgets.QLabel()
        self._words.setWordWrap(True)
        self._words.setStyleSheet("color: #f2f2f4; background: transparent; border: none;")
        self._words.setTextInteractionFlags(QtCore.Qt.TextInteractionFlag.TextSelectableByMouse)
        row.addWidget(self._words, 1)
        self._repair = QtWidgets.QPushButton()
        self._repair.clicked.connect(self._do)
        row.addWidget(self._repair)
        close = QtWidgets.QToolButton()
        close.setText("✕")
        close.setAutoRaise(True)
        close.setAccessibleName(phrase("Close this message"))
        close.clicked.connect(lambda *_: model.tell(None))
        row.addWidget(close)
        model.notice_changed.connect(self._show)
        self._show()

    def _show(self) -> None:
        notice = self._model.notice
        self.setVisible(notice is not None)
        if notice is None:
            return
        self._words.setText(notice.sentence)
        self._words.setAccessibleName(notice.sentence)
        self.setStyleSheet(f"#notice {{ {_ALARM if notice.is_alarm else _WORD} }}")
        known = notice.remedy in self._repairs
        self._repair.setVisible(known)
        if known:
            self._repair.setText(_WORDS[notice.remedy])

    def _do(self) -> None:
        notice = self._model.notice
        if notice is not None:
            self._repairs[notice.remedy]()
