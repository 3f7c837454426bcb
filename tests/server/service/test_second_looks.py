"""Second looks over gRPC: told while they last, stopped when nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fakes.engine import FAKE_INFO, FakeEngine, FakeTracker
from fakes.service import FakeClient, FakeOpener, Running, new_id, running
from masklet import geometry_codec, state_codec
from masklet.events import WorkProgress
from masklet.types import FramePrompts, FrameRange
from masklet.v1 import (
    export_pb2,
    geometry_pb2,
    geometry_pb2_grpc,
    prompt_pb2,
    review_pb2,
    review_pb2_grpc,
    track_pb2,
    values_pb2,
)
from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader

PLATE = replace(FAKE_INFO, width_px=320, height_px=240)
Work = Callable[[Running, FakeClient, str], Coroutine[Any, Any, None]]


@dataclass
class SpotTracker(FakeTracker):
    """Sees an object in the middle third of the plate, and half of the window in a second look.

    Attributes:
        look_share: What half of a second look's object is of its window: a fourth, if nothing else is said.
    """

    look_share: float = 4

    def prompt(self, prompts: FramePrompts) -> ObjectFrame:
        return self._seen(super().prompt(prompts))

    def track(
        self, frame: int, object_ids: Sequence[int], *, backward: bool, since: int | None = None
    ) -> Sequence[ObjectFrame]:
        results = super().track(frame, object_ids, backward=backward, since=since)
        return [self._seen(result) for result in results]

    def _seen(self, result: ObjectFrame) -> ObjectFrame:
        side = 24
        share = 6 if self.source.info.width_px == PLATE.width_px else self.look_share
        logits = np.full((side, side), -9, np.float16)
        inside = slice(side // 2 - int(side // share), side // 2 + int(side // share))
        logits[inside, inside] = 9
        return replace(result, logits=logits)


class SpotEngine(FakeEngine):
    """Makes such trackers."""

    look_share: float = 4

    def __call__(self, source: FrameSource, results: ResultReader) -> SpotTracker:
        tracker = SpotTracker(source, results, frame_s=self.frame_s, look_share=self.look_share)
        self.trackers.append(tracker)
        return tracker


def serve(folder: Path, work: Work, *names: str) -> None:
    """Work on a session with objects, one called hero by default, tracked over its plate's ten frames."""

    async def run() -> None:
        opener = FakeOpener(PLATE)
        async with running(folder, engine=SpotEngine(), opener=opener) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip", *names)
            async for _ in client.tracks.Track(track_pb2.TrackRequest(session_id=session_id)):
                pass
            await work(server, client, session_id)

    asyncio.run(run())


def test_an_export_tells_each_frame_of_a_second_look(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        request = export_pb2.ExportMattesRequest(session_id=session_id, request_id=new_id())

        told = [
            response.event.progress
            async for response in client.exports.ExportMattes(request)
            if response.event.HasField("progress")
        ]

        looks = [progress for progress in told if progress.looking_at]
        assert {progress.looking_at for progress in looks} == {"hero"}
        assert [progress.frames_done for progress in looks] == list(range(11))
        assert told[: len(looks)] == looks
        assert [progress.frames_done for progress in told[len(looks) :]] == list(range(1, 11))

    serve(tmp_path, work)


def test_who_takes_its_share_of_an_exported_object_is_looked_at_again_too(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        for object_id in (1, 2):
            await client.prompts.SetMatteSettings(
                prompt_pb2.SetMatteSettingsRequest(
                    session_id=session_id,
                    request_id=new_id(),
                    object_id=object_id,
                    settings=values_pb2.MatteSettings(exclusive=True),
                )
            )

        looked_at = {}
        for object_id in (1, 3):
            request = export_pb2.ExportMattesRequest(
                session_id=session_id, request_id=new_id(), object_ids=[object_id]
            )
            events = [answer.event async for answer in client.exports.ExportMattes(request)]
            looked_at[object_id] = {event.progress.looking_at for event in events} - {""}

        assert looked_at == {1: {"hero", "rival"}, 3: {"bystander"}}

    serve(tmp_path, work, "hero", "rival", "bystander")


def test_an_export_that_is_left_during_a_second_look_stops_it(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        server.engine.frame_s = 0.05
        request = export_pb2.ExportMattesRequest(session_id=session_id, request_id=new_id())

        call = client.exports.ExportMattes(request)
        async for response in call:
            if response.event.progress.frames_done == 2:
                break
        call.cancel()
        _, second = server.engine.trackers
        async with asyncio.timeout(10):
            while second.calls[-1] != ("park",):
                await asyncio.sleep(0.02)

        assert len(second.calls) < 8
        assert not any(call[0] == "track" and call[1] > 6 for call in second.calls)

    serve(tmp_path, work)


def test_shapes_tell_a_second_look_unless_edges_are_to_stay_raw(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        geometry = geometry_pb2_grpc.GeometryServiceStub(client.channel)

        async def fit(*, raw_edges: bool) -> list[object]:
            request = geometry_pb2.FitShapesRequest(session_id=session_id, object_id=1, raw_edges=raw_edges)
            messages = [message async for message in geometry.FitShapes(request)]
            return list(geometry_codec.shapes_events_from_wire(messages))

        *raw_progress, raw = await fit(raw_edges=True)
        *progress, refined = await fit(raw_edges=False)

        looks = [event for event in progress if isinstance(event, WorkProgress) and event.looking_at]
        assert looks == [WorkProgress(done, 10, "hero") for done in range(11)]
        assert not any(isinstance(event, WorkProgress) and event.looking_at for event in raw_progress)
        assert len(server.engine.trackers) == 2
        assert raw != refined

    serve(tmp_path, work)


def test_a_locked_frame_keeps_its_second_look_through_later_ones_and_with_the_document(
    tmp_path: Path,
) -> None:
    async def work(server: Running, client: FakeClient, session_id: str) -> None:
        async def mattes(session_id: str) -> dict[str, bytes]:
            request = export_pb2.ExportMattesRequest(
                session_id=session_id,
                request_id=new_id(),
                format=export_pb2.MATTE_FORMAT_PNG16,
                base_name="sh",
            )
            found: dict[str, bytes] = {}
            async for response in client.exports.ExportMattes(request):
                if response.event.HasField("chunk"):
                    chunk = response.event.chunk
                    found[chunk.relative_name] = found.get(chunk.relative_name, b"") + chunk.data
            return {name: _alpha(data) for name, data in found.items()}

        before = await mattes(session_id)
        await review_pb2_grpc.ReviewServiceStub(client.channel).SetLock(
            review_pb2.SetLockRequest(
                session_id=session_id,
                request_id=new_id(),
                object_id=1,
                frames=state_codec.range_to_wire(FrameRange(5, 6)),
                locked=True,
            )
        )
        assert await mattes(session_id) == before

        # What is said elsewhere makes another look necessary, and this one sees something else.
        assert isinstance(server.engine, SpotEngine)
        server.engine.look_share = 5
        await client.click(session_id, 1, 8)
        after = await mattes(session_id)
        locked = [name for name in before if name.split(".")[-2] in ("0005", "0006")]
        assert len(locked) == 2
        assert all(after[name] == before[name] for name in locked)
        assert all(after[name] != before[name] for name in before if name not in locked)

        document = (
            await client.prompts.GetPromptDocument(prompt_pb2.GetPromptDocumentRequest(session_id=session_id))
        ).document
        other = (await client.open(server.root / "clip")).session_id
        await client.prompts.SetPromptDocument(
            prompt_pb2.SetPromptDocumentRequest(session_id=other, request_id=new_id(), document=document)
        )
        restored = await mattes(other)
        assert all(restored[name] == before[name] for name in locked)

    serve(tmp_path, work)


def _alpha(data: bytes) -> bytes:
    """Of a PNG, whose header names the prompts."""
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED).tobytes()
