"""Answers to calls that were made already, so that a retry is harmless."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from masklet.errors import BadInputError

ReplyT = TypeVar("ReplyT")

MAX_REQUEST_ID_CHARACTERS = 128


class ReplyLog:
    """Makes each call once per request id and hands the same answer to every retry.

    The work runs in a task of its own: a client that goes away in mid-call does not leave it half
    done, and its retry waits for the first attempt instead of making a second one. Calls that fail
    are forgotten: a retry tries again.

    Args:
        capacity: How many answers are kept, the latest.
        max_bytes: What they may take together; the latest is kept whatever it takes.
    """

    def __init__(self, *, capacity: int = 256, max_bytes: int = 16 << 20) -> None:
        self._capacity = capacity
        self._max_bytes = max_bytes
        self._tasks: OrderedDict[tuple[str, str], asyncio.Task[Any]] = OrderedDict()

    async def once(
        self, method: str, request_id: str, work: Callable[[], Coroutine[Any, Any, ReplyT]]
    ) -> ReplyT:
        """The answer of ``work``, or of the same request before it.

        Args:
            method: Ids of different methods do not meet.
            request_id: Chosen by the client; an empty one is never remembered.
            work: Called at most once per id.

        Raises:
            BadInputError: The id is too long.
        """
        if len(request_id) > MAX_REQUEST_ID_CHARACTERS:
            raise BadInputError(
                f"a request id has at most {MAX_REQUEST_ID_CHARACTERS} characters: choose a shorter one"
            )
        key = (method, request_id)
        task: asyncio.Task[ReplyT] | None = self._tasks.get(key) if request_id else None
        if task is None:
            task = asyncio.get_running_loop().create_task(work())
            # Referenced while it runs, even without an id: the loop itself keeps only weak references.
            self._tasks[key if request_id else (method, f"#{id(task)}")] = task
            task.add_done_callback(self._settle)
        return await asyncio.shield(task)

    def _settle(self, task: asyncio.Task[Any]) -> None:
        failed = task.cancelled() or task.exception() is not None
        for key in [key for key, kept in self._tasks.items() if kept is task]:
            if failed or key[1].startswith("#"):
                del self._tasks[key]
        finished = [key for key, kept in self._tasks.items() if kept.done()]
        sizes_bytes = [_size_bytes(self._tasks[key]) for key in finished]
        surplus, total_bytes = len(self._tasks) - self._capacity, sum(sizes_bytes)
        for number, (key, size_bytes) in enumerate(zip(finished[:-1], sizes_bytes, strict=False)):
            if number >= surplus and total_bytes <= self._max_bytes:
                break
            del self._tasks[key]
            total_bytes -= size_bytes


def _size_bytes(task: asyncio.Task[Any]) -> int:
    """How long an answer is on the wire, which those that go there can tell."""
    if task.cancelled() or task.exception() is not None:
        return 0
    size = getattr(task.result(), "ByteSize", None)
    return 0 if size is None else int(size())
