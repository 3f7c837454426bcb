"""What becomes of calls under way when the time of their token runs out, or when it is taken back."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import grpc
import pytest

from fakes.protocol import bearer
from fakes.service import FakeClient, Running, new_id, refusal, running
from masklet.scopes import SHARED
from masklet.v1 import export_pb2, session_pb2, track_pb2, values_pb2
from masklet_server.identity.caller import ExpiredTokenError, Identity, StaleTokenError, named
from masklet_server.identity.signed_tokens import SignedTokens, make_token
from masklet_server.service import interceptor
from masklet_server.service.settings import ServerSettings

HOUR_S = 3600.0
FRAMES = values_pb2.FrameRange(first=1, last=6)
EXPIRED = ExpiredTokenError("your token has expired: sign in again")
TAKEN_BACK = StaleTokenError("your token was taken back")


class Ending:
    """A token that counts until it is told why it does not."""

    def __init__(self) -> None:
        self.why: StaleTokenError | None = None
        self.asked = 0
        self._still = 0

    def ends(self, why: StaleTokenError, after: int) -> None:
        """End it after so many more questions: however quick server and reader are, the work is half done."""
        self.why, self._still = why, after

    def identity_of(self, token: str) -> Identity | None:
        self.asked += 1
        if self.why is not None:
            if not self._still:
                raise self.why
            self._still -= 1
        return named("ann", scopes=SHARED)


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Ending:
    found = Ending()
    monkeypatch.setattr(interceptor, "TOKEN_LOOKS_S", 0.0)
    monkeypatch.setattr(SignedTokens, "identity_of", lambda self, token: found.identity_of(token))
    return found


def serve(folder: Path, work: Callable[[Running, FakeClient, str, Any], Coroutine[Any, Any, None]]) -> None:
    """Work on a tracked session of ann's."""
    register = folder / "tokens.json"
    token, _ = make_token(register, named("ann"), HOUR_S)

    async def run() -> None:
        settings = ServerSettings(signed_tokens=register)
        async with running(folder, settings=settings) as server, server.client(token=token) as client:
            session_id, _ = await client.clicked(server.root / "clip")
            request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id(), range=FRAMES)
            async for _ in client.tracks.Track(request, metadata=bearer(token)):
                pass
            await work(server, client, session_id, bearer(token))

    asyncio.run(run())


def exporting(session_id: str, folder: Path) -> export_pb2.ExportMattesRequest:
    return export_pb2.ExportMattesRequest(
        session_id=session_id, request_id=new_id(), range=FRAMES, folder=str(folder)
    )


def test_an_export_that_has_begun_may_end_when_the_time_of_its_token_runs_out(
    tmp_path: Path, ending: Ending
) -> None:
    async def work(server: Running, client: FakeClient, session_id: str, token: Any) -> None:
        request = exporting(session_id, server.root / "out")
        events = []
        ending.ends(EXPIRED, after=2)
        async for answer in client.exports.ExportMattes(request, metadata=token):
            events.append(answer.event)
        assert events[-1].finished.files == 6
        again = client.exports.ExportMattes(request, metadata=token)
        assert (await refusal(again))[0] is grpc.StatusCode.UNAUTHENTICATED

    serve(tmp_path, work)


def test_an_export_ends_at_once_when_its_token_is_taken_back_or_its_reader_takes_for_ever(
    tmp_path: Path, ending: Ending, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(server: Running, client: FakeClient, session_id: str, token: Any) -> None:
        for why, within_s, sentence in ((TAKEN_BACK, HOUR_S, "taken back"), (EXPIRED, -1.0, "fresh one")):
            monkeypatch.setattr(interceptor, "FINISHES_WITHIN_S", within_s)
            ending.ends(why, after=2)
            folder = server.root / sentence.replace(" ", "_")
            events = []

            async def watch(events: list[Any] = events, folder: Path = folder) -> None:
                call = client.exports.ExportMattes(exporting(session_id, folder), metadata=token)
                async for answer in call:
                    events.append(answer.event)

            with pytest.raises(grpc.aio.AioRpcError) as ended:
                await watch()
            assert ended.value.code() is grpc.StatusCode.UNAUTHENTICATED
            assert sentence in str(ended.value.details())
            assert not any(event.HasField("finished") for event in events)

    serve(tmp_path, work)


def test_a_track_ends_with_a_sentence_and_goes_on_with_a_fresh_token(tmp_path: Path, ending: Ending) -> None:
    async def work(server: Running, client: FakeClient, session_id: str, token: Any) -> None:
        request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id())

        ending.ends(EXPIRED, after=2)

        async def watch() -> None:
            async for _ in client.tracks.Track(request, metadata=token):
                pass

        with pytest.raises(grpc.aio.AioRpcError, match="goes on with a fresh one"):
            await watch()

    serve(tmp_path, work)


@pytest.mark.parametrize(("why", "arrives"), [(EXPIRED, True), (TAKEN_BACK, False)])
def test_an_upload_that_has_begun_may_end_and_none_goes_on_with_a_token_that_was_taken_back(
    tmp_path: Path, ending: Ending, why: StaleTokenError, arrives: bool
) -> None:
    content, before = b"a picture", 0

    async def messages() -> AsyncIterator[session_pb2.UploadClipRequest]:
        yield session_pb2.UploadClipRequest(
            header=session_pb2.UploadHeader(clip_name="plate.mov", digests_of_files=False)
        )
        while ending.asked == before:
            # Until it is let in.
            await asyncio.sleep(0.01)
        ending.why = why
        start = session_pb2.UploadFileStart(suffix=".mov", size_bytes=len(content))
        yield session_pb2.UploadClipRequest(file=start)
        yield session_pb2.UploadClipRequest(chunk=content)
        digest = hashlib.sha256(content).digest()
        yield session_pb2.UploadClipRequest(commit=session_pb2.UploadCommit(files=1, sha256=digest))

    async def work(server: Running, client: FakeClient, session_id: str, token: Any) -> None:
        nonlocal before
        before = ending.asked
        call = client.sessions.UploadClip(messages(), metadata=token)
        if arrives:
            assert (await call).upload_id
        else:
            with pytest.raises(grpc.aio.AioRpcError):
                await call

    serve(tmp_path, work)
