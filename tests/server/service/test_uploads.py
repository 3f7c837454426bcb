from __future__ import annotations

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest

import masklet.own_folder
from fakes.engine import FakeClock
from fakes.service import FakeClient, Running, new_id, refusal, refused_upload, running
from masklet import codec
from masklet.clip_reading import ClipReading
from masklet.errors import ClipError
from masklet.own_folder import OwnFolder, remove_abandoned
from masklet.v1 import session_pb2
from masklet_server.service.limits import ServiceLimits
from masklet_server.service.settings import ServerSettings
from masklet_server.service.uploads import FOLDER_PREFIX, UploadStore

Message = session_pb2.UploadClipRequest
Work = Callable[[Running, FakeClient], Coroutine[Any, Any, None]]
FILES = {7: b"first frame", 8: b"second frame", -1: b"before"}


def serve(folder: Path, work: Work, limits: ServiceLimits | None = None) -> None:
    settings = replace(ServerSettings(), service=limits or ServiceLimits())

    async def run() -> None:
        async with running(folder, settings=settings) as server, server.client() as client:
            await work(server, client)

    asyncio.run(run())


def header(name: str = "plate.####.exr", request_id: str = "") -> Message:
    return Message(header=session_pb2.UploadHeader(request_id=request_id or new_id(), clip_name=name))


def start(frame: int | None, size_bytes: int, suffix: str = ".exr") -> Message:
    return Message(file=session_pb2.UploadFileStart(frame=frame, suffix=suffix, size_bytes=size_bytes))


def commit(files: Mapping[Any, bytes]) -> Message:
    digest = hashlib.sha256(b"".join(files.values())).digest()
    return Message(commit=session_pb2.UploadCommit(files=len(files), sha256=digest))


def upload(files: Mapping[Any, bytes] = FILES, request_id: str = "") -> Iterator[Message]:
    yield header(request_id=request_id)
    for frame, content in files.items():
        yield start(frame, len(content))
        half = len(content) // 2
        yield Message(chunk=content[:half])
        yield Message(chunk=content[half:])
    yield commit(files)


def stored(folder: Path) -> list[Path]:
    return [path for path in (folder / "uploads").rglob("[!.]*") if path.is_file()]


def opening(upload_id: str) -> session_pb2.OpenSessionRequest:
    return session_pb2.OpenSessionRequest(request_id=new_id(), upload_id=upload_id)


def test_an_upload_becomes_a_session_and_goes_with_it(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        sent = await client.sessions.UploadClip(upload())
        session = (await client.sessions.OpenSession(opening(sent.upload_id))).session

        assert sent.size_bytes == sum(map(len, FILES.values()))
        assert (session.clip.name, session.clip.first_frame) == ("plate.####.exr", -1)
        (files,) = server.opener.uploads
        contents = {path.name: path.read_bytes() for path in stored(tmp_path)}
        assert {frame: contents[name] for frame, name in files.items()} == FILES

        await client.sessions.CloseSession(session_pb2.CloseSessionRequest(session_id=session.session_id))
        assert stored(tmp_path) == []
        assert (await refusal(client.sessions.OpenSession(opening(sent.upload_id))))[1] == "bad-input"

    serve(tmp_path, work)


def test_a_movie_is_one_file_under_its_own_name(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        content = {None: b"moov"}
        messages = [header("shot 10.mov"), start(None, 4, ".mov"), Message(chunk=b"moov"), commit(content)]
        sent = await client.sessions.UploadClip(iter(messages))
        asked = codec.opening_to_wire(new_id(), ClipReading("ACEScg", 1001, 23.976))
        asked.upload_id = sent.upload_id
        session = (await client.sessions.OpenSession(asked)).session

        assert session.clip.name == "shot 10.mov"
        assert server.opener.readings == [ClipReading("ACEScg", 1001, 23.976)]
        assert server.opener.opened[0].suffix == ".mov"
        assert "shot" not in server.opener.opened[0].name

    serve(tmp_path, work)


def test_a_retry_of_an_upload_is_answered_at_once(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        first = await client.sessions.UploadClip(upload(request_id="same"))
        second = await client.sessions.UploadClip(iter([header(request_id="same")]))

        assert second == first

    serve(tmp_path, work)


def test_an_upload_that_could_not_be_opened_can_be_tried_again(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        sent = await client.sessions.UploadClip(upload())
        server.opener.error = ClipError("plate.-001.exr is damaged")
        assert "damaged" in (await refusal(client.sessions.OpenSession(opening(sent.upload_id))))[2]
        server.opener.error = None

        assert (await client.sessions.OpenSession(opening(sent.upload_id))).session.session_id

    serve(tmp_path, work)


GOOD = list(upload())
BROKEN = {
    "without a commit": (GOOD[:-1], "ended before it was complete"),
    "in mid-file": (GOOD[:2], "ended before it was complete"),
    "with nothing at all": ([], "begins with its header"),
    "without a header": (GOOD[1:], "begins with its header"),
    "with two headers": ([GOOD[0], *GOOD], "one header"),
    "with a wrong digest": (
        [*GOOD[:-1], Message(commit=session_pb2.UploadCommit(files=3, sha256=b"x" * 32))],
        "digest is wrong",
    ),
    "with a wrong count": (
        [*GOOD[:-1], Message(commit=session_pb2.UploadCommit(files=4, sha256=GOOD[-1].commit.sha256))],
        "3 files and should have 4",
    ),
    "of nothing": ([header(), commit({})], "0 files"),
    "that is too short": ([header(), start(1, 5), Message(chunk=b"1234"), commit({1: b"1234"})], "shorter"),
    "that is too long": ([header(), start(1, 3), Message(chunk=b"1234"), commit({1: b"1234"})], "longer"),
    "of an empty file": ([header(), start(None, 0, ".mov"), commit({None: b""})], "empty"),
    "of one frame twice": ([header(), *GOOD[1:4], *GOOD[1:4]], "twice"),
    "of a movie and frames": ([header(), *GOOD[1:4], start(None, 3)], "alone"),
    "with a path for a suffix": ([header(), start(1, 3, "/../x")], "no usable suffix"),
    "without a suffix": ([header(), start(1, 3, "")], "no usable suffix"),
    "with bytes before a file": ([header(), Message(chunk=b"x")], "before their file"),
    "without a name": ([header(" \n"), *GOOD[1:]], "name"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_upload_leaves_nothing_behind(tmp_path: Path, case: str) -> None:
    messages, words = BROKEN[case]

    async def work(server: Running, client: FakeClient) -> None:
        status, kind, message = await refused_upload(server, iter(messages))

        assert (status, kind) == (grpc.StatusCode.INVALID_ARGUMENT, "bad-input")
        assert words in message
        assert stored(tmp_path) == []

    serve(tmp_path, work)


def test_a_client_that_dies_in_mid_upload_leaves_nothing_behind(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        call = client.sessions.UploadClip()
        for message in GOOD[:3]:
            await call.write(message)
        for _ in range(100):
            if stored(tmp_path):
                break
            await asyncio.sleep(0.02)
        assert stored(tmp_path)

        call.cancel()

        for _ in range(100):
            if not stored(tmp_path):
                break
            await asyncio.sleep(0.02)
        assert not stored(tmp_path)

    serve(tmp_path, work)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (ServiceLimits(max_upload_bytes=20), "at most 20 bytes"),
        (ServiceLimits(max_upload_files=2), "at most 2 files"),
        (ServiceLimits(max_user_upload_files=2), "the 2 files that each user"),
        (ServiceLimits(max_uploads_bytes=20), "20 bytes they may take"),
        (ServiceLimits(max_user_uploads_bytes=20), "more than the 20 bytes that each user"),
        (ServiceLimits(max_tenant_uploads_bytes=20), "uploads of your tenant fill the 20 bytes"),
    ],
)
def test_an_upload_over_a_limit_names_it(tmp_path: Path, limits: ServiceLimits, words: str) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        status, kind, message = await refused_upload(server, upload())

        assert (status, kind) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "limit")
        assert words in message
        assert stored(tmp_path) == []

    serve(tmp_path, work, limits)


def test_uploads_that_sessions_keep_count_after_a_restart_until_they_are_closed(tmp_path: Path) -> None:
    size_bytes = sum(map(len, FILES.values()))
    settings = replace(
        ServerSettings(),
        sessions_folder=tmp_path / "sessions",
        service=ServiceLimits(max_user_uploads_bytes=2 * size_bytes - 1),
    )

    async def run() -> None:
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            sent = await client.sessions.UploadClip(upload())
            session = (await client.sessions.OpenSession(opening(sent.upload_id))).session
            assert "each user" in (await refused_upload(server, upload()))[2]
        async with running(tmp_path, settings=settings) as server, server.client() as client:
            assert "each user" in (await refused_upload(server, upload()))[2]
            closing = session_pb2.CloseSessionRequest(session_id=session.session_id)
            await client.sessions.CloseSession(closing)
            assert (await client.sessions.UploadClip(upload())).size_bytes == size_bytes

    asyncio.run(run())


def test_a_chunk_over_1_mib_is_refused(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        content = bytes((1 << 20) + 1)
        messages = [header(), start(1, len(content)), Message(chunk=content), commit({1: content})]

        status, _, message = await refused_upload(server, iter(messages))

        assert status == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "1 MiB" in message

    serve(tmp_path, work)


def test_bytes_of_uploads_are_among_those_that_the_server_has_received(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        content = bytes(1 << 19)
        before = server.server.watch.meter.received_bytes

        await client.sessions.UploadClip(iter(upload({1: content})))

        async with asyncio.timeout(10):
            while server.server.watch.meter.received_bytes == before:
                await asyncio.sleep(0.01)
        assert server.server.watch.meter.received_bytes - before > len(content)

    serve(tmp_path, work)


def test_uploads_that_nobody_opens_are_deleted_after_a_while(tmp_path: Path) -> None:
    async def run() -> None:
        clock = FakeClock()
        store = UploadStore(ServiceLimits(upload_kept_s=60.0), folder=tmp_path, clock_s=clock)

        async def messages() -> Any:
            for message in upload():
                yield message

        kept = await store.receive(messages(), user="ann")
        store.open(kept.upload_id, "ann")
        await store.receive(messages(), user="ann")
        clock.now_s = 61.0
        await store.tidy()

        # Beside the note of whose folder it is, and what is being deleted.
        assert [path.name for path in tmp_path.glob("masklet-uploads-*/" + "?" * 32)] == [kept.upload_id]
        assert store.size_bytes == kept.size_bytes
        await store.close()
        assert list(tmp_path.iterdir()) == []

    asyncio.run(run())


def test_a_server_deletes_what_a_killed_one_left(tmp_path: Path) -> None:
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    left = OwnFolder(FOLDER_PREFIX, parent=uploads)
    (left.path / "plate.exr").write_bytes(b"pixels")
    # No process holds it any more, as after a kill.
    assert not left.remove(within_s=0.0)

    async def work(server: Running, client: FakeClient) -> None:
        for _ in range(100):
            if not left.path.exists():
                break
            await asyncio.sleep(0.02)
        assert not left.path.exists()

    serve(tmp_path, work)


def test_a_disk_that_deletes_slowly_holds_up_neither_a_goodbye_nor_the_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = os.unlink

    def slowly(path: str) -> None:
        time.sleep(0.05)
        unlink(path)

    async def work() -> None:
        store = UploadStore(ServiceLimits(), folder=tmp_path)
        files = dict.fromkeys(range(100), b"x")
        received = await store.receive(_each(upload(files)), user="ann")
        monkeypatch.setattr(masklet.own_folder.os, "unlink", slowly)
        store.open(received.upload_id, "ann")

        started_s = time.monotonic()
        await store.release(received)
        assert not received.folder.exists()
        assert time.monotonic() - started_s < 3.0
        monkeypatch.setattr("masklet_server.service.uploads._CLOSES_WITHIN_S", 0.2)
        started_s = time.monotonic()
        await store.close()
        assert time.monotonic() - started_s < 3.0
        assert list(tmp_path.rglob("*.exr"))

        monkeypatch.undo()
        assert remove_abandoned(FOLDER_PREFIX, parent=tmp_path) == 1
        assert list(tmp_path.iterdir()) == []

    asyncio.run(work())


async def _each(messages: Iterator[Message]) -> AsyncIterator[Message]:
    for message in messages:
        yield message


def test_what_is_only_announced_keeps_nobody_out(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        async def nothing(announced: asyncio.Event) -> AsyncIterator[Message]:
            yield header()
            yield start(1, 90)
            announced.set()
            await asyncio.sleep(30.0)

        idle = []
        for _ in range(4):
            announced = asyncio.Event()
            idle.append(asyncio.ensure_future(client.sessions.UploadClip(nothing(announced))))
            await announced.wait()
        await asyncio.sleep(0.1)

        assert (await client.sessions.UploadClip(upload())).size_bytes == 29
        for call in idle:
            call.cancel()
        await asyncio.gather(*idle, return_exceptions=True)

    serve(tmp_path, work, ServiceLimits(max_uploads_bytes=100, max_user_uploads_bytes=100))


def test_an_absurd_size_is_refused_and_costs_nobody_anything(tmp_path: Path) -> None:
    content = b"kept for another time"
    digest = hashlib.sha256(content).digest()

    async def work(server: Running, client: FakeClient) -> None:
        async def broken() -> AsyncIterator[Message]:
            yield header()
            yield Message(
                file=session_pb2.UploadFileStart(
                    frame=1, suffix=".exr", size_bytes=len(content), sha256=digest
                )
            )
            yield Message(chunk=content)

        with pytest.raises(grpc.aio.AioRpcError):
            await client.sessions.UploadClip(broken())
        absurd = [header(), start(1, 1 << 60)]
        status, _, _ = await refused_upload(server, absurd)
        found = await client.sessions.FindContents(session_pb2.FindContentsRequest(sha256=[digest]))

        assert status == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert list(found.held_bytes) == [len(content)]

    serve(tmp_path, work)
