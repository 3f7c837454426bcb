"""How an object's memory is used is part of what is said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import numpy as np

from fakes.clips import clip_of, open_fake
from fakes.engine import FakeClip
from fakes.histories import CLIP, masks, through_json, track
from fakes.remembering import RememberingTracker
from fakes.tracks import one_by_one
from masklet.events import TrackFinished, TrackStarted
from masklet.types import Click, FrameRange, FrameState, MemoryPolicy, ObjectPolicy
from masklet_server.engine.policies.policy import POLICIES
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore
from masklet_server.tracking import ObjectFrame

OpenSession = Callable[[], Awaitable[Session]]


def on_sessions(
    work: Callable[[OpenSession], Awaitable[None]],
    tracker: type[RememberingTracker] = RememberingTracker,
) -> None:
    async def run() -> None:
        scheduler = Scheduler()
        store = SessionStore(open_fake, tracker, scheduler)
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


class SecondThoughts(RememberingTracker):
    """Says something else of the frame but one before, each time, as several paths may."""

    def track(
        self, frame: int, object_ids: Sequence[int], *, backward: bool, since: int | None = None
    ) -> Sequence[ObjectFrame]:
        found = list(super().track(frame, object_ids, backward=backward, since=since))
        earlier = [self._again(result.object_id, frame + (2 if backward else -2)) for result in found]
        return [*(result for result in earlier if result is not None), *found]

    def _again(self, object_id: int, frame: int) -> ObjectFrame | None:
        known = self.results.find(object_id, frame)
        return None if known is None else replace(known, logits=np.full_like(known.logits, 9))


def changed(session: Session, hero: int) -> list[int]:
    found = ((frame, session.results.find(hero, frame)) for frame in session.results.frames_of(hero))
    return [frame for frame, result in found if result is not None and bool((result.logits == 9).all())]


def test_what_a_track_says_anew_of_earlier_frames_takes_its_place_and_is_told_once_more() -> None:
    async def work(open_session: OpenSession) -> None:
        session = await open_session()
        hero = (await session.add_object("hero")).object_id
        await session.add_click(hero, 1, Click(10.0, 5.0))

        items = [item async for item in one_by_one(session.tracks.track(frames=FrameRange(1, 8)))]

        assert changed(session, hero) == [2, 3, 4, 5, 6]
        told = [item.frame for item in items if isinstance(item, ObjectFrame)]
        assert sorted(told) == [1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 8]
        started, finished = items[0], items[-1]
        assert isinstance(started, TrackStarted)
        assert isinstance(finished, TrackFinished)
        # Progress counts each frame once.
        assert started.updates == finished.updates == 8

    on_sessions(work, SecondThoughts)


def test_what_was_said_or_locked_stays_whatever_a_track_says_of_it_anew() -> None:
    async def work(open_session: OpenSession) -> None:
        session = await open_session()
        hero = (await session.add_object("hero")).object_id
        await session.add_click(hero, 1, Click(10.0, 5.0))
        await track(session, frames=FrameRange(1, 5))
        locked = session.results.find(hero, 4)
        await session.set_lock(hero, FrameRange(4, 4), locked=True)

        await track(session, frames=FrameRange(1, 8))

        assert changed(session, hero) == [3, 5, 6]
        now = session.results.find(hero, 4)
        assert now is not None
        assert locked is not None
        assert np.array_equal(now.logits, locked.logits)

    on_sessions(work, SecondThoughts)


def test_policies_with_a_past_of_their_own_are_tracked_from_the_prompt_each_time() -> None:
    async def work(open_session: OpenSession) -> None:
        session = await open_session()
        hero = (await session.add_object("hero")).object_id
        await session.add_click(hero, 1, Click(10.0, 5.0))
        for policy, steps in ((MemoryPolicy.GATED, 3), (MemoryPolicy.PATHS, 7), (MemoryPolicy.RIVALS, 7)):
            await session.set_policy(hero, policy)
            await track(session, frames=FrameRange(2, 5))

            items = [item async for item in one_by_one(session.tracks.track(frames=FrameRange(6, 8)))]

            finished = items[-1]
            assert isinstance(finished, TrackFinished)
            assert finished.steps == steps

    on_sessions(work)
