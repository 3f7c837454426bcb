"""One clip with its objects, prompts and results: the owner of everything but the network's state.

Every change of prompts happens inside a turn of the device, together with what the tracker makes of
it; so book, tracker and results never contradict each other, and no lock is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from masklet.errors import BusyError, NotPromptedError
from masklet.types import (
    Click,
    ClipInfo,
    Direction,
    FramePrompts,
    FrameRange,
    ObjectInfo,
    PromptDocument,
    SessionInfo,
)
from masklet_server.sessions.desk import ClosingSource, Desk, TrackerFactory
from masklet_server.sessions.plan import Plan, Step, TrackOrder, plan_track
from masklet_server.sessions.prompts import PromptBook
from masklet_server.sessions.replies import ReplyLog
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.track import TrackItem, TrackRun
from masklet_server.sessions.tracking import ObjectFrame

ResultT = TypeVar("ResultT")


@dataclass(frozen=True)
class SessionLimits:
    """What one session may hold.

    Attributes:
        max_objects: Objects at a time.
        result_memory_bytes: Compressed masks in memory; more goes to a temporary file.
        spill_folder: Where that file is; None for the system's place.
    """

    max_objects: int = 64
    result_memory_bytes: int = 64 << 20
    spill_folder: Path | None = None


@dataclass(frozen=True, eq=False)
class Prompted:
    """What a change of prompts made: what is said now, and the mask, None where nothing is said."""

    prompts: FramePrompts
    result: ObjectFrame | None


class Session:
    """One artist's work on one clip. To be used from one event loop.

    Args:
        session_id: Given by the store.
        user: Whom the device's time is charged to.
        open_source: Opens the clip once more, for whoever reads pictures beside the tracker.
        source: The clip; closed with the session.
        make_tracker: Called on the device's thread when the first prompt comes.
        scheduler: The door to the device.
        limits: What the session may hold.
        order: From which prompt frames are tracked.
    """

    def __init__(
        self,
        session_id: str,
        user: str,
        open_source: Callable[[], ClosingSource],
        source: ClosingSource,
        make_tracker: TrackerFactory,
        scheduler: Scheduler,
        *,
        limits: SessionLimits = SessionLimits(),
        order: TrackOrder = TrackOrder.NEAREST,
    ) -> None:
        self.session_id = session_id
        self.user = user
        self.open_source = open_source
        self.replies = ReplyLog()
        self.results = ResultStore(memory_bytes=limits.result_memory_bytes, spill_folder=limits.spill_folder)
        self._source = source
        self._scheduler = scheduler
        self._order = order
        self._book = PromptBook(source.info, max_objects=limits.max_objects)
        self._desk = Desk(source, self.results, make_tracker)
        self._track: TrackRun | None = None
        self._calls = 0

    @property
    def clip(self) -> ClipInfo:
        """What the session was opened on."""
        return self._source.info

    @property
    def is_busy(self) -> bool:
        """True while a call waits for the device or a track runs."""
        return self._calls > 0 or self._track is not None

    @property
    def memory_bytes(self) -> int:
        """What the tracker held after its last turn."""
        return self._desk.memory_bytes

    @property
    def undo_left(self) -> int:
        """How many changes of prompts can be taken back."""
        return self._book.undo_left

    def info(self) -> SessionInfo:
        """Clip, objects, and the state of every frame with a result."""
        objects = self._book.objects()
        states = (self.results.states(info.object_id, info.prompted_frames) for info in objects)
        return SessionInfo(self.session_id, self.clip, objects, tuple(s for own in states for s in own))

    def objects(self) -> tuple[ObjectInfo, ...]:
        """All objects in the order in which they were added."""
        return self._book.objects()

    def object(self, object_id: int) -> ObjectInfo:
        """One object; raises ObjectNotFoundError."""
        return self._book.object(object_id)

    def name_of(self, object_id: int) -> str | None:
        """An object's name, None where there is no such object."""
        return self._book.name_of(object_id)

    def document(self) -> PromptDocument:
        """All objects and prompts."""
        return self._book.document()

    def add_object(self, name: str) -> ObjectInfo:
        """Add an object; see :meth:`PromptBook.add_object`."""
        return self._book.add_object(name)

    def rename_object(self, object_id: int, name: str) -> ObjectInfo:
        """Give an object another name; see :meth:`PromptBook.rename_object`."""
        return self._book.rename_object(object_id, name)

    async def remove_object(self, object_id: int) -> None:
        """Forget an object with its prompts and masks.

        Raises:
            ObjectNotFoundError: The session has no such object.
        """

        def remove() -> None:
            self._book.remove_object(object_id)
            self._desk.forget_objects((object_id,))

        self._book.object(object_id)
        await self._turn(remove, urgent=True)

    async def set_prompts(self, prompts: FramePrompts) -> Prompted:
        """Replace what is said about one object on one frame; errors as in :meth:`PromptBook.check`."""

        def change() -> Prompted:
            checked = self._book.check(prompts)
            result = self._desk.segment(checked)
            self._book.put(checked)
            return Prompted(checked, result)

        self._book.check(prompts)
        return await self._turn(change, urgent=True)

    async def add_click(self, object_id: int, frame: int, click: Click) -> Prompted:
        """Add one click to what is said; errors as in :meth:`PromptBook.check`."""

        def change() -> Prompted:
            # Here and not outside: two quick clicks must not both start from the same prompts.
            checked = self._book.check(self._book.with_click(object_id, frame, click))
            result = self._desk.segment(checked)
            self._book.put(checked)
            return Prompted(checked, result)

        self._book.check(FramePrompts(object_id, frame, (click,)))
        return await self._turn(change, urgent=True)

    async def undo(self) -> Prompted:
        """Take back the last change of prompts.

        Raises:
            BadInputError: There is nothing to take back.
        """

        def change() -> Prompted:
            before = self._book.last_change()
            result = self._desk.segment(before)
            self._book.take_back()
            return Prompted(before, result)

        self._book.last_change()
        return await self._turn(change, urgent=True)

    async def set_document(self, document: PromptDocument) -> tuple[ObjectInfo, ...]:
        """Begin anew from a document: all objects, prompts and masks are replaced.

        Raises:
            BadInputError: The document contradicts itself or does not fit the clip; nothing changes.
        """
        book, prompts = self._book.replaced_by(document)
        old = [info.object_id for info in self._book.objects()]
        self._book = book
        if self._track is not None:
            self._track.stop()
        await self._turn(lambda: self._desk.forget_objects(old), urgent=True)
        for own in prompts:
            await self.set_prompts(own)
        book.forget_undo()
        return book.objects()

    async def track(
        self,
        *,
        frames: FrameRange | None = None,
        object_ids: Sequence[int] = (),
        direction: Direction = Direction.BOTH,
        request_id: str = "",
    ) -> AsyncGenerator[TrackItem, None]:
        """Track objects over a range: a start, results as they come, an end.

        Args:
            frames: None for the whole clip.
            object_ids: Empty for all objects with prompts.
            direction: Which way from the prompts.
            request_id: A second track with the same id stops the first and takes its place.

        Raises:
            NotPromptedError: An object has no prompts, or none has.
            ObjectNotFoundError: The session has no such object.
            BadInputError: The range leaves the clip.
            BusyError: Another track runs.
        """
        running = self._track
        if running is not None and (not request_id or running.request_id != request_id):
            raise BusyError("this session is tracking already: wait until it is done, or cancel it")
        plan = self._plan(frames, object_ids, direction)
        if running is not None:
            running.stop()
        run = TrackRun(plan, fetch=self._fetch, visit=self._visit, request_id=request_id)
        self._track = run
        try:
            async with aclosing(run.events()) as events:
                async for event in events:
                    yield event
        finally:
            if self._track is run:
                self._track = None

    def cancel(self) -> bool:
        """Stop tracking after the frame in hand; False when nothing runs."""
        if self._track is None:
            return False
        self._track.stop()
        return True

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Count as busy for as long as something outside, an export say, reads the results."""
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1

    async def park(self) -> None:
        """Give the device's memory back; the next call rebuilds what it needs."""
        if self._desk.memory_bytes:
            await self._turn(self._desk.park)

    async def close(self) -> None:
        """Forget everything. Results can no longer be read."""
        self.cancel()
        self._desk.closed = True
        await self._turn(self._desk.release, urgent=True)
        self.results.close()
        self._source.close()

    def _plan(self, frames: FrameRange | None, object_ids: Sequence[int], direction: Direction) -> Plan:
        chosen = [self._book.object(object_id) for object_id in dict.fromkeys(object_ids)]
        if not chosen:
            chosen = [info for info in self._book.objects() if info.prompted_frames]
            if not chosen:
                raise NotPromptedError("no object has a prompt yet: click one first, then track")
        for info in chosen:
            if not info.prompted_frames:
                raise NotPromptedError(f"{info.name} has no prompt yet: click it on some frame, then track")
        return plan_track(
            {info.object_id: info.prompted_frames for info in chosen},
            self.clip,
            frames=frames,
            direction=direction,
            order=self._order,
            known_frames={
                info.object_id: frozenset(self.results.frames_of(info.object_id)) for info in chosen
            },
        )

    async def _fetch(self, step: Step) -> list[ObjectFrame]:
        def find() -> list[ObjectFrame]:
            found = (self.results.find(object_id, step.frame) for object_id in step.object_ids)
            return [result for result in found if result is not None]

        return await asyncio.get_running_loop().run_in_executor(None, find)

    async def _visit(self, step: Step) -> Sequence[ObjectFrame]:
        # The plan may be older than the book: objects go, and frames get prompts of their own.
        results = await self._turn(lambda: self._desk.track(step, self._book.prompted_frames))
        await asyncio.get_running_loop().run_in_executor(None, self.results.pack)
        return results

    async def _turn(self, call: Callable[[], ResultT], *, urgent: bool = False) -> ResultT:
        with self.in_use():
            return await self._scheduler.run(call, user=self.user, urgent=urgent)
