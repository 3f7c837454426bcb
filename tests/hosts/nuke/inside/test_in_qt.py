"""Nuke's adapter with the Qt that Nuke brings: real events in a viewer, and the real panel in a pane."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from Qt import QtCore, QtGui, QtTest, QtWidgets

from fakes.nuke import FakeNuke, rotopaint
from fakes.nuke.application import FakeViewer
from fakes.nuke.nodes import FakeFormat, FakeNode
from fakes.panel_server import PLATE, PanelServer
from masklet.client import Server
from masklet.hosting.work.connection import Connection
from masklet_nuke import documents, node_knobs, panel_pane, panel_seam, prompting, viewer_clicks
from masklet_nuke.masklet_node import make_node
from masklet_nuke.runtime import Runtime, set_runtime

ZOOM, LEFT, TOP = 2.5, 31, 17
"""How the picture lies in the viewer: nothing may depend on it."""


class PictureGLWidget(QtWidgets.QWidget):
    """The picture of Nuke's viewer: Ctrl-click samples a pixel, whatever the zoom and the pan are."""

    def __init__(self, viewer: FakeNode, width_px: int, height_px: int) -> None:
        super().__init__()
        self._viewer, self._size = viewer, (width_px, height_px)
        self.seen: list[str] = []
        self.resize(700, 500)

    def mousePressEvent(self, event: Any) -> None:
        at = event.position() if hasattr(event, "position") else event.localPos()
        held = event.modifiers()
        if event.button() == QtCore.Qt.LeftButton and held == QtCore.Qt.ControlModifier:
            width_px, height_px = self._size
            x_px, y_px = (at.x() - LEFT) / ZOOM, (at.y() - TOP) / ZOOM
            across, up = 2 * x_px / width_px - 1, (height_px - 2 * y_px) / width_px
            self._viewer["colour_sample_bbox"].setValue([across, up, across, up])
            self.seen.append("sample")
        else:
            self.seen.append("other")


def at(x_px: float, y_px: float) -> QtCore.QPoint:
    """Where a place on the plate is seen."""
    return QtCore.QPoint(round(LEFT + x_px * ZOOM), round(TOP + y_px * ZOOM))


@pytest.fixture(scope="session")
def application() -> QtWidgets.QApplication:
    return QtWidgets.QApplication.instance() or QtWidgets.QApplication([])


@pytest.fixture
def nuke() -> FakeNuke:
    return FakeNuke(major=14)


@pytest.fixture
def node(nuke: FakeNuke, tmp_path: Path) -> FakeNode:
    (tmp_path / "plate.1001.png").write_bytes(b"picture")
    read = nuke.nodes.Read(file=str(tmp_path / "plate.%04d.png"), first=1001, last=1012, colorspace="sRGB")
    read.picture = FakeFormat(PLATE.width_px, PLATE.height_px)
    nuke.root()["name"].setValue(str(tmp_path / "shot.nk"))
    nuke.current_frame = PLATE.first_frame
    made: Any = make_node(nuke)
    made.setInput(0, read)
    made.setSelected(True)
    made[node_knobs.EDIT].setValue(True)
    return made


@pytest.fixture
def loop(nuke: FakeNuke, application: QtWidgets.QApplication) -> Iterator[Runtime]:
    server = PanelServer()
    made = Runtime(nuke, Connection(lambda settings: Server(server)), rotopaint)
    set_runtime(made)
    yield made
    viewer_clicks.stop_listening()
    made.close()
    set_runtime(None)
    panel_seam._docked.clear()


@pytest.fixture
def picture(nuke: FakeNuke, loop: Runtime) -> Iterator[PictureGLWidget]:
    viewer = nuke.nodes.Viewer(name="Viewer1")
    nuke.viewer = FakeViewer(viewer)
    pane = QtWidgets.QWidget()
    pane.setObjectName("Viewer.1")
    made = PictureGLWidget(viewer, PLATE.width_px, PLATE.height_px)
    made.setParent(pane)
    pane.resize(720, 520)
    pane.show()
    viewer_clicks.listen(loop)
    yield made
    pane.close()


@pytest.fixture
def settle(nuke: FakeNuke, loop: Runtime, application: QtWidgets.QApplication) -> Callable[[], None]:
    def wait() -> None:
        import time

        until_s = time.monotonic() + 20
        loop.host.keep_ticking()
        while loop._ticking._thread is not None:
            assert time.monotonic() < until_s
            application.processEvents()
            nuke.pump()
            time.sleep(0.002)
        application.processEvents()

    return wait


class PictureWindow(QtGui.QWindow):
    """The picture of a later Nuke's viewer: a window of its own."""

    def __init__(self, viewer: FakeNode, width_px: int, height_px: int) -> None:
        super().__init__()
        self._viewer, self._size = viewer, (width_px, height_px)

    def mousePressEvent(self, event: Any) -> None:
        at = event.position() if hasattr(event, "position") else event.localPos()
        if event.button() == QtCore.Qt.LeftButton and event.modifiers() == QtCore.Qt.ControlModifier:
            width_px, height_px = self._size
            x_px, y_px = (at.x() - LEFT) / ZOOM, (at.y() - TOP) / ZOOM
            across, up = 2 * x_px / width_px - 1, (height_px - 2 * y_px) / width_px
            self._viewer["colour_sample_bbox"].setValue([across, up, across, up])


def click(window: QtGui.QWindow, shown_at: QtCore.QPoint, button: Any, place: QtCore.QPoint) -> None:
    """Press and release with Ctrl, as the window system does."""
    local, far = QtCore.QPointF(place), QtCore.QPointF(place + shown_at)
    for kind in (QtCore.QEvent.MouseButtonPress, QtCore.QEvent.MouseButtonRelease):
        held = button if kind == QtCore.QEvent.MouseButtonPress else QtCore.Qt.NoButton
        event = QtGui.QMouseEvent(kind, local, far, button, held, QtCore.Qt.ControlModifier)
        QtCore.QCoreApplication.sendEvent(window, event)


def test_clicks_in_a_viewer_that_is_a_window_are_prompts_too(
    nuke: FakeNuke,
    node: FakeNode,
    loop: Runtime,
    application: QtWidgets.QApplication,
    settle: Callable[[], None],
) -> None:
    viewer = nuke.nodes.Viewer(name="Viewer1")
    nuke.viewer = FakeViewer(viewer)
    pane = QtWidgets.QWidget()
    pane.setObjectName("Viewer.1")
    window = PictureWindow(viewer, PLATE.width_px, PLATE.height_px)
    container = QtWidgets.QWidget.createWindowContainer(window, pane)
    container.resize(700, 500)
    pane.resize(720, 520)
    pane.show()
    application.processEvents()
    viewer_clicks.listen(loop)
    shown_at = container.mapToGlobal(QtCore.QPoint(0, 0))

    click(window, shown_at, QtCore.Qt.LeftButton, at(20, 12))
    application.processEvents()
    click(window, shown_at, QtCore.Qt.RightButton, at(40, 22))
    # A window that lies elsewhere is no viewer.
    click(window, shown_at + QtCore.QPoint(5000, 5000), QtCore.Qt.RightButton, at(30, 22))
    application.processEvents()
    settle()

    assert said(node) == [(20, 12, True), (40, 22, False)]
    pane.close()


def said(node: FakeNode) -> list[tuple[int, int, bool]]:
    return [
        (round(click.x_px), round(click.y_px), click.positive)
        for each in documents.objects(node)
        for prompts in each.frames
        for click in prompts.clicks
    ]


def test_clicks_in_the_viewer_are_prompts_where_they_were_made(
    node: FakeNode, picture: PictureGLWidget, application: QtWidgets.QApplication, settle: Callable[[], None]
) -> None:
    QtTest.QTest.mouseClick(picture, QtCore.Qt.LeftButton, QtCore.Qt.ControlModifier, at(20, 12))
    application.processEvents()
    QtTest.QTest.mouseClick(picture, QtCore.Qt.RightButton, QtCore.Qt.ControlModifier, at(40, 22))
    application.processEvents()
    settle()

    assert said(node) == [(20, 12, True), (40, 22, False)]
    # Nuke saw its own click, and the one that was made in the place of the other.
    assert picture.seen == ["sample", "sample"]


def test_a_shift_drag_in_the_viewer_is_a_box(
    node: FakeNode, picture: PictureGLWidget, application: QtWidgets.QApplication, settle: Callable[[], None]
) -> None:
    left, shift = QtCore.Qt.LeftButton, QtCore.Qt.ShiftModifier
    QtTest.QTest.mousePress(picture, left, shift, at(10, 30))
    QtTest.QTest.mouseRelease(picture, left, shift, at(44, 8))
    application.processEvents()
    settle()

    (each,) = documents.objects(node)
    box = each.at(PLATE.first_frame).box
    assert box is not None
    edges = [box.left_px, box.top_px, box.right_px, box.bottom_px]
    assert [round(edge) for edge in edges] == [10, 8, 44, 30]


def test_all_other_clicks_and_all_other_widgets_are_nukes(
    node: FakeNode, picture: PictureGLWidget, application: QtWidgets.QApplication
) -> None:
    QtTest.QTest.mouseClick(picture, QtCore.Qt.LeftButton, QtCore.Qt.NoModifier, at(20, 12))
    node[node_knobs.EDIT].setValue(False)
    QtTest.QTest.mouseClick(picture, QtCore.Qt.RightButton, QtCore.Qt.ControlModifier, at(20, 12))
    node[node_knobs.EDIT].setValue(True)
    elsewhere = QtWidgets.QWidget()
    QtTest.QTest.mouseClick(elsewhere, QtCore.Qt.RightButton, QtCore.Qt.ControlModifier)
    application.processEvents()

    assert picture.seen == ["other", "other"]
    assert said(node) == []


def test_the_real_panel_docks_and_says_what_the_node_says(
    nuke: FakeNuke,
    node: FakeNode,
    loop: Runtime,
    settle: Callable[[], None],
    application: QtWidgets.QApplication,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    panels: Any = types.ModuleType("nukescripts.panels")
    panels.registerWidgetAsPanel = lambda *args: types.SimpleNamespace(addToPane=lambda pane: None)
    monkeypatch.setitem(sys.modules, "nukescripts", types.ModuleType("nukescripts"))
    monkeypatch.setitem(sys.modules, "nukescripts.panels", panels)
    prompting.add_click(loop, node, 20.0, 12.0, positive=True)
    settle()

    nuke.press(node, "masklet_open_panel")
    widget = panel_pane.made_widget()
    model = widget.workspace.model
    try:
        assert nuke.messages == []
        assert model.document == loop.host.document(node)

        prompting.add_click(loop, node, 30.0, 14.0, positive=False)
        assert model.document == loop.host.document(node)
        model.undo()
        application.processEvents()
        assert said(node) == [(20, 12, True)]
    finally:
        widget.shut()
        widget.deleteLater()
        application.processEvents()
    assert not {"numpy", "grpc", "google", "torch"} & set(sys.modules)
