"""A device whose memory is full: one more try with more room, then one request fails, and sessions stay."""

from __future__ import annotations

import asyncio

import pytest

from fakes.engine import FakeClip, FakeEngine
from fakes.tracks import one_by_one
from masklet.errors import DeviceError
from masklet.types import Click
from masklet_server.sessions.ledger import Ledger
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.session import Session
from masklet_server.tracking import DeviceMemoryError, Relief


def sessions_of(engine: FakeEngine, scheduler: Scheduler, count: int) -> list[Session]:
    ledger = Ledger(10**9)
    return [
        Session(f"s{number}", "ann", FakeClip, FakeClip(), engine, scheduler, ledger=ledger)
        for number in range(count)
    ]


async def clicked(session: Session, frame: int) -> int:
    hero = (await session.add_object("")).object_id
    await session.add_click(hero, frame, Click(5.0, 5.0))
    return hero


def test_a_click_is_tried_again_once_others_have_given_way() -> None:
    async def run() -> None:
        engine, scheduler = FakeEngine(), Scheduler()
        one, other = sessions_of(engine, scheduler, 2)
        await clicked(other, 1)
        hero = (await one.add_object("")).object_id
        fails = [DeviceMemoryError()]
        engine.fail = lambda call, frame: fails.pop() if fails else None

        await one.add_click(hero, 1, Click(5.0, 5.0))

        assert one.results.has(hero, 1)
        assert ("relieve", Relief.ALL) in engine.trackers[0].calls
        assert other.memory_bytes == 0
        await scheduler.close()

    asyncio.run(run())


def test_what_is_too_much_fails_alone_and_nothing_else_changes() -> None:
    async def run() -> None:
        engine, scheduler = FakeEngine(), Scheduler()
        one, other = sessions_of(engine, scheduler, 2)
        hero, second = await clicked(one, 1), await clicked(other, 1)
        engine.fail = lambda call, frame: DeviceMemoryError() if frame == 5 else None

        with pytest.raises(DeviceError, match="try fewer objects"):
            await one.add_click(hero, 5, Click(5.0, 5.0))

        assert one.prompts_on(hero, 5) is None
        assert not one.results.has(hero, 5)
        assert one.undo_left == 2
        await one.add_click(hero, 2, Click(5.0, 5.0))
        await other.add_click(second, 2, Click(5.0, 5.0))
        await scheduler.close()

    asyncio.run(run())


def test_a_track_that_runs_out_of_memory_once_goes_on_without_a_gap() -> None:
    async def run() -> None:
        engine, scheduler = FakeEngine(), Scheduler()
        (session,) = sessions_of(engine, scheduler, 1)
        hero = await clicked(session, 1)
        fails = [DeviceMemoryError()]
        engine.fail = lambda call, frame: fails.pop() if fails and frame == 4 else None

        async for _ in one_by_one(session.tracks.track()):
            pass

        assert session.results.frames_of(hero) == tuple(range(1, 11))
        values = [float(session.results.find(hero, frame).logits[0, 0]) for frame in range(1, 11)]
        assert values == [5.0 + step for step in range(10)]
        await scheduler.close()

    asyncio.run(run())
