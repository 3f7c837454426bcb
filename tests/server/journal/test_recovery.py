"""A session comes back from its journal as it was: words, way back, masks."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.clips import clip_of
from fakes.engine import FakeClip, FakeClock
from fakes.histories import CLIP, histories, masks, take, track
from fakes.journals import store_in
from fakes.tracks import one_by_one
from masklet.errors import ClipError, MaskletError, SessionNotFoundError
from masklet.events import TrackStarted
from masklet.types import Click, ClipInfo, FrameRange
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import StoreLimits

REFERENCE = clip_of(lambda: FakeClip(CLIP))


def seen(session: Session) -> tuple[object, ...]:
    """All that an artist can tell of a session."""
    return (
        session.whole_document(),
        session.objects(),
        session.states(),
        session.untracked(),
        session.locks(),
        dict(session.mattes()),
        session.undo_left,
        session.redo_left,
        masks(session),
    )


async def walked(session: Session) -> list[object]:
    """What there is after each step back, and after each step on again."""
    found = []
    for step, left in (("undo", session.undo_left), ("redo", session.redo_left + session.undo_left)):
        for _ in range(left):
            await getattr(session, step)()
            found.append(seen(session))
    return found


def in_folder(work: Callable[[Path], Coroutine[Any, Any, None]]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(work(Path(folder)))


@given(histories, st.integers(1, 12))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_session_comes_back_with_its_words_its_way_back_and_its_masks(
    history: list[tuple[Any, ...]], killed_after: int
) -> None:
    async def work(folder: Path) -> None:
        async with store_in(folder / "first") as store, store_in(folder / "plain") as other:
            session = await store.open("ann", REFERENCE)
            untouched = await other.open("ann", REFERENCE)
            for place, step in enumerate(history):
                if place == killed_after:
                    # What lies on the disk now, as kill -9 leaves it.
                    shutil.copytree(folder / "first", folder / "second", dirs_exist_ok=True)
                    break
                for each in (session, untouched):
                    try:
                        await take(each, step)
                    except MaskletError:
                        continue
            else:
                shutil.copytree(folder / "first", folder / "second")
            expected = seen(session)
            async with store_in(folder / "second") as again:
                back = await again.get(session.session_id, "ann")
                assert seen(back) == expected
                for step in history[killed_after:]:
                    for each in (back, untouched):
                        try:
                            await take(each, step)
                        except MaskletError:
                            continue
                assert seen(back) == seen(untouched)
                await track(back)
                await track(untouched)
                assert seen(back) == seen(untouched)
                assert await walked(back) == await walked(untouched)

    in_folder(work)


def test_a_clip_of_another_size_is_not_taken_for_the_sessions() -> None:
    async def work(folder: Path) -> None:
        sizes = [64]
        changing = clip_of(lambda: FakeClip(ClipInfo("plate", sizes[0], 48, 1, 14)))
        async with store_in(folder) as store:
            session = await store.open("ann", changing)
            await session.add_object("hero")
        sizes[0] = 65
        async with store_in(folder) as store:
            with pytest.raises(ClipError, match=r"64 x 48 .* 65 x 48"):
                await store.get(session.session_id, "ann")
            sizes[0] = 64
            assert (await store.get(session.session_id, "ann")).objects()

    in_folder(work)


def test_more_sessions_than_fit_take_turns_in_memory_and_lose_nothing(tmp_path: Path) -> None:
    async def work() -> None:
        clock = FakeClock()
        limits = StoreLimits(max_sessions=2, idle_s=100.0, forgotten_s=5000.0)
        async with store_in(tmp_path, limits=limits, clock_s=clock) as store:
            sessions = {}
            for number in range(5):
                clock.now_s += 10.0
                session = await store.open("ann", REFERENCE)
                hero = (await session.add_object("hero")).object_id
                await session.add_click(hero, 3 + number, Click(5.0, 5.0))
                await track(session)
                sessions[session.session_id] = seen(session)
            assert len(store) == 2
            listed = await store.of("ann")
            assert {each.session_id for each in listed} == set(sessions)
            assert {each.objects for each in listed} == {1}
            for session_id, expected in sessions.items():
                clock.now_s += 10.0
                assert seen(await store.get(session_id, "ann")) == expected
                with pytest.raises(SessionNotFoundError):
                    await store.get(session_id, "bob")
            # Idle ones leave memory, and come back.
            clock.now_s += 400.0
            await store.tidy()
            assert len(store) == 0
            first = next(iter(sessions))
            assert seen(await store.get(first, "ann")) == sessions[first]
            await store.close(next(reversed(sessions)), "ann")
            assert len(await store.of("ann")) == 4

    asyncio.run(work())


def test_masks_of_other_weights_stay_and_nothing_is_built_on_them(tmp_path: Path) -> None:
    async def work() -> None:
        async with store_in(tmp_path, model_sha256="old") as store:
            session = await store.open("ann", REFERENCE)
            hero = (await session.add_object("hero")).object_id
            await session.add_click(hero, 3, Click(5.0, 5.0))
            await track(session)
            before = seen(session)
        async with store_in(tmp_path, model_sha256="new") as store:
            back = await store.get(session.session_id, "ann")
            assert seen(back) == before
            # A track of the last frame alone makes all on its way again.
            async for event in one_by_one(back.tracks.track(frames=FrameRange(14, 14))):
                if isinstance(event, TrackStarted):
                    assert event.steps == 10

    asyncio.run(work())
