"""Runs in a host's Python with its Qt: the menu by which results go back to Resolve."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from masklet.errors import BadInputError
from masklet.types import FrameRange
from masklet_panel.qt import QtWidgets
from masklet_resolve import panel_seam
from masklet_resolve.clips import TakenClip
from masklet_resolve.time_base import TimeBase


@pytest.fixture(scope="module")
def application() -> Any:
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication([])


@pytest.mark.parametrize("chosen", ["/results", ""])
@pytest.mark.parametrize("fails", [False, True])
def test_the_menu_brings_a_folder_and_shows_every_sentence(
    application: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chosen: str, fails: bool
) -> None:
    shown: list[str] = []
    brought: list[Path] = []
    monkeypatch.setattr(QtWidgets.QFileDialog, "getExistingDirectory", lambda *_: chosen)
    monkeypatch.setattr(QtWidgets.QMessageBox, "information", lambda _, title, text: shown.append(text))
    clip = TakenClip("plate", str(tmp_path / "plate.mov"), FrameRange(0, 9), TimeBase(0, 0, 1.0, 10))

    def bring(say: Callable[[str], None], folder: Path) -> bool:
        brought.append(folder)
        say("mattes are there")
        if fails:
            raise BadInputError("no timeline is open")
        return True

    window = QtWidgets.QMainWindow()
    action = panel_seam.add_menu(window, clip, bring)
    action.trigger()

    assert brought == ([Path(chosen)] if chosen else [])
    wanted = "mattes are there\nno timeline is open" if fails else "mattes are there"
    assert shown == ([wanted] if chosen else [])
