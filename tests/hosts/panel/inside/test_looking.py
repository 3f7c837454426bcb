"""The contact sheet of the worst frames, and versions of a track."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from Qt import QtCore, QtGui, QtTest, QtWidgets

from fakes.panel_server import PanelServer
from masklet.hosting.shown.worst_frames import Fault
from masklet.said.documents import with_click
from masklet.types import Click, FrameRange, Presence
from masklet_panel.looking.contact_sheet import ContactSheet
from masklet_panel.looking.versions_panel import VersionsPanel
from masklet_panel.panel_model import PanelModel
from masklet_panel.viewing.viewer import Viewer
from masklet_panel.working.tracking import Tracking
from masklet_panel.workspace import Workspace


@pytest.fixture
def workspace(model: PanelModel, settle: Callable[[], None]) -> Workspace:
    settle()
    return Workspace(model)


@pytest.fixture
def sheet(workspace: Workspace, settle: Callable[[], None]) -> Iterator[ContactSheet]:
    made = ContactSheet(workspace)
    made.show()
    settle()
    yield made
    made.close()


@pytest.fixture
def versions(workspace: Workspace, settle: Callable[[], None]) -> Iterator[VersionsPanel]:
    made = VersionsPanel(workspace)
    made.show()
    settle()
    yield made
    made.close()


def correct(model: PanelModel, frame: int) -> None:
    model.edit(tuple(with_click(said, frame, Click(40.0, 20.0)) for said in model.document))


def test_the_sheet_fills_while_frames_are_tracked_and_a_click_goes_there(
    model: PanelModel, sheet: ContactSheet, server: PanelServer, settle: Callable[[], None]
) -> None:
    assert sheet.list.count() == 0
    server.presences.update({("second", frame): Presence.UNCERTAIN for frame in (1020, 1021)})
    server.qualities[("second", 1021)] = 0.2
    Tracking(model).both()
    settle()
    sheet.refresh()

    (worst,) = sheet.frames
    assert (worst.frame, worst.fault, worst.run) == (1021, Fault.UNCERTAIN, (1020, 1021))
    assert "1021  second" in sheet.list.item(0).text()
    assert "uncertain" in sheet.list.item(0).text()

    where = sheet.list.visualItemRect(sheet.list.item(0)).center()
    QtTest.QTest.mouseClick(
        sheet.list.viewport(), QtCore.Qt.MouseButton.LeftButton, QtCore.Qt.KeyboardModifier.NoModifier, where
    )
    assert (model.frame, model.active) == (1021, "u2")


def test_the_sheet_is_walked_by_keys(
    model: PanelModel, sheet: ContactSheet, server: PanelServer, settle: Callable[[], None]
) -> None:
    for frame in (1010, 1030):
        server.presences[("hero", frame)] = Presence.UNCERTAIN
    Tracking(model).both()
    settle()
    sheet.refresh()
    sheet.list.setFocus()
    sheet.list.setCurrentRow(0)

    QtTest.QTest.keyClick(sheet.list, QtCore.Qt.Key.Key_Right)
    QtTest.QTest.keyClick(sheet.list, QtCore.Qt.Key.Key_Return)

    assert model.frame == 1030


def test_what_was_locked_leaves_the_sheet(
    model: PanelModel, sheet: ContactSheet, server: PanelServer, settle: Callable[[], None]
) -> None:
    from masklet.hosting import object_edits

    server.presences[("hero", 1010)] = Presence.UNCERTAIN
    Tracking(model).both()
    settle()
    sheet.refresh()
    assert len(sheet.frames) == 1

    model.edit(object_edits.locked(model.document, ("u1",), FrameRange(1010, 1010), locks=True))
    settle()
    sheet.refresh()
    assert sheet.frames == ()
    assert sheet.list.count() == 0


def test_a_track_that_is_tracked_over_is_a_version_and_the_wipe_shows_it_beside_the_new_one(
    model: PanelModel, workspace: Workspace, versions: VersionsPanel, settle: Callable[[], None]
) -> None:
    assert versions.list.isHidden()
    Tracking(model).both()
    settle()
    correct(model, 1012)
    settle()
    Tracking(model).both()
    settle()

    assert versions.list.count() == 1
    assert "1001-1040" in versions.list.item(0).text()
    versions.toggle_wipe()
    wipe = workspace.view.look.wipe
    assert wipe is not None
    assert (wipe.left, wipe.right, wipe.position) == (model.versions[0], None, 0.5)

    versions.position.setValue(250)
    assert workspace.view.look.wipe.position == 0.25
    versions.toggle_wipe()
    assert workspace.view.look.wipe is None


def test_a_version_says_again_what_was_said_then_as_one_step_of_undo(
    model: PanelModel, versions: VersionsPanel, settle: Callable[[], None]
) -> None:
    Tracking(model).both()
    settle()
    before = [len(said.frames) for said in model.document]
    correct(model, 1012)
    settle()
    Tracking(model).both()
    settle()

    versions.back.click()
    settle()
    assert [len(said.frames) for said in model.document] == before

    model.undo()
    settle()
    assert [len(said.frames) for said in model.document] == [count + 1 for count in before]


def test_without_a_version_the_wipe_says_when_there_will_be_one(
    model: PanelModel, workspace: Workspace, versions: VersionsPanel
) -> None:
    versions.toggle_wipe()

    assert workspace.view.look.wipe is None
    assert model.notice is not None
    assert "when you track again" in model.notice.sentence


def test_a_plate_that_is_closed_takes_its_wipe_along(
    model: PanelModel, workspace: Workspace, versions: VersionsPanel, settle: Callable[[], None]
) -> None:
    Tracking(model).both()
    settle()
    correct(model, 1012)
    Tracking(model).both()
    settle()
    versions.toggle_wipe()

    model.close()

    assert workspace.view.look.wipe is None
    assert versions.list.count() == 0


def test_the_line_of_the_wipe_is_dragged_in_the_viewer_and_says_nothing(
    model: PanelModel, workspace: Workspace, versions: VersionsPanel, settle: Callable[[], None]
) -> None:
    Tracking(model).both()
    settle()
    correct(model, 1012)
    settle()
    Tracking(model).both()
    settle()
    viewer = Viewer(workspace)
    viewer.resize(600, 400)
    viewer.show()
    settle()
    versions.toggle_wipe()
    said = model.document
    left, none = QtCore.Qt.MouseButton.LeftButton, QtCore.Qt.KeyboardModifier.NoModifier
    plate = viewer._plate_rect()
    line = QtCore.QPoint(round(plate.center().x()) + 3, 200)
    quarter = QtCore.QPoint(round(plate.left() + plate.width() / 4), 200)

    QtTest.QTest.mousePress(viewer, left, none, line)
    move = QtGui.QMouseEvent(
        QtCore.QEvent.Type.MouseMove,
        QtCore.QPointF(quarter),
        QtCore.QPointF(viewer.mapToGlobal(quarter)),
        left,
        left,
        none,
    )
    QtWidgets.QApplication.sendEvent(viewer, move)
    QtTest.QTest.mouseRelease(viewer, left, none, quarter)
    settle()

    wipe = workspace.view.look.wipe
    assert wipe is not None
    assert wipe.position == pytest.approx(0.25, abs=0.01)
    assert versions.position.value() == pytest.approx(250, abs=10)
    assert model.document == said
