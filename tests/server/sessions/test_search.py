from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from typing import Any

import pytest

from fakes.clips import clip_of, open_fake
from fakes.engine import FakeClip, FakeClock, FakeEngine
from masklet.errors import BadInputError, FrameMissingError, NotPromptedError, ObjectNotFoundError
from masklet.found import FindRequest
from masklet.types import Click
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.search import CLICKS_A_TURN, FindStep
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore


def in_session(work: Callable[[Session, FakeEngine], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        engine, scheduler = FakeEngine(), Scheduler()
        store = SessionStore(open_fake, engine, scheduler, clock_s=FakeClock())
        try:
            await work(await store.open("ann", clip_of(FakeClip)), engine)
        finally:
            await store.leave_all()
            await scheduler.close()

    asyncio.run(run())


async def steps(session: Session, request: FindRequest) -> list[FindStep]:
    return [step async for step in session.search.find(request, None)]


def test_everything_is_looked_at_in_short_turns_and_progress_never_goes_back() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        told = await steps(session, FindRequest(3, per_side=16))
        sights = [call for call in engine.trackers[0].calls if call[0] == "sight"]
        assert sum(int(str(call[2])) for call in sights) == 256
        assert max(int(str(call[2])) for call in sights) == CLICKS_A_TURN
        assert [step.done for step in told] == sorted(step.done for step in told)
        assert told[-1].done == told[-1].total
        # The fake has squares of a quarter of the side on the left half: eight.
        found = [step.found for step in told if step.found is not None]
        assert len(found) == 8
        assert all(each.prompts.object_id == 0 and each.prompts.frame == 3 for each in found)

    in_session(work)


def test_a_search_that_is_left_asks_the_device_for_nothing_more() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        async with aclosing(session.search.find(FindRequest(3, per_side=32), None)) as search:
            async for step in search:
                if step.done >= 2 * CLICKS_A_TURN:
                    break
        made = len(engine.trackers[0].calls)
        assert made < 5
        await asyncio.sleep(0.05)
        assert len(engine.trackers[0].calls) == made

    in_session(work)


def test_what_clicks_do_not_give_is_said_as_a_drawn_mask() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        # The fake's previews are all or nothing, and never a square.
        told = await steps(session, FindRequest(3, per_side=4, limit=2))
        found = [step.found for step in told if step.found is not None]
        assert [each.prompts.mask is not None for each in found] == [True, True]
        mask = found[0].prompts.mask
        assert mask is not None
        assert (mask.width_px, mask.height_px) == (64, 48)
        object_id = (await session.add_object("thing")).object_id
        del object_id

    in_session(work)


def test_only_what_looks_like_an_object_is_looked_for_where_it_may_be() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        info = await session.add_object("hero")
        with pytest.raises(NotPromptedError):
            await steps(session, FindRequest(3, object_id=info.object_id))
        await session.add_click(info.object_id, 5, Click(9.0, 9.0))
        told = await steps(session, FindRequest(3, object_id=info.object_id))
        sights = [call for call in engine.trackers[0].calls if call[0] == "sight"]
        assert sights == [("sight", 3, 1)]
        (found,) = [step.found for step in told if step.found is not None]
        assert found.likeness == 0.9

    in_session(work)


def test_a_frame_or_an_object_that_is_not_there_is_said() -> None:
    async def work(session: Session, engine: FakeEngine) -> None:
        with pytest.raises(FrameMissingError):
            await steps(session, FindRequest(99))
        with pytest.raises(ObjectNotFoundError):
            await steps(session, FindRequest(3, object_id=7))
        info = await session.add_object("hero")
        await session.add_click(info.object_id, 5, Click(9.0, 9.0))
        with pytest.raises(BadInputError, match="prompts on frame"):
            await session.search.find_again(info.object_id, 5, 3)

    in_session(work)


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": 999}, {"per_side": 65}, {"layers": 3}, {"least_share": 1.0}]
)
def test_numbers_out_of_bounds_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\d"):
        FindRequest(1, **wrong)
