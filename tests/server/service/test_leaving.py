"""Clients that go before their answer."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from fakes.engine import FakeClip, FakeEngine
from fakes.service import SMALL, FakeClient, FakeOpener, Running, new_id, running
from masklet.v1 import prompt_pb2, session_pb2, values_pb2
from masklet_server.service.settings import ServerSettings
from masklet_server.sessions.store import StoreLimits


class SlowOpener(FakeOpener):
    """Opens clips when the test lets it, and remembers them."""

    def __init__(self) -> None:
        super().__init__()
        self.clips: list[FakeClip] = []
        self.answers = threading.Event()

    def path(self, path: Path, **given: Any) -> FakeClip:
        clip = super().path(path, **given)
        self.answers.wait(10.0)
        self.clips.append(clip)
        return clip


def serve(
    folder: Path,
    work: Callable[[Running, FakeClient], Coroutine[Any, Any, None]],
    *,
    engine: FakeEngine | None = None,
    opener: FakeOpener | None = None,
    settings: ServerSettings | None = None,
) -> None:
    async def run() -> None:
        async with (
            running(folder, engine=engine, opener=opener, settings=settings) as server,
            server.client() as client,
        ):
            await work(server, client)

    asyncio.run(run())


async def until(told: Callable[[], bool]) -> None:
    for _ in range(500):
        if told():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never came to that")


def test_clicks_that_nobody_waits_for_any_more_are_not_made(tmp_path: Path) -> None:
    engine = FakeEngine(frame_s=0.02)

    async def work(server: Running, client: FakeClient) -> None:
        session_id, (object_id,) = await client.clicked(server.root / "clip")
        calls = [
            client.prompts.AddClick(
                prompt_pb2.AddClickRequest(
                    session_id=session_id,
                    request_id=new_id(),
                    object_id=object_id,
                    frame=2,
                    click=values_pb2.Click(x_px=1.0, y_px=1.0, positive=True),
                    mask_format=SMALL,
                )
            )
            for _ in range(60)
        ]
        await asyncio.sleep(0.1)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        started_s = time.perf_counter()
        await client.click(session_id, object_id, frame=3)

        assert time.perf_counter() - started_s < 0.6
        assert len(engine.calls) < 20

    serve(tmp_path, work, engine=engine)


def test_sessions_whose_opening_was_cancelled_are_not_kept(tmp_path: Path) -> None:
    opener = SlowOpener()

    async def work(server: Running, client: FakeClient) -> None:
        requests = [
            session_pb2.OpenSessionRequest(request_id=new_id(), path=str(server.root / "clip"))
            for _ in range(20)
        ]
        calls = [client.sessions.OpenSession(request) for request in requests]
        codes = [asyncio.ensure_future(call.code()) for call in calls]
        await until(lambda: len(opener.opened) > 0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*codes)
        # That a call was cancelled reaches the server after the client knows it.
        await asyncio.sleep(0.5)
        opener.answers.set()
        await until(lambda: bool(opener.clips) and all(clip.closed for clip in opener.clips))

        listed = await client.sessions.ListSessions(session_pb2.ListSessionsRequest())
        assert not listed.sessions
        assert len(server.server.store) == 0
        # The same request once more opens the clip.
        again = await client.sessions.OpenSession(requests[0])
        assert again.session.session_id in {
            each.session_id
            for each in (await client.sessions.ListSessions(session_pb2.ListSessionsRequest())).sessions
        }

    serve(tmp_path, work, opener=opener)


def test_a_user_sees_which_sessions_there_are_and_how_long_they_are_idle(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        first = await client.open(server.root / "clip")
        await asyncio.sleep(0.05)
        await client.clicked(server.root / "clip", "hero", "dog")

        sessions = (await client.sessions.ListSessions(session_pb2.ListSessionsRequest())).sessions
        assert [(each.clip_name, each.objects, each.is_busy) for each in sessions] == [
            ("clip", 2, False),
            ("clip", 0, False),
        ]
        assert sessions[1].session_id == first.session_id
        assert sessions[1].idle_s >= 0.05

    serve(tmp_path, work)


def test_a_session_in_which_nothing_was_ever_said_ends_sooner(tmp_path: Path) -> None:
    limits = StoreLimits(untouched_s=0.1, forgotten_s=3600.0)

    async def work(server: Running, client: FakeClient) -> None:
        await client.open(server.root / "clip")
        used, _ = await client.clicked(server.root / "clip")
        await asyncio.sleep(0.15)
        await server.server.store.tidy()

        sessions = (await client.sessions.ListSessions(session_pb2.ListSessionsRequest())).sessions
        assert [each.session_id for each in sessions] == [used]

    serve(tmp_path, work, settings=replace(ServerSettings(), store=limits))
