"""What needs Qt, in the Pythons and Qts of Nuke 14 and 15 (PySide2), 16 and 17 (PySide6)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from installed_hosts import ROOT
from masklet.installing.nuke import install_into
from real_qt import qt_python


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``masklet install nuke`` puts on Python's path in Nuke."""
    done = install_into(tmp_path_factory.mktemp("nuke") / "masklet")
    return done.folder / "versions" / done.current


@pytest.mark.parametrize("name", ["qt-3.9", "qt-3.10", "qt-3.11"])
def test_clicks_in_a_viewer_and_the_panel_in_a_pane_as_they_are_installed(
    name: str, installed: Path, tmp_path: Path
) -> None:
    file = Path(__file__).parent / "inside" / "test_in_qt.py"
    path = os.pathsep.join([str(installed), str(ROOT / "tests")])

    assert qt_python(name).run_tests(file, folder=tmp_path, environment={"PYTHONPATH": path}) == 5
