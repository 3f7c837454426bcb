from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from masklet.events import Waiting
from masklet_server.sessions.admission import Admission, TrackNeeds
from masklet_server.sessions.ledger import Ledger
from masklet_server.tracking import Holdings, Relief


@dataclass(eq=False)
class Holder:
    holdings: Holdings
    is_engaged: bool = False

    def relieve(self, relief: Relief) -> None:
        raise AssertionError("nobody asks for this here")


def needing(ledger: Ledger, size_bytes: int, *, farm: bool = False, left: int = 10) -> TrackNeeds:
    holder = Holder(Holdings(memories_bytes=size_bytes))
    ledger.enter(holder, lambda: False)
    ledger.note(holder)
    return TrackNeeds(holder, 1, farm, lambda: left)


async def told(places: AsyncGenerator[Waiting, None]) -> Waiting | None:
    return await anext(places, None)


def test_tracks_work_at_once_while_memory_holds_them_and_then_wait_in_line() -> None:
    async def run() -> None:
        ledger = Ledger(1000)
        admission = Admission(ledger, step_s=lambda: 0.5)
        one, two, three, four = (needing(ledger, 400, left=left) for left in (10, 30, 10, 10))

        assert await told(admission.let_in(one)) is None
        assert await told(admission.let_in(two)) is None
        third, fourth = admission.let_in(three), admission.let_in(four)
        # Two share the device: the shorter one has ended after 10 steps each, the other after 20 more alone.
        assert await told(third) == Waiting(1, 10.0)
        assert await told(fourth) == Waiting(2, 20.0)

        admission.leave(one)
        assert await told(third) is None
        assert (await told(fourth)).place == 1
        admission.leave(two)
        assert await told(fourth) is None

    asyncio.run(run())


def test_one_alone_is_let_in_whatever_it_needs() -> None:
    async def run() -> None:
        ledger = Ledger(1000)
        admission = Admission(ledger)

        assert await told(admission.let_in(needing(ledger, 5000))) is None

    asyncio.run(run())


def test_farm_work_stands_behind_artists() -> None:
    async def run() -> None:
        ledger = Ledger(1000)
        admission = Admission(ledger)
        await told(admission.let_in(needing(ledger, 900)))
        farm = admission.let_in(needing(ledger, 900, farm=True))
        assert await told(farm) == Waiting(1)

        artist = admission.let_in(needing(ledger, 900))
        assert await told(artist) == Waiting(1)
        assert await told(farm) == Waiting(2)

    asyncio.run(run())


def test_who_leaves_the_line_is_waited_for_no_more() -> None:
    async def run() -> None:
        ledger = Ledger(1000)
        admission = Admission(ledger)
        first = needing(ledger, 900)
        await told(admission.let_in(first))
        leaving, staying = (admission.let_in(needing(ledger, 900)) for _ in range(2))
        assert await told(leaving) == Waiting(1)
        assert await told(staying) == Waiting(2)

        await leaving.aclose()
        admission.leave(first)

        assert await told(staying) is None
        assert admission.waiting == 0

    asyncio.run(run())
