from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path

from fakes.engine import FAKE_INFO, FakeEngine
from fakes.service import SMALL, FakeOpener, running
from masklet.v1 import track_pb2
from masklet_server.media.source import open_clip
from masklet_server.shots.watch import ShotWatch

LAST = 50_000


async def pauses(stopping: asyncio.Event) -> float:
    """The longest that the event loop answered nobody, in seconds."""
    longest_s = 0.0
    while not stopping.is_set():
        started_s = time.perf_counter()
        await asyncio.sleep(0.002)
        longest_s = max(longest_s, time.perf_counter() - started_s)
    return longest_s


def test_a_clip_of_two_frames_far_apart_is_tracked_at_once_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    info = replace(FAKE_INFO, last_frame=LAST, missing_frames=tuple(range(2, LAST)))

    async def run() -> None:
        opener = FakeOpener(info=info)
        async with running(tmp_path, opener=opener) as server, server.client() as client:
            session_id, _ = await client.clicked(server.root / "clip")
            stopping = asyncio.Event()
            watching = asyncio.create_task(pauses(stopping))
            started_s = time.perf_counter()
            events = [
                event
                async for event in client.tracks.Track(
                    track_pb2.TrackRequest(session_id=session_id, mask_format=SMALL)
                )
            ]
            took_s = time.perf_counter() - started_s
            stopping.set()

            assert [event.update.frame for event in events[1:-1]] == [1, LAST]
            assert took_s < 1.5
            assert await watching < 0.5

    asyncio.run(run())


def test_the_cut_guard_does_not_walk_through_a_gap(tmp_path: Path) -> None:
    import cv2
    import numpy as np

    rng = np.random.default_rng(1)
    for frame in (1, LAST):
        cv2.imwrite(str(tmp_path / f"plate.{frame:05d}.png"), rng.integers(0, 255, (48, 64, 3), np.uint8))
    with open_clip(tmp_path / "plate.%05d.png") as clip:
        watch = ShotWatch(clip)
        assert clip.info.missing.runs == (range(2, LAST),)
        started_s = time.perf_counter()
        watch.is_cut(1, LAST)

        assert time.perf_counter() - started_s < 0.5


def test_a_tracked_gap_costs_the_device_nothing(tmp_path: Path) -> None:
    from fakes.engine import FakeClip
    from masklet_server.sessions.results import ResultStore
    from masklet_server.sessions.session_tracker import SessionTracker

    info = replace(FAKE_INFO, last_frame=LAST, missing_frames=tuple(range(2, LAST)))
    tracker = SessionTracker(FakeClip(info), ResultStore(memory_bytes=1 << 20), FakeEngine())
    assert tracker._before(LAST, backward=False) == 1
    started_s = time.perf_counter()
    for _ in range(100):
        assert tracker._before(LAST, backward=False) == 1
        assert tracker._before(1, backward=True) == LAST

    assert time.perf_counter() - started_s < 0.1
