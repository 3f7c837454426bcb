"""A frame whose file cannot be read is like a missing one: named, left out, everything else is tracked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fakes.clips import clip_of, open_fake
from fakes.engine import FakeClock, FakeEngine
from fakes.tracks import Item, one_by_one
from generated_media import scene, write_picture
from masklet.errors import FrameMissingError
from masklet.events import TrackFinished, TrackStarted
from masklet.types import Click, FramePrompts, UnreadableFrame
from masklet_server.media.source import open_clip
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore, StoreLimits
from masklet_server.tracking import ObjectFrame

FRAMES = (1001, 1002, 1003, 1004, 1005, 1006, 1007)


def _plate(folder: Path, *broken: int) -> Path:
    for frame in FRAMES:
        path = write_picture(folder / f"plate.{frame}.exr", scene(), "half")
        if frame in broken:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return folder / "plate.%04d.exr"


def _on(plate: Path, work: Callable[[Session, FakeEngine], object]) -> None:
    async def run() -> None:
        engine, scheduler = FakeEngine(), Scheduler()
        store = SessionStore(open_fake, engine, scheduler, limits=StoreLimits(), clock_s=FakeClock())
        try:
            await work(await store.open("ann", clip_of(lambda: open_clip(plate))), engine)  # type: ignore[misc]
        finally:
            await store.leave_all()
            await scheduler.close()

    asyncio.run(run())


async def _tracked(session: Session, **asked: object) -> list[Item]:
    return [item async for item in one_by_one(session.tracks.track(**asked))]  # type: ignore[arg-type]


def test_a_broken_frame_is_left_out_and_told_and_all_others_are_tracked(tmp_path: Path) -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        assert session.clip.missing_frames == ()
        hero = (await session.add_object("hero")).object_id
        other = (await session.add_object("other")).object_id
        await session.set_prompts(FramePrompts(hero, 1003, (Click(5, 5),)))
        await session.set_prompts(FramePrompts(other, 1006, (Click(5, 5),)))

        events = await _tracked(session)

        started, finished = events[0], events[-1]
        assert isinstance(started, TrackStarted)
        assert isinstance(finished, TrackFinished)
        assert [each.frame for each in finished.unreadable] == [1004]
        assert "plate.1004.exr is damaged or cut off" in finished.unreadable[0].reason
        assert session.clip.missing_frames == (1004,)
        for object_id in (hero, other):
            seen = {event.frame for event in events if isinstance(event, ObjectFrame)}
            assert session.results.frames_of(object_id) == (1001, 1002, 1003, 1005, 1006, 1007)
            assert seen == set(FRAMES) - {1004}
        again = await _tracked(session)
        assert isinstance(again[0], TrackStarted)
        assert again[0].missing_frames == (1004,)

    _on(_plate(tmp_path, 1004), work)


def test_a_click_on_a_broken_frame_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        for _ in range(2):
            with pytest.raises(FrameMissingError, match=r"plate.1004.exr is damaged or cut off"):
                await session.set_prompts(FramePrompts(hero, 1004, (Click(5, 5),)))
        assert session.document().prompts == ()

    _on(_plate(tmp_path, 1004), work)


def test_what_an_export_could_not_read_is_known_to_the_session(tmp_path: Path) -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        torn = UnreadableFrame(1005, "plate.1005.exr is torn")
        session.note_unreadable([torn, torn])

        assert session.clip.unreadable == (torn,)
        assert session.clip.missing_frames == (1005,)

    _on(_plate(tmp_path), work)


def test_a_file_that_breaks_after_tracking_keeps_its_mask_with_the_networks_edges(tmp_path: Path) -> None:
    from masklet_server.mattes.alpha import render_alpha
    from masklet_server.mattes.refined_alpha import Calming, RefinedAlpha

    plate = _plate(tmp_path)

    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        await session.set_prompts(FramePrompts(hero, 1003, (Click(5, 5),)))
        await _tracked(session)
        _plate(tmp_path, 1004)
        with open_clip(plate) as source:
            alpha = RefinedAlpha(source, calming=Calming(session.results, lambda _: 1.0))
            for frame in (1003, 1004, 1005):
                result = session.results.find(hero, frame)
                assert result is not None
                made = alpha(result)
                assert made.shape == (64, 96)
                if frame == 1004:
                    assert np.array_equal(made, render_alpha(result.logits, 96, 64))
            assert [each.frame for each in source.info.unreadable] == [1004]

    _on(plate, work)


def test_a_frame_that_was_rendered_again_is_clicked_and_tracked_without_opening_anew(tmp_path: Path) -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        await session.set_prompts(FramePrompts(hero, 1003, (Click(5, 5),)))
        await _tracked(session)
        assert [each.frame for each in session.clip.unreadable] == [1001, 1005]
        with pytest.raises(FrameMissingError, match="1005"):
            await session.set_prompts(FramePrompts(hero, 1005, (Click(5, 5),)))

        # Half of it is no picture either; then it is whole.
        _plate(tmp_path, 1001)
        await session.set_prompts(FramePrompts(hero, 1005, (Click(5, 5),)))
        assert [each.frame for each in session.clip.unreadable] == []
        await _tracked(session)

        assert [each.frame for each in session.clip.unreadable] == [1001]
        assert session.results.frames_of(hero) == tuple(frame for frame in FRAMES if frame != 1001)

    _on(_plate(tmp_path, 1001, 1005), work)
