from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextvars import ContextVar

import pytest

from masklet.errors import RestartingError
from masklet_server.sessions.device_call import EndedCall
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


def test_whoever_watches_hears_how_long_a_call_waited_and_had_the_device() -> None:
    asked_by: ContextVar[str] = ContextVar("asked_by", default="nobody")

    async def run() -> None:
        heard: list[EndedCall] = []
        scheduler, gate = Scheduler(on_end=heard.append), Gate()
        first = asyncio.create_task(scheduler.run(gate, user="ann"))
        await entered(gate)

        async def click() -> str:
            asked_by.set("bob")
            return await scheduler.run(asked_by.get, user="bob", turn_class=TurnClass.PROMPT, owner="shot")

        second = asyncio.create_task(click())
        await asyncio.sleep(0.05)

        (waiting,) = scheduler.line
        assert (waiting.user, waiting.owner, waiting.turn_class) == ("bob", "shot", TurnClass.PROMPT)
        assert waiting.since_s >= 0.04
        assert scheduler.at_device is not None
        assert scheduler.at_device.user == "ann"
        gate.go.set()
        await first

        # The thread works in the name of whoever asked.
        assert await second == "bob"
        track, prompt = heard
        assert prompt.waited_s >= 0.04
        assert prompt.waited_s + prompt.device_s == pytest.approx(prompt.took_s, abs=0.01)
        assert prompt.context[asked_by] == "bob"
        assert track.waited_s < 0.04 <= track.device_s
        assert scheduler.ended == {TurnClass.SHOT: 1, TurnClass.PROMPT: 1}
        assert scheduler.at_device is None
        await scheduler.close()

    asyncio.run(run())


def test_a_call_that_fails_is_heard_of_as_such() -> None:
    async def run() -> None:
        heard: list[EndedCall] = []
        scheduler = Scheduler(on_end=heard.append)
        with pytest.raises(ZeroDivisionError):
            await scheduler.run(lambda: 1 / 0, user="ann")
        assert [ended.failed for ended in heard] == [True]
        assert not scheduler.ended
        await scheduler.close()

    asyncio.run(run())
