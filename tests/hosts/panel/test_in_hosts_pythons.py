"""The panel's own tests in every Python and Qt that a host brings."""

from __future__ import annotations

from pathlib import Path

import pytest

from real_qt import QT_PYTHONS, qt_python

_INSIDE = Path(__file__).parent / "inside"
_FILES = sorted(_INSIDE.glob("test_*.py"))
_PARTS = 3
"""That the files run in: to start Python and Qt for each file takes as long as most files do, and all of them
in one would come near a test's time on a busy machine."""


@pytest.mark.parametrize("name", QT_PYTHONS)
@pytest.mark.parametrize("part", range(_PARTS))
def test_what_the_panel_promises_holds_in_a_hosts_python(name: str, part: int, tmp_path: Path) -> None:
    assert qt_python(name).run_tests(*_FILES[part::_PARTS], folder=tmp_path) > 0


def test_the_same_holds_on_a_screen_twice_as_fine(tmp_path: Path) -> None:
    files = [_INSIDE / name for name in ("test_viewer.py", "test_appearance.py", "test_timeline.py")]
    assert qt_python("qt-3.11").run_tests(*files, folder=tmp_path, environment={"QT_SCALE_FACTOR": "2"}) > 0
