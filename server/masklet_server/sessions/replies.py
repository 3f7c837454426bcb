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
    """

    def __init__(self, *, capacity: int = 256) -> None:
        self._capacity = capacity
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
        for key in finished[: max(0, len(self._tasks) - self._capacity)]:
            del self._tasks[key]
