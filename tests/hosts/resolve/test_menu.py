"""The menu in the panel's window, under each binding of Qt."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from installed_hosts import ROOT
from real_qt import qt_python


@pytest.mark.parametrize("name", ["qt-3.10", "qt-3.11"])
def test_results_go_back_by_the_panels_menu(name: str, tmp_path: Path) -> None:
    sources = [ROOT / folder for folder in ("core", "hosts/panel", "hosts/resolve", "tests")]

    passed = qt_python(name).run_tests(
        Path(__file__).parent / "inside/test_menu.py",
        folder=tmp_path,
        environment={"PYTHONPATH": os.pathsep.join(map(str, sources))},
    )

    assert passed == 4
