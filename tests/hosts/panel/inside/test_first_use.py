"""Opened without a clip: the demo, what was opened last, and a way to open another."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from Qt import QtCore, QtTest, QtWidgets

from fakes.panel_server import PanelServer
from masklet.client import Server
from masklet.hosting.work.connection import Connection, ConnectionSettings
from masklet_panel.panel_widget import PanelWidget

LEFT = QtCore.Qt.MouseButton.LeftButton
NONE = QtCore.Qt.KeyboardModifier.NoModifier

RENDERS = """#!/bin/sh
# Stands in for masklet's own Python, called as: -I -m masklet_server.demo FOLDER FRAMES.
test "$1 $2 $3" = "-I -m masklet_server.demo" || exit 2
number=1001
while test $number -le $((1000 + $5)); do echo picture > "$4/duck.$number.png"; number=$((number + 1)); done
"""
FAILS = """#!/bin/sh
echo "No module named masklet_server" >&2
exit 1
"""


@pytest.fixture
def panel(
    application: QtWidgets.QApplication, server: PanelServer, tmp_path: Path
) -> Iterator[Callable[[str], PanelWidget]]:
    """Makes a panel whose helper's Python is a script."""
    made: list[PanelWidget] = []
    python = tmp_path / "python"

    def make(script: str) -> PanelWidget:
        python.write_text(script, encoding="utf-8")
        python.chmod(0o700)
        settings = ConnectionSettings(helper_python=str(python))
        connection = Connection(lambda settings: Server(server))
        made.append(PanelWidget(settings, connection=connection, folder=tmp_path / "own"))
        made[-1].resize(1000, 700)
        made[-1].show()
        return made[-1]

    yield make
    for each in made:
        each.shut()


@pytest.fixture
def until(application: QtWidgets.QApplication) -> Callable[[Callable[[], object]], None]:
    def wait(happened: Callable[[], object]) -> None:
        until_s = time.monotonic() + 20.0
        while not happened():
            application.processEvents()
            assert time.monotonic() < until_s
            time.sleep(0.002)

    return wait


class Windows(QtCore.QObject):
    """Notes what is shown as a window of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def eventFilter(self, watched: QtCore.QObject, event: QtCore.QEvent) -> bool:
        is_shown = event.type() == QtCore.QEvent.Type.Show
        if is_shown and isinstance(watched, QtWidgets.QWidget) and watched.isWindow():
            self.shown.append(type(watched).__name__)
        return False


def test_nothing_flashes_as_a_window_of_its_own_while_the_panel_is_made(
    application: QtWidgets.QApplication, panel: Callable[[str], PanelWidget]
) -> None:
    windows = Windows()
    application.installEventFilter(windows)
    try:
        panel(RENDERS)
    finally:
        application.removeEventFilter(windows)

    assert windows.shown == ["PanelWidget"]


def button(panel: PanelWidget, words: str) -> QtWidgets.QPushButton | None:
    shown = [each for each in panel.findChildren(QtWidgets.QPushButton) if each.isVisible()]
    return next((each for each in shown if words in each.text()), None)


def click(panel: PanelWidget, words: str) -> None:
    found = button(panel, words)
    assert found is not None
    QtTest.QTest.mouseClick(found, LEFT, NONE, found.rect().center())


def test_the_demo_clip_is_rendered_once_and_opened(
    panel: Callable[[str], PanelWidget], tmp_path: Path, until: Callable[..., None]
) -> None:
    shown = panel(RENDERS)
    click(shown, "Try the Demo Clip")
    assert button(shown, "Rendering the Demo Clip") is not None
    until(lambda: shown.workspace.model.plate is not None)
    first = tmp_path / "own/demo/duck.1001.png"
    assert shown.workspace.model.frames.last == 1036
    rendered_ns = first.stat().st_mtime_ns

    shown.workspace.model.close()
    click(shown, "Try the Demo Clip")
    until(lambda: shown.workspace.model.plate is not None)
    assert first.stat().st_mtime_ns == rendered_ns


def test_a_demo_clip_that_cannot_be_rendered_is_told_with_what_helps(
    panel: Callable[[str], PanelWidget], until: Callable[..., None]
) -> None:
    shown = panel(FAILS)
    click(shown, "Try the Demo Clip")
    until(lambda: shown.workspace.model.notice is not None)
    notice = shown.workspace.model.notice
    assert notice is not None
    assert "No module named masklet_server" in notice.sentence
    assert "install masklet[server]" in notice.sentence
    assert button(shown, "Try the Demo Clip") is not None


def test_what_was_opened_last_is_offered_and_what_is_gone_is_not(
    panel: Callable[[str], PanelWidget], document: Path, tmp_path: Path, until: Callable[..., None]
) -> None:
    shown = panel(FAILS)
    assert button(shown, "shot") is None
    assert shown.open(str(document))
    shown.workspace.model.close()
    until(lambda: button(shown, "shot"))
    click(shown, "shot")
    until(lambda: shown.workspace.model.plate is not None)
    assert shown.workspace.model.file == document
    shown.workspace.model.close()

    document.rename(tmp_path / "away.json")
    again = panel(FAILS)
    until(lambda: button(again, "Open Clip or Document"))
    QtCore.QThread.msleep(200)
    QtWidgets.QApplication.processEvents()
    assert button(again, "shot") is None


def test_a_clip_is_opened_through_the_dialog(
    panel: Callable[[str], PanelWidget],
    document: Path,
    monkeypatch: pytest.MonkeyPatch,
    until: Callable[..., None],
) -> None:
    shown = panel(FAILS)
    monkeypatch.setattr(
        QtWidgets.QFileDialog, "getOpenFileName", lambda *_: (str(document.parent / "plate.1001.png"), "")
    )
    click(shown, "Open Clip or Document")
    until(lambda: shown.workspace.model.plate is not None)
    kept = shown.workspace.model.kept
    assert kept is not None
    assert kept.path == str(document.parent / "plate.%04d.png")
