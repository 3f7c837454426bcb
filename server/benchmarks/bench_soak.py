"""Work without an end: whether a server's memory, files and threads stay what they were.

    python server/benchmarks/bench_soak.py --seconds 1200 >> results/soak.jsonl

Six artists at a time open sessions, click, undo, track, break off, fetch masks, go away without a word and
close, at random, on the server of ``stand_in_server.py`` with journals. Each minute: resident memory, open
files, threads, sessions, and what the ledger of the device's memory holds. At the end all sessions are
closed, and the ledger is read once more. Asked for: a slope of under 1 MiB an hour after the first fifth,
files and threads flat, the ledger back at 0, no error.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
from records import begin, write_line
from studio_server import FRAME_MS, SHOWN, open_files, resident_mib, serving

from fakes.service import FakeClient, new_id
from masklet.v1 import prompt_pb2, session_pb2, track_pb2, values_pb2

ARTISTS = 6
CLIP_FRAMES = 40


def main() -> None:
    """Print one line of what was done and what it left."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1200.0)
    parser.add_argument("--load", default="", help="What else the machine does, for the record.")
    arguments = parser.parse_args()
    begin("bench_soak", frame_ms=FRAME_MS, load=arguments.load)
    write_line(asyncio.run(soak(arguments.seconds)))


async def soak(seconds: float) -> dict[str, Any]:
    """Everything at random, for long; what the server holds each minute and after the end."""
    done: Counter[str] = Counter()
    async with serving(max_sessions=64, idle_s=5.0, kept=True) as server:
        until_s = time.monotonic() + seconds
        rng = random.Random(7)
        artists = [
            Artist(server.client, server.folder / "clip", random.Random(rng.random()), done)
            for _ in range(ARTISTS)
        ]
        working = asyncio.gather(*(artist.work(until_s) for artist in artists))
        notes: list[dict[str, float]] = []
        every_s = min(60.0, seconds / 5)
        while time.monotonic() < until_s:
            await asyncio.sleep(every_s)
            notes.append(await asyncio.to_thread(noted, server.pid, server.metrics_port, until_s - seconds))
        await working
        await close_all(server.client)
        left = await asyncio.to_thread(noted, server.pid, server.metrics_port, until_s - seconds)
    # What the first fifth brings is warming up.
    steady = notes[len(notes) // 5 :]
    return {
        "seconds": seconds,
        "done": dict(done),
        **{f"{name}_each_minute": [note[name] for note in notes] for name in notes[0]},
        "resident_mib_per_hour_after_warming": round(3600 * slope(steady, "resident_mib"), 2),
        "left": left,
    }


class Artist:
    """Somebody who works, and sometimes goes away in the middle of it."""

    def __init__(self, client: FakeClient, clip: Path, rng: random.Random, done: Counter[str]) -> None:
        self._client = client
        self._clip = clip
        self._rng = rng
        self._done = done

    async def work(self, until_s: float) -> None:
        """One session after the other; what fails is counted."""
        while time.monotonic() < until_s:
            try:
                await self._session()
            except grpc.aio.AioRpcError as error:
                self._done[f"error {error.code().name}"] += 1

    async def _session(self) -> None:
        client, rng = self._client, self._rng
        session_id, (hero,) = await client.clicked(self._clip)
        for _ in range(rng.randint(1, 4)):
            await client.click(session_id, hero, frame=rng.randint(1, CLIP_FRAMES))
            self._done["clicks"] += 1
        if rng.random() < 0.5:
            await client.prompts.UndoPrompt(
                prompt_pb2.UndoPromptRequest(session_id=session_id, request_id=new_id())
            )
            self._done["undone"] += 1
        await self._track(session_id)
        if rng.random() < 0.5:
            fetch = track_pb2.FetchMasksRequest(session_id=session_id, mask_format=SHOWN)
            async for _ in client.tracks.FetchMasks(fetch):
                self._done["masks fetched"] += 1
        if rng.random() < 0.1:
            # Left to its journal, where more of them than there is room for wait for the end.
            self._done["sessions left open"] += 1
            return
        await client.sessions.CloseSession(session_pb2.CloseSessionRequest(session_id=session_id))
        self._done["sessions closed"] += 1

    async def _track(self, session_id: str) -> None:
        first = self._rng.randint(1, CLIP_FRAMES - 10)
        request = track_pb2.TrackRequest(
            session_id=session_id,
            request_id=new_id(),
            range=values_pb2.FrameRange(first=first, last=first + 20),
            mask_format=SHOWN,
        )
        track = self._client.tracks.Track(request)
        left = self._rng.randint(1, 60)
        async for event in track:
            self._done["masks tracked"] += event.HasField("update")
            left -= 1
            if not left:
                self._done["broken off"] += 1
                break
        track.cancel()


async def close_all(client: FakeClient) -> None:
    """Close what was left open."""
    listed = await client.sessions.ListSessions(session_pb2.ListSessionsRequest())
    for info in listed.sessions:
        await client.sessions.CloseSession(session_pb2.CloseSessionRequest(session_id=info.session_id))


def noted(pid: int, metrics_port: int, begun_s: float) -> dict[str, float]:
    """What a server holds now."""
    with urllib.request.urlopen(f"http://127.0.0.1:{metrics_port}/metrics", timeout=30.0) as answer:
        lines = answer.read().decode().splitlines()
    numbers = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    held = [float(value) for name, value in numbers.items() if name.startswith("masklet_memory_bytes{")]
    return {
        "at_s": round(time.monotonic() - begun_s),
        "resident_mib": resident_mib(pid),
        "open_files": open_files(pid),
        "threads": len(os.listdir(f"/proc/{pid}/task")),
        "sessions": float(numbers["masklet_sessions"]),
        "ledger_bytes": sum(held),
    }


def slope(notes: list[dict[str, float]], name: str) -> float:
    """How much a number grows a second, by least squares."""
    if len(notes) < 2:
        return 0.0
    return statistics.linear_regression([note["at_s"] for note in notes], [note[name] for note in notes])[0]


if __name__ == "__main__":
    main()
