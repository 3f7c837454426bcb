"""A full server tells places in line instead of refusing."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from fakes.engine import FAKE_INFO, FakeEngine
from fakes.service import SMALL, FakeOpener, Running, new_id, refusal, running
from masklet.errors import BadInputError
from masklet.v1 import session_pb2, track_pb2
from masklet_server.service import running as process
from masklet_server.service.settings import ServerSettings
from masklet_server.sessions import opening_room


def opening(server: Running, ticket: str, *, waits: bool = True) -> session_pb2.OpenSessionRequest:
    return session_pb2.OpenSessionRequest(request_id=ticket, path=str(server.root / "clip"), can_wait=waits)


def test_whoever_waits_for_a_session_gets_a_place_and_then_the_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening_room, "LINE_ANSWERS_S", 0.2)
    monkeypatch.setattr(opening_room, "LINE_LOOKS_S", 0.01)
    plain = ServerSettings()
    settings = replace(plain, store=replace(plain.store, max_sessions=1))

    async def run() -> None:
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            held = (await client.sessions.OpenSession(opening(server, "a"))).session
            first = await client.sessions.OpenSession(opening(server, "b"))
            second = await client.sessions.OpenSession(opening(server, "c"))
            assert (first.waiting.place, second.waiting.place) == (1, 2)
            assert not first.HasField("session")
            status, kind, _ = await refusal(client.sessions.OpenSession(opening(server, "d", waits=False)))
            assert (status, kind) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "limit")

            again = client.sessions.OpenSession(opening(server, "b"))
            await client.sessions.CloseSession(session_pb2.CloseSessionRequest(session_id=held.session_id))
            got = await again

            assert got.session.session_id
            # A retry of what was answered is no newcomer.
            same = await client.sessions.OpenSession(opening(server, "b"))
            assert same.session.session_id == got.session.session_id
            assert (await client.sessions.OpenSession(opening(server, "c"))).waiting.place == 1

    asyncio.run(run())


def test_a_track_waits_for_memory_and_tells_its_place(tmp_path: Path) -> None:
    plain = ServerSettings()
    settings = replace(plain, store=replace(plain.store, memory_bytes=1200))
    opener = FakeOpener(replace(FAKE_INFO, last_frame=60))

    async def run() -> None:
        engine = FakeEngine(frame_s=0.01)
        async with (
            running(tmp_path, settings=settings, engine=engine, opener=opener) as server,
            server.client() as client,
        ):
            ids = [(await client.clicked(server.root / "clip"))[0] for _ in range(2)]

            async def tracked(session_id: str) -> list[str]:
                request = track_pb2.TrackRequest(
                    session_id=session_id, request_id=new_id(), mask_format=SMALL, tell_waiting=True
                )
                return [str(event.WhichOneof("event")) async for event in client.tracks.Track(request)]

            first = asyncio.create_task(tracked(ids[0]))
            while all(call[0] != "track" for call in engine.calls):
                await asyncio.sleep(0.005)
            second = await tracked(ids[1])

            assert second[0] == "waiting"
            assert second.count("update") == 60
            assert first.done()
            assert "waiting" not in await first

    asyncio.run(run())


def test_a_crowd_at_a_full_server_costs_those_inside_no_disk_and_no_turn(tmp_path: Path) -> None:
    plain = ServerSettings()
    settings = replace(plain, store=replace(plain.store, max_sessions=2))

    async def run() -> None:
        engine = FakeEngine()
        async with (
            running(tmp_path, settings=settings, engine=engine) as server,
            server.client() as client,
        ):
            ids = [(await client.clicked(server.root / "clip"))[0] for _ in range(2)]
            before = len(server.opener.opened), len(engine.calls)

            crowd = [opening(server, f"ticket{number}", waits=False) for number in range(6)]
            refused = await asyncio.gather(*(refusal(client.sessions.OpenSession(each)) for each in crowd))

            assert {each[:2] for each in refused} == {(grpc.StatusCode.RESOURCE_EXHAUSTED, "limit")}
            assert (len(server.opener.opened), len(engine.calls)) == before
            for session_id in ids:
                request = track_pb2.TrackRequest(
                    session_id=session_id, request_id=new_id(), mask_format=SMALL
                )
                masks = [event async for event in client.tracks.Track(request) if event.HasField("update")]
                assert len(masks) == FAKE_INFO.last_frame

    asyncio.run(run())


def test_limits_change_while_the_server_runs(tmp_path: Path) -> None:
    plain = ServerSettings()
    settings = replace(plain, store=replace(plain.store, max_sessions=1))

    async def run() -> None:
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            await client.open(server.root / "clip")
            refused = await refusal(client.sessions.OpenSession(opening(server, "b", waits=False)))
            assert refused[1] == "limit"

            more = replace(plain, device="cuda", store=replace(plain.store, max_sessions=2))
            left = server.server.apply(replace(more, user_weights={"local": 2.0}))

            assert "device" in left
            assert "store" not in left
            assert (await client.open(server.root / "clip")).session_id

    asyncio.run(run())


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no such signal here")
def test_a_signal_has_the_settings_read_again_and_a_mistake_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plain = ServerSettings()
    told: list[ServerSettings | Exception] = [
        BadInputError("the settings file is no TOML"),
        replace(plain, store=replace(plain.store, max_sessions=5)),
    ]

    def read_again() -> ServerSettings:
        found = told.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async def run() -> None:
        async with running(tmp_path) as server:
            process._reload_on_signal(server.server, read_again)
            for expected in (plain.store.max_sessions, 5):
                os.kill(os.getpid(), signal.SIGHUP)
                await asyncio.sleep(0.1)
                assert server.server.store.limits.max_sessions == expected
            asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)

    asyncio.run(run())
    assert "the settings stay as they were: the settings file is no TOML" in caplog.text
