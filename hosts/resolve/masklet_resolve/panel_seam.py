"""The one place where the panel's window is met."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.extras import panel_sentence
from masklet.hosting import kept_plate
from masklet_resolve.host import kept_of

if TYPE_CHECKING:
    from masklet.hosting.work.connection import ConnectionSettings
    from masklet_resolve.clips import TakenClip


def show_panel(clip: TakenClip, settings: ConnectionSettings) -> int:
    """Show the panel with the clip until its window is closed; the exit code.

    The document beside the plate is made first, so that the panel reads the clip as Resolve does.

    Raises:
        BadInputError: There is no panel in this installation.
        OutputError: The plate's folder cannot be written.
    """
    lacking = panel_sentence()
    if lacking is not None:
        raise BadInputError(lacking)
    file = kept_plate.document_beside(clip.path)
    if not file.exists():
        kept_plate.write(file, kept_of(clip), "")
    desktop = importlib.import_module("masklet_panel.desktop")
    return int(desktop.main(clip.path, settings))
