"""One line about better weights, with the button that fetches them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from masklet.better_weights import EMBEDDED, RECOMMENDED, SIZE_MB, better_sentence
from masklet.hosting.work.connection import ConnectionSettings
from masklet.hosting.work.weights_pull import WeightsPull
from masklet.phrases import phrase
from masklet_panel.qt import QtCore, QtWidgets, Signal

_LOOK_EVERY_MS = 200


class WeightsOffer(QtWidgets.QWidget):
    """Shows where a server of one's own would run the embedded model; fetches nothing by itself.

    Args:
        settings: Gives those that are in force.
        make_pull: Makes what fetches, given the interpreter that has masklet's server.
        parent: Where it is shown; without one it would be a window of its own until it has its place.
    """

    fetched = Signal(str)
    """The name of the weights, once they are here."""

    def __init__(
        self,
        settings: Callable[[], ConnectionSettings],
        make_pull: Callable[[Path | None], WeightsPull] = WeightsPull,
        parent: QtWidgets.QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self._make_pull = make_pull
        self._pull: WeightsPull | None = None
        column = QtWidgets.QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self.words = QtWidgets.QLabel()
        self.words.setWordWrap(True)
        column.addWidget(self.words)
        row = QtWidgets.QHBoxLayout()
        self.button = QtWidgets.QPushButton()
        self.button.clicked.connect(lambda *_: self.press())
        row.addWidget(self.button)
        self.bar = QtWidgets.QProgressBar()
        self.bar.setAccessibleName(phrase("Fetching the weights"))
        row.addWidget(self.bar, 1)
        row.addStretch(1)
        column.addLayout(row)
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(_LOOK_EVERY_MS)
        self._timer.timeout.connect(self.refresh)
        self.refresh()

    def press(self) -> None:
        """Fetch, go on fetching, or stop."""
        if self._pull is not None and self._pull.progress.is_running:
            self._pull.cancel()
        else:
            python = self._settings().helper_python
            # What was fetched before lies on the disk, and the settings may name another Python by now.
            self._pull = self._make_pull(Path(python) if python else None)
            self._pull.start()
            self._timer.start()
        self.refresh()

    def stop(self) -> None:
        """The panel goes away: what is here is kept."""
        self._timer.stop()
        if self._pull is not None:
            self._pull.cancel()

    def refresh(self) -> None:
        """Show what is the case now."""
        settings = self._settings()
        progress = None if self._pull is None else self._pull.progress
        self.setVisible(not settings.address and settings.weights in ("", EMBEDDED))
        self.words.setText(better_sentence(EMBEDDED) or "")
        running = progress is not None and progress.is_running
        self.bar.setVisible(running)
        if running and progress is not None:
            self.bar.setRange(0, 100 if progress.total_bytes else 0)
            self.bar.setValue(round(100 * progress.share))
            self.button.setText(phrase("Stop Fetching"))
            return
        self._timer.stop()
        self.button.setText(phrase("Fetch {name} ({size} MB)", name=RECOMMENDED, size=SIZE_MB))
        if progress is None:
            return
        if progress.problem:
            self.words.setText(progress.problem)
            self.button.setText(phrase("Fetch On"))
        elif progress.is_done:
            self._pull = None
            self.fetched.emit(RECOMMENDED)
        elif progress.done_bytes:
            self.button.setText(phrase("Fetch On"))
