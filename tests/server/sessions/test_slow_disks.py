from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from masklet.errors import ClipError
from masklet_server.aside import waiting_for_disk
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.turns import TurnClass


class Disk:
    """Answers when the test lets it, or at once."""

    def __init__(self) -> None:
        self.answers = threading.Event()
        self.asked = threading.Event()

    def read(self) -> str:
        with waiting_for_disk():
            self.asked.set()
            assert self.answers.wait(20.0)
        return "picture"


async def asked(disk: Disk) -> None:
    while not disk.asked.is_set():
        await asyncio.sleep(0.005)


@asynccontextmanager
async def scheduling(*, read_s: float = 30.0) -> AsyncIterator[Scheduler]:
    scheduler = Scheduler(read_s=read_s)
    try:
        yield scheduler
    finally:
        await scheduler.close()


def noting(log: list[str], word: str) -> Callable[[], None]:
    return lambda: log.append(word)


def test_nobody_but_its_own_session_waits_for_a_disk() -> None:
    async def run() -> None:
        disk, log = Disk(), list[str]()
        async with scheduling() as scheduler:
            reading = asyncio.create_task(scheduler.run(disk.read, user="ann", owner="slow"))
            await asked(disk)
            same = asyncio.create_task(
                scheduler.run(
                    noting(log, "same session"), user="ann", owner="slow", turn_class=TurnClass.PROMPT
                )
            )
            await scheduler.run(noting(log, "track"), user="bob", owner="other")
            await scheduler.run(noting(log, "prompt"), user="ann", owner="third", turn_class=TurnClass.PROMPT)
            assert log == ["track", "prompt"]
            disk.answers.set()

            assert await reading == "picture"
            await same
            assert log == ["track", "prompt", "same session"]

    asyncio.run(run())


def test_a_disk_that_does_not_answer_costs_its_session_a_sentence_and_not_itself() -> None:
    async def run() -> None:
        disk, log = Disk(), list[str]()
        async with scheduling(read_s=0.1) as scheduler:
            reading = asyncio.create_task(scheduler.run(disk.read, user="ann", owner="hung"))
            await asked(disk)
            waiting = asyncio.create_task(scheduler.run(noting(log, "no"), user="ann", owner="hung"))
            for refused in (reading, waiting):
                with pytest.raises(ClipError, match="disk has not answered for 0 seconds"):
                    await refused
            started_s = time.perf_counter()
            with pytest.raises(ClipError, match="disk has not answered"):
                await scheduler.run(noting(log, "no"), user="ann", owner="hung")
            assert time.perf_counter() - started_s < 0.1
            disk.answers.set()
            while True:
                try:
                    await scheduler.run(noting(log, "again"), user="ann", owner="hung")
                    break
                except ClipError:
                    await asyncio.sleep(0.01)

            assert log == ["again"]

    asyncio.run(run())


def test_what_was_given_up_changes_nothing_when_its_disk_answers_late() -> None:
    async def run() -> None:
        disk, log = Disk(), list[str]()

        def work() -> None:
            disk.read()
            log.append("changed")

        async with scheduling(read_s=0.05) as scheduler:
            with pytest.raises(ClipError):
                await scheduler.run(work, user="ann", owner="hung")
            disk.answers.set()
            await asyncio.sleep(0.1)
            await scheduler.run(noting(log, "other"), user="ann", owner="hung")

            assert log == ["other"]

    asyncio.run(run())


def test_a_scheduler_closes_although_a_disk_hangs() -> None:
    async def run() -> None:
        disk, scheduler = Disk(), Scheduler()
        reading = asyncio.create_task(scheduler.run(disk.read, user="ann", owner="hung"))
        await asked(disk)
        await asyncio.sleep(0.05)
        started_s = time.perf_counter()
        await scheduler.close()
        await asyncio.gather(reading, return_exceptions=True)

        assert time.perf_counter() - started_s < 1.0
        disk.answers.set()

    asyncio.run(run())


def test_calls_of_many_threads_are_still_made_one_at_a_time() -> None:
    async def run() -> None:
        inside, most = 0, 0
        lock = threading.Lock()

        def enter(by: int) -> None:
            nonlocal inside, most
            with lock:
                inside += by
                most = max(most, inside)

        def work() -> None:
            for _ in range(3):
                enter(1)
                time.sleep(0.002)
                enter(-1)
                with waiting_for_disk():
                    time.sleep(0.1)
            enter(1)
            time.sleep(0.002)
            enter(-1)

        async with scheduling() as scheduler:
            started_s = time.perf_counter()
            await asyncio.gather(
                *(
                    scheduler.run(
                        work,
                        user=f"user{number % 3}",
                        owner=number,
                        turn_class=TurnClass.PROMPT if number % 2 == 0 else TurnClass.SHOT,
                    )
                    for number in range(12)
                )
            )

        assert most == 1
        # Twelve that read one after the other would take 3.6 seconds.
        assert time.perf_counter() - started_s < 2.5

    asyncio.run(run())


def test_a_session_whose_picture_has_come_does_not_wait_for_the_device_a_second_time() -> None:
    async def run() -> None:
        disk, go, log = Disk(), threading.Event(), list[str]()

        def slow() -> None:
            disk.read()
            log.append("slow")

        async with scheduling() as scheduler:
            reading = asyncio.create_task(scheduler.run(slow, user="ann", owner="slow"))
            await asked(disk)
            # Has the device as soon as it is seen that the disk takes its time.
            others = [asyncio.create_task(scheduler.run(lambda: go.wait(20.0), user="ann", owner="busy"))]
            others += [
                asyncio.create_task(scheduler.run(noting(log, name), user="ann", owner=name))
                for name in ("one", "two")
            ]
            async with asyncio.timeout(20.0):
                while not scheduler.at_disks or scheduler.waiting != 2:
                    await asyncio.sleep(0.005)
                disk.answers.set()
                while scheduler.waiting != 3:
                    await asyncio.sleep(0.005)
            go.set()
            await asyncio.gather(reading, *others)

            assert log == ["slow", "one", "two"]

    asyncio.run(run())
