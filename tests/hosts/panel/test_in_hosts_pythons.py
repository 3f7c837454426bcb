"""The panel's own tests, each file in every Python and Qt that a host brings."""

from __future__ import annotations

from pathlib import Path

import pytest

from real_qt import QT_PYTHONS, qt_python

_INSIDE = Path(__file__).parent / "inside"


@pytest.mark.parametrize("name", QT_PYTHONS)
@pytest.mark.parametrize("file", sorted(_INSIDE.glob("test_*.py")), ids=lambda file: file.stem)
def test_what_the_panel_promises_holds_in_a_hosts_python(name: str, file: Path, tmp_path: Path) -> None:
    assert qt_python(name).run_tests(file, folder=tmp_path) > 0


@pytest.mark.parametrize("file", ["test_viewer.py", "test_appearance.py", "test_timeline.py"])
def test_the_same_holds_on_a_screen_twice_as_fine(file: str, tmp_path: Path) -> None:
    fine = {"QT_SCALE_FACTOR": "2"}
    assert qt_python("qt-3.11").run_tests(_INSIDE / file, folder=tmp_path, environment=fine) > 0
