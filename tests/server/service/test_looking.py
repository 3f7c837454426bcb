"""Where the artist looks is tracked first, while a track runs."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.engine import FAKE_INFO, FakeEngine
from fakes.service import SMALL, FakeOpener, new_id, running
from masklet.v1 import track_pb2
from masklet_server.sessions.plan import Plan, plan_track


def test_a_track_goes_to_where_the_artist_looks_while_it_runs(tmp_path: Path) -> None:
    async def run() -> None:
        opener = FakeOpener(replace(FAKE_INFO, last_frame=200))
        async with (
            running(tmp_path, engine=FakeEngine(frame_s=0.002), opener=opener) as server,
            server.client() as client,
        ):
            session_id, (hero,) = await client.clicked(server.root / "clip")
            await client.click(session_id, hero, frame=150)
            request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id(), mask_format=SMALL)
            frames: list[int] = []
            looked_after = 0
            async for event in client.tracks.Track(request):
                if not event.HasField("update"):
                    continue
                frames.append(event.update.frame)
                if len(frames) == 10:
                    looked_after = len(frames)
                    await client.tracks.LookAt(track_pb2.LookAtRequest(session_id=session_id, frame=160))

        came = frames.index(160)
        # Some were on their way when the call came.
        assert looked_after < came < looked_after + 60
        assert frames[came - 9 : came + 1] == list(range(151, 161))
        assert sorted(frames) == list(range(1, 201))

    asyncio.run(run())


def test_others_click_while_a_large_track_is_planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planning, going_on = threading.Event(), threading.Event()

    def plan_slowly(*args: Any, **given: Any) -> Plan:
        planning.set()
        assert going_on.wait(20.0)
        return plan_track(*args, **given)

    monkeypatch.setattr("masklet_server.sessions.work.plan_track", plan_slowly)

    async def run() -> None:
        async with running(tmp_path) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip")
            other, (item,) = await client.clicked(server.root / "clip")
            request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id())
            started = asyncio.create_task(anext(client.tracks.Track(request).__aiter__()))
            assert await asyncio.to_thread(planning.wait, 20.0)

            await asyncio.wait_for(client.click(other, item), 20.0)
            going_on.set()

            assert (await started).started.updates == 10

    asyncio.run(run())
