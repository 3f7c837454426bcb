"""The timeline under a real mouse."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from Qt import QtCore, QtGui, QtTest, QtWidgets

from fakes.panel_server import PanelServer
from masklet.hosting.shown.lanes import LaneState
from masklet.hosting.work import plate_work
from masklet.hosting.work.plate_events import TrackRequest
from masklet.types import FrameRange, Presence
from masklet_panel import lane_images
from masklet_panel.panel_model import PanelModel
from masklet_panel.timeline import Timeline

LEFT = QtCore.Qt.MouseButton.LeftButton
SHIFT = QtCore.Qt.KeyboardModifier.ShiftModifier
NONE = QtCore.Qt.KeyboardModifier.NoModifier


@pytest.fixture
def timeline(model: PanelModel, settle: Callable[[], None]) -> Iterator[Timeline]:
    made = Timeline(model)
    made.resize(900, 160)
    made.show()
    settle()
    yield made
    made.close()


def track(model: PanelModel, settle: Callable[[], None]) -> None:
    model.start(
        "Tracking", lambda session, job, server: plate_work.track(session, job, server, TrackRequest())
    )
    settle()


def at(timeline: Timeline, frame: int, row: str) -> QtCore.QPoint:
    """The middle of a frame, on the ruler, on the bar of the range, or on the lane of a number."""
    look = timeline.look()
    rows = look.rows
    if row == "ruler":
        y_px = rows.ruler_px / 2
    elif row == "bar":
        y_px = rows.ruler_px + rows.bar_px / 2
    else:
        y_px = rows.top_of(int(row)) + rows.lane_px / 2
    return QtCore.QPoint(round(look.place.centre_of(frame)), round(y_px))


def drag(
    timeline: Timeline,
    start: QtCore.QPoint,
    end: QtCore.QPoint,
    modifiers: QtCore.Qt.KeyboardModifier = NONE,
) -> None:
    QtTest.QTest.mousePress(timeline, LEFT, modifiers, start)
    for place in (start + (end - start) / 2, end):
        kind = QtCore.QEvent.Type.MouseMove
        point = QtCore.QPointF(place)
        everywhere = timeline.mapToGlobal(place)
        event = QtGui.QMouseEvent(kind, point, QtCore.QPointF(everywhere), LEFT, LEFT, modifiers)
        QtWidgets.QApplication.sendEvent(timeline, event)
    QtTest.QTest.mouseRelease(timeline, LEFT, modifiers, end)


def test_a_click_on_a_lane_goes_to_its_frame_and_works_on_its_object(
    model: PanelModel, timeline: Timeline
) -> None:
    QtTest.QTest.mouseClick(timeline, LEFT, NONE, at(timeline, 1020, "1"))

    assert model.frame == 1020
    assert model.active == "u2"


def test_dragging_on_the_ruler_scrubs_and_stops_at_the_plates_end(
    model: PanelModel, timeline: Timeline
) -> None:
    end = QtCore.QPoint(timeline.width() + 50, at(timeline, 1001, "ruler").y())

    drag(timeline, at(timeline, 1010, "ruler"), end)

    assert model.frame == 1040
    assert model.span is None


def test_dragging_on_the_bar_makes_a_range_in_either_direction(model: PanelModel, timeline: Timeline) -> None:
    drag(timeline, at(timeline, 1020, "bar"), at(timeline, 1012, "bar"))

    assert model.span == FrameRange(1012, 1020)
    assert model.frame == 1005


def test_with_shift_a_range_is_dragged_anywhere(model: PanelModel, timeline: Timeline) -> None:
    drag(timeline, at(timeline, 1008, "0"), at(timeline, 1016, "0"), SHIFT)

    assert model.span == FrameRange(1008, 1016)


def test_the_range_is_moved_by_its_middle_and_changed_by_its_ends(
    model: PanelModel, timeline: Timeline
) -> None:
    model.set_span(FrameRange(1010, 1020))
    drag(timeline, at(timeline, 1015, "bar"), at(timeline, 1018, "bar"))
    assert model.span == FrameRange(1013, 1023)

    place = timeline.look().place
    grip = QtCore.QPoint(round(place.x_of(1013)), at(timeline, 1013, "bar").y())
    drag(timeline, grip, at(timeline, 1017, "bar"))
    assert model.span == FrameRange(1017, 1023)

    QtTest.QTest.mouseDClick(timeline, LEFT, NONE, at(timeline, 1020, "bar"))
    assert model.span is None


def test_lanes_show_what_a_track_found(
    model: PanelModel, timeline: Timeline, server: PanelServer, settle: Callable[[], None]
) -> None:
    server.presences[("hero", 1030)] = Presence.UNCERTAIN
    server.presences[("second", 1031)] = Presence.ABSENT
    server.cuts = (1036,)

    track(model, settle)

    hero, second = timeline.look().lanes
    assert [block.state for block in hero.blocks] == [
        LaneState.PRESENT,
        LaneState.UNCERTAIN,
        LaneState.PRESENT,
    ]
    assert second.at(1031).state is LaneState.ABSENT
    assert timeline.look().cuts == (1036,)
    assert "uncertain" in timeline.words_of(0, 1030)


def test_what_is_seen_is_drawn(
    model: PanelModel, timeline: Timeline, server: PanelServer, settle: Callable[[], None]
) -> None:
    """Each kind of frame looks different, in grey too."""
    for frame in range(1020, 1024):
        server.presences[("hero", frame)] = Presence.UNCERTAIN
    for frame in range(1030, 1034):
        server.presences[("hero", frame)] = Presence.ABSENT
    track(model, settle)
    model.go_to(1001)
    settle()

    picture = timeline.grab().toImage()
    scale = picture.devicePixelRatio()

    def greys(frame: int) -> tuple[int, ...]:
        middle, top = at(timeline, frame, "0"), timeline.look().rows.top_of(0)
        rows = range(int(top) + 1, int(top + timeline.look().rows.lane_px) - 1)
        return tuple(
            round(picture.pixelColor(round((middle.x() + x) * scale), round(y * scale)).lightnessF() * 20)
            for y in rows
            for x in range(-3, 4)
        )

    assert len({greys(frame) for frame in (1010, 1022, 1032)}) == 3


def test_wheel_zooms_under_the_pointer_and_the_playhead_is_brought_back(
    model: PanelModel, timeline: Timeline, settle: Callable[[], None]
) -> None:
    before = timeline.look().place
    where = QtCore.QPointF(at(timeline, 1010, "ruler"))
    event = QtGui.QWheelEvent(
        where,
        QtCore.QPointF(timeline.mapToGlobal(where.toPoint())),
        QtCore.QPoint(),
        QtCore.QPoint(0, 600),
        QtCore.Qt.MouseButton.NoButton,
        QtCore.Qt.KeyboardModifier.ControlModifier,
        QtCore.Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QtWidgets.QApplication.sendEvent(timeline, event)

    closer = timeline.look().place
    assert closer.shown < before.shown
    assert closer.frame_at(where.x()) == 1010

    model.go_to(1040)
    assert timeline.look().place.seen(1040, 1040) is not None


def test_the_menu_locks_the_range_of_the_lane_under_it(
    model: PanelModel, timeline: Timeline, settle: Callable[[], None]
) -> None:
    model.set_span(FrameRange(1010, 1012))
    menu = timeline.menu(timeline._hit(QtCore.QPointF(at(timeline, 1011, "1"))))

    lock = next(action for action in menu.actions() if action.text() == "Lock 1010-1012")
    lock.trigger()
    settle()

    assert [said.is_locked(1011) for said in model.document] == [False, True]
    assert timeline.look().lanes[1].is_locked(1011)


def test_a_screen_reader_hears_the_frame_once_it_stands(
    model: PanelModel, timeline: Timeline, application: QtWidgets.QApplication
) -> None:
    model.go_to(1005)
    until_s = time.monotonic() + 10.0
    while "1005" not in timeline.accessibleDescription() and time.monotonic() < until_s:
        application.processEvents()
        time.sleep(0.005)

    assert timeline.accessibleName() == "Timeline"
    assert "hero, frame 1005: 1 click" in timeline.accessibleDescription()


def test_lanes_that_there_is_no_time_for_follow_a_moment_later(
    model: PanelModel,
    timeline: Timeline,
    settle: Callable[[], None],
    application: QtWidgets.QApplication,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    track(model, settle)
    whole = timeline.grab().toImage()
    monkeypatch.setattr(lane_images, "BUDGET_S", 0.0)
    # Every lane is to be drawn anew, and there is time for one of them.
    timeline.resize(901, 160)
    until_s = time.monotonic() + 60.0
    timeline.grab()
    assert timeline._images.lacks
    while timeline._images.lacks and time.monotonic() < until_s:
        application.processEvents()
        time.sleep(0.005)
    timeline.resize(900, 160)
    while timeline.grab().toImage() != whole and time.monotonic() < until_s:
        application.processEvents()
        time.sleep(0.005)
    assert timeline.grab().toImage() == whole
