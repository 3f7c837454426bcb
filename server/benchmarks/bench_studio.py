"""Many artists on one device: what they feel of each other.

    taskset -c 0,1 python server/benchmarks/bench_studio.py load prompts park > results/studio.jsonl
    OMP_NUM_THREADS=2 taskset -c 0,1 python server/benchmarks/bench_studio.py embedded

Client and server share the cores, in two processes. All cases but the last have the engine of
``stand_in_server.py``, which takes 30 ms a frame.

- ``load``: 64 sessions track 20 objects each, so the engine alone gives each 10 masks a second: masks a
  second of all, of the session that got least, the longest gap, errors, and the processor time of each mask
  at both ends. Asked for: 8 masks a second for each of 64, no error.
- ``prompts``: one artist clicks beneath eight tracks. Asked for: median under 100 ms, none above 200 ms.
- ``greedy``: one artist clicks while another user opens sessions a hundred times a second, which is more than
  anybody may. Asked for: what is too much is refused, and the 99th percentile of clicks grows by less than
  20 ms.
- ``park``: 200 sessions are left alone until they park; then each clicks again. Asked for: each under 2 s.
- ``embedded``: one artist clicks beneath four tracks with the real embedded model. Stated.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from records import begin, write_line
from studio_server import (
    FRAME_MS,
    SHOWN,
    click_times_ms,
    connected,
    processor_s,
    resident_mib,
    serving,
    spread,
)

from fakes.service import FakeClient, new_id
from masklet.v1 import track_pb2

OBJECTS = 20


def main() -> None:
    """Run the cases that are named and print their lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="+", choices=tuple(CASES))
    parser.add_argument("--seconds", type=float, default=60.0, help="Of load, prompts and embedded.")
    parser.add_argument("--sessions", type=int, default=64, help="Of load.")
    parser.add_argument("--parked", type=int, default=200, help="Sessions of park.")
    parser.add_argument("--warm-up-s", type=float, default=10.0, help="Of load.")
    parser.add_argument("--one-by-one", action="store_true", help="Of load: a message a mask.")
    parser.add_argument("--switch-s", type=float, help="Of load and prompts: how soon threads hand over.")
    arguments = parser.parse_args()
    weights = "masklet_embedded" if "embedded" in arguments.cases else None
    begin("bench_studio", weights=weights, frame_ms=FRAME_MS)
    for case in arguments.cases:
        write_line({"case": case, **asyncio.run(CASES[case](arguments))})


async def load(arguments: argparse.Namespace) -> dict[str, Any]:
    """Masks a second of many sessions that track at once."""
    async with serving(max_sessions=2 * arguments.sessions, more=_switching(arguments)) as server:
        client, folder = server.client, server.folder
        ids = [
            (await client.clicked(folder / "clip", *(f"object{number}" for number in range(OBJECTS))))[0]
            for _ in range(arguments.sessions)
        ]
        seen: dict[str, list[float]] = {session_id: [] for session_id in ids}
        spent_s: list[tuple[float, float]] = []
        errors: Counter[str] = Counter()
        # Until all tracks are planned and under way.
        from_s = time.monotonic() + arguments.warm_up_s
        until_s = from_s + arguments.seconds

        async def watch(session_id: str) -> None:
            request = track_pb2.TrackRequest(
                session_id=session_id,
                request_id=new_id(),
                mask_format=SHOWN,
                tell_waiting=True,
                together=not arguments.one_by_one,
            )
            track = client.tracks.Track(request)
            try:
                async for event in track:
                    now_s = time.monotonic()
                    if now_s > until_s:
                        break
                    if event.HasField("update") and now_s >= from_s:
                        seen[session_id] += [now_s] * (1 + len(event.more))
            except grpc.aio.AioRpcError as error:
                errors[str(error.code())] += 1
            finally:
                track.cancel()

        async def measure() -> None:
            for moment_s in (from_s, until_s):
                await asyncio.sleep(moment_s - time.monotonic())
                spent_s.append((processor_s(server.pid), time.process_time()))

        await asyncio.gather(measure(), *map(watch, ids))
    masks = [len(times) for times in seen.values()]
    gaps = [b - a for times in seen.values() for a, b in itertools.pairwise(times)]
    return {
        "sessions": arguments.sessions,
        "seconds": arguments.seconds,
        **_said(switch_s=arguments.switch_s, one_by_one=arguments.one_by_one or None),
        "masks_per_s": round(sum(masks) / arguments.seconds, 1),
        "least_masks_per_s": round(min(masks) / arguments.seconds, 2),
        "worst_gap_s": round(max(gaps, default=0.0), 3),
        "server_ms_per_mask": round(1e3 * (spent_s[1][0] - spent_s[0][0]) / max(1, sum(masks)), 2),
        "client_ms_per_mask": round(1e3 * (spent_s[1][1] - spent_s[0][1]) / max(1, sum(masks)), 2),
        "errors": dict(errors),
    }


def _switching(arguments: argparse.Namespace) -> list[str]:
    return [] if arguments.switch_s is None else ["--switch-s", str(arguments.switch_s)]


def _said(**words: Any) -> dict[str, Any]:
    """Those of the arguments that were given."""
    return {name: value for name, value in words.items() if value is not None}


async def prompts(arguments: argparse.Namespace) -> dict[str, Any]:
    """A click's time beneath eight tracks."""
    async with serving(max_sessions=32, more=_switching(arguments)) as server:
        clip = server.folder / "clip"
        found = await clicked_beneath(server.client, clip, 8, range(1, 3), arguments.seconds)
        return {"tracks": 8, **_said(switch_s=arguments.switch_s), **found}


async def clicked_beneath(
    client: FakeClient, clip: Path, tracks: int, frames: range, seconds: float
) -> dict[str, Any]:
    """Click every half second while others track; all of it, from the call to the mask."""
    running = []
    tracked = Counter[int]()

    async def begun() -> tuple[str, int]:
        session_id = (await client.open(clip)).session_id
        hero = await client.add(session_id)
        await client.click(session_id, hero, frame=frames.start, x_px=196.0, y_px=345.0)
        return session_id, hero

    async def track(number: int, session_id: str) -> None:
        while True:
            request = track_pb2.TrackRequest(session_id=session_id, request_id=new_id(), mask_format=SHOWN)
            async for event in client.tracks.Track(request):
                tracked[number] += event.HasField("update")

    for number in range(tracks):
        session_id, _ = await begun()
        running.append(asyncio.create_task(track(number, session_id)))
    session_id, hero = await begun()
    await asyncio.sleep(2.0)
    before, begun_s = tracked.total(), time.monotonic()
    times_ms = []
    while time.monotonic() - begun_s < seconds:
        started_s = time.perf_counter()
        count = len(times_ms)
        frame = frames[count % len(frames)]
        await client.click(session_id, hero, frame=frame, x_px=190.0 + count % 9, y_px=345.0)
        times_ms.append(1e3 * (time.perf_counter() - started_s))
        await asyncio.sleep(max(0.0, 0.5 - times_ms[-1] / 1e3))
    speed = (tracked.total() - before) / (time.monotonic() - begun_s)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return {"clicks": len(times_ms), **spread(times_ms, "ms"), "tracked_frames_per_s": round(speed, 1)}


async def park(arguments: argparse.Namespace) -> dict[str, Any]:
    """How long sessions take that come back after they were parked."""
    count = arguments.parked
    async with serving(max_sessions=2 * count, idle_s=2.0) as server:
        client, pid = server.client, server.pid
        held = [await client.clicked(server.folder / "clip") for _ in range(count)]
        before_mib = resident_mib(pid)
        await asyncio.sleep(6.0)
        times_s = []
        for session_id, (hero,) in held:
            started_s = time.perf_counter()
            await client.click(session_id, hero, frame=2)
            times_s.append(time.perf_counter() - started_s)
        return {
            "sessions": count,
            **spread(times_s, "s", digits=3),
            "resident_mib": [before_mib, resident_mib(pid)],
        }


async def embedded(arguments: argparse.Namespace) -> dict[str, Any]:
    """A click's time beneath four tracks with the real model."""
    from masklet_server.demo.clip_writer import write_clip

    with tempfile.TemporaryDirectory() as name:
        clip = write_clip(Path(name))
        command = [sys.executable, "-m", "masklet_server.cli", "serve", "--address", "127.0.0.1:0"]
        command += ["--root", name, "--announce", "--stop-with-stdin"]
        async with connected(command) as (client, _, _):
            found = await clicked_beneath(client, Path(clip.pattern), 4, range(1001, 1025), arguments.seconds)
            return {"tracks": 4, **found}


async def greedy(arguments: argparse.Namespace) -> dict[str, Any]:
    """A click's time while another user opens sessions without end."""
    opened: Counter[str] = Counter()

    async with serving(max_sessions=64, users=("ann", "bob")) as server:
        ann = server.client
        session_id, (hero,) = await ann.clicked(server.folder / "clip")
        count = itertools.count(32)

        async def clicked(seconds: float) -> list[float]:
            return await click_times_ms(ann, session_id, hero, count, seconds)

        async def opens(client: FakeClient, seconds: float) -> None:
            async def once() -> None:
                try:
                    await client.open(server.folder / "clip")
                    opened["opened"] += 1
                except grpc.aio.AioRpcError as error:
                    opened[error.code().name] += 1

            until_s, asked = time.monotonic() + seconds, set[asyncio.Task[None]]()
            while time.monotonic() < until_s:
                asked.add(asyncio.create_task(once()))
                await asyncio.sleep(0.01)
            await asyncio.gather(*asked)

        alone_ms = await clicked(arguments.seconds / 2)
        async with server.another("bob") as bob:
            beside_ms, _ = await asyncio.gather(
                clicked(arguments.seconds / 2), opens(bob, arguments.seconds / 2)
            )
    p99_alone, p99_beside = (
        round(statistics.quantiles(times, n=100)[-1], 1) for times in (alone_ms, beside_ms)
    )
    return {
        "opens": dict(opened),
        "clicks": [len(alone_ms), len(beside_ms)],
        "p99_alone_ms": p99_alone,
        "p99_beside_ms": p99_beside,
    }


CASES = {"load": load, "prompts": prompts, "greedy": greedy, "park": park, "embedded": embedded}


if __name__ == "__main__":
    main()
