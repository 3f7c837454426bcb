"""Servers that are killed, stopped or frozen: artists see a pause."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import masklet
from fakes.kept import KeptServer, plates
from masklet.errors import SessionNotFoundError
from masklet.events import TrackFinished, TrackStarted
from masklet.session import Session
from masklet.types import FrameRange, MaskFormat, MaskUpdate

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no signals that can be handled")

SMALL = MaskFormat(max_side_px=32)


@contextmanager
def kept(folder: Path, *, frame_s: float = 0.0) -> Iterator[KeptServer]:
    server = KeptServer(folder, frame_s)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def clicked(client: masklet.Server, clip: Path) -> Session:
    session = client.open(clip)
    session.object("hero").click(frame=10, x_px=8.0, y_px=9.0)
    return session


def masks(session: Session) -> dict[tuple[str, int], bytes]:
    return {(each.object_name, each.frame): each.mask.alpha for each in session.masks(mask_format=SMALL)}


def tracked(session: Session, *, at_frame: Callable[[int], None] = lambda count: None) -> list[object]:
    """All events of a track; told how many masks have come."""
    events: list[object] = []
    for event in session.track(mask_format=SMALL).events():
        events.append(event)
        at_frame(sum(isinstance(each, MaskUpdate) for each in events))
    return events


def as_if_nothing_was(folder: Path, clip: Path) -> dict[tuple[str, int], bytes]:
    """The masks of the same work on a server that lives."""
    with kept(folder) as server, masklet.connect(server.address) as client:
        session = clicked(client, clip)
        tracked(session)
        session.object("hero").click(frame=15, x_px=20.0, y_px=9.0)
        return masks(session)


def test_a_track_goes_on_where_a_killed_server_stopped_and_everything_said_is_there(tmp_path: Path) -> None:
    clip = plates(tmp_path / "clip")
    with kept(tmp_path, frame_s=0.02) as server, masklet.connect(server.address) as client:
        session = clicked(client, clip)

        def kill(count: int) -> None:
            if count in (3, 9, 17):
                server.kill()
                server.start()

        events = tracked(session, at_frame=kill)
        session.object("hero").click(frame=15, x_px=20.0, y_px=9.0)
        server.kill()
        server.start()
        session.undo(mask_format=SMALL)
        session.redo(mask_format=SMALL)

        frames = [event.frame for event in events if isinstance(event, MaskUpdate)]
        assert sorted(frames) == list(range(1, 25))
        assert isinstance(events[0], TrackStarted)
        assert events[0].updates == 24
        last = events[-1]
        assert isinstance(last, TrackFinished)
        assert (last.cancelled, last.updates) == (False, 24)
        shown = {("hero", event.frame): event.mask.alpha for event in events if isinstance(event, MaskUpdate)}
        after = masks(session)
        assert {key: mask for key, mask in after.items() if key[1] != 15} == {
            key: mask for key, mask in shown.items() if key[1] != 15
        }
        # What the correction has overtaken is as stale as it was.
        stale = [state.frames for state in session.info().states if state.stale]
        assert stale == [FrameRange(11, 14), FrameRange(16, 24)]
        (tmp_path / "plain").mkdir()
        plates(tmp_path / "plain" / "clip")
    assert after == as_if_nothing_was(tmp_path / "plain", tmp_path / "plain" / "clip" / "plate.%04d.png")


def test_a_stopped_server_tells_tracks_to_come_back_and_ends_within_ten_seconds(tmp_path: Path) -> None:
    clip = plates(tmp_path / "clip", frames=30)
    with kept(tmp_path, frame_s=0.01) as server, masklet.connect(server.address) as client:
        sessions = [clicked(client, clip) for _ in range(16)]
        running = threading.Barrier(17)

        def track(session: Session) -> list[int]:
            begun = False
            frames = []
            for update in session.track(mask_format=SMALL):
                frames.append(update.frame)
                if len(frames) == 2 and not begun:
                    begun = True
                    running.wait(60)
            return frames

        with ThreadPoolExecutor(16) as pool:
            tracks = [pool.submit(track, session) for session in sessions]
            running.wait(60)
            took_s = server.stop()
            assert server.process.returncode == 0
            assert took_s < 10.0
            server.start()
            assert all(sorted(each.result(120)) == list(range(1, 31)) for each in tracks)


def test_a_call_that_was_made_before_the_kill_is_not_made_again(tmp_path: Path) -> None:
    from masklet.transport.grpc import new_id
    from masklet.v1 import prompt_pb2, values_pb2

    clip = plates(tmp_path / "clip")
    with kept(tmp_path) as server, masklet.connect(server.address) as client:
        session = clicked(client, clip)
        hero = session.object("hero")
        stub = client._transport._prompts  # type: ignore[attr-defined]
        request = prompt_pb2.AddClickRequest(
            session_id=session.session_id,
            request_id=new_id(),
            object_id=hero.object_id,
            frame=10,
            click=values_pb2.Click(x_px=3.0, y_px=4.0, positive=True),
            mask_format=values_pb2.MaskFormat(max_side_px=32),
        )
        first = stub.AddClick(request)
        server.kill()
        server.start()

        again = stub.AddClick(request, wait_for_ready=True)

        assert again == first
        (said,) = session.prompts().prompts
        assert len(said.clicks) == 2


def test_an_owner_that_wakes_up_can_write_nothing_any_more(tmp_path: Path) -> None:
    clip = plates(tmp_path / "clip")
    with kept(tmp_path) as first, masklet.connect(first.address) as client:
        session = clicked(client, clip)
        first.freeze()
        second = KeptServer(tmp_path, more=("--take-over",))
        second.start()
        try:
            with masklet.connect(second.address) as other:
                back = other.resume(session.session_id)
                back.object("hero").click(frame=3, x_px=1.0, y_px=1.0)
                document = back.prompts()

                first.thaw()
                with pytest.raises(SessionNotFoundError, match="another server has taken"):
                    session.object("hero").click(frame=5, x_px=1.0, y_px=1.0)

                assert back.prompts() == document
            second.kill()
            second.start()
            with masklet.connect(second.address) as other:
                assert other.resume(session.session_id).prompts() == document
        finally:
            second.kill()


def test_an_upload_outlives_the_server_that_received_it(tmp_path: Path) -> None:
    clip = plates(tmp_path / "clip")
    with kept(tmp_path) as server, masklet.connect(server.address) as client:
        session = client.open(clip, upload=True)
        session.object("hero").click(frame=10, x_px=8.0, y_px=9.0)
        server.kill()
        server.start()

        assert len(tracked(session)) == 26
        session.close()
        time.sleep(0.5)
        assert not list(server.sessions.glob("*/clip"))
        with pytest.raises(SessionNotFoundError):
            client.resume(session.session_id)
