"""Anchors and shapes over a range in which some frames have no matte, over real gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fakes.engine import FakeEngine, FakeTracker
from fakes.service import FakeClient, new_id, running
from masklet import geometry_codec
from masklet.anchors import Absence, AnchorGap, AnchorTrack, GapWay
from masklet.shapes import ObjectShapes
from masklet.types import FramePrompts, FrameRange
from masklet.v1 import geometry_pb2, geometry_pb2_grpc, track_pb2, values_pb2
from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader

Work = Callable[[FakeClient, str, int], Coroutine[Any, Any, None]]


@dataclass
class DiscTracker(FakeTracker):
    """Sees a disc that moves by a cell a frame."""

    def prompt(self, prompts: FramePrompts) -> ObjectFrame:
        return self._seen(super().prompt(prompts))

    def track(
        self, frame: int, object_ids: Sequence[int], *, backward: bool, since: int | None = None
    ) -> Sequence[ObjectFrame]:
        results = super().track(frame, object_ids, backward=backward, since=since)
        return [self._seen(result) for result in results]

    def _seen(self, result: ObjectFrame) -> ObjectFrame:
        y, x = np.mgrid[0:32, 0:32] + 0.5
        logits = (7 - np.hypot(x - 8 - result.frame, y - 16)) * 3
        return replace(result, logits=np.clip(logits, -9, 9).astype(np.float16))


class DiscEngine(FakeEngine):
    """Makes such trackers."""

    def __call__(self, source: FrameSource, results: ResultReader) -> DiscTracker:
        return DiscTracker(source, results)


def with_a_hole(folder: Path, work: Work) -> None:
    """Work on an object that is tracked on frames 1 to 3 and 8 to 10: nothing is known of 4 to 7."""

    async def run() -> None:
        async with running(folder, engine=DiscEngine()) as server, server.client() as client:
            session_id, (hero,) = await client.clicked(server.root / "clip", "hero")
            await client.click(session_id, hero, frame=10)
            for first, last in ((1, 3), (8, 10)):
                tracking = track_pb2.TrackRequest(
                    session_id=session_id, range=values_pb2.FrameRange(first=first, last=last)
                )
                async for _ in client.tracks.Track(tracking):
                    pass
            await work(client, session_id, hero)

    asyncio.run(run())


async def anchor(client: FakeClient, session_id: str, hero: int, absence: Absence) -> AnchorTrack:
    request = geometry_pb2.TrackAnchorRequest(
        session_id=session_id,
        request_id=new_id(),
        object_id=hero,
        kind=geometry_pb2.ANCHOR_KIND_CENTROID,
        absence=geometry_codec.absence_to_wire(absence),
    )
    stub = geometry_pb2_grpc.GeometryServiceStub(client.channel)
    events = [geometry_codec.anchor_event_from_wire(one) async for one in stub.TrackAnchor(request)]
    assert isinstance(events[-1], AnchorTrack)
    return events[-1]


@pytest.mark.parametrize(
    ("absence", "way"),
    [
        (Absence.HOLD, GapWay.HELD),
        (Absence.EXTRAPOLATE, GapWay.EXTRAPOLATED),
        (Absence.FADE, GapWay.FADED),
        (Absence.CUT, GapWay.CUT),
    ],
)
def test_an_anchor_goes_over_a_hole_and_says_what_it_did(
    tmp_path: Path, absence: Absence, way: GapWay
) -> None:
    async def work(client: FakeClient, session_id: str, hero: int) -> None:
        track = await anchor(client, session_id, hero, absence)

        assert [key.frame for key in track.keys] == list(range(1, 11))
        assert track.gaps == (AnchorGap(FrameRange(4, 7), way),)
        keys = {key.frame: key for key in track.keys}
        # A cell of the tracker is two pixels wide.
        assert keys[3].x_px == pytest.approx(22, abs=0.3)
        if absence is Absence.EXTRAPOLATE:
            assert keys[5].x_px == pytest.approx(26, abs=0.5)
        else:
            assert keys[7].x_px == keys[3].x_px
        assert keys[8].x_px == pytest.approx(32, abs=0.3)
        assert (keys[6].weight == 0.0) == (absence is Absence.CUT)
        assert (keys[6].weight < 1.0) == (absence in (Absence.CUT, Absence.FADE))

    with_a_hole(tmp_path, work)


def test_shapes_are_drawn_on_both_sides_of_a_hole_and_not_in_it(tmp_path: Path) -> None:
    async def work(client: FakeClient, session_id: str, hero: int) -> None:
        request = geometry_pb2.FitShapesRequest(
            session_id=session_id, request_id=new_id(), object_id=hero, raw_edges=True
        )
        stub = geometry_pb2_grpc.GeometryServiceStub(client.channel)
        messages = [one async for one in stub.FitShapes(request)]
        shapes = list(geometry_codec.shapes_events_from_wire(messages))[-1]

        assert isinstance(shapes, ObjectShapes)
        assert shapes.report.gaps == (FrameRange(4, 7),)
        assert [bool(shapes.visible_at(frame)) for frame in range(1, 11)] == [
            *[True] * 3,
            *[False] * 4,
            *[True] * 3,
        ]

    with_a_hole(tmp_path, work)
