"""Things found on a frame, and the hand that takes one: in the viewer, under a real mouse."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

import pytest
from Qt import QtCore, QtGui, QtTest

from fakes.panel_server import PanelServer
from masklet.found import FindEvent, FindProgress, FindRequest, Found
from masklet.types import Click, FramePrompts, Mask, MaskUpdate, Presence
from masklet_panel.panel_model import PanelModel
from masklet_panel.viewing import scene
from masklet_panel.viewing.mask_images import outlined
from masklet_panel.viewing.viewer import Viewer
from masklet_panel.workspace import Workspace

LEFT = QtCore.Qt.MouseButton.LeftButton
NONE = QtCore.Qt.KeyboardModifier.NoModifier


@dataclass
class FindingServer(PanelServer):
    """Finds a wall on the left half of the plate, and a door in it."""

    asked: list[FindRequest] = field(default_factory=list)
    spans: tuple[tuple[int, int], ...] = ((0, 48), (10, 20))

    def find(self, session_id: str, request: FindRequest) -> Generator[FindEvent, None, None]:
        self.asked.append(request)
        yield FindProgress(1, 2)
        width_px, height_px = self.clip.width_px, self.clip.height_px
        for left, right in self.spans:
            row = bytes(left) + b"\xff" * (right - left) + bytes(width_px - right)
            mask = Mask(width_px, height_px, row * height_px)
            update = MaskUpdate(0, "new", request.frame, mask, Presence.PRESENT, 0.9, 0.8)
            yield Found(FramePrompts(0, request.frame, (Click(left + 5.0, 20.0),)), update, 0.8)


@pytest.fixture
def server() -> FindingServer:
    return FindingServer()


@pytest.fixture
def workspace(model: PanelModel) -> Workspace:
    return Workspace(model)


@pytest.fixture
def viewer(workspace: Workspace, settle: Callable[[], None]) -> Iterator[Viewer]:
    made = Viewer(workspace)
    made.resize(504, 294)
    made.show()
    settle()
    yield made
    made.close()


def click(viewer: Viewer, x_px: float, y_px: float, held: QtCore.Qt.KeyboardModifier = NONE) -> None:
    x, y = viewer.placement.to_view(x_px, y_px)
    QtTest.QTest.mouseClick(viewer, LEFT, held, QtCore.QPoint(round(x), round(y)))


def test_one_click_makes_the_thing_on_top_an_object_and_the_next_the_one_behind(
    viewer: Viewer, workspace: Workspace, model: PanelModel, settle: Callable[[], None]
) -> None:
    model.select(())
    workspace.finding.find()
    settle()
    assert [thing.number for thing in workspace.finding.things] == [1, 2]
    assert model.notice is not None
    assert "2 things were found" in model.notice.sentence
    painted = viewer.grab().toImage()

    click(viewer, 15, 20)
    settle()
    assert [item.name for item in model.objects] == ["hero", "second", "object 3"]
    assert model.objects[-1].is_active
    said = model.said(model.active)
    assert said is not None
    assert said.at(model.frame).clicks == (Click(15.0, 20.0),)
    assert [thing.number for thing in workspace.finding.things] == [1]
    assert viewer.grab().toImage() != painted

    click(viewer, 15, 20)
    settle()
    assert len(model.objects) == 4
    assert workspace.finding.things == ()


def test_a_click_beside_all_things_is_a_click_as_ever(
    viewer: Viewer, workspace: Workspace, model: PanelModel, settle: Callable[[], None]
) -> None:
    workspace.finding.find()
    settle()
    click(viewer, 80, 20)
    settle()
    assert len(model.objects) == 2
    assert len(workspace.finding.things) == 2


def test_a_click_that_takes_away_takes_no_thing(
    viewer: Viewer, workspace: Workspace, model: PanelModel, settle: Callable[[], None]
) -> None:
    model.select(("u1",))
    workspace.finding.find()
    settle()
    click(viewer, 15, 20, QtCore.Qt.KeyboardModifier.ShiftModifier)
    settle()
    assert len(model.objects) == 2
    assert len(workspace.finding.things) == 2
    said = model.said("u1")
    assert said is not None
    assert not said.at(model.frame).clicks[-1].positive


def test_one_thing_is_told_as_one_and_told_no_longer_when_it_is_let_go(
    viewer: Viewer,
    workspace: Workspace,
    server: FindingServer,
    model: PanelModel,
    settle: Callable[[], None],
) -> None:
    server.spans = ((10, 20),)
    workspace.finding.find()
    settle()
    assert model.notice is not None
    assert model.notice.sentence.startswith("One thing was found")
    workspace.finding.clear()
    settle()
    assert model.notice is None


def test_edges_of_many_things_are_made_once_and_not_each_time_the_viewer_is_drawn(
    viewer: Viewer,
    workspace: Workspace,
    server: FindingServer,
    settle: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[object] = []

    def counted(coverage: QtGui.QImage, colour: QtGui.QColor, width: int) -> QtGui.QImage:
        made.append(colour)
        return outlined(coverage, colour, width)

    monkeypatch.setattr(scene, "outlined", counted)
    server.spans = tuple((left, left + 20) for left in range(64))
    workspace.finding.find()
    settle()
    viewer.grab()
    assert len(made) >= 64
    made.clear()
    viewer.grab()
    assert made == []


def test_things_are_those_of_their_frame_until_they_are_let_go(
    viewer: Viewer, workspace: Workspace, model: PanelModel, settle: Callable[[], None]
) -> None:
    frame = model.frame
    workspace.finding.find()
    settle()
    model.go_to(frame + 1)
    assert workspace.finding.things == ()
    model.go_to(frame)
    assert len(workspace.finding.things) == 2
    workspace.finding.clear()
    assert workspace.finding.things == ()


def test_alike_needs_an_object_to_be_like(
    viewer: Viewer, workspace: Workspace, server: FindingServer, model: PanelModel, settle: Callable[[], None]
) -> None:
    model.select(())
    workspace.finding.find(alike=True)
    settle()
    assert server.asked == []
    model.select(("u1",))
    workspace.finding.find(alike=True)
    settle()
    assert [request.object_id > 0 for request in server.asked] == [True]
