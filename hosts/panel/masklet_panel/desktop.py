"""masklet as a program of its own: one window with the panel in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.phrases import phrase
from masklet_panel.kept_settings import SETTINGS_FILE, read_settings, write_settings
from masklet_panel.panel_widget import PanelWidget
from masklet_panel.qt import QtCore, QtGui, QtWidgets, run
from masklet_panel.recent_documents import own_folder
from masklet_panel.settings_dialog import SettingsDialog
from masklet_panel.theme import dark_palette

if TYPE_CHECKING:
    from masklet.hosting.work.connection import ConnectionSettings

_SIZE = (1360, 860)


class MainWindow(QtWidgets.QMainWindow):
    """The window.

    Args:
        panel: What is in it.
        folder: Where the window's place and the settings are remembered.
    """

    def __init__(self, panel: PanelWidget, folder: Path) -> None:
        super().__init__()
        self._panel, self._folder = panel, folder
        self._settings = QtCore.QSettings(str(folder / "window.ini"), QtCore.QSettings.Format.IniFormat)
        self.setCentralWidget(panel)
        self.resize(*_SIZE)
        place = self._settings.value("geometry")
        if isinstance(place, QtCore.QByteArray):
            self.restoreGeometry(place)
        self._make_menus()
        panel.workspace.model.plate_changed.connect(self._show_title)
        self._show_title()

    def ask_settings(self) -> None:
        """Ask which server to work with; another one is reached at once."""
        dialog = SettingsDialog(self._panel.workspace.model.host.settings, self)
        if run(dialog):
            write_settings(self._folder / SETTINGS_FILE, dialog.chosen)
            self._panel.use_server(dialog.chosen)

    def closeEvent(self, event: QtGui.QCloseEvent) -> None:
        """Write what was said, and let the server go."""
        self._settings.setValue("geometry", self.saveGeometry())
        self._panel.shut()
        super().closeEvent(event)

    def _make_menus(self) -> None:
        file = self.menuBar().addMenu(phrase("&File"))
        standard = QtGui.QKeySequence.StandardKey
        panel = self._panel
        for words, act, key in (
            (phrase("&Open …"), panel.ask_to_open, standard.Open),
            (phrase("Save &As …"), panel.ask_to_save, standard.SaveAs),
            (phrase("Se&ttings …"), self.ask_settings, standard.Preferences),
            (phrase("&Close Clip"), panel.workspace.model.close, standard.Close),
            (phrase("&Quit"), self.close, standard.Quit),
        ):
            action = file.addAction(words)
            action.setShortcut(QtGui.QKeySequence(key))
            action.triggered.connect(_without_state(act))

    def _show_title(self) -> None:
        kept = self._panel.workspace.model.kept
        self.setWindowTitle("masklet" if kept is None else f"{Path(kept.path).name} – masklet")


def main(
    path: str | None,
    settings: ConnectionSettings,
    furnish: Callable[[MainWindow], None] = lambda window: None,
) -> int:
    """Show the window until it is closed, and return the exit code.

    Args:
        path: Of a clip or a document; None shows the ways to open one.
        settings: The server, as far as it was named; the rest is what was chosen last.
        furnish: Given the window before it shows, for menus of the program that it stands beside.

    Raises:
        BadInputError: There is no screen.
    """
    if sys.platform not in ("win32", "darwin") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("QT_QPA_PLATFORM")
    ):
        raise BadInputError(phrase("there is no screen here: start the panel on a machine with one"))
    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["masklet"])
    assert isinstance(application, QtWidgets.QApplication)
    application.setApplicationName("masklet")
    # Nothing around a plate is brighter than the plate.
    application.setStyle("Fusion")
    application.setPalette(dark_palette())
    panel = PanelWidget(read_settings(own_folder() / SETTINGS_FILE, settings))
    window = MainWindow(panel, own_folder())
    furnish(window)
    window.show()
    if path is not None:
        # Once the window is there: what is wrong with the path is told in it.
        QtCore.QTimer.singleShot(0, lambda: panel.open_soon(path))
    return run(application)


def _without_state(act: Callable[[], object]) -> Callable[..., object]:
    """A slot that ignores whether an action is checked."""
    return lambda *_: act()
