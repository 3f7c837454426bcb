"""What of a session decides how calm its mattes are: the object's setting, locks, drawn masks."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fakes.engine import FakeEngine, FakeTracker
from fakes.service import FakeClient, new_id, running
from masklet import state_codec
from masklet.types import FramePrompts, FrameRange
from masklet.v1 import export_pb2, prompt_pb2, review_pb2, review_pb2_grpc, track_pb2, values_pb2
from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader


@dataclass
class RestlessTracker(FakeTracker):
    """Sees an object that is a cell wider on every other frame, though nothing in the plate moves."""

    def prompt(self, prompts: FramePrompts) -> ObjectFrame:
        return self._seen(super().prompt(prompts))

    def track(
        self, frame: int, object_ids: Sequence[int], *, backward: bool, since: int | None = None
    ) -> Sequence[ObjectFrame]:
        results = super().track(frame, object_ids, backward=backward, since=since)
        return [self._seen(result) for result in results]

    def _seen(self, result: ObjectFrame) -> ObjectFrame:
        steps = np.arange(24) - (10.5 if result.frame % 2 else 12.5)
        logits = np.repeat(np.clip(-3.0 * steps, -9, 9)[None].astype(np.float16), 24, axis=0)
        return replace(result, logits=logits)


class RestlessEngine(FakeEngine):
    """Makes such trackers."""

    def __call__(self, source: FrameSource, results: ResultReader) -> RestlessTracker:
        tracker = RestlessTracker(source, results, frame_s=self.frame_s)
        self.trackers.append(tracker)
        return tracker


async def widths(client: FakeClient, session_id: str) -> dict[int, float]:
    """Mean coverage of an exported matte's row in pixels, by frame."""
    request = export_pb2.ExportMattesRequest(
        session_id=session_id, request_id=new_id(), format=export_pb2.MATTE_FORMAT_PNG16, base_name="shot"
    )
    files: dict[str, bytes] = defaultdict(bytes)
    async for response in client.exports.ExportMattes(request):
        if response.event.HasField("chunk"):
            files[response.event.chunk.relative_name] += response.event.chunk.data
    found = {}
    for name, data in files.items():
        picture: NDArray[np.uint16] = np.asarray(
            cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED), np.uint16
        )
        found[int(name.split(".")[-2])] = float(picture.sum() / 65535 / picture.shape[0])
    return found


def unrest(found: dict[int, float], frames: range) -> float:
    return max(abs(found[frame] - found[frame - 1]) for frame in frames)


def test_mattes_are_calm_unless_the_object_is_set_otherwise_and_locking_changes_none(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path, engine=RestlessEngine()) as server, server.client() as client:
            session_id, (hero,) = await client.clicked(server.root / "clip", "hero")
            async for _ in client.tracks.Track(track_pb2.TrackRequest(session_id=session_id)):
                pass
            calm = await widths(client, session_id)

            lock = review_pb2.SetLockRequest(
                session_id=session_id,
                request_id=new_id(),
                object_id=hero,
                frames=state_codec.range_to_wire(FrameRange(5, 6)),
                locked=True,
            )
            await review_pb2_grpc.ReviewServiceStub(client.channel).SetLock(lock)
            locked = await widths(client, session_id)

            settings = values_pb2.MatteSettings(calm=0.0)
            await client.prompts.SetMatteSettings(
                prompt_pb2.SetMatteSettingsRequest(
                    session_id=session_id, request_id=new_id(), object_id=hero, settings=settings
                )
            )
            alone = await widths(client, session_id)

        assert unrest(calm, range(4, 9)) < 0.4 * unrest(alone, range(4, 9))
        # What is approved is what is delivered: locking changes nothing.
        assert locked == calm

    asyncio.run(run())
