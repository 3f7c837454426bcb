"""What a session held is given back at once, without waiting for the cyclic collector."""

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

from fakes.engine import FakeClock, FakeEngine
from generated_media import numbered_picture, write_movie
from masklet.types import Click, FramePrompts
from masklet_server.media.movie import MovieClip
from masklet_server.media.source import open_clip
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore, StoreLimits


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


async def worked_on(session: Session) -> None:
    hero = (await session.add_object("hero")).object_id
    await session.set_prompts(FramePrompts(hero, 1, (Click(5, 5),)))
    async for _ in session.track():
        pass


def test_a_closed_session_is_gone_without_the_collector(tmp_path: Path, no_collector: None) -> None:
    movie = write_movie(tmp_path / "plate.mp4", [numbered_picture(each) for each in range(6)])

    async def run() -> None:
        engine, scheduler = FakeEngine(), Scheduler()
        store = SessionStore(engine, scheduler, clock_s=FakeClock())
        session = await store.open("ann", lambda: open_clip(movie))
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


def test_a_parked_session_has_no_decoder_and_gets_one_when_it_is_needed(
    tmp_path: Path, no_collector: None
) -> None:
    movie = write_movie(tmp_path / "plate.mp4", [numbered_picture(each) for each in range(6)])

    async def run() -> None:
        clock, scheduler = FakeClock(), Scheduler()
        store = SessionStore(FakeEngine(), scheduler, limits=StoreLimits(idle_s=60.0), clock_s=clock)
        worked, looked_at = [await store.open("ann", lambda: open_clip(movie)) for _ in range(2)]
        await worked_on(worked)
        assert movie_parts()

        clock.now_s = 61.0
        await store.tidy()
        await asyncio.sleep(0.01)
        assert movie_parts() == []

        again = store.get(worked.session_id, "ann")
        await again.add_click(1, 3, Click(7, 7))
        assert movie_parts()
        await store.close_all()
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
    return [
        type(each).__name__ for each in gc.get_objects() if isinstance(each, (InputContainer, VideoFrame))
    ]
