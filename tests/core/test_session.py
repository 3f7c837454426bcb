"""What the client library does before anything reaches a wire."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.transport import CLIP, FakeTransport
from masklet.client import Server
from masklet.clip_reading import ClipReading
from masklet.errors import BadInputError, ClipError, LimitError, ObjectNotFoundError, PathNotAllowedError
from masklet.events import Waiting
from masklet.session import Session
from masklet.track import Track
from masklet.types import Click, Direction, FramePrompts, FrameRange, ObjectInfo, SessionInfo


@pytest.fixture
def plate(tmp_path: Path) -> str:
    for frame in (1001, 1002, 1003):
        (tmp_path / f"plate.{frame}.png").write_bytes(b"picture")
    return str(tmp_path / "plate.%04d.png")


def test_a_clip_that_the_server_sees_is_opened_by_its_full_path(
    plate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = FakeTransport()
    monkeypatch.chdir(Path(plate).parent)

    Server(transport).open("plate.%04d.png")

    assert transport.opened == [plate]
    assert transport.uploads == []


def test_a_clip_that_the_server_may_not_open_is_sent(plate: str) -> None:
    transport = FakeTransport(refuses_path=PathNotAllowedError("not under a root"))

    Server(transport).open(plate)

    assert transport.uploads == [
        [("plate.1001.png", 1001), ("plate.1002.png", 1002), ("plate.1003.png", 1003)]
    ]
    assert transport.opened == ["upload of plate.%04d.png"]


def test_a_server_that_opens_no_paths_is_sent_the_clip_at_once(plate: str) -> None:
    transport = FakeTransport(opens_paths=False, refuses_path=PathNotAllowedError("never asked"))

    Server(transport).open(plate)

    assert len(transport.uploads) == 1


def test_how_a_clip_is_read_goes_with_its_path_and_with_its_upload(plate: str) -> None:
    transport = FakeTransport()

    for upload in (False, True):
        Server(transport).open(plate, colour_space="ACEScg", first_frame=1001, frame_rate=25, upload=upload)

    assert transport.readings == [ClipReading("ACEScg", 1001, 25)] * 2


def test_a_rate_that_cannot_be_is_refused_before_anything_is_sent(plate: str) -> None:
    transport = FakeTransport()

    with pytest.raises(BadInputError, match="0 is no frame rate: give pictures a second"):
        Server(transport).open(plate, frame_rate=0, upload=True)

    assert transport.uploads == []


def test_a_clip_is_not_sent_when_that_was_ruled_out(plate: str) -> None:
    transport = FakeTransport(refuses_path=PathNotAllowedError("not under a root"))

    with pytest.raises(PathNotAllowedError):
        Server(transport).open(plate, upload=False)

    assert transport.uploads == []


def test_a_path_that_only_the_server_knows_goes_as_it_is() -> None:
    transport = FakeTransport()

    Server(transport).open("/mnt/show/sh010/plate.####.exr")

    assert transport.opened == ["/mnt/show/sh010/plate.####.exr"]


def test_a_full_server_is_asked_again_with_the_same_ticket(plate: str) -> None:
    transport = FakeTransport(waits=[Waiting(2, 30.0), Waiting(1)])
    told: list[Waiting] = []

    Server(transport).open(plate, on_waiting=told.append)

    assert told == [Waiting(2, 30.0), Waiting(1)]
    assert len(set(transport.tickets)) == 1
    assert transport.tickets[0]
    assert transport.opened == [plate]


def test_who_does_not_want_to_wait_has_no_ticket(plate: str) -> None:
    transport = FakeTransport(waits=[Waiting(1)])

    Server(transport).open(plate)

    assert transport.tickets == [""]


def test_a_clip_over_the_upload_limit_is_refused_before_it_is_sent(plate: str) -> None:
    transport = FakeTransport(max_upload_bytes=20)

    with pytest.raises(LimitError, match=r"the server takes .* GB"):
        Server(transport).open(plate, upload=True)

    assert transport.uploads == []


def test_a_clip_that_is_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match=r"no clip gone\.mov"):
        Server(FakeTransport()).open(tmp_path / "gone.mov", upload=True)


def opened(transport: FakeTransport) -> Session:
    return Session(transport, transport.get_session("s1"))


def test_an_object_is_added_once_and_found_again() -> None:
    session = opened(FakeTransport())

    first = session.object("hero")
    again = session.object("hero")

    assert first.object_id == again.object_id
    assert [item.name for item in session.objects()] == ["hero"]


def test_what_is_said_of_an_object_arrives() -> None:
    transport = FakeTransport()
    hero = opened(transport).object("hero")

    hero.click(frame=1001, x_px=2, y_px=1, positive=False)
    hero.box(frame=1002, left_px=0, top_px=0, right_px=2, bottom_px=2)
    hero.clear(frame=1002)

    assert transport.clicks == [(1, 1001, Click(2, 1, positive=False))]
    assert transport.prompts[-1] == FramePrompts(1, 1002)


@pytest.mark.parametrize("frame", [2**31, -(2**31) - 1, 99_999_999_999])
def test_a_frame_number_that_no_clip_has_never_leaves_the_client(frame: int) -> None:
    session = opened(FakeTransport())
    hero = session.object("hero")

    for call in (
        lambda: hero.click(frame=frame, x_px=1, y_px=1),
        lambda: hero.box(frame=frame, left_px=0, top_px=0, right_px=2, bottom_px=2),
        lambda: hero.clear(frame=frame),
        lambda: hero.lock(first=min(frame, 1), last=max(frame, 1)),
        lambda: session.next_frame(after=frame),
        lambda: session.anchor(hero, "centroid", reference_frame=frame),
    ):
        with pytest.raises(BadInputError, match="no frame number, the largest is 2147483647"):
            call()


def test_a_click_at_nan_never_leaves_the_client() -> None:
    transport = FakeTransport()
    hero = opened(transport).object("hero")

    with pytest.raises(BadInputError, match="finite coordinates"):
        hero.click(frame=1001, x_px=float("nan"), y_px=1)

    assert transport.clicks == []


def test_clicks_and_boxes_replace_what_was_said_only_where_that_is_asked_for() -> None:
    transport = FakeTransport()
    hero = opened(transport).object("hero")

    hero.click(frame=1001, x_px=5, y_px=6)
    hero.box(frame=1001, left_px=1, top_px=2, right_px=3, bottom_px=4)
    hero.box(frame=1001, left_px=1, top_px=2, right_px=3, bottom_px=4, replace=True)
    hero.click(frame=1001, x_px=7, y_px=8, replace=True)

    assert [click for _, _, click in transport.clicks] == [Click(5, 6)]
    assert transport.replaces_mask == [False, True, True]
    assert transport.prompts[-1] == FramePrompts(hero.object_id, 1001, (Click(7, 8),))


def test_a_track_yields_masks_and_keeps_plan_and_end() -> None:
    transport = FakeTransport()
    session = opened(transport)
    session.object("hero")

    track = session.track(frames=FrameRange(1001, 1003), objects=["hero"], direction=Direction.FORWARD)
    frames = [update.frame for update in track]

    assert frames == [1001, 1002, 1003]
    assert track.started is not None
    assert track.finished is not None
    assert transport.tracked[0].object_ids == (1,)
    assert transport.tracks_left_early == 0


def test_leaving_the_loop_early_stops_the_track() -> None:
    transport = FakeTransport()

    def first_frame(track: Track) -> int:
        for update in track:
            return update.frame
        raise AssertionError("no update came")

    assert first_frame(opened(transport).track()) == 1001
    assert transport.tracks_left_early == 1


def test_an_object_that_is_not_there_cannot_be_tracked() -> None:
    session = opened(FakeTransport())
    session.object("hero")

    with pytest.raises(ObjectNotFoundError, match="no object 'car': it has hero"):
        session.track(objects=["car"])


def test_mattes_are_written_where_the_client_is(tmp_path: Path) -> None:
    transport = FakeTransport()

    exported = opened(transport).export(tmp_path / "mattes", base_name="sh010")

    assert exported.files == (tmp_path / "mattes" / "plate.1001.exr",)
    assert exported.files[0].read_bytes() == b"pixels"
    assert exported.empty_frames == (1002, 1003)
    assert transport.exported[0].server_folder is None
    assert transport.exported[0].base_name == "sh010"


def test_a_second_look_is_told_apart_from_the_work_that_it_is_for() -> None:
    session = Session(FakeTransport(objects=[ObjectInfo(1, "hero")]), SessionInfo("s1", CLIP))
    progress: list[tuple[int, int]] = []
    looks: list[tuple[str, int, int]] = []

    session.shapes(
        "hero",
        on_progress=lambda done, total: progress.append((done, total)),
        on_look=lambda name, done, total: looks.append((name, done, total)),
    )

    assert progress == [(1, 2)]
    assert looks == [("hero", 1, 3)]


def test_leaving_the_server_closes_the_connection() -> None:
    transport = FakeTransport()

    with Server(transport):
        assert not transport.closed

    assert transport.closed
