"""Uploads that break off go on where they broke, and what was sent once is not sent again."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import grpc
import pytest

from fakes.engine import FakeClock
from fakes.service import FakeClient, Running, new_id, refusal, refused_upload, running
from masklet.errors import BadInputError
from masklet.v1 import session_pb2
from masklet_server.service.contents import ContentKey, ContentStore
from masklet_server.service.limits import ServiceLimits
from masklet_server.service.settings import ServerSettings

Message = session_pb2.UploadClipRequest
FRAMES = {1: b"the first frame", 2: b"the second frame"}


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def sent(
    held_bytes: Sequence[int], upto: int | None = None, frames: dict[int, bytes] = FRAMES
) -> Iterator[Message]:
    """An upload that leaves out what is held; it breaks off after ``upto`` messages."""
    messages = [Message(header=session_pb2.UploadHeader(request_id=new_id(), clip_name="plate.####.exr"))]
    chunks = hashlib.sha256()
    for (frame, content), held in zip(frames.items(), held_bytes, strict=True):
        start = session_pb2.UploadFileStart(
            frame=frame, suffix=".exr", size_bytes=len(content), sha256=digest(content), held_bytes=held
        )
        messages.append(Message(file=start))
        for at in range(held, len(content), 5):
            messages.append(Message(chunk=content[at : at + 5]))
            chunks.update(content[at : at + 5])
    messages.append(Message(commit=session_pb2.UploadCommit(files=len(frames), sha256=chunks.digest())))
    return iter(messages[:upto])


async def held(client: FakeClient, *contents: bytes) -> list[int]:
    question = session_pb2.FindContentsRequest(sha256=[digest(content) for content in contents])
    return list((await client.sessions.FindContents(question)).held_bytes)


def serve(folder: Path, work: Callable[..., object], limits: ServiceLimits | None = None) -> None:
    async def run() -> None:
        settings = replace(ServerSettings(), service=limits or ServiceLimits())
        async with running(folder, settings=settings) as server, server.client() as client:
            await work(server, client)  # type: ignore[misc]

    asyncio.run(run())


def test_a_broken_upload_goes_on_where_it_broke(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        assert await held(client, *FRAMES.values()) == [0, 0]
        # Header, first file and its three chunks, second file and its first chunk.
        await refused_upload(server, sent([0, 0], upto=7))

        found = await held(client, *FRAMES.values())
        answer = await client.sessions.UploadClip(sent(found))
        request = session_pb2.OpenSessionRequest(request_id=new_id(), upload_id=answer.upload_id)
        session = (await client.sessions.OpenSession(request)).session

        assert found == [len(FRAMES[1]), 5]
        assert session.clip.last_frame == 2
        (files,) = server.opener.uploads
        uploads = [path for path in (tmp_path / "uploads").rglob("*") if path.name in files.values()]
        assert {path.read_bytes() for path in uploads} == set(FRAMES.values())

    serve(tmp_path, work)


def test_what_was_sent_once_is_not_sent_again(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        first = await client.sessions.UploadClip(sent([0, 0]))
        whole = [len(content) for content in FRAMES.values()]

        assert await held(client, *FRAMES.values()) == whole
        second = await client.sessions.UploadClip(sent(whole))

        assert second.upload_id != first.upload_id
        assert second.size_bytes == first.size_bytes

    serve(tmp_path, work)


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (session_pb2.UploadFileStart(held_bytes=3), "under no digest"),
        (session_pb2.UploadFileStart(sha256=b"short"), "wrong size"),
        (session_pb2.UploadFileStart(sha256=bytes(32), held_bytes=99), "wrong size"),
        (session_pb2.UploadFileStart(sha256=bytes(32), held_bytes=3), "does not hold"),
        (session_pb2.UploadFileStart(sha256=bytes(32), held_bytes=9), "does not hold"),
    ],
)
def test_what_is_not_held_cannot_be_built_on(
    tmp_path: Path, start: session_pb2.UploadFileStart, words: str
) -> None:
    start.MergeFrom(session_pb2.UploadFileStart(frame=1, suffix=".exr", size_bytes=9))

    async def work(server: Running, client: FakeClient) -> None:
        header = Message(header=session_pb2.UploadHeader(request_id=new_id(), clip_name="plate.exr"))
        status, kind, message = await refused_upload(server, iter([header, Message(file=start)]))

        assert (status, kind) == (grpc.StatusCode.INVALID_ARGUMENT, "bad-input")
        assert words in message

    serve(tmp_path, work)


def test_a_content_that_is_not_what_its_digest_says_is_refused_and_forgotten(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        messages = list(sent([0], frames={1: b"12345"}))
        messages[2] = Message(chunk=b"54321")

        _, kind, message = await refused_upload(server, iter(messages))

        assert (kind, "not what its digest says" in message) == ("bad-input", True)
        assert await held(client, b"12345", b"54321") == [0, 0]

    serve(tmp_path, work)


def test_more_digests_than_files_of_an_upload_are_not_looked_up(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        question = session_pb2.FindContentsRequest(sha256=[bytes(32)] * 3)
        assert (await refusal(client.sessions.FindContents(question)))[1] == "limit"

    serve(tmp_path, work, ServiceLimits(max_upload_files=2))


def test_contents_make_room_for_an_upload(tmp_path: Path) -> None:
    async def work(server: Running, client: FakeClient) -> None:
        await refused_upload(server, sent([0, 0], upto=7))
        assert await held(client, FRAMES[1]) == [len(FRAMES[1])]

        await client.sessions.UploadClip(sent([0], frames={7: bytes(35)}))

        assert await held(client, FRAMES[1]) == [0]

    serve(tmp_path, work, ServiceLimits(max_uploads_bytes=40))


def written(store: ContentStore, user: str, content: bytes) -> ContentKey:
    key = ContentKey(user, digest(content))
    growing = store.grow(key, 0)
    assert growing is not None
    growing.write(content)
    growing.finish()
    return key


def test_a_content_is_its_senders_alone(tmp_path: Path) -> None:
    store = ContentStore(tmp_path / "contents", kept_s=60, max_contents=9, clock_s=FakeClock())
    written(store, "ann", b"secret")

    assert store.held_bytes(ContentKey("ann", digest(b"secret"))) == 6
    assert store.held_bytes(ContentKey("bob", digest(b"secret"))) == 0
    with pytest.raises(BadInputError, match="does not hold"):
        store.link(ContentKey("bob", digest(b"secret")), 6, tmp_path / "stolen")


def test_a_content_is_written_by_one_upload_at_a_time(tmp_path: Path) -> None:
    store = ContentStore(tmp_path / "contents", kept_s=60, max_contents=9, clock_s=FakeClock())
    key = ContentKey("ann", digest(b"content"))
    growing = store.grow(key, 0)
    assert growing is not None
    growing.write(b"con")

    assert store.grow(key, 0) is None
    assert store.held_bytes(key) == 0
    growing.stop()
    assert store.held_bytes(key) == 3


def test_contents_go_when_they_were_not_used_for_long(tmp_path: Path) -> None:
    clock = FakeClock()
    store = ContentStore(tmp_path / "contents", kept_s=60, max_contents=9, clock_s=clock)
    linked, forgotten = written(store, "ann", b"linked"), written(store, "ann", b"forgotten")
    store.link(linked, 6, tmp_path / "link")
    clock.now_s = 61.0

    store.tidy()

    assert (store.held_bytes(linked), store.held_bytes(forgotten)) == (6, 0)
    assert store.idle_bytes == 0
    store.release([linked])
    clock.now_s = 122.0
    store.tidy()
    assert list((tmp_path / "contents").iterdir()) == []


def test_the_longest_unused_contents_go_when_there_are_too_many(tmp_path: Path) -> None:
    clock = FakeClock()
    store = ContentStore(tmp_path / "contents", kept_s=60, max_contents=2, clock_s=clock)
    keys = []
    for number in range(4):
        clock.now_s = float(number)
        keys.append(written(store, "ann", bytes([number])))
    clock.now_s = 9.0
    # Asked for, so used: neither the order of arrival nor of the keys decides.
    assert store.held_bytes(keys[0]) == 1

    store.tidy()

    assert [store.held_bytes(key) for key in keys] == [1, 0, 0, 1]


def test_a_content_that_was_damaged_on_the_disk_is_sent_again(tmp_path: Path) -> None:
    store = ContentStore(tmp_path / "contents", kept_s=60, max_contents=9, clock_s=FakeClock())
    key = ContentKey("ann", digest(b"content"))
    growing = store.grow(key, 0)
    assert growing is not None
    growing.write(b"conte")
    growing.stop()
    (file,) = (tmp_path / "contents").iterdir()
    file.write_bytes(b"co")

    with pytest.raises(BadInputError, match="does not hold"):
        store.grow(key, 5)
    assert store.held_bytes(key) == 2


def test_nobody_waits_while_contents_are_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    store = ContentStore(tmp_path / "contents", kept_s=10.0, max_contents=9, clock_s=clock)
    key = ContentKey("ann", digest(b"picture"))
    growing = store.grow(key, 0)
    assert growing is not None
    growing.write(b"picture")
    growing.finish()
    begun, answers = threading.Event(), threading.Event()
    unlink = Path.unlink

    def hanging(path: Path, missing_ok: bool = False) -> None:
        begun.set()
        assert answers.wait(20.0)
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", hanging)
    clock.now_s = 11.0
    tidying = threading.Thread(target=store.tidy)
    tidying.start()
    assert begun.wait(20.0)

    assert store.held_bytes(key) == 0
    again = store.grow(key, 0)
    assert again is not None
    again.write(b"picture")
    again.finish()
    answers.set()
    tidying.join()

    # The old file went, and not the new one.
    store.link(key, len(b"picture"), tmp_path / "linked.exr")
    assert (tmp_path / "linked.exr").read_bytes() == b"picture"
