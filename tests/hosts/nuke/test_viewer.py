"""Clicks in the viewer: which are ours, and what they say."""

from __future__ import annotations

import pytest

from fakes.nuke import FakeNuke
from fakes.nuke.application import FakeViewer
from fakes.nuke.nodes import FakeNode
from masklet_nuke import node_knobs
from masklet_nuke.runtime import Runtime
from masklet_nuke.viewer_clicks import Gesture, Press, ViewerClicks, gesture_of
from nuke_scripts import run

CTRL_LEFT = Press(True, ctrl=True, shift=False)
CTRL_RIGHT = Press(False, ctrl=True, shift=False)
SHIFT_LEFT = Press(True, ctrl=False, shift=True)


@pytest.fixture
def viewer(nuke: FakeNuke) -> FakeNode:
    node = nuke.nodes.Viewer(name="Viewer1")
    nuke.viewer = FakeViewer(node)
    return node


@pytest.fixture
def edited(nuke: FakeNuke, node: FakeNode) -> FakeNode:
    for each in nuke.selectedNodes():
        each.setSelected(False)
    node.setSelected(True)
    node[node_knobs.EDIT].setValue(True)
    return node


def mouse_at(viewer: FakeNode, x_px: float, y_px: float) -> None:
    """Nuke has sampled the plate of 64 x 36 pixels there."""
    across, up = x_px / 32 - 1, (18 - y_px) / 32
    viewer["colour_sample_bbox"].setValue([across, up, across, up])


@pytest.mark.parametrize(
    ("press", "gesture"),
    [
        (CTRL_LEFT, Gesture.ADD),
        (CTRL_RIGHT, Gesture.TAKE_AWAY),
        (SHIFT_LEFT, Gesture.BOX),
        (Press(True, ctrl=False, shift=False), Gesture.NONE),
        (Press(False, ctrl=False, shift=True), Gesture.NONE),
        # Nuke's own: a sampled region, and moving about.
        (Press(True, ctrl=True, shift=True), Gesture.NONE),
        (Press(True, ctrl=True, shift=False, alt=True), Gesture.NONE),
    ],
)
def test_a_press_is_a_gesture_by_its_keys(press: Press, gesture: Gesture) -> None:
    assert gesture_of(press) is gesture


def test_ctrl_adds_and_ctrl_right_takes_away_where_the_viewer_was_sampled(
    nuke: FakeNuke, loop: Runtime, edited: FakeNode, viewer: FakeNode
) -> None:
    clicks = ViewerClicks(loop, lambda: mouse_at(viewer, 40.5, 30.5))
    assert clicks.press(CTRL_LEFT) is False
    mouse_at(viewer, 20.5, 8.5)
    assert clicks.release(CTRL_LEFT) is False
    assert clicks.press(CTRL_RIGHT) is True
    run(nuke, loop)

    (said,) = loop.host.document(edited)
    places = [(round(click.x_px, 6), round(click.y_px, 6), click.positive) for click in said.at(1001).clicks]
    assert places == [(20.5, 8.5, True), (40.5, 30.5, False)]


def test_a_shift_drag_is_a_box(nuke: FakeNuke, loop: Runtime, edited: FakeNode, viewer: FakeNode) -> None:
    corners = iter([(40.0, 30.0), (10.0, 12.0)])
    clicks = ViewerClicks(loop, lambda: mouse_at(viewer, *next(corners)))

    assert clicks.press(SHIFT_LEFT) is True
    assert clicks.release(SHIFT_LEFT) is True
    run(nuke, loop)

    box = loop.host.document(edited)[0].at(1001).box
    assert box is not None
    assert (box.left_px, box.top_px, box.right_px, box.bottom_px) == pytest.approx((10.0, 12.0, 40.0, 30.0))


@pytest.mark.parametrize("change", ["edit off", "not selected", "two selected"])
def test_clicks_are_nukes_own_unless_one_node_is_selected_and_edited(
    nuke: FakeNuke, loop: Runtime, edited: FakeNode, viewer: FakeNode, change: str
) -> None:
    if change == "edit off":
        edited[node_knobs.EDIT].setValue(False)
    elif change == "not selected":
        edited.setSelected(False)
    else:
        other = nuke.pasted(nuke.copied(edited))
        other.setSelected(True)
    clicks = ViewerClicks(loop, lambda: mouse_at(viewer, 20.5, 8.5))

    assert clicks.press(CTRL_RIGHT) is False
    assert clicks.press(SHIFT_LEFT) is False
    clicks.press(CTRL_LEFT)
    clicks.release(CTRL_LEFT)

    assert loop.host.document(edited) == ()


def test_a_click_beside_the_picture_is_told_and_says_nothing(
    nuke: FakeNuke, loop: Runtime, edited: FakeNode, viewer: FakeNode
) -> None:
    clicks = ViewerClicks(loop, lambda: None)
    loop.memory(edited)
    clicks.press(CTRL_LEFT)
    mouse_at(viewer, 70.0, 8.5)
    clicks.release(CTRL_LEFT)

    assert loop.host.document(edited) == ()
    assert "outside the picture" in edited[node_knobs.NOTICE].value()
