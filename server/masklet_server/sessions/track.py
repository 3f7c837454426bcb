"""One track in progress: works through a plan, one turn of the device per step."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from masklet.events import TrackFinished, TrackStarted
from masklet_server.sessions.plan import Plan, Step
from masklet_server.sessions.tracking import ObjectFrame

QUEUED_EVENTS = 8
"""How far tracking may run ahead of a client that reads slowly; then it waits without the device."""

TrackItem = TrackStarted | ObjectFrame | TrackFinished


@dataclass(frozen=True, eq=False)
class _Failure:
    error: Exception


class TrackRun:
    """Follows a plan while its events are being read.

    Args:
        plan: What to do.
        fetch: Gives the results that exist already on a prompted frame.
        visit: Tracks one step on the device and gives its results.
        request_id: Whose track this is; a retry of the same request takes it over.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        fetch: Callable[[Step], Awaitable[Sequence[ObjectFrame]]],
        visit: Callable[[Step], Awaitable[Sequence[ObjectFrame]]],
        request_id: str = "",
    ) -> None:
        self.request_id = request_id
        self._plan = plan
        self._fetch = fetch
        self._visit = visit
        self._stopping = False

    def stop(self) -> None:
        """End after the frame in hand; what is finished is kept."""
        self._stopping = True

    async def events(self) -> AsyncGenerator[TrackItem, None]:
        """First a start, then results as they come, then an end.

        To be closed when it is not read to its end; the frame in hand is finished and kept.
        """
        queue: asyncio.Queue[TrackItem | _Failure] = asyncio.Queue(maxsize=QUEUED_EVENTS)
        # A task of its own, so that the device works on the next frame while the last one is packed
        # and sent.
        producer = asyncio.get_running_loop().create_task(self._produce(queue))
        try:
            while True:
                item = await queue.get()
                if isinstance(item, _Failure):
                    raise item.error
                yield item
                if isinstance(item, TrackFinished):
                    return
        finally:
            producer.cancel()
            await asyncio.gather(producer, return_exceptions=True)

    async def _produce(self, queue: asyncio.Queue[TrackItem | _Failure]) -> None:
        plan = self._plan
        updates = steps = 0
        try:
            await queue.put(TrackStarted(len(plan.steps), plan.updates, plan.missing_frames))
            for step in plan.prompted:
                for result in await self._fetch(step):
                    updates += 1
                    await queue.put(result)
            for step in plan.steps:
                if self._stopping:
                    break
                results = await self._visit(step)
                steps += 1
                for result in results:
                    if result.frame in plan.frames:
                        updates += 1
                        await queue.put(result)
        except Exception as error:  # noqa: BLE001  (carried to the reader, who raises it)
            await queue.put(_Failure(error))
        else:
            await queue.put(TrackFinished(steps, updates, cancelled=steps < len(plan.steps)))
