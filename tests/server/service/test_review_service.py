"""Review, undo of everything, shapes and anchors over the wire, with a fake engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from fakes.engine import FakeEngine
from fakes.service import SMALL, FakeClient, Running, new_id, refusal, running
from masklet import codec, geometry_codec, mask_codec, state_codec
from masklet.anchors import AnchorTrack
from masklet.shapes import ObjectShapes
from masklet.types import FrameRange, Presence
from masklet.v1 import (
    geometry_pb2,
    geometry_pb2_grpc,
    prompt_pb2,
    review_pb2,
    review_pb2_grpc,
    session_pb2,
    track_pb2,
    values_pb2,
)

Work = Callable[[Running, FakeClient], Coroutine[Any, Any, None]]


def serve(folder: Path, work: Work, *, engine: FakeEngine | None = None) -> None:
    async def run() -> None:
        async with running(folder, engine=engine) as server, server.client() as client:
            await work(server, client)

    asyncio.run(run())


async def track(client: FakeClient, session_id: str, **fields: Any) -> list[track_pb2.TrackResponse]:
    request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id(), mask_format=SMALL, **fields)
    return [response async for response in client.tracks.Track(request)]


def test_locks_and_the_next_bad_frame_travel(tmp_path: Path) -> None:
    engine = FakeEngine(presence=lambda f: Presence.UNCERTAIN if f in (4, 5, 8) else Presence.PRESENT)

    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")
        await track(client, session_id)
        review = review_pb2_grpc.ReviewServiceStub(client.channel)
        lock = review_pb2.SetLockRequest(
            session_id=session_id,
            request_id=new_id(),
            object_id=hero,
            frames=state_codec.range_to_wire(FrameRange(4, 6)),
            locked=True,
        )

        locks = (await review.SetLock(lock)).locks
        bad = await review.NextFrame(review_pb2.NextFrameRequest(session_id=session_id, after=1))
        none = await review.NextFrame(review_pb2.NextFrameRequest(session_id=session_id, after=8))
        locked = await review.NextFrame(
            review_pb2.NextFrameRequest(
                session_id=session_id, after=10, states=[values_pb2.FRAME_STATE_LOCKED], backward=True
            )
        )
        asked = session_pb2.GetSessionRequest(session_id=session_id)
        info = codec.session_from_wire((await client.sessions.GetSession(asked)).session)

        assert [state_codec.lock_from_wire(one).frames for one in locks] == [FrameRange(4, 6)]
        assert (bad.found, bad.frame) == (True, 8)
        assert not none.found
        assert (locked.frame, locked.state.locked) == (6, True)
        assert [one.frames for one in info.states if one.locked] == [FrameRange(4, 5), FrameRange(6, 6)]
        assert info.locks[0].frames == FrameRange(4, 6)
        lock.ClearField("frames")
        lock.request_id = new_id()
        assert (await refusal(review.SetLock(lock)))[1] == "bad-input"

    serve(tmp_path, work, engine=engine)


def test_only_stale_frames_are_tracked_again_when_asked(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")
        await track(client, session_id)
        nothing = await track(client, session_id, stale_only=True)
        await client.click(session_id, hero, frame=9, x_px=30.0)

        again = await track(client, session_id, stale_only=True)

        assert [event.WhichOneof("event") for event in nothing] == ["started", "finished"]
        frames = [event.update.frame for event in again if event.WhichOneof("event") == "update"]
        # Frames 2 to 8 behind the first prompt agree after six, as all masks of the fake engine are full.
        assert set(frames) <= set(range(2, 11))
        assert 9 not in frames

    serve(tmp_path, work)


def test_undo_and_redo_of_every_edit_travel(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")
        settings = values_pb2.MatteSettings(invert=True)
        await client.prompts.SetMatteSettings(
            prompt_pb2.SetMatteSettingsRequest(
                session_id=session_id, request_id=new_id(), object_id=hero, settings=settings
            )
        )
        remove = session_pb2.RemoveObjectRequest(session_id=session_id, request_id=new_id(), object_id=hero)
        await client.sessions.RemoveObject(remove)

        undone = [
            await client.prompts.UndoPrompt(
                prompt_pb2.UndoPromptRequest(session_id=session_id, request_id=new_id(), mask_format=SMALL)
            )
            for _ in range(3)
        ]
        redone = await client.prompts.RedoPrompt(
            prompt_pb2.RedoPromptRequest(session_id=session_id, request_id=new_id(), mask_format=SMALL)
        )

        assert [(one.kind, one.left, one.redo_left, one.HasField("prompts")) for one in undone] == [
            (prompt_pb2.EDIT_KIND_REMOVE_OBJECT, 3, 1, False),
            (prompt_pb2.EDIT_KIND_MATTE, 2, 2, False),
            (prompt_pb2.EDIT_KIND_PROMPTS, 1, 3, True),
        ]
        assert redone.kind == prompt_pb2.EDIT_KIND_PROMPTS
        assert mask_codec.update_from_wire(redone.update).mask.as_array().min() == 255

    serve(tmp_path, work)


def test_masks_show_matte_settings_at_once(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero, other) = await client.clicked(server.root / "clip", "hero", "other")
        for object_id, settings in (
            (hero, values_pb2.MatteSettings(exclusive=True)),
            (other, values_pb2.MatteSettings(exclusive=True)),
        ):
            request = prompt_pb2.SetMatteSettingsRequest(
                session_id=session_id, request_id=new_id(), object_id=object_id, settings=settings
            )
            await client.prompts.SetMatteSettings(request)

        request = track_pb2.FetchMasksRequest(session_id=session_id, mask_format=SMALL)
        masks = {
            response.update.object_id: mask_codec.mask_from_wire(response.update.mask).as_array()
            async for response in client.tracks.FetchMasks(request)
        }

        # Both cover everything: the first keeps it.
        assert masks[hero].min() == 255
        assert masks[other].max() == 0

    serve(tmp_path, work)


def test_shapes_and_anchors_come_with_progress(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")
        await track(client, session_id)
        geometry = geometry_pb2_grpc.GeometryServiceStub(client.channel)

        fit = geometry_pb2.FitShapesRequest(session_id=session_id, object_id=hero, tolerance_px=0.5)
        messages = [message async for message in geometry.FitShapes(fit)]
        *_, shapes = geometry_codec.shapes_events_from_wire(messages)
        follow = geometry_pb2.TrackAnchorRequest(
            session_id=session_id, object_id=hero, kind=geometry_pb2.ANCHOR_KIND_CENTROID
        )
        answers = [geometry_codec.anchor_event_from_wire(m) async for m in geometry.TrackAnchor(follow)]

        assert isinstance(shapes, ObjectShapes)
        assert (shapes.name, shapes.report.tolerance_px, shapes.report.frames) == ("hero", 0.5, 10)
        anchor = answers[-1]
        assert isinstance(anchor, AnchorTrack)
        assert [key.frame for key in anchor.keys] == list(range(1, 11))
        assert np.allclose([(key.x_px, key.y_px) for key in anchor.keys], (32.0, 24.0), atol=0.5)

    serve(tmp_path, work)


def test_shapes_and_anchors_of_nothing_are_refused(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")
        geometry = geometry_pb2_grpc.GeometryServiceStub(client.channel)
        elsewhere = state_codec.range_to_wire(FrameRange(5, 6))
        calls = [
            geometry.FitShapes(
                geometry_pb2.FitShapesRequest(session_id=session_id, object_id=hero, range=elsewhere)
            ),
            geometry.FitShapes(
                geometry_pb2.FitShapesRequest(session_id=session_id, object_id=hero, tolerance_px=-1.0)
            ),
            geometry.TrackAnchor(
                geometry_pb2.TrackAnchorRequest(
                    session_id=session_id, object_id=hero, kind=geometry_pb2.ANCHOR_KIND_POINT
                )
            ),
            geometry.TrackAnchor(geometry_pb2.TrackAnchorRequest(session_id=session_id, object_id=77)),
        ]

        answers = [await refusal(call) for call in calls]

        assert [kind for _, kind, _ in answers] == ["bad-input"] * 3 + ["object-not-found"]
        assert all(status is not grpc.StatusCode.INTERNAL for status, _, _ in answers)

    serve(tmp_path, work)


def test_a_search_for_cuts_tells_how_far_it_is(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        session = await client.open(server.root / "clip")
        review = review_pb2_grpc.ReviewServiceStub(client.channel)

        answers = [
            answer
            async for answer in review.FindCuts(review_pb2.FindCutsRequest(session_id=session.session_id))
        ]

        assert (answers[-1].frames_done, answers[-1].frames_total) == (10, 10)
        assert list(answers[-1].cuts) == []

    serve(tmp_path, work)
