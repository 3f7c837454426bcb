"""A client that does not read holds nothing for long, and loses nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import grpc

from fakes.engine import FAKE_INFO
from fakes.service import FakeOpener, new_id, refusal, running
from masklet.v1 import track_pb2, values_pb2
from masklet_server.service.settings import ServerSettings

# So little may be under way to a client that does not read.
NARROW = (("grpc.http2.lookahead_bytes", 1024), ("grpc.http2.bdp_probe", 0))
SHOWN = values_pb2.MaskFormat(max_side_px=512)


def test_a_reader_that_stalls_is_cut_off_and_its_results_are_kept(tmp_path: Path) -> None:
    plain = ServerSettings()
    settings = replace(plain, service=replace(plain.service, stalled_s=0.5))
    opener = FakeOpener(replace(FAKE_INFO, width_px=512, height_px=512, last_frame=500))

    async def run() -> None:
        async with (
            running(tmp_path, settings=settings, opener=opener) as server,
            server.client(options=NARROW) as client,
        ):
            session_id, (hero,) = await client.clicked(server.root / "clip")
            track = client.tracks.Track(
                track_pb2.TrackRequest(session_id=session_id, request_id=new_id(), mask_format=SHOWN)
            )
            await anext(track.__aiter__())
            session = await server.server.store.get(session_id, "local")
            assert session.is_busy
            for _ in range(500):
                if not session.is_busy:
                    break
                await asyncio.sleep(0.02)
            assert not session.is_busy
            kept = session.results.frames_of(hero)
            assert 5 < len(kept) < 500

            status, kind, message = await refusal(track)
            assert (status, kind) == (grpc.StatusCode.DEADLINE_EXCEEDED, "stalled")
            assert "kept in the session" in message
            request = track_pb2.FetchMasksRequest(session_id=session_id, mask_format=SHOWN)
            fetched = [answer.update.frame async for answer in client.tracks.FetchMasks(request)]
            assert tuple(fetched) == kept

    asyncio.run(run())
