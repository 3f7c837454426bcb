"""How an object's memory is used is part of what is said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from fakes.clips import clip_of, open_fake
from fakes.engine import FakeClip
from fakes.histories import CLIP, masks, through_json, track
from fakes.remembering import RememberingTracker
from masklet.types import Click, FrameState, MemoryPolicy, ObjectPolicy
from masklet_server.engine.policies.policy import POLICIES
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore

OpenSession = Callable[[], Awaitable[Session]]


def on_sessions(work: Callable[[OpenSession], Awaitable[None]]) -> None:
    async def run() -> None:
        scheduler = Scheduler()
        store = SessionStore(open_fake, RememberingTracker, scheduler)
        try:
            await work(lambda: store.open("ann", clip_of(lambda: FakeClip(CLIP))))
        finally:
            await store.leave_all()
            await scheduler.close()

    asyncio.run(run())


async def tracked(session: Session) -> int:
    hero = (await session.add_object("hero")).object_id
    await session.add_click(hero, 3, Click(10.0, 5.0))
    await track(session)
    return hero


def stale(session: Session) -> set[int]:
    return {
        frame
        for state in session.states()
        if FrameState.STALE in state.states
        for frame in range(state.frames.first, state.frames.last + 1)
    }


def test_every_policy_that_can_be_said_is_one_that_the_engine_has() -> None:
    assert {policy.value for policy in MemoryPolicy} == set(POLICIES)


def test_another_policy_makes_what_was_tracked_stale_and_is_tracked_anew() -> None:
    async def work(open_session: OpenSession) -> None:
        session = await open_session()
        hero = await tracked(session)
        before = masks(session)

        await session.set_policy(hero, MemoryPolicy.GUARDED)

        assert stale(session) == {frame for _, frame in before} - {3}
        assert session.info().policies == (ObjectPolicy(hero, MemoryPolicy.GUARDED),)
        await track(session, stale_only=True)
        assert not stale(session)
        after = masks(session)
        assert after["hero", 3] == before["hero", 3]
        assert all(after[key] != before[key] for key in before if key[1] != 3)

    on_sessions(work)


def test_undo_takes_a_policy_back_with_the_masks_that_still_stand() -> None:
    async def work(open_session: OpenSession) -> None:
        session = await open_session()
        hero = await tracked(session)
        before = masks(session)
        await session.set_policy(hero, MemoryPolicy.MOTION)

        await session.undo()

        assert not stale(session)
        assert masks(session) == before
        assert session.info().policies == ()
        await session.redo()
        assert stale(session)

    on_sessions(work)


def test_the_same_policy_again_is_no_edit() -> None:
    async def work(open_session: OpenSession) -> None:
        session = await open_session()
        hero = await tracked(session)
        count = session.undo_left

        await session.set_policy(hero, MemoryPolicy.EDITOR)

        assert session.undo_left == count
        assert not stale(session)

    on_sessions(work)


def test_a_document_brings_policies_along() -> None:
    async def work(open_session: OpenSession) -> None:
        session, other = await open_session(), await open_session()
        hero = await tracked(session)
        await session.set_policy(hero, MemoryPolicy.DISTRACTOR)
        await track(session)

        await other.set_document(through_json(session.whole_document()))
        await track(other)

        assert masks(other) == masks(session)

    on_sessions(work)
