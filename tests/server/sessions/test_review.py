"""Locks, stale stretches, the way back and forth, and where to look next, in a whole session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from fakes.clips import clip_of, open_fake
from fakes.engine import FAKE_INFO, FakeClip, FakeEngine
from fakes.tracks import one_by_one
from masklet.bad_frames import next_place, untracked
from masklet.errors import BadInputError, ClipError
from masklet.events import EditKind, TrackFinished
from masklet.matte_settings import MatteSettings
from masklet.types import (
    Click,
    CutPolicy,
    FramePrompts,
    FrameRange,
    FrameState,
    Presence,
    StateRange,
)
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore
from masklet_server.tracking import ObjectFrame


@dataclass
class CutClip(FakeClip):
    """Two shots: dark stripes before ``cut``, bright ones across from there on."""

    cut: int = 5

    def read(self, frame: int) -> NDArray[np.uint8]:
        super().read(frame)
        picture = np.zeros((48, 64, 3), np.uint8)
        if frame < self.cut:
            picture[:, ::8] = (40, 60, 200)
        else:
            picture[:] = (220, 120, 30)
            picture[::6] = 255
        return picture


def in_session(
    work: Callable[[Session, FakeEngine], Coroutine[Any, Any, None]],
    *,
    clip: Callable[[], FakeClip] = FakeClip,
    engine: FakeEngine | None = None,
) -> None:
    made = engine or FakeEngine()

    async def run() -> None:
        scheduler = Scheduler()
        store = SessionStore(open_fake, made, scheduler)
        try:
            await work(await store.open("ann", clip_of(clip)), made)
        finally:
            await store.leave_all()
            await scheduler.close()

    asyncio.run(run())


async def prompted(session: Session, *clicks: tuple[int, float]) -> int:
    """An object with clicks on frames, at an x that shows in its masks."""
    object_id = (await session.add_object("")).object_id
    for frame, x_px in clicks:
        await session.add_click(object_id, frame, Click(x_px, 10.0))
    return object_id


async def tracked(session: Session, **arguments: Any) -> tuple[dict[int, float], TrackFinished]:
    """Values of one object's masks that came, by frame, and the end."""
    values = {}
    last: Any = None
    async for last in one_by_one(session.tracks.track(**arguments)):
        if isinstance(last, ObjectFrame):
            values[last.frame] = float(last.logits[0, 0])
    assert isinstance(last, TrackFinished)
    return values, last


def stale(session: Session) -> list[int]:
    ranges = (state.frames for state in session.states() if state.stale)
    return [frame for frames in ranges for frame in range(frames.first, frames.last + 1)]


def values(session: Session, object_id: int) -> dict[int, float]:
    found = {frame: session.results.find(object_id, frame) for frame in session.results.frames_of(object_id)}
    return {frame: float(result.logits[0, 0]) for frame, result in found.items() if result is not None}


def test_a_correction_makes_the_stretch_to_its_neighbours_stale_and_only_that_is_tracked_again() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (1, 0.0), (9, 50.0))
        await tracked(session)
        await session.add_click(hero, 4, Click(20.0, 10.0))
        assert stale(session) == [2, 3, 5, 6, 7, 8]
        del engine.calls[:], engine.trackers[0].calls[:]

        came, _ = await tracked(session, stale_only=True)

        assert came == {2: 1.0, 3: 21.0, 5: 21.0, 6: 22.0, 7: 52.0, 8: 51.0}
        assert stale(session) == []
        assert [call[1] for call in engine.calls] == [2, 5, 6, 8, 7, 3]

    in_session(work)


def test_only_the_corrected_object_becomes_stale() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (1, 0.0))
        other = await prompted(session, (1, 30.0))
        await tracked(session)

        await session.add_click(hero, 5, Click(20.0, 10.0))

        assert {state.object_id for state in session.states() if state.stale} == {hero}
        assert not any(state.stale for state in session.states((other,)))

    in_session(work)


def test_a_locked_range_is_not_tracked_again_and_what_lies_behind_goes_on_from_it() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (1, 0.0))
        await tracked(session)
        before = values(session, hero)
        await session.set_lock(hero, FrameRange(5, 6), locked=True)
        await tracked(session)
        # Locking alone changes nothing.
        assert values(session, hero) == before
        await session.add_click(hero, 3, Click(40.0, 10.0))

        assert stale(session) == [2, 4, 7, 8, 9, 10]
        await tracked(session)

        after = values(session, hero)
        assert [after[frame] for frame in (5, 6)] == [4.0, 5.0]
        assert [after[frame] for frame in (4, 7, 8)] == [41.0, 6.0, 7.0]
        assert [state.frames for state in session.states() if state.locked] == [FrameRange(5, 6)]

    in_session(work)


def test_unlocking_shows_what_was_overtaken_meanwhile_and_what_was_built_on_it() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (1, 0.0))
        await tracked(session)
        await session.set_lock(hero, FrameRange(5, 6), locked=True)
        await session.set_lock(hero, FrameRange(5, 5), locked=False)
        assert stale(session) == []
        await session.add_click(hero, 3, Click(40.0, 10.0))
        await tracked(session)
        assert stale(session) == []

        await session.set_lock(hero, FrameRange(6, 6), locked=False)
        assert stale(session) == [6, 7, 8, 9, 10]
        await session.undo()
        assert stale(session) == []
        await session.redo()
        assert stale(session) == [6, 7, 8, 9, 10]
        await tracked(session, stale_only=True)

        assert stale(session) == []
        assert [values(session, hero)[frame] for frame in (5, 6, 7)] == [42.0, 43.0, 44.0]

    in_session(work)


def test_without_its_only_prompt_an_object_shows_no_masks_until_they_come_back() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (3, 7.0))
        await tracked(session)
        before = values(session, hero)
        await session.set_lock(hero, FrameRange(5, 6), locked=True)

        await session.set_prompts(FramePrompts(hero, 3))
        assert values(session, hero) == {5: before[5], 6: before[6]}
        await session.undo()
        assert values(session, hero) == before
        assert stale(session) == []
        for _ in range(2):
            await session.undo()
        assert values(session, hero) == {}
        await session.redo()
        assert values(session, hero) == before

    in_session(work)


def test_saying_the_same_again_and_clearing_an_empty_frame_change_nothing() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (3, 7.0))
        await tracked(session)
        before, left = values(session, hero), session.undo_left

        await session.set_prompts(FramePrompts(hero, 3, (Click(7.0, 10.0),)))
        await session.set_prompts(FramePrompts(hero, 5))

        assert values(session, hero) == before
        assert session.undo_left == left
        assert stale(session) == []

    in_session(work)


def test_a_lock_without_masks_lets_them_come_once() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (1, 0.0))
        await session.set_lock(hero, FrameRange(5, 6), locked=True)
        first, _ = await tracked(session)
        await session.add_click(hero, 1, Click(40.0, 10.0))
        second, _ = await tracked(session)

        assert first[5] == 4.0
        assert 5 not in second
        assert values(session, hero)[5] == 4.0
        assert [values(session, hero)[frame] for frame in (3, 4, 7)] == [42.0, 43.0, 6.0]

    in_session(work)


def test_a_lock_that_comes_during_a_track_holds_at_once() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (1, 0.0))
        await tracked(session)
        await session.add_click(hero, 1, Click(40.0, 10.0))
        engine.trackers[0].frame_s = 0.01
        async for item in one_by_one(session.tracks.track()):
            if isinstance(item, ObjectFrame) and item.frame == 2:
                await session.set_lock(hero, FrameRange(9, 10), locked=True)

        assert values(session, hero)[10] == 9.0

    in_session(work)


def test_undo_brings_back_the_tracked_mask_and_what_was_not_stale_before() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (1, 0.0))
        await tracked(session)
        before = values(session, hero)
        await session.add_click(hero, 5, Click(40.0, 10.0))
        await session.add_click(hero, 5, Click(1.0, 10.0))

        await session.undo()
        assert stale(session) == [2, 3, 4, 6, 7, 8, 9, 10]
        await session.undo()

        assert values(session, hero) == before
        assert stale(session) == []

    in_session(work)


def test_undo_after_tracking_again_makes_the_stretch_stale_and_redo_makes_it_right() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (1, 0.0))
        await tracked(session)
        await session.add_click(hero, 5, Click(40.0, 10.0))
        await tracked(session, stale_only=True)
        after = values(session, hero)

        undone = await session.undo()
        assert stale(session) == [2, 3, 4, 6, 7, 8, 9, 10]
        redone = await session.redo()

        assert (undone.kind, redone.kind) == (EditKind.PROMPTS, EditKind.PROMPTS)
        assert values(session, hero) == after
        assert stale(session) == []
        assert session.redo_left == 0

    in_session(work)


def test_a_mask_that_was_taken_away_is_a_hole_that_tracking_fills() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (1, 0.0), (5, 40.0))
        await tracked(session)

        await session.set_prompts(FramePrompts(hero, 5))
        await tracked(session, stale_only=True)

        assert values(session, hero) == {frame: frame - 1.0 for frame in range(1, 11)}

    in_session(work)


def test_an_object_that_comes_back_brings_its_masks_prompts_locks_and_matte() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (2, 7.0), (8, 9.0))
        await tracked(session)
        await session.set_lock(hero, FrameRange(3, 4), locked=True)
        await session.set_matte(hero, MatteSettings(feather_px=3.0))
        document, before = session.document(), values(session, hero)

        await session.remove_object(hero)
        assert session.objects() == ()
        undone = await session.undo()

        assert (undone.kind, undone.object_id) == (EditKind.REMOVE_OBJECT, hero)
        assert session.document() == document
        assert values(session, hero) == before
        assert sorted(engine.trackers[0].prompts) == [(hero, 2), (hero, 8)]

    in_session(work)


def test_an_object_that_cannot_come_back_stays_away_and_can_be_tried_again() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (2, 7.0), (8, 9.0))
        await session.remove_object(hero)
        engine.fail = lambda call, frame: ClipError("frame 8 is torn") if frame == 8 else None

        with pytest.raises(ClipError, match="torn"):
            await session.undo()
        assert session.objects() == ()
        assert engine.trackers[0].prompts == {}
        engine.fail = lambda call, frame: None
        await session.undo()

        assert [info.prompted_frames for info in session.objects()] == [(2, 8)]

    in_session(work)


def test_an_object_comes_back_a_frame_a_turn_where_the_network_has_to_be_asked() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        frames = range(1, 9)
        hero = await prompted(session, *((frame, 7.0) for frame in frames))
        # What stands there is locked, so that what the prompts make is nowhere.
        await session.set_lock(hero, FrameRange(1, 8), locked=True)
        await session.remove_object(hero)
        calls: list[list[object]] = [[]]
        ask = session.turn

        async def turn(call: Any, **how: Any) -> Any:
            before = len(engine.calls)
            value = await ask(call, **how)
            calls.append([each for each in engine.calls[before:] if each[0] in ("prompt", "draft")])
            return value

        session.turn = turn  # type: ignore[method-assign]

        await session.undo()

        assert [info.prompted_frames for info in session.objects()] == [tuple(frames)]
        assert max(map(len, calls)) == 1
        assert [each[1] for turn_calls in calls for each in turn_calls] == list(frames)  # type: ignore[index]
        assert set(engine.trackers[0].prompts) == {(hero, frame) for frame in frames}

    in_session(work)


def test_masks_of_a_removed_object_go_once_nothing_can_bring_it_back() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        first = await prompted(session, (2, 7.0))
        await session.undo()
        await session.undo()
        assert session.results.frames_of(first) == ()

        second = await prompted(session, (2, 7.0))
        await session.remove_object(second)
        assert session.results.frames_of(second) == (2,)
        for frame in range(300):
            await session.set_matte((await add_or_first(session)), MatteSettings(grow_px=1.0 + frame % 2))
        await session.add_click(await add_or_first(session), 1, Click(1.0, 1.0))

        assert session.results.frames_of(second) == ()

    async def add_or_first(session: Session) -> int:
        objects = session.objects()
        return objects[0].object_id if objects else (await session.add_object("x")).object_id

    in_session(work)


def test_a_document_brings_locks_over_prompted_frames_and_mattes() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (2, 7.0))
        await session.set_lock(hero, FrameRange(1, 4), locked=True)
        await session.set_matte(hero, MatteSettings(invert=True))
        document = session.document()

        (info,) = await session.set_document(document)

        assert [lock.frames for lock in session.document().locks] == [FrameRange(1, 4)]
        assert session.matte(info.object_id) == MatteSettings(invert=True)
        assert session.undo_left == 5

    in_session(work)


def test_tracking_stops_at_a_cut_and_says_where() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (2, 7.0))

        came, finished = await tracked(session)

        assert sorted(came) == [1, 2, 3, 4]
        assert finished.cuts == (5,)
        assert not finished.cancelled
        assert session.info().cuts == (5,)
        assert values(session, hero).keys() == {1, 2, 3, 4}

    in_session(work, clip=CutClip)


def test_frames_behind_a_cut_come_from_the_prompt_on_their_side() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        await prompted(session, (2, 10.0), (10, 50.0))

        came, _ = await tracked(session)
        again, _ = await tracked(session)

        assert came == {1: 11, 2: 10, 3: 11, 4: 12, 5: 55, 6: 54, 7: 53, 8: 52, 9: 51, 10: 50}
        assert again == came

    in_session(work, clip=CutClip)


def test_carrying_on_over_a_cut_forgets_what_was_tracked_before_it() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        await prompted(session, (2, 7.0))

        came, finished = await tracked(session, at_cuts=CutPolicy.REFIND)

        assert sorted(came) == list(range(1, 11))
        assert finished.cuts == (5,)
        since = [(call[1], call[-1]) for call in engine.calls if call[0] == "track" and len(call) == 5]
        assert since == [(frame, 5) for frame in range(5, 11)]

    in_session(work, clip=CutClip)


def test_cuts_are_not_looked_for_when_not_asked_for() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        await prompted(session, (2, 7.0))

        came, finished = await tracked(session, at_cuts=CutPolicy.IGNORE)

        assert len(came) == 10
        assert finished.cuts == ()

    in_session(work, clip=CutClip)


def states(*ranges: tuple[int, int, Presence, bool, bool]) -> list[StateRange]:
    return [
        StateRange(1, FrameRange(first, last), presence, prompted=False, locked=locked, stale=old)
        for first, last, presence, locked, old in ranges
    ]


def test_the_next_bad_frame_is_uncertain_or_stale_and_not_locked() -> None:
    shown = states(
        (1, 3, Presence.PRESENT, False, False),
        (4, 6, Presence.UNCERTAIN, True, False),
        (7, 8, Presence.PRESENT, False, True),
        (9, 12, Presence.UNCERTAIN, False, False),
    )

    frames = []
    after = 0
    while (place := next_place(shown, after=after)) is not None:
        frames.append(place.frame)
        after = place.state.frames.last

    assert frames == [7, 9]
    # A run that somebody is in is behind already.
    assert next_place(shown, after=10) is None
    backward = next_place(shown, after=9, backward=True)
    assert backward is not None
    assert backward.frame == 8
    locked = next_place(shown, after=0, states={FrameState.LOCKED})
    assert locked is not None
    assert locked.frame == 4
    assert next_place(shown, after=12) is None


def test_the_next_frame_passes_over_corrected_ones_and_finds_those_without_a_mask() -> None:
    corrected = StateRange(1, FrameRange(3, 3), Presence.UNCERTAIN, prompted=True)
    uncertain = StateRange(1, FrameRange(6, 6), Presence.UNCERTAIN, prompted=False)
    clip = replace(FAKE_INFO, missing_frames=(9,))
    holes = untracked(1, clip, (1, 2, 3, 6, 7, 8))

    assert [hole.frames for hole in holes] == [FrameRange(4, 5), FrameRange(10, 10)]
    shown = (corrected, uncertain, *holes)
    frames = []
    after = 0
    while (place := next_place(shown, after=after)) is not None:
        frames.append((place.frame, place.state.states))
        after = place.frame

    assert [frame for frame, _ in frames] == [4, 6, 10]
    assert frames[0][1] == {FrameState.UNTRACKED}
    asked = next_place(shown, after=0, states={FrameState.CORRECTED})
    assert asked is not None
    assert asked.frame == 3


def test_only_of_tracked_objects_a_mask_is_missing() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (2, 7.0))
        assert session.untracked() == ()
        await tracked(session, frames=FrameRange(1, 4))

        assert [hole.frames for hole in session.untracked()] == [FrameRange(5, 10)]
        assert session.untracked((hero,)) == session.untracked()

    in_session(work)


def test_a_prompt_on_a_locked_frame_is_refused_and_nothing_happens() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        hero = await prompted(session, (2, 7.0))
        await session.set_lock(hero, FrameRange(2, 2), locked=True)
        calls = len(engine.calls)

        with pytest.raises(BadInputError, match="unlock it first"):
            await session.add_click(hero, 2, Click(1.0, 1.0))

        assert len(engine.calls) == calls

    in_session(work)
