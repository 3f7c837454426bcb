"""A server of its own process with a stand-in for the engine, for benchmarks, and what they measure."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from fakes.service import FakeClient, Token  # noqa: E402
from masklet.v1 import values_pb2  # noqa: E402

FRAME_MS = 30
SHOWN = values_pb2.MaskFormat(max_side_px=256, encoding=values_pb2.MASK_ENCODING_BITS_ZLIB)


@dataclass(frozen=True)
class Serving:
    """A server with the stand-in.

    Attributes:
        folder: Its only root, with ``clip`` in it.
        metrics_port: Where its numbers are told.
    """

    client: FakeClient
    folder: Path
    pid: int
    metrics_port: int
    address: str = ""

    @asynccontextmanager
    async def another(self, user: str) -> AsyncIterator[FakeClient]:
        """A client of another user."""
        async with grpc.aio.insecure_channel(self.address, interceptors=[Token(token_of(user))]) as channel:
            yield FakeClient(channel)


def token_of(user: str) -> str:
    """What a user of :func:`serving` shows."""
    return f"{user}-has-a-token-of-some-length"


@asynccontextmanager
async def serving(
    *,
    max_sessions: int,
    idle_s: float = 600.0,
    kept: bool = False,
    users: Sequence[str] = (),
    more: Sequence[str] = (),
) -> AsyncIterator[Serving]:
    """Start such a server; with ``kept`` its sessions have journals, with ``users`` it asks for tokens.

    ``more`` are further arguments of ``stand_in_server.py``.
    """
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "clip").mkdir()
        program = Path(__file__).with_name("stand_in_server.py")
        metrics_port = _free_port()
        command = [sys.executable, str(program), name, str(FRAME_MS), str(max_sessions), str(idle_s)]
        command += ["--metrics-port", str(metrics_port), *(["--kept"] if kept else []), *more]
        interceptors = []
        if users:
            tokens = Path(name) / "tokens"
            tokens.touch(mode=0o600)
            tokens.write_text("".join(f"{user}:{token_of(user)}\n" for user in users), encoding="ascii")
            command += ["--tokens", str(tokens)]
            interceptors = [Token(token_of(users[0]))]
        async with connected(command, interceptors) as (client, pid, address):
            yield Serving(client, Path(name), pid, metrics_port, address)


async def click_times_ms(
    client: FakeClient, session_id: str, object_id: int, count: Iterator[int], seconds: float
) -> list[float]:
    """How long clicks took, one after the other with a breath between; ``count`` goes on in the next call."""
    until_s, times_ms = time.monotonic() + seconds, []
    while time.monotonic() < until_s:
        started_s = time.perf_counter()
        # A frame takes 64 clicks at most.
        frame, x_px = 1 + next(count) // 32, 190.0 + len(times_ms) % 9
        await client.click(session_id, object_id, frame=frame, x_px=x_px, y_px=345.0)
        times_ms.append(1e3 * (time.perf_counter() - started_s))
        await asyncio.sleep(0.05)
    return times_ms


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@asynccontextmanager
async def connected(
    command: list[str], interceptors: Sequence[Token] = ()
) -> AsyncIterator[tuple[FakeClient, int, str]]:
    """A client of a server that is started so."""
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdout is not None
        line = await asyncio.to_thread(process.stdout.readline)
        address = str(json.loads(line)["address"])
        async with grpc.aio.insecure_channel(address, interceptors=interceptors) as channel:
            yield FakeClient(channel), process.pid, address
    finally:
        with suppress(OSError):
            assert process.stdin is not None
            process.stdin.close()
        try:
            await asyncio.to_thread(process.wait, 20.0)
        except subprocess.TimeoutExpired:
            process.kill()


def spread(values: list[float], unit: str, *, digits: int = 1) -> dict[str, float]:
    """Median, 95th percentile and the most."""
    ordered = sorted(values)
    return {
        f"p50_{unit}": round(statistics.median(ordered), digits),
        f"p95_{unit}": round(ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))], digits),
        f"max_{unit}": round(ordered[-1], digits),
    }


def resident_mib(pid: int) -> float:
    """Memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0


def processor_s(pid: int) -> float:
    """What a process has had of the processor."""
    numbers = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / os.sysconf("SC_CLK_TCK")


def open_files(pid: int) -> int:
    """How many files and sockets a process has open."""
    return len(os.listdir(f"/proc/{pid}/fd"))
