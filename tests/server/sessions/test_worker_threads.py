from __future__ import annotations

import asyncio
import threading
import time

import pytest

from masklet.errors import ClipError, OutputError
from masklet_server.aside import waiting_for_disk
from masklet_server.sessions import worker_threads as module
from masklet_server.sessions.worker_threads import WorkerThreads


def test_work_that_waits_for_a_slow_disk_gives_its_place_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SLOW_S", 0.05)

    async def run() -> None:
        answers, workers = threading.Event(), WorkerThreads("test", at_once=1)
        slow = asyncio.ensure_future(workers.run(answers.wait, at_disk=True))
        await asyncio.sleep(0.01)

        assert await asyncio.wait_for(workers.run(lambda: "quick"), 2.0) == "quick"
        answers.set()
        assert await slow

    asyncio.run(run())


def test_work_that_nobody_waits_for_gives_its_place_away_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_SLOW_S", 0.05)

    async def run() -> None:
        answers, workers = threading.Event(), WorkerThreads("test", at_once=1)
        slow = asyncio.ensure_future(workers.run(answers.wait, at_disk=True))
        await asyncio.sleep(0.01)
        slow.cancel()

        assert await asyncio.wait_for(workers.run(lambda: "quick"), 2.0) == "quick"
        answers.set()

    asyncio.run(run())


def test_a_result_that_comes_too_late_is_given_back() -> None:
    async def run() -> None:
        answers, workers = threading.Event(), WorkerThreads("test", at_once=1, disk_s=0.05)
        unwanted: list[str] = []

        def open_late() -> str:
            answers.wait()
            return "clip"

        with pytest.raises(OutputError, match="gone"):
            await workers.run(
                open_late, at_disk=True, refusal=OutputError("the share is gone"), unwanted=unwanted.append
            )
        answers.set()
        while not unwanted:
            await asyncio.sleep(0.005)

        assert unwanted == ["clip"]

    asyncio.run(run())


def test_a_user_whose_disks_hang_is_refused_more_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LEFT_BEHIND", 2)

    async def run() -> None:
        answers, workers = threading.Event(), WorkerThreads("test", at_once=8, disk_s=0.05)
        for _ in range(2):
            with pytest.raises(ClipError):
                await workers.run(answers.wait, whose="ann", at_disk=True)
        started_s = time.perf_counter()
        with pytest.raises(ClipError):
            await workers.run(lambda: None, whose="ann")

        assert time.perf_counter() - started_s < 0.04
        assert await workers.run(lambda: "fine", whose="bob") == "fine"
        answers.set()
        while workers.busy:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.01)
        assert await workers.run(lambda: "fine", whose="ann") == "fine"

    asyncio.run(run())


def test_only_the_waits_for_a_disk_have_a_deadline() -> None:
    async def run() -> None:
        workers = WorkerThreads("test", at_once=1, disk_s=0.05)

        def work() -> str:
            for _ in range(3):
                with waiting_for_disk():
                    time.sleep(0.01)
                time.sleep(0.05)
            return "done"

        assert await workers.run(work) == "done"

    asyncio.run(run())
