"""Networks, readers and crowds that a server has to bear: what others feel of them.

    taskset -c 0,1 python server/benchmarks/bench_strain.py upload crowd stalled silence narrow

The server is that of ``stand_in_server.py``: an engine that takes 30 ms a frame, and everything else as it is
shipped. Letters are those of the plan of tests.

- ``upload`` (L3): one artist clicks while another sends HD frames over the wire. Asked for: 99th percentile
  under 50 ms beside the frame's 30.
- ``crowd`` (L6): the server holds as many sessions as it may, all of which track, and twice as many artists
  ask for one: half wait in line, half do not. Asked for: who does not wait is refused within 50 ms, and
  those who are in get what they got before, within a tenth.
- ``stalled`` (F5): twenty artists track and stop reading. Asked for: less than 10 MiB each, no gap of a
  second for another, and an end after 30 s.
- ``silence`` (F4): a line falls silent for 2, 10 and 60 s in mid-track. Asked for: the track goes on within
  3 s once it speaks again, each mask once.
- ``narrow`` (F6): 10 Mbit/s, a tenth of a second there and back, and one piece in a hundred breaks the
  connection. Asked for: an upload, clicks and a track are done, each once.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from records import begin, write_line
from studio_server import (
    FRAME_MS,
    SHOWN,
    Serving,
    click_times_ms,
    resident_mib,
    serving,
    spread,
    token_of,
)

import masklet
from fakes.line import FarLine
from fakes.service import FakeClient, new_id
from masklet.types import FrameRange, MaskFormat
from masklet.v1 import session_pb2, track_pb2, values_pb2

SMALL = MaskFormat(max_side_px=32)
FRAME_BYTES = 1920 * 1080 * 3


def main() -> None:
    """Run the cases that are named and print their lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="+", choices=tuple(CASES))
    parser.add_argument("--seconds", type=float, default=20.0, help="Of upload and crowd.")
    parser.add_argument("--sessions", type=int, default=8, help="Of crowd.")
    parser.add_argument("--readers", type=int, default=20, help="Of stalled.")
    parser.add_argument("--silences-s", type=float, nargs="+", default=[2.0, 10.0, 60.0])
    parser.add_argument("--load", default="", help="What else the machine does, for the record.")
    arguments = parser.parse_args()
    # Everything here is about the wire.
    os.environ["MASKLET_SHARED_MEMORY"] = "0"
    begin("bench_strain", frame_ms=FRAME_MS, load=arguments.load)
    for case in arguments.cases:
        write_line({"case": case, **asyncio.run(CASES[case](arguments))})


_SENDS = """
import os, sys, time
import masklet

address, token, folder, until_s = sys.argv[1], sys.argv[2], sys.argv[3], time.monotonic() + float(sys.argv[4])
names = sorted(os.listdir(folder))
sent, begun_s = 0, time.monotonic()
with masklet.connect(address, token=token) as client:
    print("ready", flush=True)
    while time.monotonic() < until_s:
        for name in names:
            # Another content each time, or it would not be sent again.
            with open(os.path.join(folder, name), "r+b") as file:
                file.seek(4096)
                file.write(os.urandom(16))
        client.open(os.path.join(folder, "frame.%04d.png"), upload=True).close()
        sent += len(names)
print(sent / (time.monotonic() - begun_s), flush=True)
"""


async def upload(arguments: argparse.Namespace) -> dict[str, Any]:
    """A click's time while another artist's frames arrive."""
    half_s = arguments.seconds / 2
    async with serving(max_sessions=8, users=("ann", "bob")) as server:
        ann = server.client
        session_id, (hero,) = await ann.clicked(server.folder / "clip")
        count = itertools.count(32)

        async def clicked(seconds: float) -> list[float]:
            return await click_times_ms(ann, session_id, hero, count, seconds)

        alone_ms = await clicked(half_s)
        with tempfile.TemporaryDirectory() as name:
            for frame in range(1, 13):
                (Path(name) / f"frame.{frame:04d}.png").write_bytes(os.urandom(FRAME_BYTES))
            sending = subprocess.Popen(
                [sys.executable, "-c", _SENDS, server.address, token_of("bob"), name, str(half_s)],
                stdout=subprocess.PIPE,
                text=True,
            )
            assert sending.stdout is not None
            await asyncio.to_thread(sending.stdout.readline)
            beside_ms = await clicked(half_s)
            frames_per_s = float((await asyncio.to_thread(sending.communicate))[0])
    return {
        "clicks": [len(alone_ms), len(beside_ms)],
        "alone": p99(alone_ms),
        "beside": p99(beside_ms),
        "sent_mb_per_s": round(frames_per_s * FRAME_BYTES / 1e6, 1),
    }


async def crowd(arguments: argparse.Namespace) -> dict[str, Any]:
    """What those who are in notice of twice as many who are not."""
    admitted, half_s = arguments.sessions, arguments.seconds / 2
    async with serving(max_sessions=admitted) as server:
        client, clip = server.client, server.folder / "clip"
        ids = [(await client.clicked(clip))[0] for _ in range(admitted)]
        seen: Counter[str] = Counter()
        refusals_ms: list[float] = []
        told: Counter[str] = Counter()

        async def watch(session_id: str) -> None:
            request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id(), mask_format=SHOWN)
            async for event in client.tracks.Track(request):
                seen[session_id] += event.HasField("update")

        async def ask(waits: bool) -> None:
            ticket = new_id()
            while True:
                request = session_pb2.OpenSessionRequest(request_id=ticket, path=str(clip), can_wait=waits)
                started_s = time.perf_counter()
                try:
                    answer = await client.sessions.OpenSession(request)
                    told["waits" if answer.HasField("waiting") else "opened"] += 1
                except grpc.aio.AioRpcError as error:
                    refusals_ms.append(1e3 * (time.perf_counter() - started_s))
                    told[error.code().name] += 1
                    await asyncio.sleep(0.5)

        tracks = [asyncio.create_task(watch(session_id)) for session_id in ids]
        await asyncio.sleep(min(3.0, half_s))
        rates = []
        asking: list[asyncio.Task[None]] = []
        for _ in range(2):
            before = seen.total()
            await asyncio.sleep(half_s)
            rates.append((seen.total() - before) / half_s)
            asking = asking or [
                asyncio.create_task(ask(waits=number % 2 == 0)) for number in range(2 * admitted)
            ]
        for task in (*tracks, *asking):
            task.cancel()
        await asyncio.gather(*tracks, *asking, return_exceptions=True)
    return {
        "sessions": admitted,
        "asking": 2 * admitted,
        "masks_per_s": {"alone": round(rates[0], 1), "beside": round(rates[1], 1)},
        "ratio": round(rates[1] / rates[0], 3),
        "answers": dict(told),
        "refused_within": spread(refusals_ms, "ms"),
    }


async def stalled(arguments: argparse.Namespace) -> dict[str, Any]:
    """What readers who stop reading cost."""
    async with serving(max_sessions=64) as server:
        client, clip = server.client, server.folder / "clip"
        ids = [(await client.clicked(clip))[0] for _ in range(arguments.readers)]
        other_id, _ = await client.clicked(clip)
        times_s: list[float] = []
        begun_s = time.monotonic()
        before_mib = most_mib = resident_mib(server.pid)

        async def watch() -> None:
            request = track_pb2.TrackRequest(session_id=other_id, request_id=new_id(), mask_format=SHOWN)
            async for event in client.tracks.Track(request):
                if event.HasField("update"):
                    times_s.append(time.monotonic())

        # A connection of their own, or they would hold up the other's masks in the client.
        options = [("grpc.use_local_subchannel_pool", 1), ("grpc.http2.bdp_probe", 0)]
        ended_s: list[float] = []
        async with grpc.aio.insecure_channel(server.address, options=options) as channel:
            slow = FakeClient(channel)

            async def stall(session_id: str) -> None:
                track = slow.tracks.Track(
                    track_pb2.TrackRequest(
                        session_id=session_id, request_id=new_id(), mask_format=values_pb2.MaskFormat()
                    )
                )
                # One mask is read, and nothing more: not even the status comes through.
                await anext(track.__aiter__())
                await asyncio.sleep(90.0)

            other = asyncio.create_task(watch())
            stalling = [asyncio.create_task(stall(session_id)) for session_id in ids]
            seen: set[str] = set()
            while time.monotonic() - begun_s < 90.0 and len(ended_s) < len(ids):
                await asyncio.sleep(0.25)
                most_mib = max(most_mib, resident_mib(server.pid))
                busy = (await busy_sessions(client)).intersection(ids)
                ended_s += [time.monotonic() - begun_s] * len(seen - busy)
                seen = busy
            for task in (other, *stalling):
                task.cancel()
            await asyncio.gather(other, *stalling, return_exceptions=True)
    gaps = [b - a for a, b in itertools.pairwise(times_s)]
    return {
        "readers": arguments.readers,
        "mib_each": round((most_mib - before_mib) / arguments.readers, 2),
        "worst_gap_of_another_s": round(max(gaps, default=0.0), 3),
        "cut_off": len(ended_s),
        "after_s": spread(ended_s, "s") if ended_s else {},
    }


async def busy_sessions(client: FakeClient) -> set[str]:
    """Which sessions track."""
    listed = await client.sessions.ListSessions(session_pb2.ListSessionsRequest())
    return {each.session_id for each in listed.sessions if each.is_busy}


async def silence(arguments: argparse.Namespace) -> dict[str, Any]:
    """Lines that fall silent in mid-track."""
    found = []
    async with serving(max_sessions=64, kept=True) as server:
        for quiet_s in arguments.silences_s:
            found.append(await asyncio.to_thread(_silent, server, quiet_s))
    return {"silences": found}


def _silent(server: Serving, quiet_s: float) -> dict[str, Any]:
    line = FarLine(server.address)
    frames = FrameRange(1, 200)
    came: Counter[int] = Counter()
    with masklet.connect(line.address) as client:
        session = client.open(server.folder / "clip")
        hero = session.object("hero")
        hero.click(frame=1, x_px=10.0, y_px=10.0, mask_format=SMALL)
        spoke_s: list[float] = []
        after_s: float | None = None

        def speak() -> None:
            spoke_s.append(time.monotonic())
            line.speaks.set()

        for update in session.track(frames=frames, mask_format=SMALL):
            came[update.frame] += 1
            if spoke_s and after_s is None:
                after_s = time.monotonic() - spoke_s[0]
            if came.total() == 20:
                line.speaks.clear()
                threading.Timer(quiet_s, speak).start()
        began_s = time.perf_counter()
        hero.click(frame=2, x_px=10.0, y_px=10.0, mask_format=SMALL)
        click_s = time.perf_counter() - began_s
        session.close()
    line.close()
    return {
        "silent_s": quiet_s,
        "next_mask_after_s": None if after_s is None else round(after_s, 2),
        "missing": sum(frame not in came for frame in range(frames.first, frames.last + 1)),
        "twice": sum(count - 1 for count in came.values()),
        "click_afterwards_ms": round(1e3 * click_s),
    }


async def narrow(arguments: argparse.Namespace) -> dict[str, Any]:
    """An upload, clicks and a track over a poor line."""
    async with serving(max_sessions=8, kept=True) as server:
        return await asyncio.to_thread(_narrow, server)


def _narrow(server: Serving) -> dict[str, Any]:
    line = FarLine(server.address, delay_s=0.05, bits_per_s=1e7, cut_every_bytes=800_000)
    with tempfile.TemporaryDirectory() as name, masklet.connect(line.address) as client:
        for frame in range(1, 13):
            (Path(name) / f"frame.{frame:04d}.png").write_bytes(os.urandom(1 << 19))
        # Whoever was never answered is told so instead of waiting.
        client.sessions()
        began_s = time.perf_counter()
        session = client.open(Path(name) / "frame.%04d.png", upload=True)
        upload_s = time.perf_counter() - began_s
        cuts = line.cuts
        hero = session.object("hero")
        clicks_ms = []
        for place in range(20):
            began_s = time.perf_counter()
            hero.click(frame=1, x_px=10.0 + place, y_px=10.0, mask_format=SMALL)
            clicks_ms.append(1e3 * (time.perf_counter() - began_s))
        (said,) = session.prompts().prompts
        came = Counter(update.frame for update in session.track())
        session.close()
        other = client.open(server.folder / "clip")
        other.object("hero").click(frame=1, x_px=10.0, y_px=10.0, mask_format=SMALL)
        far = Counter(update.frame for update in other.track(frames=FrameRange(1, 200)))
        with suppress(masklet.MaskletError):
            other.close()
    line.close()
    return {
        "upload_mb": 12 * (1 << 19) / 1e6,
        "upload_s": round(upload_s, 1),
        "cuts": [cuts, line.cuts],
        "clicks": spread(clicks_ms, "ms"),
        "clicks_said": len(said.clicks),
        "masks_once": [sum(count == 1 for count in each.values()) for each in (came, far)],
        "masks_twice": sum(count > 1 for each in (came, far) for count in each.values()),
    }


def p99(times_ms: list[float]) -> dict[str, float]:
    """Median and 99th percentile."""
    return {
        "p50_ms": round(statistics.median(times_ms), 1),
        "p99_ms": round(statistics.quantiles(times_ms, n=100)[-1], 1),
    }


CASES = {"upload": upload, "crowd": crowd, "stalled": stalled, "silence": silence, "narrow": narrow}


if __name__ == "__main__":
    main()
