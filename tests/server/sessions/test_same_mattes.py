"""The same prompts give the same mattes, whatever happened on the way to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fakes.clips import clip_of, open_fake
from fakes.engine import FakeClip
from fakes.histories import CLIP, Masks, histories, masks, take, through_json, track
from fakes.remembering import RememberingTracker
from masklet.errors import BadInputError, ClipError, LimitError, MaskletError
from masklet.events import EditKind
from masklet.types import Box, Click, FramePrompts, FrameRange
from masklet_server.sessions import editor
from masklet_server.sessions.approvals import owner_of
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore
from masklet_server.tracking import FrameSource, ResultReader


class Engine:
    def __init__(self) -> None:
        self.fail: Callable[[int], Exception | None] = lambda frame: None

    def __call__(self, source: FrameSource, results: ResultReader) -> RememberingTracker:
        return RememberingTracker(source, results, fail=lambda frame: self.fail(frame))


def on_sessions(work: Callable[[Callable[[], Coroutine[Any, Any, Session]], Engine], Any]) -> None:
    """Runs ``work`` with a way to open sessions and the engine behind them."""

    async def run() -> None:
        engine, scheduler = Engine(), Scheduler()
        store = SessionStore(open_fake, engine, scheduler)
        try:
            await work(lambda: store.open("ann", clip_of(lambda: FakeClip(CLIP))), engine)
        finally:
            await store.leave_all()
            await scheduler.close()

    asyncio.run(run())


async def replayed(session: Session, open_session: Callable[[], Coroutine[Any, Any, Session]]) -> Masks:
    """All masks of another session, which is given this one's document and tracked from end to end."""
    other = await open_session()
    await other.set_document(through_json(session.whole_document()))
    await track(other)
    return masks(other)


def assert_within(some: Masks, every: Masks) -> None:
    assert {key for key in some if every.get(key) != some[key]} == set()


@example(
    history=[
        ("lock", "hero", FrameRange(1, 1)),
        ("click", "hero", 2, 0, False),
        ("track", None),
        ("undo",),
        ("unlock", "hero", FrameRange(1, 1)),
    ]
)
@example(
    history=[
        ("click", "hero", 3, 10, True),
        ("track", None),
        ("click", "hero", 5, 0, False),
        ("track", None),
        ("undo",),
        ("lock", "hero", FrameRange(1, 4)),
        ("undo",),
        ("redo",),
    ]
)
@example(
    history=[
        ("click", "hero", 3, 10, True),
        ("track", None),
        ("click", "hero", 5, 0, False),
        ("track", None),
        ("undo",),
        ("lock", "hero", FrameRange(1, 4)),
    ]
)
@given(histories)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_after_any_history_masks_are_those_of_the_document_replayed(history: list[tuple[Any, ...]]) -> None:
    async def work(open_session: Callable[[], Coroutine[Any, Any, Session]], engine: Engine) -> None:
        session = await open_session()
        for step in history:
            try:
                await take(session, step)
            except (BadInputError, MaskletError):
                continue
        shown = masks(session, fresh_only=True)
        locked = {
            (session.object(lock.object_id).name, frame)
            for lock in session.locks()
            for frame in range(lock.frames.first, lock.frames.last + 1)
        }
        again = await replayed(session, open_session)

        prompted = {info.name for info in session.objects() if info.prompted_frames}
        # What nothing makes any more is not shown, unless it is locked.
        assert {name for name, frame in shown if (name, frame) not in locked} <= prompted
        assert_within(shown, again)
        await track(session)
        assert_within(again, masks(session))
        whole = masks(session)
        await session.park()
        await track(session)
        assert masks(session) == whole

    on_sessions(work)


@example(
    history=[
        ("lock", "hero", FrameRange(1, 1)),
        ("click", "hero", 2, 0, False),
        ("track", None),
        ("undo",),
        ("unlock", "hero", FrameRange(1, 1)),
    ],
    count=1,
)
@example(
    history=[("click", "hero", 1, 0, False), ("lock", "hero", FrameRange(1, 6)), ("track", None)], count=1
)
@given(histories, st.integers(1, 6))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_taking_edits_back_and_making_them_again_brings_the_same_masks(
    history: list[tuple[Any, ...]], count: int
) -> None:
    async def work(open_session: Callable[[], Coroutine[Any, Any, Session]], engine: Engine) -> None:
        session = await open_session()
        for step in history:
            try:
                await take(session, step)
            except (BadInputError, MaskletError):
                continue
        before, document = masks(session), session.whole_document()
        count_done = min(count, session.undo_left)

        for _ in range(count_done):
            await session.undo()
        for _ in range(count_done):
            await session.redo()

        assert masks(session) == before
        assert session.whole_document() == document

    on_sessions(work)


def test_a_document_with_one_broken_picture_changes_nothing() -> None:
    async def work(open_session: Callable[[], Coroutine[Any, Any, Session]], engine: Engine) -> None:
        session, other = await open_session(), await open_session()
        hero = await hero_tracked(session)
        await session.set_lock(hero, FrameRange(5, 6), locked=True)
        await hero_tracked(other, 2, 7)
        before, document, left = masks(session), session.whole_document(), session.undo_left
        engine.fail = lambda frame: ClipError("frame 7 is torn") if frame == 7 else None

        with pytest.raises(ClipError, match="torn"):
            await session.set_document(through_json(other.whole_document()))

        engine.fail = lambda frame: None
        assert masks(session) == before
        assert session.whole_document() == document
        assert session.undo_left == left
        assert {owner_of(each) for each in session.results.object_ids()} == {hero}
        await track(session)
        assert masks(session) == before

    on_sessions(work)


def test_loading_a_document_is_one_edit_that_undo_takes_back_with_all_masks() -> None:
    async def work(open_session: Callable[[], Coroutine[Any, Any, Session]], engine: Engine) -> None:
        session, other = await open_session(), await open_session()
        hero = await hero_tracked(session)
        await session.set_lock(hero, FrameRange(5, 6), locked=True)
        before, document = masks(session), session.whole_document()
        await hero_tracked(other, 2, 7)

        await session.set_document(through_json(other.whole_document()))
        await track(session)
        assert masks(session) == masks(other)
        undone = await session.undo()

        assert undone.kind is EditKind.DOCUMENT
        assert masks(session) == before
        assert session.whole_document() == document
        await session.redo()
        assert masks(session) == masks(other)

    on_sessions(work)


def test_locked_frames_come_back_with_their_masks_before_anything_is_tracked() -> None:
    async def work(open_session: Callable[[], Coroutine[Any, Any, Session]], engine: Engine) -> None:
        session, other = await open_session(), await open_session()
        hero = await hero_tracked(session)
        await session.set_lock(hero, FrameRange(2, 6), locked=True)
        await session.add_click(hero, 8, Click(20.0, 5.0))
        await track(session)
        approved = masks(session)

        await other.set_document(through_json(session.whole_document()))

        assert masks(other) == {key: mask for key, mask in approved.items() if key[1] in (2, 3, 4, 5, 6, 8)}
        await track(other)
        assert masks(other) == approved
        # Frames that a correction had overtaken under the lock are found when it is taken off.
        for each in (session, other):
            (info,) = each.objects()
            await each.set_lock(info.object_id, FrameRange(1, 14), locked=False)
        assert [state.frames for state in other.states() if state.stale] == [
            state.frames for state in session.states() if state.stale
        ]

    on_sessions(work)


def test_a_correction_is_replayed_with_what_it_corrected_and_clearing_it_drops_that() -> None:
    async def work(session: Session, engine: Engine) -> None:
        hero = await hero_tracked(session)
        corrected = await session.add_click(hero, 5, Click(20.0, 5.0))
        base = corrected.prompts.base
        assert base is not None
        await track(session)

        more = await session.add_click(hero, 5, Click(30.0, 5.0))
        boxed = await session.set_prompts(FramePrompts(hero, 5, box=Box(1.0, 1.0, 9.0, 9.0)))
        assert (more.prompts.base, boxed.prompts.base) == (base, base)

        cleared = await session.set_prompts(FramePrompts(hero, 5))
        assert cleared.prompts.base is None
        again = await session.set_prompts(FramePrompts(hero, 5, (Click(20.0, 5.0),)))
        assert again.prompts.base not in (None, base)

    in_session(work)


def test_a_lock_whose_masks_fit_no_document_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(session: Session, engine: Engine) -> None:
        hero = await hero_tracked(session)
        monkeypatch.setattr(editor, "MAX_LOCKED_BYTES", 200)
        await session.set_lock(hero, FrameRange(1, 1), locked=True)

        with pytest.raises(LimitError, match="lock fewer frames"):
            await session.set_lock(hero, FrameRange(1, 14), locked=True)

        assert [lock.frames for lock in session.locks()] == [FrameRange(1, 1)]

    in_session(work)


def test_masks_that_are_damaged_are_refused_and_nothing_changes() -> None:
    async def work(session: Session, engine: Engine) -> None:
        hero = await hero_tracked(session)
        await session.set_lock(hero, FrameRange(5, 6), locked=True)
        document, before = session.whole_document(), masks(session)
        broken = replace(document.masks[0], mask=replace(document.masks[0].mask, logits=b"torn"))

        with pytest.raises(BadInputError, match="damaged"):
            await session.set_document(replace(document, masks=(broken,)))

        assert masks(session) == before
        assert {owner_of(each) for each in session.results.object_ids()} == {hero}

    in_session(work)


def in_session(work: Callable[[Session, Engine], Coroutine[Any, Any, None]]) -> None:
    async def run(open_session: Callable[[], Coroutine[Any, Any, Session]], engine: Engine) -> None:
        await work(await open_session(), engine)

    on_sessions(run)


async def hero_tracked(session: Session, *clicks: int) -> int:
    hero = (await session.add_object("hero")).object_id
    for frame in clicks or (3,):
        await session.add_click(hero, frame, Click(10.0, 5.0))
    await track(session)
    return hero
