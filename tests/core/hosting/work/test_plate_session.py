from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fakes.prompted_server import PromptedServer, tracked_mask
from masklet.client import Server
from masklet.clip_reading import ClipReading
from masklet.errors import BadInputError, ClipError, ServerUnreachableError
from masklet.events import MatteFormat
from masklet.hosting.clip_match import HostClip
from masklet.hosting.matte_folders import Delivered, Owner
from masklet.hosting.notices import LessHeldError, PlateChangedError
from masklet.hosting.plate_files import PlateSource, fingerprint_of
from masklet.hosting.shown.frame_book import Known
from masklet.hosting.work import plate_work
from masklet.hosting.work.jobs import Job
from masklet.hosting.work.plate_events import (
    Completed,
    Ended,
    FinishedCame,
    MaskCame,
    MasksOutdated,
    Planned,
    PlateRequest,
    Refused,
    ResultCame,
    SessionLost,
    SessionOpened,
    StatesCame,
    TrackRequest,
)
from masklet.hosting.work.plate_session import PlateSession
from masklet.said.documents import (
    Document,
    SaidObject,
    by_uid,
    cleared,
    completed,
    said_from_json,
    said_to_json,
    with_base,
    with_box,
    with_click,
    with_lock,
    with_masks,
)
from masklet.said.edits import (
    AddObject,
)
from masklet.types import Box, Click, FramePrompts, FrameRange, LockedMask
from masklet_server.sessions.history import History

CLICK = Click(20.0, 18.0)
HERO = SaidObject("u1", "hero", (FramePrompts(0, 1001, (CLICK,)),))


@pytest.fixture
def plate(tmp_path: Path) -> PlateSource:
    (tmp_path / "plate.1001.png").write_bytes(b"picture")
    return PlateSource("plate", str(tmp_path / "plate.%04d.png"), 64, 36)


@pytest.fixture
def transport() -> PromptedServer:
    return PromptedServer()


@pytest.fixture
def server(transport: PromptedServer) -> Server:
    return Server(transport)


def session_of(
    plate: PlateSource, *document: SaidObject, session_id: str = "", fingerprint: str = ""
) -> PlateSession:
    return PlateSession(PlateRequest(plate, document, session_id, fingerprint, 64))


def want(session: PlateSession, *document: SaidObject) -> None:
    session.request = replace(session.request, wanted=document)


def first(events: Iterable[object], kind: type) -> object:
    return next(event for event in events if isinstance(event, kind))


def job_of(work: Callable[[Job], Iterator[object]]) -> tuple[Job, list[object]]:
    events: list[object] = []
    return Job("Working", work, on_event=events.append), events


def test_what_was_said_reaches_a_new_session_and_masks_come_back(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    events = list(session_of(plate, HERO).synchronise(server))
    opened = first(events, SessionOpened)
    assert isinstance(opened, SessionOpened)
    assert (opened.resumed, opened.replaced) == (False, False)
    assert transport.calls == ["add", "click"]
    came = first(events, MaskCame)
    assert isinstance(came, MaskCame)
    assert (came.uid, came.frame) == ("u1", 1001)
    states = first(events, StatesCame)
    assert isinstance(states, StatesCame)
    assert [state.frames for state in states.states["u1"]] == [FrameRange(1001, 1001)]


def test_clicks_boxes_undo_and_redo_carry_masks_of_the_size_that_is_shown(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    list(session.synchronise(server))
    want(session, with_box(HERO, 1001, Box(1.0, 2.0, 30.0, 20.0)))
    list(session.synchronise(server))
    list(session.undo(server))
    session.request = replace(session.request, max_side_px=32, wanted=session.held)
    list(session.redo(server))

    assert transport.calls == ["add", "click", "prompts", "undo", "redo"]
    assert transport.asked_sizes_px == [64, 64, 64, 32]


def test_the_layer_that_the_artist_names_reaches_the_server(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    said = ClipReading("ACEScg", layer="ViewLayer.Combined", view="left")
    list(session_of(replace(plate, reading=said), HERO).synchronise(server))
    assert transport.readings == [said]


def test_another_layer_is_another_session_and_all_is_said_again(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    list(session.synchronise(server))
    session.request = replace(session.request, plate=replace(plate, reading=ClipReading(layer="beauty")))

    events = list(session.synchronise(server))

    opened = first(events, SessionOpened)
    assert isinstance(opened, SessionOpened)
    assert (opened.resumed, opened.replaced) == (False, True)
    assert transport.readings == [ClipReading(), ClipReading(layer="beauty")]
    assert transport.calls == ["add", "click", "add", "click"]
    assert list(session.synchronise(server)) == []


def test_nothing_is_sent_twice(plate: PlateSource, server: Server, transport: PromptedServer) -> None:
    session = session_of(plate, HERO)
    list(session.synchronise(server))
    assert list(session.synchronise(server)) == []
    want(session, with_click(HERO, 1001, Click(30.0, 18.0)))
    list(session.synchronise(server))
    assert transport.calls == ["add", "click", "click"]


def test_a_session_that_the_server_still_holds_is_gone_on_with(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    list(session_of(plate, HERO).synchronise(server))
    again = session_of(plate, HERO, session_id="session1")
    events = list(again.synchronise(server))
    opened = first(events, SessionOpened)
    assert isinstance(opened, SessionOpened)
    assert opened.resumed
    assert transport.calls == ["add", "click"]
    assert by_uid(again.held) == by_uid((HERO,))


def test_a_session_that_is_gone_is_opened_anew_with_the_prompts_of_the_file(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO, session_id="of last week")
    opened = first(session.synchronise(server), SessionOpened)
    assert isinstance(opened, SessionOpened)
    assert (opened.resumed, opened.replaced) == (False, True)


def test_a_session_that_is_lost_in_between_is_opened_anew(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    list(session.synchronise(server))
    transport.sessions.clear()
    assert list(session.synchronise(server)) == []
    events = list(session.synchronise(server, make_sure=True))
    opened = first(events, SessionOpened)
    assert isinstance(opened, SessionOpened)
    assert opened.replaced
    assert by_uid(session.held) == by_uid((HERO,))


def test_what_another_host_has_changed_is_seen_when_it_gets_in_the_way(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    list(session.synchronise(server))
    transport.remove_object("session1", 1)
    more = with_click(HERO, 1001, Click(30.0, 18.0))
    want(session, more)
    list(session.synchronise(server))
    assert by_uid(session.held) == by_uid((more,))


def test_a_refused_edit_is_told_and_the_others_go_on(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    transport.max_objects = 1
    events = list(session_of(plate, HERO, SaidObject("u2", "ball")).synchronise(server))
    refused = first(events, Refused)
    assert isinstance(refused, Refused)
    assert refused.edit == AddObject("u2", "ball")
    assert "at most 1 objects" in str(refused.error)
    assert [said.uid for said in refused.held] == ["u1"]


def test_a_frame_that_the_plate_does_not_have_is_refused(plate: PlateSource, server: Server) -> None:
    session = session_of(plate, with_click(SaidObject("u1", "hero"), 900, CLICK))
    refused = first(session.synchronise(server), Refused)
    assert isinstance(refused, Refused)
    assert "1001-1012" in str(refused.error)


def test_a_plate_with_other_pictures_is_not_taken_for_the_old_one(plate: PlateSource, server: Server) -> None:
    with pytest.raises(BadInputError, match="Use This Plate"):
        list(session_of(plate, HERO, fingerprint="other").synchronise(server))


def test_blenders_undo_of_a_removal_steps_back_on_the_server_so_that_masks_return(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    list(session.synchronise(server))
    want(session)
    assert MasksOutdated("u1") in list(session.synchronise(server))
    want(session, HERO)
    list(session.synchronise(server))
    assert transport.calls == ["add", "click", "remove", "undo"]
    want(session)
    list(session.synchronise(server))
    assert transport.calls[-1] == "redo"
    assert session.held == ()


def test_an_undo_over_several_edits_is_sent_as_differences(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, SaidObject("u1", "hero"))
    list(session.synchronise(server))
    document: Document = (HERO,)
    want(session, *document)
    list(session.synchronise(server))
    want(session, with_lock(HERO, FrameRange(1003, 1005), locked=True))
    list(session.synchronise(server))
    want(session, SaidObject("u1", "hero"))
    list(session.synchronise(server))
    assert transport.calls[-2:] == ["unlock", "prompts"]
    assert by_uid(session.held) == by_uid((SaidObject("u1", "hero"),))


def test_stepping_through_what_was_said_alone(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, SaidObject("u1", "hero"))
    list(session.synchronise(server))
    want(session, HERO)
    list(session.synchronise(server))
    events = list(session.undo(server))
    assert session.held == (SaidObject("u1", "hero"),)
    assert MaskCame("u1", 1001, None) in events
    want(session, *session.held)
    list(session.redo(server))
    assert session.held == (HERO,)
    want(session, *session.held)
    with pytest.raises(BadInputError, match="nothing to make again"):
        list(session.redo(server))


def test_when_the_servers_history_is_shorter_the_differences_do(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    list(session.synchronise(server))
    want(session, cleared(HERO, 1001))
    list(session.synchronise(server))
    transport.sessions["session1"].book.history = History()
    want(session, HERO)
    list(session.synchronise(server))
    assert by_uid(session.held) == by_uid((HERO,))


def test_a_track_tells_its_plan_each_mask_and_the_states(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    wish = TrackRequest(first=1003, last=2000, uids=("u1",))
    job, events = job_of(lambda job: plate_work.track(session, job, server, wish))
    job.run_here()
    assert Planned(10) in events
    tracked = [event.frame for event in events if isinstance(event, MaskCame) and event.tracked]
    assert tracked == list(range(1003, 1013))
    assert isinstance(events[-1], StatesCame)
    assert transport.tracked[0].object_ids == (1,)
    assert transport.tracked[0].mask_format.max_side_px == 64


def test_a_range_beside_the_plate_is_refused_in_a_sentence(plate: PlateSource, server: Server) -> None:
    session = session_of(plate, HERO)
    job, _ = job_of(lambda job: plate_work.track(session, job, server, TrackRequest(first=1, last=20)))
    with pytest.raises(BadInputError, match="which has frames 1001 to 1012"):
        job.run_here()


def test_a_track_that_breaks_keeps_what_it_had_and_tells_the_states(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    transport.track_fails = ServerUnreachableError("the server is gone: start it again")
    session = session_of(plate, HERO)
    job, events = job_of(lambda job: plate_work.track(session, job, server, TrackRequest()))
    with pytest.raises(ServerUnreachableError):
        job.run_here()
    assert [event.frame for event in events if isinstance(event, MaskCame) and event.tracked] == [1001, 1002]
    states = [event for event in events if isinstance(event, StatesCame)][-1]
    assert states.states["u1"][-1].frames == FrameRange(1002, 1002)


def test_a_cancelled_track_ends_early_and_is_no_error(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    events: list[object] = []
    job = Job(
        "Tracking", lambda job: plate_work.track(session, job, server, TrackRequest()), on_event=events.append
    )
    transport.cancelled = True
    job.run_here()
    ended = first(events, Ended)
    assert isinstance(ended, Ended)
    assert ended.finished.cancelled


def test_masks_are_fetched_of_the_objects_asked_for_only(plate: PlateSource, server: Server) -> None:
    ball = SaidObject("u2", "ball", (FramePrompts(0, 1001, (CLICK,)),))
    session = session_of(plate, HERO, ball)
    job, _ = job_of(lambda job: plate_work.track(session, job, server, TrackRequest()))
    job.run_here()
    job, events = job_of(lambda job: plate_work.fetch(session, job, server, ["u2"], FrameRange(1003, 1005)))
    job.run_here()
    assert [(event.uid, event.frame) for event in events if isinstance(event, MaskCame)] == [
        ("u2", 1003),
        ("u2", 1004),
        ("u2", 1005),
    ]


def test_closing_has_the_server_forget_and_the_next_need_opens_again(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    list(session.synchronise(server))
    session.close()
    assert transport.sessions == {}
    events = list(session.synchronise(server))
    opened = first(events, SessionOpened)
    assert isinstance(opened, SessionOpened)
    assert not opened.replaced


def tracked_before(session: PlateSession) -> None:
    """As the main thread does it when a file is opened that knows of twelve masks."""
    known = {"u1": Known(held=(FrameRange(1001, 1012),))}
    session.request = replace(session.request, session_id="of last week", known=known)


def test_a_new_session_that_holds_less_than_the_file_makes_no_results(
    plate: PlateSource, server: Server
) -> None:
    session = session_of(plate, HERO)
    tracked_before(session)
    job, events = job_of(lambda job: plate_work.shapes(session, job, server, "u1", tolerance_px=1.0))
    with pytest.raises(LessHeldError, match="no longer holds masks of hero on 11 frames"):
        job.run_here()
    assert not [event for event in events if isinstance(event, ResultCame)]


def test_what_the_server_lost_is_what_changed_and_is_tracked_again(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    tracked_before(session)
    job, events = job_of(lambda job: plate_work.track(session, job, server, TrackRequest(stale_only=True)))
    job.run_here()
    assert len([event for event in events if isinstance(event, MaskCame) and event.tracked]) == 11
    assert session.lacking(["u1"]) == {}
    assert [request.stale_only for request in transport.tracked] == [False, True]


def test_a_session_that_is_still_there_may_hold_less_by_its_own_right(
    plate: PlateSource, server: Server
) -> None:
    list(session_of(plate, HERO).synchronise(server))
    again = session_of(plate, HERO)
    tracked_before(again)
    again.request = replace(again.request, session_id="session1")
    list(again.synchronise(server))
    assert again.lacking(["u1"]) == {}


def test_a_file_that_is_opened_finds_its_session_or_is_told_and_nothing_is_sent(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    (opened,) = list(session_of(plate, HERO).synchronise(server))[:1]
    assert isinstance(opened, SessionOpened)
    calls = transport.calls[:]
    found = session_of(plate, HERO, session_id="session1", fingerprint=opened.fingerprint)
    assert [type(event) for event in found.come_back(server)] == [SessionOpened, StatesCame]
    gone = session_of(plate, HERO, session_id="of last week", fingerprint=opened.fingerprint)
    assert [type(event) for event in gone.come_back(server)] == [SessionLost]
    assert transport.calls == calls
    assert len(transport.opened) == 1


def test_a_plate_that_was_moved_is_read_where_it_is_now(
    plate: PlateSource, server: Server, transport: PromptedServer, tmp_path: Path
) -> None:
    session = session_of(plate, HERO)
    list(session.synchronise(server))
    moved = tmp_path / "moved"
    moved.mkdir()
    (tmp_path / "plate.1001.png").rename(moved / "plate.1001.png")
    session.request = replace(session.request, plate=replace(plate, path=str(moved / "plate.%04d.png")))
    opened = first(session.synchronise(server, make_sure=True), SessionOpened)
    assert isinstance(opened, SessionOpened)
    assert not opened.resumed
    assert transport.opened[-1] == str(moved / "plate.%04d.png")
    assert list(transport.sessions) == [opened.session_id]


def test_a_plate_whose_pictures_were_rendered_anew_is_told_before_it_is_tracked(
    plate: PlateSource, server: Server, tmp_path: Path
) -> None:
    session = session_of(plate, HERO)
    opened = first(session.synchronise(server), SessionOpened)
    assert isinstance(opened, SessionOpened)
    session.request = replace(session.request, fingerprint=opened.fingerprint)
    (tmp_path / "plate.1001.png").write_bytes(b"another grade")
    job, _ = job_of(lambda job: plate_work.track(session, job, server, TrackRequest()))
    with pytest.raises(PlateChangedError):
        job.run_here()


def done(session: PlateSession, server: Server) -> None:
    """Track, with what the main thread does of the answers."""
    job, events = job_of(lambda job: plate_work.track(session, job, server, TrackRequest()))
    job.run_here()
    kept(session, events)


def kept(session: PlateSession, events: Iterable[object]) -> None:
    """As the .blend file keeps what the server alone knows."""
    for event in events:
        if isinstance(event, Completed):
            want(session, *completed(session.request.wanted, event.held))


def test_what_a_correction_corrects_is_kept_and_goes_to_a_server_that_starts_anew(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    done(session, server)
    want(session, with_click(session.request.wanted[0], 1005, CLICK))
    kept(session, session.synchronise(server))
    assert session.request.wanted[0].at(1005).base == tracked_mask(1005)
    assert session.request.wanted[0].at(1001).base is None
    assert list(session.synchronise(server)) == []

    transport.sessions.clear()
    list(session.synchronise(server, make_sure=True))
    (session,) = transport.sessions.values()
    assert [prompts.base for prompts in session.book.document().prompts] == [None, tracked_mask(1005)]


def test_masks_of_locked_frames_are_kept_and_go_to_a_server_that_starts_anew(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    done(session, server)
    want(session, with_lock(session.request.wanted[0], FrameRange(1004, 1006), locked=True))
    kept(session, session.synchronise(server))
    assert [mask.frame for mask in session.request.wanted[0].masks] == [1004, 1005, 1006]

    transport.sessions.clear()
    list(session.synchronise(server, make_sure=True))
    (session,) = transport.sessions.values()
    assert [mask.mask for mask in session.given] == [tracked_mask(frame) for frame in (1004, 1005, 1006)]


def test_a_locked_frame_that_gets_its_first_mask_from_a_track_keeps_it(
    plate: PlateSource, server: Server
) -> None:
    session = session_of(plate, with_lock(HERO, FrameRange(1004, 1006), locked=True))
    kept(session, session.synchronise(server))
    assert session.request.wanted[0].masks == ()
    done(session, server)
    assert [mask.frame for mask in session.request.wanted[0].masks] == [1004, 1005, 1006]


def test_an_undo_to_before_a_correction_was_answered_takes_a_step_on_the_server(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    done(session, server)
    want(session, with_click(session.request.wanted[0], 1005, CLICK))
    unanswered = session.request.wanted
    kept(session, session.synchronise(server))
    want(session, with_click(session.request.wanted[0], 1005, Click(30.0, 18.0)))
    kept(session, session.synchronise(server))
    want(session, *unanswered)
    list(session.synchronise(server))
    assert transport.calls[-1] == "undo"


def test_bases_and_masks_of_locked_frames_survive_the_file() -> None:
    said = with_base(HERO, 1001, tracked_mask(1001))
    said = with_lock(said, FrameRange(1004, 1004), locked=True)
    said = with_masks(said, [LockedMask(0, 1004, tracked_mask(1004), stale=True)])
    assert said_from_json("u1", "hero", said_to_json(said)) == said


def test_a_plate_that_the_server_reads_differently_is_refused_and_its_session_goes(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    wide = replace(plate, shown=HostClip("plate", 128, 36))
    with pytest.raises(ClipError, match="128 x 36, with what lies beyond its format of 64 x 36"):
        list(session_of(wide, HERO).synchronise(server))
    assert transport.sessions == {}


def test_the_finished_matte_of_a_frame_is_what_an_export_writes(
    plate: PlateSource, server: Server, transport: PromptedServer
) -> None:
    session = session_of(plate, HERO)
    done(session, server)
    job, events = job_of(lambda job: plate_work.preview(session, job, server, ["u1"], 1005))
    job.run_here()
    (came,) = (event for event in events if isinstance(event, FinishedCame))
    assert (came.uid, came.frame, came.mask.width_px, came.mask.is_empty) == ("u1", 1005, 64, False)
    assert transport.exported[-1].frames == FrameRange(1005, 1005)
    assert transport.exported[-1].matte_format is MatteFormat.PNG8


def test_mattes_are_delivered_for_the_plate_that_was_exported(
    plate: PlateSource, server: Server, tmp_path: Path
) -> None:
    session = session_of(plate, HERO)
    done(session, server)

    def work(job: Job) -> Iterator[object]:
        return plate_work.export(
            session,
            job,
            server,
            tmp_path / "mattes",
            owner=Owner("p1", ""),
            earlier=(),
            uids=("u1",),
            matte_format=MatteFormat.EXR_PER_OBJECT,
            base_name="plate",
        )

    job, events = job_of(work)
    job.run_here()
    made = first(events, ResultCame)
    assert isinstance(made, ResultCame)
    assert isinstance(made.value, Delivered)
    assert made.value.folder == tmp_path / "mattes"
    assert [file.name for file in made.value.files["u1"]] == [
        f"plate_hero.{frame}.exr" for frame in range(1001, 1013)
    ]
    marker = json.loads((tmp_path / "mattes" / "masklet.json").read_text())
    assert marker["fingerprint"] == fingerprint_of(plate)
