"""An object is found again in the panel: a menu of places, each seen before it is taken with one click."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from Qt import QtCompat, QtCore, QtTest, QtWidgets

from fakes.panel_server import PanelServer
from masklet.client import Server
from masklet.hosting.work.connection import Connection
from masklet.types import Click
from masklet_panel.panel_model import PanelModel
from masklet_panel.panel_widget import PanelWidget
from masklet_panel.work_page import WorkPage


@pytest.fixture
def panel(
    application: QtWidgets.QApplication, server: PanelServer, document: Path, tmp_path: Path
) -> Iterator[PanelWidget]:
    made = PanelWidget(connection=Connection(lambda settings: Server(server)), folder=tmp_path / "own")
    made.resize(1200, 800)
    made.show()
    made.activateWindow()
    assert made.open(str(document))
    made.viewer.setFocus()
    application.processEvents()
    yield made
    if QtCompat.isValid(made):
        made.shut()


@pytest.fixture
def model(panel: PanelWidget) -> PanelModel:
    """The panel's own, in place of one without a panel."""
    return panel.workspace.model


def look(panel: PanelWidget, settle: Callable[[], None], frame: int) -> WorkPage:
    model = panel.workspace.model
    settle()
    model.select((model.document[0].uid,))
    model.go_to(frame)
    settle()
    QtTest.QTest.keyClick(panel.viewer, QtCore.Qt.Key.Key_F, QtCore.Qt.KeyboardModifier.ControlModifier)
    settle()
    page = panel.findChild(WorkPage)
    assert page is not None
    return page


def unprompted(panel: PanelWidget) -> int:
    model = panel.workspace.model
    said = {prompts.frame for prompts in model.document[0].frames}
    return next(frame for frame in range(model.frames.last, model.frames.first, -1) if frame not in said)


@pytest.mark.parametrize("taken_with", ["click", QtCore.Qt.Key.Key_1, QtCore.Qt.Key.Key_Return])
def test_the_likeliest_place_is_seen_at_once_and_taken_with_one_click_or_key(
    panel: PanelWidget, settle: Callable[[], None], taken_with: QtCore.Qt.Key | str
) -> None:
    own = panel.workspace.model
    settle()
    frame = unprompted(panel)
    page = look(panel, settle, frame)

    menu = page.found_menu
    assert menu is not None
    (entry,) = menu.actions()
    assert entry.text() == "&1: 90 % alike"
    assert panel.viewer.hover.mask is not None
    assert own.document[0].at(frame).is_empty, "looking says nothing"

    assert own.notice is not None
    assert "One place" in own.notice.sentence
    if isinstance(taken_with, str):
        entry.trigger()
    else:
        QtTest.QTest.keyClick(menu, taken_with)
    settle()

    assert own.notice is None, "it asks for what was done"
    assert own.document[0].at(frame).clicks == (Click(3.0, 1.0),)
    assert panel.viewer.hover.mask is None
    own.undo()
    assert own.document[0].at(frame).is_empty


def test_where_something_is_said_the_panel_says_so_and_opens_no_menu(
    panel: PanelWidget, settle: Callable[[], None]
) -> None:
    settle()
    model = panel.workspace.model
    prompted = next(iter(model.document[0].frames)).frame
    page = look(panel, settle, prompted)

    assert page.found_menu is None
    assert model.notice is not None
    assert "already" in model.notice.sentence
