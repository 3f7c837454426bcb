"""The artist's loop on a hand-written host: what is said is sent, what comes back is kept and shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.host import WORDS, FakeHost, Handle
from fakes.prompted_server import PromptedServer
from masklet.client import Server
from masklet.errors import LimitError, MaskletError, ServerUnreachableError
from masklet.events import Waiting
from masklet.hosting.loop import Loop
from masklet.hosting.notices import Remedy
from masklet.hosting.plate_files import PlateSource
from masklet.hosting.sentences import short_progress_text
from masklet.hosting.work import plate_work
from masklet.hosting.work.connection import Connection, ConnectionSettings
from masklet.hosting.work.jobs import Job
from masklet.hosting.work.plate_events import TrackRequest
from masklet.hosting.work.plate_session import PlateSession
from masklet.said.documents import SaidObject, with_click
from masklet.types import Click, FramePrompts, SessionInfo

HERO = SaidObject("u1", "hero", (FramePrompts(0, 1001, (Click(20.0, 18.0),)),))
SECOND = SaidObject("u2", "second", (FramePrompts(0, 1002, (Click(5.0, 6.0),)),))
WAIT_S = 20.0


@pytest.fixture
def source(tmp_path: Path) -> PlateSource:
    (tmp_path / "plate.1001.png").write_bytes(b"picture")
    return PlateSource("plate", str(tmp_path / "plate.%04d.png"), 64, 36, words=WORDS)


@pytest.fixture
def transport() -> PromptedServer:
    return PromptedServer()


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
def plate(host: FakeHost, source: PlateSource) -> Handle:
    return host.open(source)


@pytest.fixture
def loop(host: FakeHost, transport: PromptedServer) -> Iterator[Loop[Handle]]:
    loop = Loop(host, Connection(lambda settings: Server(transport)))
    yield loop
    loop.end(session.close for session in loop.let_go())


def run(loop: Loop[Handle]) -> None:
    """Beat as a host does, until nothing is left to do."""
    until_s = time.monotonic() + WAIT_S
    while loop.beat():
        assert time.monotonic() < until_s, "the loop does not come to rest"
        time.sleep(0.002)


def track(session: PlateSession, job: Job, server: Server) -> Iterator[object]:
    return plate_work.track(session, job, server, TrackRequest())


def test_what_is_said_is_sent_and_its_mask_state_and_session_come_back(
    host: FakeHost, plate: Handle, loop: Loop[Handle], transport: PromptedServer
) -> None:
    host.take(plate, (HERO,))

    loop.synchronise(plate, wait=False)
    assert host.ticking
    run(loop)

    memory = loop.memory(plate)
    assert transport.calls == ["add", "click"]
    assert memory.masks.get("u1", 1001) is not None
    assert host.session(plate).session_id == "session1"
    assert memory.notice is None
    assert '"u1"' not in host.states(plate)["u1"]
    assert host.states(plate)["u1"].startswith("[[1001, 1001")


def test_without_an_interface_it_is_waited_for(source: PlateSource, transport: PromptedServer) -> None:
    host = FakeHost(has_interface=False)
    loop = Loop(host, Connection(lambda settings: Server(transport)))
    plate = host.open(source)
    host.take(plate, (HERO,))

    loop.synchronise(plate, wait=not host.has_interface)

    assert transport.calls == ["add", "click"]


def test_a_value_that_is_dragged_is_sent_once_it_has_come_to_rest(
    host: FakeHost, plate: Handle, loop: Loop[Handle], transport: PromptedServer
) -> None:
    said = HERO
    for x_px in range(10):
        said = with_click(HERO, 1001, Click(float(x_px), 3.0))
        host.take(plate, (said,))
        loop.request_synchronise(plate)
        loop.beat()
    assert transport.calls == []

    run(loop)

    assert transport.calls == ["add", "prompts"]
    assert loop.session(plate).held == host.document(plate)


def test_what_the_server_refuses_leaves_the_document_and_is_told(
    host: FakeHost, plate: Handle, loop: Loop[Handle], transport: PromptedServer
) -> None:
    transport.max_objects = 1
    host.take(plate, (HERO, SECOND))

    with pytest.raises(LimitError):
        loop.synchronise(plate, wait=True)

    assert [said.uid for said in host.document(plate)] == ["u1"]
    notice = loop.memory(plate).notice
    assert notice is not None
    assert notice.is_alarm


def test_the_hosts_own_undo_is_followed_though_every_handle_is_void(
    host: FakeHost, plate: Handle, loop: Loop[Handle], transport: PromptedServer
) -> None:
    host.take(plate, (HERO,))
    loop.synchronise(plate, wait=True)
    before = host.snapshot()
    host.take(plate, (with_click(HERO, 1001, Click(1.0, 2.0)),))
    loop.synchronise(plate, wait=True)

    (again,) = host.restore(before)
    loop.after_history()
    run(loop)

    assert loop.session(again).held == host.document(again)
    assert [len(said.frames[0].clicks) for said in host.document(again)] == [1]


def test_results_of_a_plate_that_was_removed_meanwhile_go_nowhere(
    host: FakeHost, plate: Handle, loop: Loop[Handle]
) -> None:
    host.take(plate, (HERO,))
    job = loop.start(plate, "Tracking", track, wait=False)
    host.remove(plate)

    run(loop)

    assert job.has_ended
    assert job.error is None


def test_a_track_fills_the_book_and_the_document(host: FakeHost, plate: Handle, loop: Loop[Handle]) -> None:
    host.take(plate, (HERO,))

    job = loop.start(plate, "Tracking", track, wait=False)
    assert loop.job_of(plate) is job
    run(loop)

    assert loop.job_of(plate) is None
    assert loop.memory(plate).book.frames_with_masks("u1") == 12
    assert len(loop.memory(plate).masks) == 12


def test_a_full_server_is_waited_for_and_the_place_in_line_is_told(
    host: FakeHost, plate: Handle, loop: Loop[Handle], transport: PromptedServer
) -> None:
    host.take(plate, (HERO,))
    transport.waits = [Waiting(3, None), Waiting(2, 41.7)]
    told: list[str] = []
    open_session = transport.open_session

    def telling(**given: Any) -> SessionInfo | Waiting:
        told.append(short_progress_text(loop.board.jobs[0]))
        return open_session(**given)

    transport.open_session = telling  # type: ignore[method-assign]

    job = loop.start(plate, "Tracking", track, wait=False)
    run(loop)

    assert told == [
        "Tracking …",
        "The server is full: number 3 in line",
        "The server is full: number 2 in line, about 42 s",
    ]
    assert len(set(transport.tickets)) == 1
    assert job.waiting is None
    assert loop.memory(plate).book.frames_with_masks("u1") == 12


def test_who_cancels_leaves_the_line(
    host: FakeHost, plate: Handle, loop: Loop[Handle], transport: PromptedServer
) -> None:
    host.take(plate, (HERO,))
    transport.open_session = lambda **given: Waiting(3)  # type: ignore[method-assign]

    job = loop.start(plate, "Tracking", track, wait=False)
    while job.waiting is None:
        time.sleep(0.002)
    job.cancel()
    run(loop)

    assert transport.opened == []


def test_a_host_that_is_held_up_does_not_wait_in_line_behind_its_own_sessions(
    host: FakeHost, plate: Handle, loop: Loop[Handle], transport: PromptedServer, source: PlateSource
) -> None:
    host.take(plate, (HERO,))
    loop.synchronise(plate, wait=True)
    other = host.open(source)
    host.take(other, (HERO,))
    transport.open_session = lambda **given: Waiting(3)  # type: ignore[method-assign]

    with pytest.raises(LimitError, match="holds 1 of its sessions itself: close the session"):
        loop.start(other, "Tracking", track, wait=True)


def test_the_frame_that_the_viewer_shows_is_told_while_a_track_runs(
    host: FakeHost, plate: Handle, loop: Loop[Handle], transport: PromptedServer
) -> None:
    host.take(plate, (HERO,))
    loop.synchronise(plate, wait=False)
    run(loop)
    loop.fetching.look(plate, 1009)
    loop.start(plate, "Tracking", track, wait=False)
    run(loop)

    assert transport.looked_at == [1009]


def test_a_document_that_is_opened_again_goes_on_with_its_session_and_states(
    host: FakeHost, plate: Handle, loop: Loop[Handle], transport: PromptedServer
) -> None:
    host.take(plate, (HERO,))
    loop.start(plate, "Tracking", track, wait=True)
    saved = host.snapshot()

    later = FakeHost()
    (opened,) = later.restore(saved)
    another = Loop(later, Connection(lambda settings: Server(transport)))
    transport.calls.clear()
    assert another.memory(opened).book.frames_with_masks("u1") == 12
    another.synchronise(opened, wait=True)

    assert transport.calls == []
    assert another.session(opened).session_id == "session1"


def test_masks_around_a_frame_are_fetched_once(host: FakeHost, plate: Handle, loop: Loop[Handle]) -> None:
    host.take(plate, (HERO,))
    loop.start(plate, "Tracking", track, wait=True)
    loop.memory(plate).masks.clear()

    loop.fetching.want_mask(plate, "u1", 1003)
    loop.fetching.want_mask(plate, "u1", 1003)
    assert len(loop.board.jobs) == 1
    run(loop)

    assert loop.memory(plate).masks.get("u1", 1003) is not None
    loop.fetching.want_mask(plate, "u1", 1003)
    assert not loop.board.jobs


def test_nothing_is_fetched_while_it_plays_or_where_nobody_looks(
    host: FakeHost, plate: Handle, loop: Loop[Handle]
) -> None:
    host.take(plate, (HERO,))
    loop.start(plate, "Tracking", track, wait=True)

    host.is_playing = True
    loop.fetching.want_finished(plate, 1001)
    host.is_playing, host.has_interface = False, False
    loop.fetching.want_finished(plate, 1001)
    assert not loop.board.jobs

    host.has_interface = True
    loop.fetching.want_finished(plate, 1001)
    run(loop)
    assert loop.memory(plate).finished.get("u1", 1001) is not None


@pytest.mark.parametrize(
    ("error", "remedy", "words"),
    [
        (ServerUnreachableError("nothing answers at gpu:50051"), Remedy.RECONNECT, "nothing answers"),
        (LimitError("the server is full"), Remedy.NONE, "the server is full"),
    ],
)
def test_a_server_that_cannot_be_used_is_a_sentence_with_its_button(
    host: FakeHost, plate: Handle, error: MaskletError, remedy: Remedy, words: str
) -> None:
    def refuse(settings: ConnectionSettings) -> Server:
        raise error

    loop = Loop(host, Connection(refuse))
    host.take(plate, (HERO,))

    loop.synchronise(plate, wait=False)
    run(loop)

    notice = loop.memory(plate).notice
    assert notice is not None
    assert (notice.remedy, words in notice.sentence) == (remedy, True)
    assert host.document(plate) == (HERO,)


def test_another_server_gets_everything_that_was_said(
    host: FakeHost, plate: Handle, source: PlateSource
) -> None:
    servers: dict[str, PromptedServer] = {"one:1": PromptedServer(), "two:2": PromptedServer()}
    connector: Callable[[ConnectionSettings], Server] = lambda settings: Server(servers[settings.address])  # noqa: E731
    loop = Loop(host, Connection(connector))
    host.take(plate, (HERO,))
    host.settings = ConnectionSettings("one:1", words=WORDS)
    loop.synchronise(plate, wait=True)

    host.settings = ConnectionSettings("two:2", words=WORDS)
    loop.forget_server()
    loop.synchronise(plate, wait=True)

    assert servers["two:2"].calls == ["add", "click"]


def test_what_a_track_is_about_to_change_is_kept_where_a_host_shows_versions(
    host: FakeHost, plate: Handle, transport: PromptedServer
) -> None:
    loop = Loop(host, Connection(lambda settings: Server(transport)), keeps_versions=True)
    host.take(plate, (HERO,))
    loop.start(plate, "Tracking", track, wait=False)
    run(loop)
    memory = loop.memory(plate)
    assert memory.versions is not None
    assert memory.versions.all == ()
    before = memory.masks.get("u1", 1003)

    moved = with_click(HERO, 1003, Click(40.0, 18.0))
    host.take(plate, (moved,))
    loop.start(plate, "Tracking", track, wait=False)
    run(loop)

    (version,) = memory.versions.all
    assert before is not None
    assert version.mask("u1", 1003) is not None
    assert [said.frames for said in version.document or ()] == [HERO.frames]
    loop.end(session.close for session in loop.let_go())


def test_no_versions_are_kept_where_nobody_would_see_them(
    host: FakeHost, plate: Handle, loop: Loop[Handle]
) -> None:
    host.take(plate, (HERO,))
    loop.start(plate, "Tracking", track, wait=False)
    run(loop)

    assert loop.memory(plate).versions is None


def test_a_server_that_was_replaced_since_is_told_of_only_to_who_waits(
    host: FakeHost, plate: Handle, transport: PromptedServer
) -> None:
    loop = Loop(host, Connection(lambda settings: Server(transport)))

    def fail(session: PlateSession, job: Job, server: Server) -> Iterator[object]:
        loop.connection.drop(server)
        loop.connection.server(host.settings)
        raise ServerUnreachableError("the server is gone")
        yield

    loop.start(plate, "Reading pictures", fail, wait=False, is_long=False)
    run(loop)
    assert loop.memory(plate).notice is None
    loop.start(plate, "Tracking", fail, wait=False)
    run(loop)
    notice = loop.memory(plate).notice
    assert notice is not None
    assert notice.remedy is Remedy.RECONNECT
    loop.end(session.close for session in loop.let_go())
