"""Pictures and previews over the wire, with a fake engine: whoever looks changes nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fakes.engine import FakeClip, FakeEngine
from fakes.service import SMALL, FakeClient, Running, new_id, refusal, running
from masklet import codec, mask_codec
from masklet.pictures import Grade
from masklet.types import Click, FramePrompts
from masklet.v1 import session_pb2, track_pb2, view_pb2, view_pb2_grpc

Work = Callable[[Running, FakeClient], Coroutine[Any, Any, None]]


def serve(folder: Path, work: Work, *, engine: FakeEngine | None = None) -> None:
    async def run() -> None:
        async with running(folder, engine=engine) as server, server.client() as client:
            await work(server, client)

    asyncio.run(run())


def view_of(client: FakeClient) -> view_pb2_grpc.ViewServiceStub:
    return view_pb2_grpc.ViewServiceStub(client.channel)


def decoded(jpeg: bytes) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def test_pictures_come_in_the_order_and_size_that_are_asked_for(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session = await client.open(server.root / "clip")
        asked = view_pb2.FetchPicturesRequest(
            session_id=session.session_id, frames=[5, 3, 99], max_side_px=32, exposure_stops=-1.0
        )

        sent = [picture async for picture in view_of(client).FetchPictures(asked)]

        assert [picture.frame for picture in sent] == [5, 3, 99]
        assert decoded(sent[0].jpeg).shape == (24, 32, 3)
        assert abs(int(decoded(sent[0].jpeg)[0, 0, 0]) - 64) <= 1
        assert (sent[2].jpeg, sent[2].reason) == (b"", "no frame 99")

    serve(tmp_path, work)


@pytest.mark.parametrize("fields", [{"frames": range(1001)}, {"frames": [1], "gamma": 100.0}])
def test_what_no_viewer_needs_is_refused(tmp_path: Path, fields: dict[str, Any]) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session = await client.open(server.root / "clip")
        asked = view_pb2.FetchPicturesRequest(session_id=session.session_id, **fields)
        assert (await refusal(anext(aiter(view_of(client).FetchPictures(asked)))))[1] == "bad-input"

    serve(tmp_path, work)


def test_the_clip_stays_open_between_pictures_and_goes_with_its_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[FakeClip] = []
    read = FakeClip.read_shown

    def noted(clip: FakeClip, frame: int, grade: Grade) -> NDArray[np.uint8]:
        seen.append(clip)
        return read(clip, frame, grade)

    monkeypatch.setattr(FakeClip, "read_shown", noted)

    async def work(server: Running, client: FakeClient) -> None:
        session_id, _ = await client.clicked(server.root / "clip")
        for frame in (1, 2):
            asked = view_pb2.FetchPicturesRequest(session_id=session_id, frames=[frame])
            assert [picture.frame async for picture in view_of(client).FetchPictures(asked)] == [frame]
        assert seen[0] is seen[1]
        assert not seen[0].closed
        await client.sessions.CloseSession(
            session_pb2.CloseSessionRequest(session_id=session_id, request_id=new_id())
        )
        for _ in range(100):
            if seen[0].closed:
                break
            await asyncio.sleep(0.02)
        assert seen[0].closed

    serve(tmp_path, work)


def test_a_stream_that_is_left_stops_after_the_picture_in_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, read_frames = threading.Event(), []

    def held(clip: FakeClip, frame: int, grade: Grade) -> NDArray[np.uint8]:
        read_frames.append(frame)
        go_on.wait(10.0)
        return clip.read(frame)

    monkeypatch.setattr(FakeClip, "read_shown", held)

    async def work(server: Running, client: FakeClient) -> None:
        session = await client.open(server.root / "clip")
        asked = view_pb2.FetchPicturesRequest(session_id=session.session_id, frames=[1, 2, 3, 4])
        first = view_of(client).FetchPictures(asked)
        waiting = asyncio.ensure_future(anext(aiter(first)))
        while not read_frames:
            await asyncio.sleep(0.01)
        first.cancel()
        waiting.cancel()
        await asyncio.sleep(0.1)
        go_on.set()
        asked = view_pb2.FetchPicturesRequest(session_id=session.session_id, frames=[7])
        assert [picture.frame async for picture in view_of(client).FetchPictures(asked)] == [7]
        assert read_frames == [1, 7]

    serve(tmp_path, work)


def test_a_preview_tells_what_prompts_would_give_and_says_nothing(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")
        before = (
            await client.sessions.GetSession(session_pb2.GetSessionRequest(session_id=session_id))
        ).session
        for object_id in (hero, 0):
            prompts = FramePrompts(object_id, 1, (Click(10.0, 10.0), Click(3.0, 3.0)))
            asked = view_pb2.PreviewPromptsRequest(
                session_id=session_id, prompts=codec.prompts_to_wire(prompts), mask_format=SMALL
            )
            update = mask_codec.update_from_wire((await view_of(client).PreviewPrompts(asked)).update)
            assert (update.object_id, update.frame) == (object_id, 1)
            assert update.mask.width_px == 32
        after = (
            await client.sessions.GetSession(session_pb2.GetSessionRequest(session_id=session_id))
        ).session
        assert after == before

    serve(tmp_path, work)


def test_a_preview_of_nothing_and_of_an_object_that_is_not_there_is_refused(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, _ = await client.clicked(server.root / "clip")
        unknown = codec.prompts_to_wire(FramePrompts(9, 1, (Click(1.0, 1.0),)))
        asked = view_pb2.PreviewPromptsRequest(session_id=session_id, prompts=unknown)
        assert (await refusal(view_of(client).PreviewPrompts(asked)))[1] == "object-not-found"
        empty = view_pb2.PreviewPromptsRequest(session_id=session_id)
        assert (await refusal(view_of(client).PreviewPrompts(empty)))[1] == "bad-input"

    serve(tmp_path, work)


def test_a_preview_while_tracking_waits_for_the_frame_in_hand_only(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")
        request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id(), mask_format=SMALL)
        track = aiter(client.tracks.Track(request))
        await anext(track)
        prompts = codec.prompts_to_wire(FramePrompts(hero, 4, (Click(1.0, 1.0),)))
        asked = view_pb2.PreviewPromptsRequest(session_id=session_id, prompts=prompts, mask_format=SMALL)
        await view_of(client).PreviewPrompts(asked)
        calls = [call for call in server.engine.calls if call[0] in ("track", "preview")]
        assert [call[0] for call in calls].index("preview") < 9
        assert len([event async for event in track]) > 1

    serve(tmp_path, work, engine=FakeEngine(frame_s=0.02))
