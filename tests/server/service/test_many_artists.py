"""Artists who do everything at once, badly: the server must neither fail nor forget to tidy up."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import grpc
import pytest

from fakes.engine import FakeEngine
from fakes.service import SMALL, FakeClient, Running, new_id, running
from masklet import mask_codec
from masklet.v1 import export_pb2, prompt_pb2, session_pb2, track_pb2, values_pb2

ARTISTS = 8
DEEDS = 25
EXPECTED = {
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.OUT_OF_RANGE,
}


class Artist:
    """Does random things to one session, some of them wrong, some broken off half-way."""

    def __init__(self, client: FakeClient, root: Path, seed: int) -> None:
        self._client = client
        self._root = root
        self._random = random.Random(seed)
        self.session_id = ""
        self.outcomes: Counter[object] = Counter()

    async def work(self) -> None:
        self.session_id = (await self._client.open(self._root / "clip")).session_id
        deeds = [self._add, self._click, self._click, self._track, self._track, self._cancel]
        deeds += [self._remove, self._undo, self._rebuild, self._fetch, self._export]
        for _ in range(DEEDS):
            deed = asyncio.create_task(self._random.choice(deeds)())
            if self._random.random() < 0.3:
                await asyncio.sleep(self._random.random() * 0.02)
                deed.cancel()
            try:
                await deed
                self.outcomes["done"] += 1
            except asyncio.CancelledError:
                self.outcomes["left"] += 1
            except grpc.aio.AioRpcError as error:
                self.outcomes[error.code()] += 1

    def _object(self) -> int:
        return self._random.randint(1, 4)

    async def _add(self) -> None:
        await self._client.add(self.session_id)

    async def _click(self) -> None:
        await self._client.click(self.session_id, self._object(), self._random.randint(0, 10))

    async def _track(self) -> None:
        first = self._random.randint(1, 8)
        request = track_pb2.TrackRequest(
            session_id=self.session_id,
            request_id=new_id(),
            range=values_pb2.FrameRange(first=first, last=first + 2),
            mask_format=SMALL,
        )
        stop_after = self._random.randint(1, 12)
        async for _ in self._client.tracks.Track(request):
            stop_after -= 1
            if not stop_after:
                break

    async def _cancel(self) -> None:
        await self._client.tracks.Cancel(track_pb2.CancelRequest(session_id=self.session_id))

    async def _remove(self) -> None:
        request = session_pb2.RemoveObjectRequest(session_id=self.session_id, object_id=self._object())
        await self._client.sessions.RemoveObject(request)

    async def _undo(self) -> None:
        await self._client.prompts.UndoPrompt(prompt_pb2.UndoPromptRequest(session_id=self.session_id))

    async def _rebuild(self) -> None:
        asking = prompt_pb2.GetPromptDocumentRequest(session_id=self.session_id)
        document = (await self._client.prompts.GetPromptDocument(asking)).document
        await self._client.prompts.SetPromptDocument(
            prompt_pb2.SetPromptDocumentRequest(session_id=self.session_id, document=document)
        )

    async def _fetch(self) -> None:
        request = track_pb2.FetchMasksRequest(session_id=self.session_id, mask_format=SMALL)
        async for response in self._client.tracks.FetchMasks(request):
            mask_codec.update_from_wire(response.update)

    async def _export(self) -> None:
        request = export_pb2.ExportMattesRequest(
            session_id=self.session_id, format=export_pb2.MATTE_FORMAT_PNG8
        )
        async for _ in self._client.exports.ExportMattes(request):
            pass


def test_artists_at_once_meet_no_fault_and_leave_nothing_running(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(server: Running) -> None:
        async with server.client() as client:
            artists = [Artist(client, server.root, seed) for seed in range(ARTISTS)]
            await asyncio.gather(*(artist.work() for artist in artists))

            outcomes = sum((artist.outcomes for artist in artists), Counter[object]())
            assert set(outcomes) - {"done", "left"} <= EXPECTED
            assert outcomes["done"] > ARTISTS * DEEDS / 4
            assert outcomes["left"] > ARTISTS
            for artist in artists:
                session = await server.server.store.get(artist.session_id, "local")
                for _ in range(200):
                    if not session.is_busy:
                        break
                    await asyncio.sleep(0.01)
                assert not session.is_busy
                said = {(own.object_id, own.frame): own for own in session.document().prompts}
                trackers = [own for own in server.engine.trackers if own.results is session.results]
                assert said == (trackers[0].prompts if trackers else {})
                await client.sessions.CloseSession(
                    session_pb2.CloseSessionRequest(session_id=artist.session_id)
                )
            assert len(server.server.store) == 0

    async def run() -> None:
        async with running(tmp_path, engine=FakeEngine(frame_s=0.001)) as server:
            await work(server)

    asyncio.run(run())
    assert "incident" not in caplog.text
