"""Frames and masks between a server and a client on one machine: through shared memory, and over gRPC.

    python server/benchmarks/bench_sharing.py > server/benchmarks/results/sharing.jsonl

A real server process with a stand-in for the engine, a client in another process; the ways alternate in one
run.

* ``stream``: bytes with no file and no digest at either end: what the way alone takes. ``protobuf``: chunks
  of 1 MiB as protobuf makes and copies them; ``plain``: the same that it does not copy; ``shared``: a piece
  of memory is filled at one end, told of in a message, and copied out at the other.
* ``frames``: an upload of uncompressed HD pictures, from files to files. ``protobuf``: as until December
  2026, hashed twice at each end; ``plain``: hashed once, and not copied; ``shared``: not hashed.
* ``masks``: full-size 8-bit masks of an HD clip that exist already, fetched: zlib over gRPC, and shared.

Targets: plain 1.5 times protobuf; shared 2 GB/s and 4 times protobuf. Beside the medians of MB a second:
seconds of a processor for each GB, both ends together, which a busy machine measures more fairly.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
from records import ROOT, begin, write_line

from masklet.transport.endpoint import Endpoint
from masklet.transport.grpc import GrpcTransport
from masklet.transport.grpc_channel import OPTIONS, Channel
from masklet.transport.grpc_upload import send_clip
from masklet.transport.interface import ClipFile, TrackRequest
from masklet.transport.shared_memory import SharedMemory
from masklet.transport.upload_wire import written
from masklet.types import Click, MaskFormat
from masklet.v1 import server_pb2, session_pb2, values_pb2

sys.path.insert(0, str(ROOT / "tests"))

_FRAME_BYTES = 1920 * 1080 * 3
_CHUNK_BYTES = 1 << 20
_MASK_FRAMES = 24


def serve(folder: Path, *, as_before: bool) -> None:
    """The server's process: masklet's own server, and beside it one that only takes bytes."""
    import grpc.aio

    from fakes.engine import FAKE_INFO, FakeEngine
    from fakes.service import MODEL, FakeOpener
    from masklet_server.service import listen, upload_messages
    from masklet_server.service.server import Engine, MaskletServer
    from masklet_server.service.settings import ServerSettings
    from masklet_server.service.shared_memory import SharedMemory as ServerMemory
    from masklet_server.service.upload_messages import Chunk, UploadMessage

    def through_protobuf(data: bytes) -> UploadMessage:
        message = session_pb2.UploadClipRequest.FromString(data)
        return Chunk(memoryview(message.chunk)) if message.HasField("chunk") else message

    own = ServerMemory()

    async def take(messages: AsyncIterator[Any], context: Any) -> session_pb2.UploadClipResponse:
        size_bytes = 0
        shared = own.call_of(context.invocation_metadata(), "local")
        async for message in messages:
            if isinstance(message, Chunk):
                size_bytes += len(message.data)
            elif shared is not None and message.HasField("shared_chunk"):
                # A copy, as whoever keeps it has to make one.
                size_bytes += len(bytes(shared.chunk(message.shared_chunk)))
                shared.give_back(message.shared_chunk)
        return session_pb2.UploadClipResponse(size_bytes=size_bytes)

    async def offer(_: Any, __: Any) -> server_pb2.OpenSharedMemoryResponse:
        return own.offer("local")

    async def run() -> None:
        info = replace(FAKE_INFO, width_px=1920, height_px=1080, last_frame=_MASK_FRAMES)
        settings = ServerSettings(
            address="127.0.0.1:0", roots=(folder,), upload_folder=folder, shared_memory=not as_before
        )
        if as_before:
            upload_messages.read_message = through_protobuf
        engine = Engine(FakeEngine(), MODEL, (MODEL,), "a stand-in")
        server = MaskletServer(settings, engine, FakeOpener(info=info))
        address = await server.start()
        bare = grpc.aio.server(options=listen.OPTIONS)
        answer = session_pb2.UploadClipResponse.SerializeToString
        handlers = {
            "Protobuf": grpc.stream_unary_rpc_method_handler(take, through_protobuf, answer),
            "Plain": grpc.stream_unary_rpc_method_handler(take, upload_messages.read_message, answer),
            "Offer": grpc.unary_unary_rpc_method_handler(
                offer,
                server_pb2.OpenSharedMemoryRequest.FromString,
                server_pb2.OpenSharedMemoryResponse.SerializeToString,
            ),
        }
        bare.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench", handlers),))
        port = bare.add_insecure_port("127.0.0.1:0")
        await bare.start()
        own.start()
        print(f"{address} 127.0.0.1:{port}", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await own.close()
        await bare.stop(0)
        await server.stop()

    asyncio.run(run())


@contextmanager
def server_process(folder: Path, *, as_before: bool = False) -> Iterator[tuple[str, str]]:
    """Addresses of a server, and of what only takes bytes."""
    folder.mkdir()
    command = [sys.executable, __file__, "--serve", str(folder), *(["--as-before"] if as_before else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        first, second = process.stdout.readline().decode().split()
        _SERVERS.append(process.pid)
        yield first, second
        process.stdin.close()


def alternating(ways: dict[str, Callable[[], int]], rounds: int) -> dict[str, dict[str, float]]:
    """Median MB a second and processor seconds a GB of each way; the first round warms up."""
    rates: dict[str, list[float]] = {name: [] for name in ways}
    computed: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            started_s, computed_s = time.perf_counter(), _computed_s()
            size_bytes = way()
            if number:
                rates[name].append(size_bytes / (time.perf_counter() - started_s) / 1e6)
                computed[name].append((_computed_s() - computed_s) / size_bytes * 1e9)
    first, *_ = ways
    found = {
        "mb_per_s": {name: round(statistics.median(each), 1) for name, each in rates.items()},
        "cpu_s_per_gb": {name: round(statistics.median(each), 2) for name, each in computed.items()},
    }
    for what, values in list(found.items()):
        up = what == "mb_per_s"
        found[f"ratio_{what}"] = {
            name: round(value / values[first] if up else values[first] / value, 2)
            for name, value in values.items()
            if value
        }
    return found


_SERVERS: list[int] = []


def _computed_s() -> float:
    """Seconds of a processor that this process and the servers have used."""
    total_s = time.process_time()
    for process in _SERVERS:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        total_s += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total_s


def uploads(now: str, before: str, folder: Path, frames: int, rounds: int) -> dict[str, dict[str, float]]:
    """Whole uploads of a clip, from files to files."""
    files = []
    for frame in range(frames):
        path = folder / f"plate.{frame:04d}.dpx"
        path.write_bytes(np.random.default_rng(frame).bytes(_FRAME_BYTES))
        files.append(ClipFile(path, frame))
    size_bytes = frames * _FRAME_BYTES
    fresh = iter(range(1 << 20))

    def changed() -> None:
        # Else the server holds what was sent before.
        with files[0].path.open("r+b") as file:
            file.write(next(fresh).to_bytes(8, "big"))
        for each in files[1:]:
            with each.path.open("r+b") as file:
                file.write(next(fresh).to_bytes(8, "big"))

    with ExitStack() as closing:
        channels = [Channel(Endpoint(each, plaintext=True), why_dead=lambda: None) for each in (now, before)]
        transports = [GrpcTransport(channel) for channel in channels]
        for transport in transports:
            closing.callback(transport.close)

        def shared() -> int:
            changed()
            transports[0].upload("plate", files)
            return size_bytes

        def plain() -> int:
            changed()
            send_clip(channels[0], transports[0]._sessions, "plate", files, on_progress=None)
            return size_bytes

        def protobuf() -> int:
            changed()
            send_as_before(channels[1], files)
            return size_bytes

        return alternating({"protobuf": protobuf, "plain": plain, "shared": shared}, rounds)


def send_as_before(channel: Channel, files: list[ClipFile]) -> None:
    """An upload as clients sent it until December 2026."""
    import hashlib

    digests = []
    for file in files:
        digest = hashlib.sha256()
        with file.path.open("rb") as opened:
            while chunk := opened.read(_CHUNK_BYTES):
                digest.update(chunk)
        digests.append(digest.digest())

    def messages() -> Iterator[session_pb2.UploadClipRequest]:
        whole = hashlib.sha256()
        header = session_pb2.UploadHeader(request_id=str(time.monotonic_ns()), clip_name="plate")
        yield session_pb2.UploadClipRequest(header=header)
        for file, digest in zip(files, digests, strict=True):
            start = session_pb2.UploadFileStart(
                frame=file.frame, suffix=".dpx", size_bytes=_FRAME_BYTES, sha256=digest
            )
            yield session_pb2.UploadClipRequest(file=start)
            with file.path.open("rb") as opened:
                while chunk := opened.read(_CHUNK_BYTES):
                    whole.update(chunk)
                    yield session_pb2.UploadClipRequest(chunk=chunk)
        commit = session_pb2.UploadCommit(files=len(files), sha256=whole.digest())
        yield session_pb2.UploadClipRequest(commit=commit)

    upload = channel.raw.stream_unary(
        "/masklet.v1.SessionService/UploadClip",
        request_serializer=session_pb2.UploadClipRequest.SerializeToString,
        response_deserializer=session_pb2.UploadClipResponse.FromString,
    )
    upload(messages())


def streams(bare: str, frames: int, rounds: int) -> dict[str, dict[str, float]]:
    """The same bytes with no file and no digest at either end."""
    frame = memoryview(np.random.default_rng(1).bytes(_FRAME_BYTES))
    chunks = [bytes(frame[at : at + _CHUNK_BYTES]) for at in range(0, _FRAME_BYTES, _CHUNK_BYTES)]
    with grpc.insecure_channel(bare, options=OPTIONS) as channel:
        answer = session_pb2.UploadClipResponse.FromString
        offer = channel.unary_unary(
            "/bench/Offer",
            request_serializer=server_pb2.OpenSharedMemoryRequest.SerializeToString,
            response_deserializer=server_pb2.OpenSharedMemoryResponse.FromString,
        )
        memory = SharedMemory(offer(server_pb2.OpenSharedMemoryRequest()))
        before = channel.stream_unary(
            "/bench/Protobuf", session_pb2.UploadClipRequest.SerializeToString, answer
        )
        now = channel.stream_unary("/bench/Plain", written, answer)

        def protobuf() -> int:
            each = (session_pb2.UploadClipRequest(chunk=chunk) for _ in range(frames) for chunk in chunks)
            return int(before(each).size_bytes)

        def plain() -> int:
            return int(now(chunk for _ in range(frames) for chunk in chunks).size_bytes)

        def shared() -> int:
            with memory.call() as call:

                def pieces() -> Iterator[session_pb2.UploadClipRequest]:
                    for _ in range(frames):
                        piece, view = memory.take()
                        view[:_FRAME_BYTES] = frame
                        where = values_pb2.SharedPiece(piece=piece, size_bytes=_FRAME_BYTES)
                        yield session_pb2.UploadClipRequest(shared_chunk=where)

                return int(now(pieces(), metadata=call.metadata).size_bytes)

        found = alternating({"protobuf": protobuf, "plain": plain, "shared": shared}, rounds)
        memory.close()
        return found


def masks(now: str, before: str, folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Full-size masks that exist already."""
    whole = MaskFormat()
    with ExitStack() as closing:
        ways: dict[str, Callable[[], int]] = {}
        for name, address, root in (("zlib", before, "before"), ("shared", now, "now")):
            clip = folder / root / "clip"
            clip.mkdir()
            transport = GrpcTransport(Channel(Endpoint(address, plaintext=True), why_dead=lambda: None))
            closing.callback(transport.close)
            session = transport.open_session(path=str(clip)).session_id  # type: ignore[union-attr]
            hero = transport.add_object(session, "hero").object_id
            transport.add_click(session, hero, 1, Click(900.0, 500.0), whole)
            list(transport.track(session, TrackRequest(mask_format=whole)))

            def fetch(transport: GrpcTransport = transport, session: str = session) -> int:
                found = transport.fetch_masks(session, TrackRequest(mask_format=whole))
                return sum(len(update.mask.alpha) for update in found)

            ways[name] = fetch
        return alternating(ways, rounds)


def main() -> None:
    """Measure all cases and print a JSON line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--serve", type=Path)
    parser.add_argument("--as-before", action="store_true")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.serve is not None:
        serve(arguments.serve, as_before=arguments.as_before)
        return
    begin("bench_sharing", footage="noise, 1920x1080x3 bytes a frame", frames=arguments.frames)
    with tempfile.TemporaryDirectory() as text, ExitStack() as closing:
        folder = Path(text)
        now, bare = closing.enter_context(server_process(folder / "now"))
        before, _ = closing.enter_context(server_process(folder / "before", as_before=True))
        frames, rounds = arguments.frames, arguments.rounds
        cases: dict[str, Callable[[], dict[str, dict[str, float]]]] = {
            "stream": lambda: streams(bare, 2 * frames, rounds),
            "frames": lambda: uploads(now, before, folder, frames, rounds),
            "masks": lambda: masks(now, before, folder, rounds),
        }
        for case, measure in cases.items():
            write_line({"case": case, **measure()})


if __name__ == "__main__":
    main()
