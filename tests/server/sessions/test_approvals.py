"""What was approved is what is delivered: locked frames come out to the bit as before they were locked."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from hypothesis import HealthCheck, example, given, settings

from fakes.engine import FakeClip
from masklet.errors import BadInputError, MaskletError
from masklet.types import Click, FrameRange, NearMask
from masklet_server.service.coverage import plate_coverage
from masklet_server.sessions.approvals import owner_of
from masklet_server.sessions.session import Session
from server.sessions.test_same_mattes import CLIP, Engine, histories, on_sessions, take, through_json, track

Delivered = dict[tuple[str, int], bytes]


def delivered(session: Session, *, locked_only: bool = True) -> Delivered:
    """By object's name and frame, the coverage that exports and shapes get."""
    coverage = plate_coverage(session, FakeClip(CLIP))
    locks = [(lock.object_id, lock.frames) for lock in session.locks()]
    found: Delivered = {}
    for info in session.objects():
        for frame in session.results.frames_of(info.object_id):
            locked = any(owner == info.object_id and frame in frames for owner, frames in locks)
            result = session.results.find(info.object_id, frame)
            if result is not None and (locked or not locked_only):
                found[info.name, frame] = coverage(result).tobytes()
    return found


Work = Callable[[Callable[[], Coroutine[Any, Any, Session]], Engine], Coroutine[Any, Any, None]]


async def hero_tracked(session: Session) -> int:
    hero = (await session.add_object("hero")).object_id
    await session.add_click(hero, 3, Click(10.0, 5.0))
    await track(session)
    return hero


def test_locking_changes_nothing_and_what_happens_around_changes_nothing_either() -> None:
    async def work(open_session: Callable[[], Coroutine[Any, Any, Session]], engine: Engine) -> None:
        session = await open_session()
        hero = await hero_tracked(session)
        before = delivered(session, locked_only=False)
        # Every frame of the stand-in is calmed by others, or the test would say nothing.
        await session.set_lock(hero, FrameRange(5, 6), locked=True)
        approved = delivered(session)
        assert approved == {key: before[key] for key in (("hero", 5), ("hero", 6))}

        await session.add_click(hero, 7, Click(30.0, 5.0))
        await track(session)
        around = delivered(session, locked_only=False)
        assert around["hero", 7] != before["hero", 7]
        assert delivered(session) == approved

        # A part is unlocked and made anew: what stays locked is as it was.
        await session.set_lock(hero, FrameRange(6, 6), locked=False)
        await session.add_click(hero, 6, Click(1.0, 1.0))
        await track(session)
        assert delivered(session) == {("hero", 5): approved["hero", 5]}

        again = await open_session()
        await again.set_document(through_json(session.whole_document()))
        assert delivered(again) == delivered(session)
        await track(again)
        assert delivered(again) == {("hero", 5): approved["hero", 5]}

        for _ in range(3):
            await session.undo()
        await session.park()
        assert delivered(session)["hero", 5] == approved["hero", 5]

    on_sessions(work)


def test_what_calms_a_locked_frame_is_what_was_approved_and_not_what_stands_there_now() -> None:
    """The guard of the test above: without it, the frame would come out otherwise."""

    async def work(open_session: Callable[[], Coroutine[Any, Any, Session]], engine: Engine) -> None:
        session = await open_session()
        hero = await hero_tracked(session)
        await session.set_lock(hero, FrameRange(5, 5), locked=True)
        approved = delivered(session)
        await session.add_click(hero, 6, Click(30.0, 5.0))
        await session.set_lock(hero, FrameRange(5, 5), locked=False)
        assert delivered(session, locked_only=False)["hero", 5] != approved["hero", 5]
        await session.undo()
        assert delivered(session) == approved

        # Locked anew it is approved anew.
        await session.set_lock(hero, FrameRange(5, 5), locked=False)
        as_it_is = delivered(session, locked_only=False)["hero", 5]
        await session.set_lock(hero, FrameRange(5, 5), locked=True)
        assert delivered(session)["hero", 5] == as_it_is

    on_sessions(work)


def test_a_document_holds_once_what_calms_several_frames() -> None:
    async def work(open_session: Callable[[], Coroutine[Any, Any, Session]], engine: Engine) -> None:
        session = await open_session()
        hero = await hero_tracked(session)
        await session.set_lock(hero, FrameRange(4, 6), locked=True)
        await session.add_click(hero, 7, Click(30.0, 5.0))

        masks = session.whole_document().masks
        again = through_json(session.whole_document()).masks

        assert [mask.frame for mask in masks] == [4, 5, 6]
        assert masks[1].around is not None
        assert [near.frame for near in masks[1].around] == [3, 4, 6, 7]
        assert masks[1].around[1] == NearMask(4, masks[0].mask)
        assert [mask.around for mask in again] == [mask.around for mask in masks]
        assert {owner_of(each) for each in session.results.object_ids()} == {hero}

    on_sessions(work)


@example(history=[("click", "hero", 3, 10, True), ("lock", "hero", FrameRange(4, 8)), ("track", None)])
@given(histories)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_locked_frame_is_delivered_as_approved_after_any_history(history: list[tuple[Any, ...]]) -> None:
    async def work(open_session: Callable[[], Coroutine[Any, Any, Session]], engine: Engine) -> None:
        session = await open_session()
        approved: Delivered = {}
        for step in history:
            before = delivered(session, locked_only=False) if step[0] == "lock" else {}
            try:
                await take(session, step)
            except (BadInputError, MaskletError):
                continue
            now = delivered(session)
            taken_back = step[0] in ("undo", "redo")
            for key, coverage in now.items():
                if key in approved and not taken_back:
                    assert coverage == approved[key]
                elif key in before:
                    assert coverage == before[key]
            approved = now
        again = await open_session()
        await again.set_document(through_json(session.whole_document()))
        assert delivered(again) == approved

    on_sessions(work)
