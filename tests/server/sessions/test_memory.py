"""What a session holds stays while it can be kept, and is given back at once when it closes."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from av.container import InputContainer
from av.video.frame import VideoFrame

from fakes.clips import clip_of, open_fake
from fakes.engine import FakeClip, FakeClock, FakeEngine
from fakes.tracks import one_by_one
from generated_media import numbered_picture, write_movie
from masklet.errors import OutputError
from masklet.types import Click, FramePrompts
from masklet_server.media.movie import MovieClip
from masklet_server.media.source import open_clip
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session
from masklet_server.sessions.session_limits import SessionLimits
from masklet_server.sessions.store import SessionStore, StoreLimits
from masklet_server.sessions.worker_threads import WorkerThreads
from masklet_server.tracking import ObjectFrame


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def worked_on(session: Session) -> None:
    hero = (await session.add_object("hero")).object_id
    await session.set_prompts(FramePrompts(hero, 1, (Click(5, 5),)))
    async for _ in one_by_one(session.tracks.track()):
        pass


def test_a_closed_session_is_gone_without_the_collector(tmp_path: Path, no_collector: None) -> None:
    movie = write_movie(tmp_path / "plate.mp4", [numbered_picture(each) for each in range(6)])

    async def run() -> None:
        engine, scheduler = FakeEngine(), Scheduler()
        store = SessionStore(open_fake, engine, scheduler, clock_s=FakeClock())
        session = await store.open("ann", clip_of(lambda: open_clip(movie)))
        await worked_on(session)
        parts: list[Any] = [session, session.results, session._source, session._book, engine.trackers[0]]
        left = [weakref.ref(part) for part in parts]
        session_id = session.session_id
        engine.trackers.clear()
        parts.clear()
        del session

        await store.close(session_id, "ann")
        # The scheduler glances at a call once more, a moment after it began to read.
        for _ in range(100):
            if all(part() is None for part in left):
                break
            await asyncio.sleep(0.02)

        assert [part() for part in left] == [None] * 5
        await scheduler.close()

    asyncio.run(run())
    assert movie_parts() == []


def test_with_a_full_disk_a_track_ends_with_a_sentence_and_all_that_was_delivered_stays(
    tmp_path: Path,
) -> None:
    limits = SessionLimits(result_memory_bytes=1, spill_folder=tmp_path / "full", full_disk_bytes=80)

    async def run() -> None:
        engine, scheduler = FakeEngine(), Scheduler()
        store = SessionStore(
            open_fake, engine, scheduler, limits=StoreLimits(session=limits), clock_s=FakeClock()
        )
        session = await store.open("ann", clip_of(FakeClip))
        hero = (await session.add_object("hero")).object_id
        await session.set_prompts(FramePrompts(hero, 1, (Click(5, 5),)))
        delivered: dict[int, ObjectFrame] = {}

        async def track() -> None:
            async for item in one_by_one(session.tracks.track()):
                if isinstance(item, ObjectFrame):
                    delivered[item.frame] = item

        with pytest.raises(OutputError, match=r"full or read-only.* all finished masks are kept"):
            await track()

        assert 2 < len(delivered) < 10
        # No frame was computed for nothing.
        assert session.results.frames_of(hero) == tuple(sorted(delivered))
        for frame, result in delivered.items():
            found = session.results.find(hero, frame)
            assert found is not None
            assert found.logits.tobytes() == result.logits.tobytes()
        with pytest.raises(OutputError, match="full or read-only"):
            await session.add_click(hero, 9, Click(5, 5))

        (tmp_path / "full").mkdir()
        async for _ in one_by_one(session.tracks.track()):
            pass
        assert session.results.frames_of(hero) == tuple(range(1, 11))
        await store.leave_all()
        await scheduler.close()

    asyncio.run(run())


def test_a_parked_session_has_no_decoder_and_gets_one_when_it_is_needed(
    tmp_path: Path, no_collector: None
) -> None:
    movie = write_movie(tmp_path / "plate.mp4", [numbered_picture(each) for each in range(6)])

    async def run() -> None:
        clock, scheduler = FakeClock(), Scheduler()
        store = SessionStore(
            open_fake, FakeEngine(), scheduler, limits=StoreLimits(idle_s=60.0), clock_s=clock
        )
        worked, looked_at = [await store.open("ann", clip_of(lambda: open_clip(movie))) for _ in range(2)]
        await worked_on(worked)
        assert movie_parts()

        clock.now_s = 61.0
        await store.tidy()
        await asyncio.sleep(0.01)
        assert movie_parts() == []

        again = await store.get(worked.session_id, "ann")
        await again.add_click(1, 3, Click(7, 7))
        assert movie_parts()
        await store.leave_all()
        del worked, looked_at, again
        await scheduler.close()

    asyncio.run(run())


def test_a_closed_movie_keeps_no_picture(tmp_path: Path, no_collector: None) -> None:
    movie = write_movie(tmp_path / "plate.mp4", [numbered_picture(each) for each in range(6)])

    clip = open_clip(movie)
    assert isinstance(clip, MovieClip)
    clip.read(5)
    assert movie_parts()
    clip.close()

    assert movie_parts() == []


def movie_parts() -> list[str]:
    """Open files and decoded pictures that are in memory."""
    # By their types: some libraries' objects warn when they are asked for their class.
    return [
        type(each).__name__
        for each in gc.get_objects()
        if issubclass(type(each), (InputContainer, VideoFrame))
    ]


def test_what_an_errand_brought_is_not_kept_until_its_time_would_be_up(no_collector: None) -> None:
    class Picture:
        pass

    async def run() -> None:
        workers = WorkerThreads("test", at_once=1)
        picture = await workers.run(Picture, at_disk=True)
        left = weakref.ref(picture)
        del picture
        for _ in range(25):
            if left() is None:
                break
            await asyncio.sleep(0.02)

        assert left() is None
        workers.close()

    asyncio.run(run())
