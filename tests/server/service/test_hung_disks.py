"""Disks and shares that do not answer cost those who need them, and nobody else."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from fakes.disks import HangingOpener
from fakes.service import SMALL, FakeClient, Running, new_id, refusal, running
from masklet.v1 import export_pb2, session_pb2, track_pb2
from masklet_server.service import exports, uploads
from masklet_server.service.limits import ServiceLimits
from masklet_server.service.settings import ServerSettings
from masklet_server.sessions.spill import SpillFile

Work = Callable[[Running, FakeClient], Coroutine[Any, Any, None]]
PATIENCE_S = 0.6


def serve(folder: Path, work: Work, opener: HangingOpener) -> None:
    settings = replace(ServerSettings(), service=ServiceLimits(disk_s=PATIENCE_S))

    async def run() -> None:
        async with running(folder, opener=opener, settings=settings) as server, server.client() as client:
            for name in ("hung", "gone"):
                (server.root / name).mkdir()
            try:
                await work(server, client)
            finally:
                opener.answers.set()

    asyncio.run(run())


async def answers(client: FakeClient, session_id: str, object_id: int) -> None:
    started_s = time.perf_counter()
    await client.click(session_id, object_id, frame=2)
    assert time.perf_counter() - started_s < 0.5
    assert await client.is_serving()


def exporting(client: FakeClient, session_id: str, folder: Path | None = None) -> Any:
    return client.exports.ExportMattes(
        export_pb2.ExportMattesRequest(
            session_id=session_id,
            format=export_pb2.MATTE_FORMAT_PNG8,
            folder="" if folder is None else str(folder),
        )
    )


def test_a_plate_whose_disk_hangs_stops_no_other_session_and_comes_back(tmp_path: Path) -> None:
    opener = HangingOpener()

    async def work(server: Running, client: FakeClient) -> None:
        other, (hero,) = await client.clicked(server.root / "clip")
        hung = (await client.open(server.root / "hung")).session_id
        object_id = await client.add(hung)
        clicks = [asyncio.ensure_future(client.click(hung, object_id)) for _ in range(3)]
        for _ in range(3):
            await asyncio.sleep(0.1)
            await answers(client, other, hero)
        for click in clicks:
            status, kind, message = await refusal(click)
            assert (status, kind) == (grpc.StatusCode.INVALID_ARGUMENT, "clip")
            assert "disk has not answered" in message
        await answers(client, other, hero)
        opener.answers.set()
        await asyncio.sleep(0.1)

        assert (await client.click(hung, object_id)).update.frame == 1

    serve(tmp_path, work, opener)


def test_clips_that_do_not_open_keep_nobody_from_opening_others(tmp_path: Path) -> None:
    opener = HangingOpener()

    async def work(server: Running, client: FakeClient) -> None:
        opening = [asyncio.ensure_future(client.open(server.root / "gone")) for _ in range(12)]
        await asyncio.sleep(0.1)
        session_id, (hero,) = await client.clicked(server.root / "clip")
        await answers(client, session_id, hero)
        for call in opening:
            _, _, message = await refusal(call)
            assert "disk has not answered" in message
        assert len(server.server.store) == 1

    serve(tmp_path, work, opener)


def test_exports_of_hung_plates_stop_no_clicks(tmp_path: Path) -> None:
    opener = HangingOpener()

    async def work(server: Running, client: FakeClient) -> None:
        other, (hero,) = await client.clicked(server.root / "clip")
        opener.answers.set()
        hung, _ = await client.clicked(server.root / "hung")
        opener.answers.clear()
        calls = [asyncio.ensure_future(refusal(exporting(client, hung))) for _ in range(4)]
        await asyncio.sleep(0.1)
        await answers(client, other, hero)

        for _, _, message in await asyncio.gather(*calls):
            assert "disk has not answered" in message

    serve(tmp_path, work, opener)


def test_exports_to_a_frozen_share_stop_no_clicks_and_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = threading.Event()

    def write(*_: object) -> None:
        frozen.wait()

    monkeypatch.setattr(exports, "_write", write)

    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")
        calls = [
            asyncio.ensure_future(refusal(exporting(client, session_id, server.root / f"out{number}")))
            for number in range(3)
        ]
        try:
            await asyncio.sleep(0.2)
            await answers(client, session_id, hero)
            for status, kind, message in await asyncio.gather(*calls):
                assert (status, kind) == (grpc.StatusCode.FAILED_PRECONDITION, "output")
                assert "export again when it answers" in message
        finally:
            frozen.set()

    serve(tmp_path, work, HangingOpener())


def test_a_device_that_does_not_come_back_costs_one_request_and_health_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from masklet_server.service import server as service

    monkeypatch.setattr(service, "TIDY_EVERY_S", 0.02)
    plain = ServerSettings()
    settings = replace(plain, service=replace(plain.service, turn_s=0.3))
    going = threading.Event()

    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")

        def hang(call: str, frame: int) -> None:
            if frame == 3:
                going.wait(20.0)

        server.engine.fail = hang
        try:
            status, kind, message = await refusal(client.click(session_id, hero, frame=3))
            assert (status, kind) == (grpc.StatusCode.ABORTED, "device")
            assert "The session is as it was" in message
            while await client.is_serving():
                await asyncio.sleep(0.02)
            # The same session, on another tracker, while the thread still hangs.
            await client.click(session_id, hero, frame=2)
            while not await client.is_serving():
                await asyncio.sleep(0.02)
        finally:
            going.set()
        await asyncio.sleep(0.1)
        session = await server.server.store.get(session_id, "local")
        assert session.prompts_on(hero, 3) is None
        assert 3 not in session.results.frames_of(hero)
        assert not server.server.failed.is_set()

    async def run() -> None:
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            await work(server, client)

    asyncio.run(run())


def test_a_device_that_never_comes_back_ends_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from masklet_server.service import server as service

    monkeypatch.setattr(service, "TIDY_EVERY_S", 0.02)
    plain = ServerSettings()
    settings = replace(plain, service=replace(plain.service, turn_s=0.2))
    going = threading.Event()

    async def run() -> None:
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            session_id, (hero,) = await client.clicked(server.root / "clip")
            server.engine.fail = lambda call, frame: (going.wait(20.0), None)[1]
            try:
                for frame in (3, 4):
                    await refusal(client.click(session_id, hero, frame=frame))
                await asyncio.wait_for(server.server.failed.wait(), 10.0)
            finally:
                going.set()

    asyncio.run(run())


def test_a_disk_for_uploads_that_hangs_costs_the_upload_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers_again = threading.Event()
    monkeypatch.setattr(
        uploads.UploadWriter, "write", lambda writer, chunk: answers_again.wait(20.0) and None
    )

    async def work(server: Running, client: FakeClient) -> None:
        session_id, (hero,) = await client.clicked(server.root / "clip")

        async def sent() -> AsyncIterator[session_pb2.UploadClipRequest]:
            header = session_pb2.UploadHeader(request_id=new_id(), clip_name="plate.####.exr")
            yield session_pb2.UploadClipRequest(header=header)
            start = session_pb2.UploadFileStart(frame=1, suffix=".exr", size_bytes=3)
            yield session_pb2.UploadClipRequest(file=start)
            yield session_pb2.UploadClipRequest(chunk=b"abc")
            await asyncio.sleep(20.0)

        try:
            # More of them than there are places for writing.
            calls = [asyncio.ensure_future(refusal(client.sessions.UploadClip(sent()))) for _ in range(12)]
            await asyncio.sleep(PATIENCE_S / 3)
            await answers(client, session_id, hero)
            for _, kind, message in await asyncio.gather(*calls):
                assert kind == "output"
                assert "disk for uploads has not answered" in message
        finally:
            answers_again.set()

    serve(tmp_path, work, HangingOpener())


def test_a_disk_for_temporary_files_that_hangs_costs_the_track_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers_again = threading.Event()
    monkeypatch.setattr(SpillFile, "_append", lambda file, packed: answers_again.wait(20.0) and None)
    plain = ServerSettings()
    small = replace(plain.store.session, result_memory_bytes=1)
    settings = replace(
        plain, store=replace(plain.store, session=small), service=ServiceLimits(disk_s=PATIENCE_S)
    )

    async def run() -> None:
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip")
            other, (item,) = await client.clicked(server.root / "clip")
            try:
                track = track_pb2.TrackRequest(session_id=session_id, request_id=new_id(), mask_format=SMALL)
                failing = asyncio.ensure_future(refusal(client.tracks.Track(track)))
                await asyncio.sleep(PATIENCE_S / 3)
                await answers(client, other, item)
                await client.sessions.GetSession(session_pb2.GetSessionRequest(session_id=session_id))
                _, kind, message = await failing
                assert kind == "output"
                assert "All finished masks are kept" in message
            finally:
                answers_again.set()
            await asyncio.sleep(0.1)
            monkeypatch.undo()
            assert await client.is_serving()

    asyncio.run(run())
