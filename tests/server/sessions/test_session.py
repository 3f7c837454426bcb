from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing, asynccontextmanager
from functools import cached_property
from typing import Any

import pytest

from fakes.clips import clip_of, open_fake
from fakes.engine import FakeClip, FakeClock, FakeEngine
from fakes.tracks import one_by_one
from masklet.errors import (
    BadInputError,
    BusyError,
    ClipError,
    LimitError,
    NotPromptedError,
    ObjectNotFoundError,
    SessionNotFoundError,
)
from masklet.events import EditKind, TrackFinished, TrackStarted
from masklet.types import (
    Click,
    ClipInfo,
    FramePrompts,
    FrameRange,
    ObjectInfo,
    Presence,
    PromptDocument,
)
from masklet_server.sessions.plan import Plan
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session
from masklet_server.sessions.session_limits import SessionLimits
from masklet_server.sessions.store import SessionStore, StoreLimits
from masklet_server.sessions.track import QUEUED_FRAMES
from masklet_server.tracking import ObjectFrame


@asynccontextmanager
async def stores(
    engine: FakeEngine, clock: FakeClock | None = None, limits: StoreLimits | None = None
) -> AsyncIterator[SessionStore]:
    scheduler = Scheduler()
    store = SessionStore(
        open_fake, engine, scheduler, limits=limits or StoreLimits(), clock_s=clock or FakeClock()
    )
    try:
        yield store
    finally:
        await store.leave_all()
        await scheduler.close()


def in_session(work: Callable[[Session, FakeEngine], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        engine = FakeEngine()
        async with stores(engine) as store:
            await work(await store.open("ann", clip_of(FakeClip)), engine)

    asyncio.run(run())


async def click(session: Session, object_id: int, frame: int, x_px: float = 10.0) -> ObjectFrame:
    result = (await session.add_click(object_id, frame, Click(x_px, 10.0))).result
    assert result is not None
    return result


async def tracked(session: Session, **arguments: Any) -> dict[tuple[int, int], float]:
    values = {}
    async for item in one_by_one(session.tracks.track(**arguments)):
        if isinstance(item, ObjectFrame):
            values[item.object_id, item.frame] = float(item.logits[0, 0])
    return values


def test_a_track_covers_the_clip_both_ways_and_every_frame_builds_on_its_neighbour() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        await click(session, hero, 4, 20.0)

        values = await tracked(session)

        assert values == {(hero, frame): 20.0 + abs(frame - 4) for frame in range(1, 11)}
        assert engine.calls[1][:2] == ("track", 5)

    in_session(work)


def test_between_two_prompts_each_frame_comes_from_the_nearer_one() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        await click(session, hero, 1, 0.0)
        await click(session, hero, 10, 50.0)

        values = await tracked(session)

        assert [values[hero, frame] for frame in range(1, 11)] == [0, 1, 2, 3, 4, 54, 53, 52, 51, 50]

    in_session(work)


def test_two_quick_clicks_are_both_kept() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id

        await asyncio.gather(click(session, hero, 1, 5.0), click(session, hero, 1, 6.0))

        (prompts,) = session.document().prompts
        assert [one.x_px for one in prompts.clicks] == [5.0, 6.0]
        assert engine.trackers[0].prompts[hero, 1] == prompts

    in_session(work)


def test_undo_brings_back_what_was_said_and_then_nothing() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        await click(session, hero, 1, 5.0)
        await click(session, hero, 1, 6.0)

        once = await session.undo()
        twice = await session.undo()

        assert once.prompted is not None
        assert once.prompted.result is not None
        assert float(once.prompted.result.logits[0, 0]) == 5.0
        assert twice.prompted is not None
        assert twice.prompted.prompts.is_empty
        assert twice.prompted.result is None
        assert session.results.find(hero, 1) is None
        assert engine.calls[-1] == ("forget", 1, hero)
        await session.undo()
        assert session.objects() == ()
        with pytest.raises(BadInputError, match="nothing to take back"):
            await session.undo()

    in_session(work)


def test_prompts_that_the_engine_could_not_take_are_not_kept() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        engine.fail = lambda call, frame: ClipError("frame 3 is torn") if frame == 3 else None
        hero = (await session.add_object("hero")).object_id

        with pytest.raises(ClipError, match="torn"):
            await click(session, hero, 3)

        assert session.document().prompts == ()
        assert session.undo_left == 1

    in_session(work)


def test_tracking_without_a_prompt_asks_for_a_click() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        for object_ids in ((), (hero,)):
            with pytest.raises(NotPromptedError, match="click"):
                await tracked(session, object_ids=object_ids)
        with pytest.raises(ObjectNotFoundError, match="99"):
            await tracked(session, object_ids=(99,))

    in_session(work)


def test_cancel_keeps_finished_frames_and_says_so() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        await click(session, hero, 1)
        engine.trackers[0].frame_s = 0.01
        items = []

        async for item in one_by_one(session.tracks.track()):
            items.append(item)
            if isinstance(item, ObjectFrame) and item.frame == 3:
                assert session.tracks.cancel()

        end = items[-1]
        assert isinstance(end, TrackFinished)
        assert end.cancelled
        assert 2 <= end.steps < 9
        assert len(session.results.frames_of(hero)) == end.steps + 1
        assert not session.tracks.cancel()

    in_session(work)


def test_a_reader_who_leaves_stops_the_track_within_a_frame() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        await click(session, hero, 1)
        engine.trackers[0].frame_s = 0.02

        async with aclosing(one_by_one(session.tracks.track())) as events:
            async for item in events:
                if isinstance(item, ObjectFrame) and item.frame == 2:
                    break
        calls = len(engine.calls)
        await asyncio.sleep(0.1)

        assert len(engine.calls) <= calls + 1
        assert not session.is_busy
        assert await tracked(session)

    in_session(work)


def test_a_second_track_is_refused_unless_it_retries_the_first() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        await click(session, hero, 1)
        engine.trackers[0].frame_s = 0.01
        first = one_by_one(session.tracks.track(request_id="a"))
        assert isinstance(await anext(first), TrackStarted)

        with pytest.raises(BusyError, match="tracking already"):
            await tracked(session, request_id="b")
        values = await tracked(session, request_id="a")
        rest = [item async for item in first]

        assert len(values) == 10
        assert isinstance(rest[-1], TrackFinished)
        assert rest[-1].cancelled

    in_session(work)


def test_objects_come_and_go_while_others_are_tracked() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        other = (await session.add_object("other")).object_id
        await click(session, hero, 1)
        await click(session, other, 1)
        engine.trackers[0].frame_s = 0.01
        seen: dict[int, list[int]] = {hero: [], other: []}

        async for item in one_by_one(session.tracks.track()):
            if isinstance(item, ObjectFrame):
                seen[item.object_id].append(item.frame)
                if item.object_id == other and item.frame == 3:
                    await session.remove_object(other)
                    third = (await session.add_object("third")).object_id
                    await click(session, third, 5)

        assert seen[hero] == list(range(1, 11))
        assert max(seen[other]) < 10
        assert [info.name for info in session.objects()] == ["hero", "third"]
        assert third not in (hero, other)

    in_session(work)


def test_a_click_on_a_frame_still_to_come_is_not_tracked_over() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        await click(session, hero, 1, 0.0)
        engine.trackers[0].frame_s = 0.01

        async for item in one_by_one(session.tracks.track()):
            if isinstance(item, ObjectFrame) and item.frame == 2:
                await click(session, hero, 9, 40.0)

        kept = session.results.find(hero, 9)
        assert kept is not None
        assert kept.prompted
        assert float(kept.logits[0, 0]) == 40.0

    in_session(work)


def test_a_document_rebuilds_a_session_elsewhere() -> None:
    async def run() -> None:
        engine = FakeEngine()
        async with stores(engine) as store:
            first = await store.open("ann", clip_of(FakeClip))
            gone = (await first.add_object("gone")).object_id
            hero = (await first.add_object("hero")).object_id
            await first.remove_object(gone)
            await click(first, hero, 3, 7.0)
            await click(first, hero, 8, 2.0)
            second = await store.open("ann", clip_of(FakeClip))
            old = (await second.add_object("old")).object_id
            await click(second, old, 1)

            objects = await second.set_document(first.document())

            assert [info.name for info in objects] == ["hero"]
            assert objects[0].object_id != old
            assert objects[0].prompted_frames == (3, 8)
            ours, theirs = await tracked(first), await tracked(second)
            assert sorted(ours.values()) == sorted(theirs.values())
            undone = await second.undo()
            assert undone.kind is EditKind.DOCUMENT
            assert [(info.object_id, info.prompted_frames) for info in second.objects()] == [(old, (1,))]
            assert second.results.frames_of(old) == (1,)

    asyncio.run(run())


def test_a_document_that_contradicts_itself_changes_nothing() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        await click(session, hero, 1)
        before = session.document()
        bad = PromptDocument((ObjectInfo(5, "x"),), (FramePrompts(6, 1, (Click(1, 1),)),))

        with pytest.raises(BadInputError, match="does not list"):
            await session.set_document(bad)

        assert session.document() == before

    in_session(work)


def test_states_are_runs_of_frames_with_prompts_apart() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        engine.presence = lambda frame: Presence.ABSENT if 6 <= frame <= 8 else Presence.PRESENT
        hero = (await session.add_object("hero")).object_id
        await click(session, hero, 3)
        await tracked(session, frames=FrameRange(2, 9))

        states = [
            (state.frames.first, state.frames.last, state.presence, state.prompted)
            for state in session.info().states
        ]

        present, absent = Presence.PRESENT, Presence.ABSENT
        assert states == [
            (2, 2, present, False),
            (3, 3, present, True),
            (4, 5, present, False),
            (6, 8, absent, False),
            (9, 9, present, False),
        ]

    in_session(work)


def test_a_range_away_from_the_prompt_is_reached_but_only_the_range_is_reported() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        await click(session, hero, 1, 0.0)

        values = await tracked(session, frames=FrameRange(5, 6))

        assert values == {(hero, 5): 4.0, (hero, 6): 5.0}
        assert session.results.frames_of(hero) == (1, 2, 3, 4, 5, 6)
        calls = len(engine.calls)
        assert await tracked(session, frames=FrameRange(7, 7)) == {(hero, 7): 6.0}
        assert len(engine.calls) == calls + 1

    in_session(work)


def test_missing_frames_are_left_out_and_reported() -> None:
    async def run() -> None:
        engine = FakeEngine()
        async with stores(engine) as store:
            clip = FakeClip(ClipInfo("gap", 64, 48, -2, 5, missing_frames=(1, 2)))
            session = await store.open("ann", clip_of(lambda: clip))
            hero = (await session.add_object("hero")).object_id
            await click(session, hero, -1)
            started = await anext(one_by_one(session.tracks.track()))

            assert isinstance(started, TrackStarted)
            assert started.missing_frames == (1, 2)
            assert (started.steps, started.updates) == (5, 6)

    asyncio.run(run())


def test_idle_sessions_park_and_come_back_unnoticed() -> None:
    async def run() -> None:
        engine, clock = FakeEngine(), FakeClock()
        async with stores(engine, clock, StoreLimits(idle_s=60.0)) as store:
            session = await store.open("ann", clip_of(FakeClip))
            hero = (await session.add_object("hero")).object_id
            await click(session, hero, 1, 0.0)
            clock.now_s = 59.0
            await store.tidy()
            assert ("park",) not in engine.calls
            clock.now_s = 61.0
            await store.tidy()
            clock.now_s = 90.0
            await store.tidy()
            assert engine.calls.count(("park",)) == 1
            assert session.memory_bytes == 0

            again = await store.get(session.session_id, "ann")

            assert (await tracked(again))[hero, 10] == 9.0

    asyncio.run(run())


def test_the_session_used_longest_ago_gives_memory_back_first() -> None:
    async def run() -> None:
        engine, clock = FakeEngine(), FakeClock()
        async with stores(engine, clock, StoreLimits(memory_bytes=2000)) as store:
            sessions = [await store.open("ann", clip_of(FakeClip)) for _ in range(3)]
            for at_s, number in ((1.0, 2), (2.0, 0), (3.0, 1)):
                clock.now_s = at_s
                session = await store.get(sessions[number].session_id, "ann")
                await click(session, (await session.add_object("hero")).object_id, 1)

            await store.tidy()

            # Their features are enough here.
            assert [session.memory_bytes for session in sessions] == [400, 1000, 400]

    asyncio.run(run())


def test_forgotten_sessions_are_closed_and_their_clips_with_them() -> None:
    async def run() -> None:
        clock, clip, gone = FakeClock(), FakeClip(), []

        async def note() -> None:
            gone.append(True)

        async with stores(FakeEngine(), clock, StoreLimits(forgotten_s=100.0)) as store:
            session = await store.open("ann", clip_of(lambda: clip), on_close=note)
            clock.now_s = 100.0
            await store.tidy()

            with pytest.raises(SessionNotFoundError, match="Open the clip again"):
                await store.get(session.session_id, "ann")
            assert clip.closed
            assert gone

    asyncio.run(run())


def test_a_session_is_invisible_to_other_users() -> None:
    async def run() -> None:
        async with stores(FakeEngine()) as store:
            session = await store.open("ann", clip_of(FakeClip))

            with pytest.raises(SessionNotFoundError):
                await store.get(session.session_id, "bob")
            await store.close(session.session_id, "bob")

            assert await store.get(session.session_id, "ann") is session

    asyncio.run(run())


def test_limits_of_sessions_and_objects_name_themselves() -> None:
    async def run() -> None:
        limits = StoreLimits(max_sessions=1, session=SessionLimits(max_objects=2))
        async with stores(FakeEngine(), limits=limits) as store:
            session = await store.open("ann", clip_of(FakeClip))
            with pytest.raises(LimitError, match="1 sessions"):
                await store.open("ann", clip_of(FakeClip))
            await session.add_object("a")
            await session.add_object("")
            with pytest.raises(LimitError, match="2 objects"):
                await session.add_object("c")

    asyncio.run(run())


def test_the_engine_is_called_from_one_thread_which_is_not_the_loops() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = (await session.add_object("hero")).object_id
        await click(session, hero, 1)
        await tracked(session)

        assert len(engine.trackers[0].threads) == 1
        assert threading.get_ident() not in engine.trackers[0].threads

    in_session(work)


def test_a_reader_who_stalls_keeps_nobody_from_the_device() -> None:
    async def run() -> None:
        engine = FakeEngine()
        async with stores(engine) as store:
            clip = ClipInfo("long", 64, 48, 1, 200)
            stalled, other = [
                await store.open(user, clip_of(lambda: FakeClip(clip))) for user in ("ann", "bob")
            ]
            for session in (stalled, other):
                await click(session, (await session.add_object("hero")).object_id, 1)
            reading = one_by_one(stalled.tracks.track())
            await anext(reading)
            # The click, and frames that are queued or in hand between the device and the queue.
            ahead = 1 + (QUEUED_FRAMES - 1) + 3
            async with asyncio.timeout(60):
                while len(engine.trackers[0].calls) < ahead:
                    await asyncio.sleep(0.02)

            values = await tracked(other)

            assert len(values) == 200
            assert len(engine.trackers[0].calls) == ahead
            await reading.aclose()

    asyncio.run(run())


def test_a_long_plan_is_made_and_counted_beside_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    where: dict[str, set[str]] = {"steps": set(), "updates": set()}
    for name, threads in where.items():
        count = getattr(Plan, name).func

        def noted(plan: Plan, count: Any = count, threads: set[str] = threads) -> Any:
            threads.add(threading.current_thread().name)
            return count(plan)

        counted = cached_property(noted)
        counted.__set_name__(Plan, name)
        monkeypatch.setattr(Plan, name, counted)

    async def work(session: Session, engine: FakeEngine) -> None:
        await click(session, (await session.add_object("hero")).object_id, 4)
        assert len(await tracked(session)) == 10

    in_session(work)

    assert where == {"steps": {"device"}, "updates": {"device"}}


def test_a_session_closed_in_mid_track_ends_it_and_frees_the_tracker() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        engine.frame_s = 0.01
        hero = (await session.add_object("hero")).object_id
        await click(session, hero, 1)
        async for item in one_by_one(session.tracks.track()):
            if isinstance(item, ObjectFrame) and item.frame == 3:
                await session.close()

        assert isinstance(item, TrackFinished)
        assert len(engine.trackers) == 1
        assert engine.calls[-1] == ("park",)
        with pytest.raises(SessionNotFoundError):
            await click(session, hero, 2)

    in_session(work)


def test_an_object_that_comes_back_costs_the_network_nothing() -> None:
    async def run() -> None:
        engine = FakeEngine()
        async with stores(engine) as store:
            session = await store.open("ann", clip_of(FakeClip))
            hero = (await session.add_object("hero")).object_id
            for frame in range(1, 11):
                await click(session, hero, frame)
            kept = [session.results.find(hero, frame) for frame in range(1, 11)]
            await session.remove_object(hero)
            before = len(engine.calls)

            await session.undo()

            assert {call[0] for call in engine.calls[before:]} == {"restore"}
            for frame, mask in enumerate(kept, 1):
                found = session.results.find(hero, frame)
                assert found is not None
                assert mask is not None
                assert (found.logits == mask.logits).all()

    asyncio.run(run())
