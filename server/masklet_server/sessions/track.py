"""One track in progress: works through a plan, one turn of the device per step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from masklet.errors import RestartingError
from masklet.events import TrackFinished, TrackStarted, Waiting
from masklet.types import UnreadableFrame
from masklet_server.sessions.course import Course
from masklet_server.sessions.plan import Plan, Step
from masklet_server.tracking import ObjectFrame

QUEUED_FRAMES = 3
"""How far tracking may run ahead of a client that reads slowly; then it waits without the device."""

FrameResults = tuple[ObjectFrame, ...]
"""What one step has made: whoever reads a track gets it together, and can draw and send it together."""
TrackItem = Waiting | TrackStarted | FrameResults | TrackFinished


@dataclass(frozen=True, eq=False)
class _Failure:
    error: Exception


_Made = TrackItem | _Failure


class TrackRun:
    """Follows a plan while its events are being read.

    Args:
        let_in: Tells places in a queue until the track may work.
        begin: Makes the plan.
        fetch: Gives the results that exist already on a prompted frame.
        visit: Tracks one step on the device, told whether it is looked at, and gives its results.
        settle: Sees that what was made is kept; nobody is told of results before.
        looked_at: Tells the frame that the artist looks at, None where nobody knows.
        extend: Called when the plan is done: gives another, for what was found to remain, or None.
        cuts: Tells the cuts that were met, at the end.
        unreadable: Tells the frames whose pictures turned out to be unusable, at the end.
        request_id: Whose track this is; a retry of the same request takes it over.
    """

    def __init__(
        self,
        let_in: Callable[[TrackRun], AsyncGenerator[Waiting, None]],
        begin: Callable[[], Awaitable[Plan]],
        *,
        fetch: Callable[[Step], Awaitable[Sequence[ObjectFrame]]],
        visit: Callable[[Step, bool], Awaitable[Sequence[ObjectFrame]]],
        extend: Callable[[], Awaitable[Plan | None]],
        settle: Callable[[], Awaitable[None]],
        looked_at: Callable[[], int | None] = lambda: None,
        cuts: Callable[[], Collection[int]] = lambda: (),
        unreadable: Callable[[], Collection[UnreadableFrame]] = lambda: (),
        request_id: str = "",
    ) -> None:
        self.request_id = request_id
        self._extend = extend
        self._settle = settle
        self._cuts = cuts
        self._unreadable = unreadable
        self._let_in = let_in
        self._course: Course | None = None
        self._begin = begin
        self._looked_at = looked_at
        self._fetch = fetch
        self._visit = visit
        self._stopping = self._paused = False

    @property
    def steps_left(self) -> int:
        """How many steps are still to come; 0 before there is a plan."""
        return 0 if self._course is None else self._course.left

    def stop(self) -> None:
        """End after the frame in hand; what is finished is kept."""
        self._stopping = True

    def pause(self) -> None:
        """The same, and the reader is told that it goes on later."""
        self._paused = self._stopping = True

    async def events(self) -> AsyncGenerator[TrackItem, None]:
        """First a start, then results as they come, those of a step together, then an end.

        To be closed when it is not read to its end; the frame in hand is finished and kept.
        """
        made: asyncio.Queue[_Made] = asyncio.Queue(maxsize=1)
        queue: asyncio.Queue[_Made] = asyncio.Queue(maxsize=QUEUED_FRAMES)
        # Tasks of their own, so that the device works on the next frame while the last one is kept, and
        # others are sent.
        loop = asyncio.get_running_loop()
        tasks = [loop.create_task(self._produce(made)), loop.create_task(self._keep(made, queue))]
        try:
            while True:
                item = await queue.get()
                if isinstance(item, _Failure):
                    raise item.error
                yield item
                if isinstance(item, TrackFinished):
                    return
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, made: asyncio.Queue[_Made], queue: asyncio.Queue[_Made]) -> None:
        """Hand on what was made, once it is kept."""
        while True:
            item = await made.get()
            if isinstance(item, tuple):
                try:
                    await self._settle()
                except Exception as error:  # noqa: BLE001  (carried to the reader, who raises it)
                    await queue.put(_Failure(error))
                    return
                if not item:
                    # On the way from a prompt to the range.
                    continue
            await queue.put(item)

    async def _produce(self, queue: asyncio.Queue[_Made]) -> None:
        updates = steps = 0
        cancelled = False
        try:
            async with aclosing(self._let_in(self)) as places:
                async for waiting in places:
                    if self._paused:
                        await queue.put(_Failure(_restarting()))
                        return
                    if self._stopping:
                        await queue.put(TrackStarted(0, 0))
                        await queue.put(TrackFinished(0, 0, cancelled=True))
                        return
                    await queue.put(waiting)
            first = await self._begin()
            plan: Plan | None = first
            frames = first.frames
            steps, updates = first.earlier_steps, first.earlier_updates
            await queue.put(
                TrackStarted(steps + len(first.steps), updates + first.updates, first.missing_frames)
            )
            for step in first.prompted:
                found = tuple(await self._fetch(step))
                updates += len(found)
                await queue.put(found)
            while plan is not None and not cancelled:
                course = self._course = Course(plan)
                while course.left:
                    if self._stopping:
                        cancelled = True
                        break
                    looked_at = self._looked_at()
                    step = course.next(looked_at)
                    results = await self._visit(step, course.is_watched(step, looked_at))
                    steps += bool(results)
                    inside = tuple(result for result in results if result.frame in frames)
                    # Earlier frames that come again do not count twice.
                    updates += sum(result.frame == step.frame for result in inside)
                    await queue.put(inside)
                else:
                    plan = await self._extend()
        except Exception as error:  # noqa: BLE001  (carried to the reader, who raises it)
            await queue.put(_Failure(error))
            return
        if self._paused and cancelled:
            await queue.put(_Failure(_restarting()))
        else:
            cuts = tuple(sorted(cut for cut in self._cuts() if cut in frames))
            unreadable = tuple(each for each in self._unreadable() if each.frame in frames)
            await queue.put(TrackFinished(steps, updates, cancelled, cuts, unreadable))


def _restarting() -> RestartingError:
    return RestartingError(
        "the server is being restarted: the track goes on where it stopped once it answers again"
    )
