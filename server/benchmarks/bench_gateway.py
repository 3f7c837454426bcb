"""What one gateway and its directory carry, and what a studio asks of them.

    python server/benchmarks/bench_gateway.py > server/benchmarks/results/gateway.jsonl

The gateway is a process as it is shipped, with its directory on the disk; workers and artists are calls of
another process, so what is measured holds for any engine behind it. For each kind of call: how many a second
with 32 under way, and seconds of the gateway's processor for a thousand, which a busy machine measures more
fairly. ``studio`` is the arithmetic for 1,000 artists and 200 GPUs: calls a second of each kind, and which
share of one processor they take.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from records import begin, write_line

from masklet.types import ModelInfo, ServerInfo
from masklet.v1 import cluster_pb2, cluster_pb2_grpc, session_pb2, session_pb2_grpc
from masklet.version import VERSION

GPUS, ARTISTS = 200, 1000
AT_ONCE = 32
REPORT_EVERY_S, TELL_EVERY_S = 1.0, 30.0
SESSION_LASTS_S = 600.0
"""An artist opens a shot so often: short, so that the figure is on the safe side."""
RESTARTED_WITHIN_S = 10.0
"""All artists come back within so long after everything was started anew."""

_TICKS = os.sysconf("SC_CLK_TCK")


def processor_s(process: int) -> float:
    """What a process has had of a processor."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class Measuring:
    """Makes calls, some at a time.

    Args:
        process: Of the gateway.
        calls: How many of each kind.
    """

    def __init__(self, process: int, calls: int) -> None:
        self._process = process
        self._calls = calls

    async def of(self, kind: str, call: Callable[[int], Awaitable[None]]) -> float:
        """Measure a kind of call; seconds of the gateway's processor for one."""
        numbers = iter(range(self._calls))
        took_ms: list[float] = []

        async def work() -> None:
            for number in numbers:
                began_s = time.perf_counter()
                await call(number)
                took_ms.append((time.perf_counter() - began_s) * 1e3)

        began_s, before_s = time.perf_counter(), processor_s(self._process)
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        elapsed_s, used_s = time.perf_counter() - began_s, processor_s(self._process) - before_s
        took_ms.sort()
        write_line(
            {
                "case": kind,
                "calls": self._calls,
                "calls_per_s": round(self._calls / elapsed_s),
                "p50_ms": round(took_ms[len(took_ms) // 2], 1),
                "p99_ms": round(took_ms[int(len(took_ms) * 0.99)], 1),
                "gateway_cpu_s_per_1000": round(used_s / self._calls * 1e3, 3),
            }
        )
        return used_s / self._calls


async def measure(address: str, process: int, calls: int) -> None:
    """All kinds of calls, and what a studio makes of them."""
    async with grpc.aio.insecure_channel(address) as channel:
        cluster: Any = cluster_pb2_grpc.ClusterServiceStub(channel)
        sessions: Any = session_pb2_grpc.SessionServiceStub(channel)
        members = [await joined(cluster, number) for number in range(GPUS)]
        held = [f"{number:032x}" for number in range(ARTISTS)]
        measuring = Measuring(process, calls)

        async def claim(number: int) -> None:
            await cluster.ClaimSession(
                cluster_pb2.ClaimSessionRequest(
                    membership=members[number % GPUS],
                    session_id=f"{number:032x}",
                    facts=cluster_pb2.SessionFacts(owner="local", clip_name="plate.%04d.exr"),
                )
            )

        async def report(number: int) -> None:
            mine = held[number % GPUS :: GPUS]
            await cluster.ReportWorker(
                cluster_pb2.ReportWorkerRequest(
                    membership=members[number % GPUS],
                    load=cluster_pb2.WorkerLoad(free_bytes=1 << 34, free_sessions=1 << 20),
                    held=[cluster_pb2.HeldSession(session_id=each, epoch=1) for each in mine],
                )
            )

        async def tell(number: int) -> None:
            await cluster.TellSession(
                cluster_pb2.TellSessionRequest(
                    session=cluster_pb2.HeldSession(session_id=held[number % ARTISTS], epoch=1),
                    facts=cluster_pb2.SessionFacts(owner="local", objects=number % 7),
                )
            )

        async def locate(number: int) -> None:
            await sent_on(
                sessions.GetSession(session_pb2.GetSessionRequest(session_id=held[number % ARTISTS]))
            )

        async def place(number: int) -> None:
            request = session_pb2.OpenSessionRequest(request_id=f"r{number}", path=f"/shows/{number % 300}")
            await sent_on(sessions.OpenSession(request))

        used_s = {"claim": await measuring.of("claim", claim)}
        for number in range(GPUS):
            await report(number)
        for kind, call in (("report", report), ("tell", tell), ("locate", locate), ("place", place)):
            used_s[kind] = await measuring.of(kind, call)
    asked_per_s = {
        "report": GPUS / REPORT_EVERY_S,
        "tell": ARTISTS / TELL_EVERY_S,
        "place": ARTISTS / SESSION_LASTS_S,
        "claim": ARTISTS / SESSION_LASTS_S,
        "locate": ARTISTS / SESSION_LASTS_S,
    }
    shares = {kind: asked_per_s[kind] * used_s[kind] for kind in asked_per_s}
    rush = ARTISTS / RESTARTED_WITHIN_S * (used_s["locate"] + used_s["claim"])
    write_line(
        {
            "case": "studio",
            "artists": ARTISTS,
            "gpus": GPUS,
            "asked_per_s": {kind: round(value, 2) for kind, value in asked_per_s.items()},
            "processor_share": {kind: round(value, 4) for kind, value in shares.items()},
            "processor_share_all": round(sum(shares.values()), 3),
            "processor_share_all_come_back": round(sum(shares.values()) + rush, 3),
        }
    )


async def joined(cluster: Any, number: int) -> cluster_pb2.WorkerMembership:
    """A worker that is there but in name."""
    from masklet import codec

    model = ModelInfo("stand-in", "Apache-2.0", 1, "00" * 32)
    info = ServerInfo(VERSION, "a GPU", model, (model,), 32, 64, 16384, 1 << 36, opens_paths=True)
    offer = cluster_pb2.WorkerOffer(
        name=f"gpu{number}",
        endpoint=f"10.0.{number // 250}.{number % 250 + 1}:7700",
        volume=f"{number // 8:032x}",
        info=codec.server_to_wire(info),
    )
    answer = await cluster.JoinCluster(cluster_pb2.JoinClusterRequest(offer=offer))
    membership: cluster_pb2.WorkerMembership = answer.membership
    return membership


async def sent_on(call: Awaitable[Any]) -> None:
    """A call that is answered by saying where."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
            raise


def main() -> None:
    """Start a gateway and measure it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=4000, help="of each kind")
    given = parser.parse_args()
    begin("bench_gateway")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "masklet_server.cli", "gateway", "--address", "127.0.0.1:0"]
        command += ["--directory", f"{folder}/directory.sqlite", "--lease-s", "600", "--announce"]
        command += ["--stop-with-stdin"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            address = json.loads(process.stdout.readline())["address"]
            asyncio.run(measure(address, process.pid, given.calls))
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(30)


if __name__ == "__main__":
    main()
