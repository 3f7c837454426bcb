from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from fakes.engine import FakeEngine
from fakes.service import SMALL, FakeClient, Running, new_id, refusal, running
from masklet import codec, mask_codec
from masklet.types import Click, FramePrompts
from masklet.v1 import prompt_pb2, server_pb2, session_pb2, track_pb2, values_pb2

Work = Callable[[Running, FakeClient], Coroutine[Any, Any, None]]


def serve(folder: Path, work: Work, *, engine: FakeEngine | None = None) -> None:
    async def run() -> None:
        async with running(folder, engine=engine) as server, server.client() as client:
            await work(server, client)

    asyncio.run(run())


def test_a_click_answers_with_a_mask_of_the_wanted_size(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")

        response = await client.click(session_id, hero, frame=2, x_px=3.5)

        update = mask_codec.update_from_wire(response.update)
        assert (update.mask.width_px, update.mask.height_px) == (32, 24)
        assert update.mask.as_array().min() == 255
        assert (update.object_name, update.frame, update.prompted) == ("hero", 2, True)
        assert 0.5 < update.presence_score < 1.0
        assert [click.x_px for click in response.prompts.clicks] == [3.5]

    serve(tmp_path, work)


def test_masks_travel_as_bits_when_asked(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, _ = await client.clicked(server.root / "clip")
        wanted = values_pb2.MaskFormat(max_side_px=33, encoding=values_pb2.MASK_ENCODING_BITS_ZLIB)
        request = track_pb2.FetchMasksRequest(session_id=session_id, mask_format=wanted)

        updates = [response.update async for response in client.tracks.FetchMasks(request)]

        assert updates[0].mask.encoding == values_pb2.MASK_ENCODING_BITS_ZLIB
        mask = mask_codec.mask_from_wire(updates[0].mask)
        assert (mask.width_px, mask.height_px) == (33, 25)
        assert np.unique(mask.as_array()).tolist() == [255]

    serve(tmp_path, work)


def test_a_track_streams_a_plan_then_masks_then_an_end(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, ids = await client.clicked(server.root / "clip", "hero", "other")
        request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id(), mask_format=SMALL)

        events = [event async for event in client.tracks.Track(request)]

        assert events[0].started.updates == 20
        assert events[-1].finished.updates == 20
        seen = {(event.update.object_id, event.update.frame) for event in events[1:-1]}
        assert seen == {(object_id, frame) for object_id in ids for frame in range(1, 11)}
        info = await client.sessions.GetSession(session_pb2.GetSessionRequest(session_id=session_id))
        assert [(state.frames.first, state.frames.last) for state in info.session.states] == [
            (1, 1),
            (2, 10),
            (1, 1),
            (2, 10),
        ]

    serve(tmp_path, work)


def test_a_retry_gets_the_first_answer(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        opening = session_pb2.OpenSessionRequest(request_id="one", path=str(server.root / "clip"))
        first = await client.sessions.OpenSession(opening)
        second = await client.sessions.OpenSession(opening)
        session_id = first.session.session_id
        adding = session_pb2.AddObjectRequest(session_id=session_id, request_id="two", name="hero")
        hero = (await client.sessions.AddObject(adding)).object.object_id
        again = (await client.sessions.AddObject(adding)).object.object_id
        clicking = prompt_pb2.AddClickRequest(
            session_id=session_id,
            request_id="three",
            object_id=hero,
            frame=1,
            click=values_pb2.Click(x_px=1, y_px=1, positive=True),
        )
        answers = await asyncio.gather(*(client.prompts.AddClick(clicking) for _ in range(3)))

        assert second == first
        assert len(server.server.store) == 1
        assert again == hero
        assert answers[0] == answers[1] == answers[2]
        assert server.engine.calls == [("prompt", 1, hero)]

    serve(tmp_path, work)


def test_closing_twice_is_fine_and_then_the_session_is_gone(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session = await client.open(server.root / "clip")
        closing = session_pb2.CloseSessionRequest(session_id=session.session_id, request_id=new_id())
        await client.sessions.CloseSession(closing)
        await client.sessions.CloseSession(closing)

        status, kind, message = await refusal(
            client.sessions.GetSession(session_pb2.GetSessionRequest(session_id=session.session_id))
        )

        assert (status, kind) == (grpc.StatusCode.NOT_FOUND, "session-not-found")
        assert "Open the clip again" in message

    serve(tmp_path, work)


@pytest.mark.parametrize(
    ("x_px", "y_px", "words"),
    [
        (-1.0, 5.0, "outside the picture of 64 x 48"),
        (64.5, 5.0, "outside"),
        (float("nan"), 5.0, "finite"),
        (5.0, float("inf"), "finite"),
    ],
)
def test_clicks_that_hit_nothing_are_refused(tmp_path: Path, x_px: float, y_px: float, words: str) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")

        status, kind, message = await refusal(client.click(session_id, hero, 1, x_px, y_px))

        assert (status, kind) == (grpc.StatusCode.INVALID_ARGUMENT, "bad-input")
        assert words in message
        assert len(server.engine.calls) == 1

    serve(tmp_path, work)


def test_what_does_not_exist_is_named(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")

        unknown = await refusal(client.click(session_id, 77))
        outside = await refusal(client.click(session_id, hero, 11))
        nowhere = await refusal(client.click("ab" * 16, hero))

        assert unknown[:2] == (grpc.StatusCode.NOT_FOUND, "object-not-found")
        assert "77" in unknown[2]
        assert outside[:2] == (grpc.StatusCode.OUT_OF_RANGE, "frame-missing")
        assert "1-10" in outside[2]
        assert nowhere[:2] == (grpc.StatusCode.NOT_FOUND, "session-not-found")

    serve(tmp_path, work)


@pytest.mark.parametrize("name", ["a/b", "Füße/links", "a\\b", "..", "x" * 65, "new\nline", 'say "hi"'])
def test_names_that_cannot_be_layers_or_files_are_refused(tmp_path: Path, name: str) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session = await client.open(server.root / "clip")

        status, kind, message = await refusal(client.add(session.session_id, name))

        assert (status, kind) == (grpc.StatusCode.INVALID_ARGUMENT, "bad-input")
        assert "name" in message

    serve(tmp_path, work)


def test_a_taken_name_is_refused_and_a_free_one_is_found(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id = (await client.open(server.root / "clip")).session_id
        await client.add(session_id, "object1")
        await client.add(session_id)

        status, kind, _ = await refusal(client.add(session_id, "object2"))

        assert (status, kind) == (grpc.StatusCode.ALREADY_EXISTS, "name-taken")
        listed = await client.sessions.ListObjects(session_pb2.ListObjectsRequest(session_id=session_id))
        assert [info.name for info in listed.objects] == ["object1", "object2"]

    serve(tmp_path, work)


def test_tracking_before_a_click_asks_for_one(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session = await client.open(server.root / "clip")
        await client.add(session.session_id)

        call = client.tracks.Track(track_pb2.TrackRequest(session_id=session.session_id))
        status, kind, message = await refusal(call)

        assert (status, kind) == (grpc.StatusCode.FAILED_PRECONDITION, "not-prompted")
        assert "click" in message

    serve(tmp_path, work)


def test_a_range_outside_the_clip_is_refused(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, _ = await client.clicked(server.root / "clip")
        for first, last, words in ((0, 5, "1-10"), (5, 3, "first <= last")):
            frames = values_pb2.FrameRange(first=first, last=last)
            for call in (
                client.tracks.Track(track_pb2.TrackRequest(session_id=session_id, range=frames)),
                client.tracks.FetchMasks(track_pb2.FetchMasksRequest(session_id=session_id, range=frames)),
            ):
                status, _, message = await refusal(call)
                assert status == grpc.StatusCode.INVALID_ARGUMENT
                assert words in message

    serve(tmp_path, work)


def test_undo_and_documents_travel(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")
        prompts = FramePrompts(hero, 4, (Click(1.0, 2.0), Click(3.0, 4.0, positive=False)))
        await client.prompts.SetPrompts(
            prompt_pb2.SetPromptsRequest(
                session_id=session_id, request_id=new_id(), prompts=codec.prompts_to_wire(prompts)
            )
        )
        asking = prompt_pb2.GetPromptDocumentRequest(session_id=session_id)
        document = (await client.prompts.GetPromptDocument(asking)).document
        undone = await client.prompts.UndoPrompt(prompt_pb2.UndoPromptRequest(session_id=session_id))
        other = await client.open(server.root / "clip")

        made = await client.prompts.SetPromptDocument(
            prompt_pb2.SetPromptDocumentRequest(session_id=other.session_id, document=document)
        )

        # A click on a frame that was never tracked corrects what the other prompts make of it.
        said = codec.document_from_wire(document).prompts[1]
        assert said.base is not None
        assert replace(said, base=None) == prompts
        assert (undone.left, undone.redo_left, undone.HasField("update")) == (2, 1, False)
        assert [list(info.prompted_frames) for info in made.objects] == [[1, 4]]

    serve(tmp_path, work)


def test_unforeseen_errors_tell_a_number_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")
        secret = f"{tmp_path}/token=abc"
        server.engine.fail = lambda call, frame: ValueError(secret) if frame == 3 else None

        clicked = await refusal(client.click(session_id, hero, 3))
        tracked = await refusal(client.tracks.Track(track_pb2.TrackRequest(session_id=session_id)))

        for status, kind, message in (clicked, tracked):
            assert (status, kind) == (grpc.StatusCode.INTERNAL, "server-fault")
            assert "nobody foresaw" in message
            for leak in ("token", "ValueError", "Traceback", str(tmp_path)):
                assert leak not in message
        incident = clicked[2].rsplit("number ")[1].split()[0]
        assert incident in caplog.text
        assert secret in caplog.text

    serve(tmp_path, work)


def test_garbage_on_the_wire_is_bad_input(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        for call in (
            client.channel.unary_unary("/masklet.v1.SessionService/AddObject")(b"\xff\xff\xff"),
            client.channel.unary_stream("/masklet.v1.TrackService/Track")(b"\xff\xff\xff"),
        ):
            status, kind, message = await refusal(call)

            assert (status, kind) == (grpc.StatusCode.INVALID_ARGUMENT, "bad-input")
            assert "update the client" in message

    serve(tmp_path, work)


def test_a_client_that_leaves_stops_its_track_within_a_frame(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, _ = await client.clicked(server.root / "clip")
        call = client.tracks.Track(track_pb2.TrackRequest(session_id=session_id, mask_format=SMALL))
        async for event in call:
            if event.update.frame == 2:
                break
        calls = len(server.engine.calls)

        call.cancel()
        await asyncio.sleep(0.3)

        assert len(server.engine.calls) <= calls + 2
        again = client.tracks.Track(track_pb2.TrackRequest(session_id=session_id, mask_format=SMALL))
        assert len([event async for event in again]) == 12

    serve(tmp_path, work, engine=FakeEngine(frame_s=0.03))


def test_cancel_ends_the_stream_in_order(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, _ = await client.clicked(server.root / "clip")
        cancel = track_pb2.CancelRequest(session_id=session_id, request_id=new_id())
        events = []
        async for event in client.tracks.Track(track_pb2.TrackRequest(session_id=session_id)):
            events.append(event)
            if event.update.frame == 3:
                assert (await client.tracks.Cancel(cancel)).was_tracking

        assert events[-1].finished.cancelled
        assert len(events) < 9
        assert not (await client.tracks.Cancel(cancel)).was_tracking

    serve(tmp_path, work, engine=FakeEngine(frame_s=0.02))


def test_prompts_stay_quick_while_other_sessions_track(tmp_path: Path) -> None:
    frame_s = 0.06

    async def work(server: Running, client: FakeClient) -> None:
        background = [await client.clicked(server.root / "clip") for _ in range(4)]
        session_id, (hero,) = await client.clicked(server.root / "clip")

        async def track(other: str) -> None:
            while True:
                call = client.tracks.Track(track_pb2.TrackRequest(session_id=other, mask_format=SMALL))
                async for _ in call:
                    pass

        tracks = [asyncio.create_task(track(other)) for other, _ in background]
        await asyncio.sleep(0.2)
        waits_s = []
        for x_px in range(7):
            started_s = time.perf_counter()
            await client.click(session_id, hero, 1, float(x_px))
            waits_s.append(time.perf_counter() - started_s)
            await asyncio.sleep(0.05)
        for task in tracks:
            task.cancel()
        await asyncio.gather(*tracks, return_exceptions=True)

        # At most the frame in hand and its own; behind four tracks in a row it would be five. Twice
        # that is room for a busy machine.
        assert sorted(waits_s)[3] < 4 * frame_s

    serve(tmp_path, work, engine=FakeEngine(frame_s=frame_s))


def test_health_turns_to_not_serving_before_the_server_goes(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as server, server.client() as client:
            watch = health_pb2_grpc.HealthStub(client.channel).Watch(health_pb2.HealthCheckRequest())
            seen = [(await watch.read()).status]
            stopping = asyncio.create_task(server.server.stop())
            seen.append((await watch.read()).status)
            await stopping

        serving = health_pb2.HealthCheckResponse
        assert seen == [serving.SERVING, serving.NOT_SERVING]

    asyncio.run(run())


def test_a_server_that_stops_ends_tracks_after_their_frame(tmp_path: Path) -> None:
    async def run() -> None:
        engine = FakeEngine(frame_s=0.05)
        async with running(tmp_path, engine=engine) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip")
            events = []
            async for event in client.tracks.Track(track_pb2.TrackRequest(session_id=session_id)):
                events.append(event)
                if event.update.frame == 2:
                    stopping = asyncio.create_task(server.server.stop())
            await stopping

        assert events[-1].finished.cancelled

    asyncio.run(run())


def test_the_server_tells_what_it_is(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        info = codec.server_from_wire(await client.server.GetServerInfo(server_pb2.GetServerInfoRequest()))

        assert info.model.name == "fake"
        assert info.opens_paths
        assert info.max_objects == 64
        assert str(tmp_path) not in repr(info)

    serve(tmp_path, work)
