"""Masks that are ready together travel together, to clients that say so."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from fakes.engine import FAKE_INFO
from fakes.service import SMALL, FakeClient, FakeOpener, new_id, running
from masklet import event_codec, mask_codec
from masklet.types import MaskUpdate
from masklet.v1 import track_pb2, values_pb2

FRAMES = FAKE_INFO.last_frame


async def tracked(client: FakeClient, session_id: str, **fields: Any) -> list[track_pb2.TrackResponse]:
    request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id(), **fields)
    return [each async for each in client.tracks.Track(request) if each.HasField("update")]


def test_masks_of_a_frame_come_in_one_message_and_are_those_that_come_alone(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path) as server, server.client() as client:
            session_id, ids = await client.clicked(server.root / "clip", "hero", "ball", "dog")

            alone = await tracked(client, session_id, mask_format=SMALL)
            together = await tracked(client, session_id, mask_format=SMALL, together=True)
            asked = track_pb2.FetchMasksRequest(session_id=session_id, mask_format=SMALL, together=True)
            fetched = [each async for each in client.tracks.FetchMasks(asked)]

            assert len(alone) == 3 * FRAMES
            assert all(not each.more for each in alone)
            assert len(together) == FRAMES
            came = [event for each in together for event in event_codec.track_events_from_wire(each)]
            assert [event.frame for event in came if isinstance(event, MaskUpdate)] == [
                each.update.frame for each in alone
            ]
            assert {event.object_id for event in came[:3] if isinstance(event, MaskUpdate)} == set(ids)
            assert came == [event_codec.track_event_from_wire(each) for each in alone]
            found = [update for each in fetched for update in mask_codec.updates_from_wire(each)]
            assert {(each.object_id, each.frame): each.mask for each in found} == {
                (each.object_id, each.frame): each.mask for each in came if isinstance(each, MaskUpdate)
            }
            assert len(fetched) < len(found) == 3 * FRAMES

    asyncio.run(run())


def test_large_masks_are_not_held_back_for_others(tmp_path: Path) -> None:
    async def run() -> None:
        opener = FakeOpener(replace(FAKE_INFO, width_px=1920, height_px=1080, last_frame=2))
        async with running(tmp_path, opener=opener) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip", "hero", "ball")

            came = await tracked(client, session_id, mask_format=values_pb2.MaskFormat(), together=True)

            assert len(came) == 2 * 2
            assert all(not each.more for each in came)

    asyncio.run(run())
