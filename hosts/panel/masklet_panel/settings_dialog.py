"""Which server the panel works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.phrases import phrase
from masklet_panel.qt import QtWidgets

if TYPE_CHECKING:
    from masklet.hosting.work.connection import ConnectionSettings

_DEVICES = ("", "cpu", "cuda", "cuda:1", "mps", "xpu")
_QUALITIES = ("", "fast", "balanced", "best")


class SettingsDialog(QtWidgets.QDialog):
    """Settings of the server; nothing is in force before they are accepted.

    Args:
        settings: As they are now.
        parent: The window.
    """

    def __init__(self, settings: ConnectionSettings, parent: QtWidgets.QWidget) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle(phrase("Settings"))
        self.setMinimumWidth(520)
        form = QtWidgets.QFormLayout(self)
        self.address = self._line(
            phrase("Server"), settings.address, phrase("empty: a server on this machine")
        )
        form.addRow(phrase("Server"), self.address)
        self.token_file = self._line(
            phrase("Token file"), settings.token_file, phrase("empty where the server asks for none")
        )
        form.addRow(phrase("Token file"), self._with_browser(self.token_file))
        self.tls_ca_file = self._line(
            phrase("Certificate"), settings.tls_ca_file, phrase("empty: the system's certificates")
        )
        form.addRow(phrase("Certificate"), self._with_browser(self.tls_ca_file))
        own = QtWidgets.QLabel(phrase("For a server on this machine"))
        own.setEnabled(False)
        form.addRow(own)
        self.weights = self._line(phrase("Weights"), settings.weights, phrase("empty: the embedded model"))
        form.addRow(phrase("Weights"), self.weights)
        self.device = QtWidgets.QComboBox()
        self.device.setEditable(True)
        self.device.addItems(list(_DEVICES))
        self.device.setCurrentText(settings.device)
        self.device.setAccessibleName(phrase("Device"))
        form.addRow(phrase("Device"), self.device)
        self.quality = QtWidgets.QComboBox()
        words = (phrase("as the model was trained"), phrase("fast"), phrase("balanced"), phrase("best"))
        for word, shown in zip(_QUALITIES, words):
            self.quality.addItem(str(shown), word)
        self.quality.setCurrentIndex(max(0, self.quality.findData(settings.quality)))
        self.quality.setAccessibleName(phrase("Quality"))
        self.quality.setToolTip(phrase("How closely pictures are looked at: closer takes longer"))
        form.addRow(phrase("Quality"), self.quality)
        self.helper_python = self._line(
            phrase("Helper's Python"),
            settings.helper_python,
            phrase("empty: the one that masklet install wrote down"),
        )
        form.addRow(phrase("Helper's Python"), self._with_browser(self.helper_python))
        standard = QtWidgets.QDialogButtonBox.StandardButton
        buttons = QtWidgets.QDialogButtonBox(standard.Ok | standard.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        form.addRow(buttons)

    @property
    def chosen(self) -> ConnectionSettings:
        """What the fields say."""
        return replace(
            self._settings,
            address=self.address.text().strip(),
            token_file=self.token_file.text().strip(),
            tls_ca_file=self.tls_ca_file.text().strip(),
            helper_python=self.helper_python.text().strip(),
            weights=self.weights.text().strip(),
            device=self.device.currentText().strip(),
            quality=str(self.quality.currentData() or ""),
        )

    def _line(self, words: str, text: str, hint: str) -> QtWidgets.QLineEdit:
        line = QtWidgets.QLineEdit(text)
        line.setAccessibleName(words)
        line.setPlaceholderText(hint)
        return line

    def _with_browser(self, line: QtWidgets.QLineEdit) -> QtWidgets.QWidget:
        whole = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(line, 1)
        button = QtWidgets.QPushButton("…")
        button.setAccessibleName(phrase("Choose a file: {what}", what=line.accessibleName()))
        button.setMaximumWidth(40)
        button.clicked.connect(self._browser_of(line))
        row.addWidget(button)
        return whole

    def _browser_of(self, line: QtWidgets.QLineEdit) -> Callable[..., None]:
        def browse(*_: object) -> None:
            path, _filter = QtWidgets.QFileDialog.getOpenFileName(self, phrase("Choose a file"), line.text())
            if path:
                line.setText(path)

        return browse
