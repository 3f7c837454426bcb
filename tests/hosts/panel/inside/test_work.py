"""Tracking and mattes by the panel's own controls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from Qt import QtWidgets

from fakes.panel_server import PanelServer
from masklet.errors import ServerUnreachableError
from masklet.events import Waiting
from masklet.matte_settings import MatteSettings
from masklet.types import Direction, FrameRange, MemoryPolicy, Presence, StateRange
from masklet_panel.panel_model import PanelModel
from masklet_panel.working.matte_panel import MattePanel
from masklet_panel.working.track_bar import TrackBar
from masklet_panel.working.tracking import Tracking


@pytest.fixture
def bar(model: PanelModel, settle: Callable[[], None]) -> Iterator[TrackBar]:
    made = TrackBar(model, Tracking(model))
    made.resize(1100, 40)
    made.show()
    settle()
    yield made
    made.close()


@pytest.fixture
def mattes(model: PanelModel, settle: Callable[[], None]) -> Iterator[MattePanel]:
    made = MattePanel(model)
    made.show()
    settle()
    yield made
    made.close()


def press(widget: QtWidgets.QWidget, words: str) -> None:
    buttons = [one for one in widget.findChildren(QtWidgets.QAbstractButton) if one.accessibleName() == words]
    assert len(buttons) == 1
    assert buttons[0].isEnabled(), words
    buttons[0].click()


def wait_for(application: QtWidgets.QApplication, what: Callable[[], bool]) -> None:
    until_s = time.monotonic() + 20.0
    while not what():
        application.processEvents()
        assert time.monotonic() < until_s
        time.sleep(0.002)


def test_each_button_tracks_its_own_way(
    model: PanelModel, bar: TrackBar, server: PanelServer, settle: Callable[[], None]
) -> None:
    model.go_to(1010)
    for words, direction, frames in (
        ("Track both ways", Direction.BOTH, FrameRange(1001, 1040)),
        ("Track forward", Direction.FORWARD, FrameRange(1010, 1040)),
        ("Track backward", Direction.BACKWARD, FrameRange(1001, 1010)),
        ("Track one frame", Direction.FORWARD, FrameRange(1010, 1011)),
    ):
        press(bar, words)
        settle()
        assert (server.tracks[-1].direction, server.tracks[-1].frames) == (direction, frames)
    assert model.frame == 1011


def test_a_track_stays_in_the_range_and_of_chosen_objects_where_that_is_asked(
    model: PanelModel, bar: TrackBar, server: PanelServer, settle: Callable[[], None]
) -> None:
    model.set_span(FrameRange(1004, 1020))
    model.select(("u2",))
    box = bar.findChild(QtWidgets.QComboBox)
    box.setCurrentIndex(1)
    box.activated.emit(1)

    press(bar, "Track both ways")
    settle()

    assert server.tracks[-1].frames == FrameRange(1004, 1020)
    assert server.tracks[-1].object_ids == (2,)
    assert model.strips("u1")[-1].last < 1020


def test_a_playhead_outside_the_range_is_told_and_nothing_runs(
    model: PanelModel, bar: TrackBar, server: PanelServer, settle: Callable[[], None]
) -> None:
    model.set_span(FrameRange(1004, 1020))
    model.go_to(1030)

    press(bar, "Track forward")
    settle()

    assert server.tracks == []
    assert model.notice is not None
    assert "from 1004 to 1020" in model.notice.sentence


def test_masks_come_live_with_words_about_speed_and_the_time_that_is_left(
    application: QtWidgets.QApplication, model: PanelModel, bar: TrackBar, server: PanelServer
) -> None:
    server.frame_s = 0.03
    press(bar, "Track both ways")
    wait_for(application, lambda: "left" in bar.text())

    assert "of 80" in bar.text()
    assert "per second" in bar.text()
    assert 0 < sum(strip.last - strip.first + 1 for strip in model.strips("u1")) < 40
    model.cancel()


def test_the_place_in_the_servers_line_is_told_until_it_is_ones_turn(
    application: QtWidgets.QApplication,
    model: PanelModel,
    bar: TrackBar,
    server: PanelServer,
    settle: Callable[[], None],
) -> None:
    server.line = [Waiting(3, 40.0)]

    press(bar, "Track both ways")
    wait_for(application, lambda: "in line" in bar.text())
    assert "number 3 in line, about 40 s" in bar.text()
    settle()

    assert bar.text() == ""
    assert model.strips("u1")[-1].last == 1040


def test_stop_keeps_what_is_done_and_says_so(
    application: QtWidgets.QApplication,
    model: PanelModel,
    bar: TrackBar,
    server: PanelServer,
    settle: Callable[[], None],
) -> None:
    server.frame_s = 0.02
    press(bar, "Track both ways")
    wait_for(application, lambda: model.job is not None and model.job.done > 6)

    press(bar, "Stop")
    settle()

    frames = sum(strip.last - strip.first + 1 for strip in model.strips("u1"))
    assert 3 <= frames < 40
    assert model.notice is not None
    assert "what is done is kept" in model.notice.sentence
    assert not model.notice.is_alarm


def test_a_server_that_goes_away_in_the_middle_is_told_and_what_came_stays(
    model: PanelModel, bar: TrackBar, server: PanelServer, settle: Callable[[], None]
) -> None:
    server.fails = ServerUnreachableError("the server went away: start it again")

    press(bar, "Track both ways")
    settle()

    assert model.notice is not None
    assert "went away" in model.notice.sentence
    assert model.job is None
    assert [said.name for said in model.document] == ["hero", "second"]


def test_bad_frames_are_found_in_both_directions_with_their_object(
    model: PanelModel, bar: TrackBar, server: PanelServer, settle: Callable[[], None]
) -> None:
    server.presences[("second", 1020)] = Presence.UNCERTAIN
    press(bar, "Track both ways")
    settle()
    model.go_to(1001)

    press(bar, "Next bad frame")
    assert (model.frame, model.active) == (1020, "u2")

    press(bar, "Next bad frame")
    assert model.frame == 1020
    assert model.notice is not None
    assert "No bad frame after" in model.notice.sentence


def test_a_policy_that_may_help_is_told_after_a_track_and_taken_with_one_press(
    model: PanelModel, bar: TrackBar, settle: Callable[[], None]
) -> None:
    uid = model.active
    before = [said.policy for said in model.document]
    assert not any(
        one.isVisible() for one in bar.findChildren(QtWidgets.QPushButton) if one.text() == "Try Policy"
    )
    press(bar, "Track both ways")
    settle()
    assert model.memory is not None
    model.memory.book.replace(
        {uid: (StateRange(1, FrameRange(1005, 1039), Presence.ABSENT, prompted=False),)}
    )
    model.work_changed.emit()
    (button,) = [one for one in bar.findChildren(QtWidgets.QPushButton) if one.isVisible() and one.toolTip()]
    assert "was gone for long on 1005-1039; if it went wrong, P tries the policy gated" in button.toolTip()
    assert [said.policy for said in model.document] == before

    press(bar, "Try Policy")
    settle()

    said = model.said(uid)
    assert said is not None
    assert said.policy is MemoryPolicy.GATED
    assert model.notice is not None
    assert "track again" in model.notice.sentence
    assert not button.isVisible()
    model.undo()
    assert [said.policy for said in model.document] == before


def test_dragging_a_value_is_one_step_of_undo_and_the_server_follows(
    model: PanelModel, mattes: MattePanel, server: PanelServer, settle: Callable[[], None]
) -> None:
    for value in (1.0, 2.5, 4.0):
        mattes.field("grow_px").setValue(value)
    time.sleep(0.15)
    settle()
    assert model.document[0].matte == MatteSettings(grow_px=4.0)
    assert server.held_mattes[1].grow_px == 4.0

    model.undo()
    settle()
    assert model.document[0].matte == MatteSettings()
    assert mattes.field("grow_px").value() == 0.0


def test_a_setting_of_several_objects_is_set_for_all_of_them(model: PanelModel, mattes: MattePanel) -> None:
    model.select(("u1", "u2"))
    mattes.field("invert").click()

    assert [said.matte.invert for said in model.document] == [True, True]


def test_levels_that_cross_are_refused_in_a_sentence_and_shown_as_they_are(
    model: PanelModel, mattes: MattePanel
) -> None:
    mattes.field("white").setValue(0.5)
    mattes.field("black").setValue(0.8)

    assert model.document[0].matte.black == 0.0
    assert mattes.field("black").value() == 0.0
    assert model.notice is not None
    assert "levels need" in model.notice.sentence


def test_without_an_object_there_is_nothing_to_set(model: PanelModel, mattes: MattePanel) -> None:
    model.select(())

    assert not mattes.isEnabled()
