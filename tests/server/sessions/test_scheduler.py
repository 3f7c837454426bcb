from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from masklet.errors import RestartingError
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.turns import TurnClass


class Gate:
    """A call that runs until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.go = threading.Event()

    def __call__(self) -> str:
        self.entered.set()
        assert self.go.wait(5.0)
        return "done"


async def entered(gate: Gate) -> None:
    await asyncio.get_running_loop().run_in_executor(None, gate.entered.wait, 5.0)


def noting(log: list[str], word: str) -> Callable[[], None]:
    return lambda: log.append(word)


def test_prompts_overtake_tracking_but_not_the_frame_in_hand() -> None:
    async def run() -> None:
        scheduler, gate, log = Scheduler(), Gate(), list[str]()
        first = asyncio.create_task(scheduler.run(gate, user="ann"))
        await entered(gate)
        others = [
            asyncio.create_task(scheduler.run(noting(log, "track"), user="bob")),
            asyncio.create_task(
                scheduler.run(noting(log, "prompt"), user="cat", turn_class=TurnClass.PROMPT)
            ),
        ]
        await asyncio.sleep(0)
        assert scheduler.waiting == 2
        assert log == []
        gate.go.set()

        assert await first == "done"
        await asyncio.gather(*others)
        assert log == ["prompt", "track"]
        await scheduler.close()

    asyncio.run(run())


def test_a_caller_who_leaves_while_waiting_never_runs() -> None:
    async def run() -> None:
        scheduler, gate, log = Scheduler(), Gate(), list[str]()
        first = asyncio.create_task(scheduler.run(gate, user="ann"))
        await entered(gate)
        waiting = asyncio.create_task(scheduler.run(noting(log, "never"), user="ann"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert scheduler.waiting == 0
        gate.go.set()
        await first
        await scheduler.run(noting(log, "next"), user="ann")

        assert log == ["next"]
        await scheduler.close()

    asyncio.run(run())


def test_a_caller_who_leaves_while_running_does_not_stop_the_others() -> None:
    async def run() -> None:
        scheduler, gate = Scheduler(), Gate()
        first = asyncio.create_task(scheduler.run(gate, user="ann"))
        await entered(gate)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        second = asyncio.create_task(scheduler.run(lambda: 2, user="ann"))
        gate.go.set()

        assert await second == 2
        await scheduler.close()

    asyncio.run(run())


def test_errors_reach_the_caller_and_nobody_else() -> None:
    async def run() -> None:
        scheduler = Scheduler()

        def fail() -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await scheduler.run(fail, user="ann")
        assert await scheduler.run(lambda: 1, user="ann") == 1
        await scheduler.close()

    asyncio.run(run())


def test_a_closed_scheduler_takes_no_turns() -> None:
    async def run() -> None:
        scheduler = Scheduler()
        await scheduler.close()
        with pytest.raises(RestartingError, match="being restarted"):
            await scheduler.run(lambda: 1, user="ann")

    asyncio.run(run())
