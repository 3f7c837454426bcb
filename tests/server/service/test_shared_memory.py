"""Masks and uploads through memory that a client on the same machine shares: the same as on the long way."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from fakes.engine import FAKE_INFO
from fakes.service import FakeOpener, Running, running
from masklet.errors import MaskletError
from masklet.transport.endpoint import Endpoint
from masklet.transport.grpc import GrpcTransport
from masklet.transport.grpc_channel import Channel
from masklet.transport.interface import ClipFile, TrackRequest
from masklet.transport.shared_memory import SharedMemory
from masklet.types import Click, MaskFormat, MaskUpdate
from masklet.v1 import server_pb2, server_pb2_grpc, values_pb2
from masklet_server.service import shared_memory
from masklet_server.service.settings import ServerSettings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux has sealed memory")

SHARING = replace(ServerSettings(), shared_memory=True)
WIDE = replace(FAKE_INFO, width_px=640, height_px=360)


def on(
    folder: Path, work: Callable[[Running, GrpcTransport], None], settings: ServerSettings = SHARING
) -> None:
    """Do some work of a client's in a thread, with a server that shares memory."""

    async def run() -> None:
        async with running(folder, settings=settings, opener=FakeOpener(info=WIDE)) as server:

            def with_transport() -> None:
                channel = Channel(Endpoint(server.address, plaintext=True), why_dead=lambda: None)
                transport = GrpcTransport(channel)
                try:
                    work(server, transport)
                finally:
                    transport.close()

            await asyncio.to_thread(with_transport)

    asyncio.run(run())


def tracked(
    server: Running, transport: GrpcTransport, mask_format: MaskFormat
) -> tuple[str, list[MaskUpdate]]:
    session = transport.open_session(path=str(server.root / "clip"))
    hero = transport.add_object(session.session_id, "hero").object_id
    transport.add_click(session.session_id, hero, 1, Click(10.0, 10.0), mask_format)
    events = list(transport.track(session.session_id, TrackRequest(mask_format=mask_format)))
    return session.session_id, [event for event in events if isinstance(event, MaskUpdate)]


def pieces_used(transport: GrpcTransport) -> int:
    memory = transport._memory._memory
    return 0 if memory is None else memory.read_pieces


@pytest.mark.parametrize("mask_format", [MaskFormat(), MaskFormat(bits=True), MaskFormat(max_side_px=32)])
def test_masks_are_the_same_as_on_the_long_way(tmp_path: Path, mask_format: MaskFormat) -> None:
    made: list[list[MaskUpdate]] = []

    def work(server: Running, transport: GrpcTransport) -> None:
        session_id, updates = tracked(server, transport, mask_format)
        assert (pieces_used(transport) >= len(updates)) == (server.server._settings.shared_memory)
        fetched = list(transport.fetch_masks(session_id, TrackRequest(mask_format=mask_format)))
        by_frame = {update.frame: update.mask for update in updates}
        assert all(each.mask == by_frame[each.frame] for each in fetched if each.frame in by_frame)
        assert len(fetched) >= len(updates) > 3
        made.append(updates)

    for settings in (SHARING, ServerSettings()):
        (tmp_path / str(settings.shared_memory)).mkdir()
        on(tmp_path / str(settings.shared_memory), work, settings)
    assert [update.mask for update in made[0]] == [update.mask for update in made[1]]


def test_where_no_socket_can_be_made_a_server_serves_without_shared_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than the system takes for the name of a socket.
    deep = tmp_path / ("of-a-job-" * 12)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))

    def work(server: Running, transport: GrpcTransport) -> None:
        assert len(tracked(server, transport, MaskFormat())[1]) > 3
        assert pieces_used(transport) == 0
        assert not list(deep.glob("masklet-shared-*"))

    on(tmp_path, work)


def test_a_client_that_leaves_in_mid_stream_gives_its_pieces_back(tmp_path: Path) -> None:
    def work(server: Running, transport: GrpcTransport) -> None:
        session_id, _ = tracked(server, transport, MaskFormat())
        for _ in range(12):
            stream = transport.fetch_masks(session_id, TrackRequest(mask_format=MaskFormat()))
            next(stream)
            stream.close()
        before = pieces_used(transport)
        assert len(list(transport.fetch_masks(session_id, TrackRequest(mask_format=MaskFormat())))) > 3
        assert pieces_used(transport) > before

    on(tmp_path, work)


@pytest.mark.parametrize("size_bytes", [1, 5, (16 << 20) + 3, 40 << 20])
def test_uploads_arrive_as_they_were_sent(tmp_path: Path, size_bytes: int) -> None:
    random = np.random.default_rng(size_bytes)
    files = []
    for frame in (1, 2):
        file = tmp_path / f"plate.{frame:04d}.exr"
        file.write_bytes(random.bytes(size_bytes))
        files.append(ClipFile(file, frame))
    told: list[tuple[int, int]] = []

    def work(server: Running, transport: GrpcTransport) -> None:
        upload_id = transport.upload("plate", files, on_progress=lambda *done: told.append(done))
        upload = server.server._uploads._uploads[upload_id]
        assert upload.size_bytes == 2 * size_bytes
        for each in files:
            assert each.frame is not None
            stored = upload.folder / upload.pictures[each.frame]
            assert stored.read_bytes() == each.path.read_bytes()
        assert not upload.contents

    on(tmp_path, work)
    assert told[-1][0] == told[-1][1]


def test_a_picture_that_cannot_be_read_is_sent_as_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "plate.0001.exr").write_bytes(b"exr")
    files = [ClipFile(tmp_path / f"plate.{frame:04d}.exr", frame) for frame in (1, 2)]

    def work(server: Running, transport: GrpcTransport) -> None:
        upload = server.server._uploads._uploads[transport.upload("plate", files)]
        assert (upload.folder / upload.pictures[2]).read_bytes() == b""

    on(tmp_path, work)


def test_without_the_option_nothing_is_offered(tmp_path: Path) -> None:
    def work(server: Running, transport: GrpcTransport) -> None:
        assert not offered(server).socket

    on(tmp_path, work, ServerSettings())


def offered(server: Running) -> server_pb2.OpenSharedMemoryResponse:
    import grpc

    with grpc.insecure_channel(server.address) as channel:
        stub = server_pb2_grpc.ServerServiceStub(channel)
        return stub.OpenSharedMemory(server_pb2.OpenSharedMemoryRequest())


def test_only_who_shows_a_ticket_gets_memory_and_only_once(tmp_path: Path) -> None:
    def work(server: Running, transport: GrpcTransport) -> None:
        offer = offered(server)
        assert stat.S_IMODE(Path(offer.socket).parent.stat().st_mode) == 0o700
        memory = SharedMemory(offer)
        with pytest.raises(OSError, match="no memory is shared"):
            SharedMemory(offer)
        for ticket in (b"x" * 16, b"y" * 16):
            with pytest.raises(OSError, match="no memory is shared"):
                SharedMemory(server_pb2.OpenSharedMemoryResponse(socket=offer.socket, ticket=ticket))
        memory.close()

    on(tmp_path, work)


def test_nobody_can_make_shared_memory_shorter(tmp_path: Path) -> None:
    def work(server: Running, transport: GrpcTransport) -> None:
        offer = offered(server)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(offer.socket)
            connection.sendall(offer.ticket)
            _, (descriptor,), _, _ = socket.recv_fds(connection, 1, 1)
            try:
                with pytest.raises(PermissionError):
                    os.ftruncate(descriptor, 0)
            finally:
                os.close(descriptor)

    on(tmp_path, work)


def test_a_user_gets_so_many_and_others_still_get_some(tmp_path: Path) -> None:
    def work(server: Running, transport: GrpcTransport) -> None:
        memories = [SharedMemory(offered(server)) for _ in range(8)]
        assert not offered(server).socket
        memories.pop().close()
        for _ in range(100):
            if offered(server).socket:
                break
        else:
            raise AssertionError("a place that was given back is not offered again")
        for memory in memories:
            memory.close()

    on(tmp_path, work)


@pytest.mark.parametrize(
    "shared",
    [
        values_pb2.SharedPiece(piece=0, size_bytes=4),
        values_pb2.SharedPiece(piece=99, size_bytes=4),
        values_pb2.SharedPiece(piece=4, size_bytes=1 << 40),
    ],
)
def test_a_chunk_outside_of_the_clients_pieces_is_refused(
    tmp_path: Path, shared: values_pb2.SharedPiece
) -> None:
    import grpc

    from masklet.v1 import session_pb2, session_pb2_grpc

    def work(server: Running, transport: GrpcTransport) -> None:
        memory = SharedMemory(offered(server))
        header = session_pb2.UploadHeader(request_id="r", clip_name="plate")
        start = session_pb2.UploadFileStart(frame=1, suffix=".exr", size_bytes=4)
        messages = [
            session_pb2.UploadClipRequest(header=header),
            session_pb2.UploadClipRequest(file=start),
            session_pb2.UploadClipRequest(shared_chunk=shared),
        ]
        with memory.call() as call, grpc.insecure_channel(server.address) as channel:
            upload = session_pb2_grpc.SessionServiceStub(channel).UploadClip
            for metadata, words in ((call.metadata, "no piece"), ((), "not shared")):
                with pytest.raises(grpc.RpcError) as caught:
                    upload(iter(messages), metadata=metadata)
                assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
                assert words in caught.value.details()
        memory.close()

    on(tmp_path, work)


def test_memory_of_another_user_is_of_no_use(tmp_path: Path) -> None:
    async def run() -> None:
        async with running(tmp_path, settings=SHARING) as server:
            shared = server.server._shared
            offer = shared.offer("ann")
            memory = await asyncio.to_thread(SharedMemory, offer)
            with memory.call() as call:
                assert shared.call_of(call.metadata, "ann") is not None
                assert shared.call_of(call.metadata, "bob") is None
            memory.close()

    asyncio.run(run())


def test_a_client_that_leaves_before_its_memory_comes_costs_no_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*args: object) -> None:
        raise BrokenPipeError

    def memories() -> int:
        return sum("memfd:masklet-shared" in os.readlink(file) for file in open_files())

    async def run() -> None:
        async with running(tmp_path, settings=SHARING) as server:
            shared = server.server._shared
            before = memories()
            monkeypatch.setattr(socket, "send_fds", gone)
            for _ in range(3):
                with pytest.raises(OSError, match="no memory is shared"):
                    await asyncio.to_thread(SharedMemory, shared.offer("ann"))
            # No more than what tests before this one have yet to give back.
            assert memories() <= before

    asyncio.run(run())


def open_files() -> list[Path]:
    return [file for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]


def test_memory_is_shared_again_once_descriptors_are_to_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_memory, "_ACCEPTS_AGAIN_S", 0.01)

    async def run() -> None:
        async with running(tmp_path, settings=SHARING) as server:
            shared, loop = server.server._shared, asyncio.get_running_loop()
            accept, left = loop.sock_accept, [2]

            async def exhausted(listening: socket.socket) -> object:
                if left[0]:
                    left[0] -= 1
                    raise OSError(24, "Too many open files")
                return await accept(listening)

            # One that waits already is let in, and then there are none for a while.
            monkeypatch.setattr(loop, "sock_accept", exhausted)
            for _ in range(2):
                memory = await asyncio.to_thread(SharedMemory, shared.offer("ann"))
                memory.close()
            assert not left[0]

    asyncio.run(run())


def test_uploads_that_fail_take_no_pieces_from_the_next_one(tmp_path: Path) -> None:
    file = tmp_path / "plate.0001.exr"
    file.write_bytes(bytes(1000))

    no_picture = tmp_path / "plate.0001.e-r"
    no_picture.write_bytes(bytes(1000))

    def work(server: Running, transport: GrpcTransport) -> None:
        session_id, updates = tracked(server, transport, MaskFormat())
        under_way = transport.fetch_masks(session_id, TrackRequest(mask_format=MaskFormat()))
        first = next(under_way)
        started_s = time.monotonic()
        for _ in range(5):
            with pytest.raises(MaskletError):
                transport.upload("plate", [ClipFile(no_picture, 1)])
        upload = server.server._uploads._uploads[transport.upload("plate", [ClipFile(file, 1)])]
        # Through memory: what comes the long way is kept as contents.
        assert not upload.contents
        assert time.monotonic() - started_s < 30.0
        # Whoever fetched masks meanwhile has them all.
        assert len([first, *under_way]) >= len(updates)

    on(tmp_path, work)


def test_memory_of_a_server_that_has_gone_is_not_taken_for_shared(tmp_path: Path) -> None:
    file = tmp_path / "plate.0001.exr"
    file.write_bytes(bytes(1000))

    async def run() -> None:
        async with running(tmp_path, settings=SHARING, opener=FakeOpener(info=WIDE)) as server:
            channel = Channel(Endpoint(server.address, plaintext=True), why_dead=lambda: None)
            transport = GrpcTransport(channel)
            # The server says that it has read, and nobody needs to hear it yet.
            await asyncio.to_thread(transport.upload, "plate", [ClipFile(file, 1)])
            memory = transport._memory._memory
            assert memory is not None
            assert memory.is_alive
        assert not memory.is_alive
        transport.close()

    asyncio.run(run())
