"""The one place where the panel's window is met: the clip opens in it, and it gets a menu of Resolve's."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.errors import BadInputError, MaskletError
from masklet.extras import panel_sentence
from masklet.hosting import kept_plate
from masklet.phrases import phrase
from masklet_resolve.host import kept_of

if TYPE_CHECKING:
    from masklet.hosting.work.connection import ConnectionSettings
    from masklet_resolve.clips import TakenClip

    Bring = Callable[[Callable[[str], None], Path], bool]
    """Brings a folder's results to the clip under the playhead, and tells sentences."""


def show_panel(clip: TakenClip, settings: ConnectionSettings, bring: Bring) -> int:
    """Show the panel with the clip until its window is closed; the exit code.

    The document beside the plate is made first, so that the panel reads the clip as Resolve does.

    Raises:
        BadInputError: There is no panel in this installation, or no screen.
        OutputError: The plate's folder cannot be written.
    """
    lacking = panel_sentence()
    if lacking is not None:
        raise BadInputError(lacking)
    file = kept_plate.document_beside(clip.path)
    if not file.exists():
        kept_plate.write(file, kept_of(clip), "")
    desktop: Any = importlib.import_module("masklet_panel.desktop")
    return int(desktop.main(clip.path, settings, lambda window: add_menu(window, clip, bring)))


def add_menu(window: Any, clip: TakenClip, bring: Bring) -> Any:
    """Give the window the menu by which results go back; returns its action."""
    menu = window.menuBar().addMenu(phrase("&Resolve"))
    action = menu.addAction(phrase("&Bring Back …"))
    action.triggered.connect(lambda *_: _ask_and_bring(window, clip, bring))
    return action


def _ask_and_bring(window: Any, clip: TakenClip, bring: Bring) -> None:
    widgets: Any = importlib.import_module("masklet_panel.qt").QtWidgets
    folder = widgets.QFileDialog.getExistingDirectory(
        window, phrase("The folder of an export with JSON"), str(Path(clip.path).parent)
    )
    if not folder:
        return
    said: list[str] = []
    try:
        bring(said.append, Path(folder))
    except MaskletError as error:
        said.append(str(error))
    widgets.QMessageBox.information(window, phrase("Resolve"), "\n".join(said))
