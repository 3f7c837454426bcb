from __future__ import annotations

import asyncio

import pytest

from masklet.errors import BadInputError, ClipError
from masklet_server.sessions.callers import begin
from masklet_server.sessions.replies import ReplyLog


class Work:
    """Counts its calls and answers with the count."""

    def __init__(self, *, changes: bool = True) -> None:
        self.calls = 0
        self.ended = 0
        self.error: Exception | None = None
        self._changes = changes

    async def __call__(self) -> int:
        self.calls += 1
        if self._changes:
            begin()
        await asyncio.sleep(0.01)
        if self.error is not None:
            raise self.error
        self.ended += 1
        return self.calls


def test_a_retry_waits_for_the_first_attempt_and_gets_its_answer() -> None:
    async def run() -> None:
        log, work = ReplyLog(), Work()
        answers = await asyncio.gather(*(log.once("click", "a", work) for _ in range(3)))
        later = await log.once("click", "a", work)

        assert [*answers, later] == [1, 1, 1, 1]
        assert await log.once("click", "b", work) == 2
        assert await log.once("other", "a", work) == 3

    asyncio.run(run())


def test_calls_without_an_id_are_always_made() -> None:
    async def run() -> None:
        log, work = ReplyLog(), Work()
        assert [await log.once("click", "", work) for _ in range(3)] == [1, 2, 3]

    asyncio.run(run())


def test_a_failed_call_is_tried_again() -> None:
    async def run() -> None:
        log, work = ReplyLog(), Work()
        work.error = ClipError("torn")
        with pytest.raises(ClipError):
            await log.once("click", "a", work)
        work.error = None
        assert await log.once("click", "a", work) == 2

    asyncio.run(run())


def test_a_client_that_goes_away_does_not_undo_the_call() -> None:
    async def run() -> None:
        log, work = ReplyLog(), Work()
        call = asyncio.create_task(log.once("click", "a", work))
        await asyncio.sleep(0.001)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)

        assert await log.once("click", "a", work) == 1
        assert work.calls == 1

    asyncio.run(run())


def test_a_call_whose_clients_have_all_gone_is_not_made_as_long_as_it_changed_nothing() -> None:
    async def run() -> None:
        log, work = ReplyLog(), Work(changes=False)
        calls = [asyncio.create_task(log.once("click", "a", work)) for _ in range(2)]
        await asyncio.sleep(0.001)
        calls[0].cancel()
        await asyncio.gather(calls[0], return_exceptions=True)
        assert await calls[1] == 1

        calls = [asyncio.create_task(log.once("click", "b", work)) for _ in range(2)]
        await asyncio.sleep(0.001)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        # A retry is not caught up in the end of the first attempt.
        assert await log.once("click", "b", work) == 3
        assert (work.calls, work.ended) == (3, 2)

    asyncio.run(run())


def test_the_oldest_answers_are_forgotten() -> None:
    async def run() -> None:
        log, work = ReplyLog(capacity=2), Work()
        for request_id in "abc":
            await log.once("click", request_id, work)
        assert await log.once("click", "c", work) == 3
        assert await log.once("click", "a", work) == 4

    asyncio.run(run())


def test_a_long_id_is_refused() -> None:
    async def run() -> None:
        with pytest.raises(BadInputError, match="128 characters"):
            await ReplyLog().once("click", "x" * 129, Work())

    asyncio.run(run())


def test_large_answers_are_not_kept_for_long() -> None:
    class Answer:
        def ByteSize(self) -> int:
            return 60

    async def run() -> None:
        log, made = ReplyLog(max_bytes=130), []

        async def work() -> Answer:
            made.append(Answer())
            return made[-1]

        for request_id in "abc":
            await log.once("click", request_id, work)
        for request_id in "bc":
            assert await log.once("click", request_id, work) in made[1:3]
        assert len(made) == 3
        await log.once("click", "a", work)
        assert len(made) == 4

    asyncio.run(run())
