"""What needs Qt, in the Pythons and Qts of Nuke 14 and 15 (PySide2), 16 and 17 (PySide6)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from installed_hosts import ROOT
from real_qt import qt_python

_PATH = os.pathsep.join(str(ROOT / part) for part in ("core", "hosts/panel", "hosts/nuke", "tests"))


@pytest.mark.parametrize("name", ["qt-3.9", "qt-3.10", "qt-3.11"])
def test_clicks_in_a_viewer_and_the_panel_in_a_pane(name: str, tmp_path: Path) -> None:
    file = Path(__file__).parent / "inside" / "test_in_qt.py"

    assert qt_python(name).run_tests(file, folder=tmp_path, environment={"PYTHONPATH": _PATH}) == 4
