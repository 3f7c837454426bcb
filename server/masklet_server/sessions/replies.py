"""Answers to calls that were made already, so that a retry is harmless."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from masklet.errors import BadInputError
from masklet_server.sessions.callers import Caller, current_caller, current_request
from masklet_server.sessions.durability import Answer, Request

ReplyT = TypeVar("ReplyT")

MAX_REQUEST_ID_CHARACTERS = 128


@dataclass(eq=False)
class _Made:
    """A call that was made, and how many wait for its answer."""

    task: asyncio.Task[Any]
    caller: Caller
    waiting: int = 0


class ReplyLog:
    """Makes each call once per request id and hands the same answer to every retry.

    The work runs in a task of its own: a client that goes away in mid-call does not leave it half
    done, and its retry waits for the first attempt instead of making a second one. Work that has changed
    nothing yet when the last client has gone is not done at all. Calls that fail are forgotten: a retry
    tries again.

    Args:
        capacity: How many answers are kept, the latest.
        max_bytes: What they may take together; the latest is kept whatever it takes.
    """

    def __init__(self, *, capacity: int = 256, max_bytes: int = 16 << 20) -> None:
        self._capacity = capacity
        self._max_bytes = max_bytes
        self._made: OrderedDict[tuple[str, str], _Made] = OrderedDict()
        self._earlier: dict[Request, Answer] = {}

    def remember(self, answers: Mapping[Request, Answer]) -> None:
        """Know of calls that an earlier process made."""
        self._earlier.update(answers)

    async def once(
        self,
        method: str,
        request_id: str,
        work: Callable[[], Coroutine[Any, Any, ReplyT]],
        *,
        again: Callable[[Answer], Coroutine[Any, Any, ReplyT]] | None = None,
    ) -> ReplyT:
        """The answer of ``work``, or of the same request before it.

        Args:
            method: Ids of different methods do not meet.
            request_id: Chosen by the client; an empty one is never remembered.
            work: Called at most once per id.
            again: Makes the answer anew, for a call that an earlier process made.

        Raises:
            BadInputError: The id is too long.
        """
        if len(request_id) > MAX_REQUEST_ID_CHARACTERS:
            raise BadInputError(
                f"a request id has at most {MAX_REQUEST_ID_CHARACTERS} characters: choose a shorter one"
            )
        earlier = self._earlier.get(Request(method, request_id)) if again is not None else None
        if earlier is not None and again is not None:
            return await again(earlier)
        key = (method, request_id)
        made = self._made.get(key) if request_id else None
        if made is None:
            caller = Caller()
            task = asyncio.get_running_loop().create_task(
                _in_the_name_of(caller, key if request_id else None, work)
            )
            made = _Made(task, caller)
            # Referenced while it runs, even without an id: the loop itself keeps only weak references.
            key = key if request_id else (method, f"#{id(task)}")
            self._made[key] = made
            task.add_done_callback(self._settle)
        made.waiting += 1
        try:
            reply: ReplyT = await asyncio.shield(made.task)
            return reply
        finally:
            made.waiting -= 1
            if not made.waiting and not made.task.done() and not made.caller.begun:
                made.task.cancel()
                # A retry that comes before its end begins anew.
                self.forget(*key)

    def knows(self, method: str, request_id: str) -> bool:
        """True where this call is being made or was made."""
        return (method, request_id) in self._made

    def forget(self, method: str, request_id: str) -> None:
        """Make the next call with this id again."""
        self._made.pop((method, request_id), None)

    def _settle(self, task: asyncio.Task[Any]) -> None:
        failed = task.cancelled() or task.exception() is not None
        for key in [key for key, kept in self._made.items() if kept.task is task]:
            if failed or key[1].startswith("#"):
                del self._made[key]
        finished = [key for key, kept in self._made.items() if kept.task.done()]
        sizes_bytes = [_size_bytes(self._made[key].task) for key in finished]
        surplus, total_bytes = len(self._made) - self._capacity, sum(sizes_bytes)
        for number, (key, size_bytes) in enumerate(zip(finished[:-1], sizes_bytes, strict=False)):
            if number >= surplus and total_bytes <= self._max_bytes:
                break
            del self._made[key]
            total_bytes -= size_bytes


async def _in_the_name_of(
    caller: Caller, request: tuple[str, str] | None, work: Callable[[], Coroutine[Any, Any, ReplyT]]
) -> ReplyT:
    current_caller.set(caller)
    current_request.set(request)
    return await work()


def _size_bytes(task: asyncio.Task[Any]) -> int:
    """How long an answer is on the wire, which those that go there can tell."""
    if task.cancelled() or task.exception() is not None:
        return 0
    size = getattr(task.result(), "ByteSize", None)
    return 0 if size is None else int(size())
