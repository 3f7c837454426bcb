"""One clip with its objects, prompts and results: the owner of everything but the network's state.

Every change of prompts happens inside a turn of the device, together with what the tracker makes of
it; so book, tracker and results never contradict each other, and no lock is needed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from masklet.errors import BusyError, ClipError, NotPromptedError
from masklet.matte_settings import MatteSettings
from masklet.types import (
    Click,
    ClipInfo,
    CutPolicy,
    Direction,
    FramePrompts,
    FrameRange,
    LockedMask,
    LockedRange,
    Mask,
    ObjectInfo,
    PromptDocument,
    Scribble,
    SessionInfo,
    StateRange,
    UnreadableFrame,
)
from masklet_server.aside import working_beside
from masklet_server.sessions.desk import ClosingSource, Desk, TrackerFactory
from masklet_server.sessions.editor import Editor, Prompted, Reverted
from masklet_server.sessions.errands import Errands
from masklet_server.sessions.history import MAX_UNDO_BYTES, Edit
from masklet_server.sessions.plan import Step, TrackOrder, range_in
from masklet_server.sessions.prompts import PromptBook
from masklet_server.sessions.replies import ReplyLog
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.review import untracked
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.second_look import LookProgress, SecondLooks
from masklet_server.sessions.track import TrackItem, TrackRun
from masklet_server.sessions.turns import TurnClass
from masklet_server.sessions.viewing import Viewing
from masklet_server.sessions.work import Planner, TrackWork
from masklet_server.tracking import ObjectFrame, with_unreadable

ResultT = TypeVar("ResultT")

LOOK_COUNTS_S = 60.0
"""For so long a track goes where the artist looked last."""
CLOSE_S = 1.0
"""Waits so long for a plate's files to be closed; a disk that hangs is left to itself."""

_log = logging.getLogger("masklet_server.sessions")


@dataclass(frozen=True)
class SessionLimits:
    """What one session may hold.

    Attributes:
        max_objects: Objects at a time.
        result_memory_bytes: Compressed masks in memory; more goes to a temporary file.
        spill_folder: Where that file is; None for the system's place.
        full_disk_bytes: What more stays in memory while that file cannot grow.
        undo_bytes: What steps that can be taken back may take in memory; older ones are given up.
    """

    max_objects: int = 64
    result_memory_bytes: int = 64 << 20
    spill_folder: Path | None = None
    full_disk_bytes: int = 64 << 20
    undo_bytes: int = MAX_UNDO_BYTES


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
        errands: Threads that read files.
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
        errands: Errands | None = None,
    ) -> None:
        self._errands = errands or Errands("files", at_once=1)
        self.session_id = session_id
        self.user = user
        self.open_source = open_source
        self.replies = ReplyLog()
        self.viewing = Viewing(open_source, self._errands, user)
        self.results = ResultStore(
            memory_bytes=limits.result_memory_bytes,
            spill_folder=limits.spill_folder,
            full_disk_bytes=limits.full_disk_bytes,
        )
        self._source = source
        self._scheduler = scheduler
        self._order = order
        self._book = PromptBook(source.info, max_objects=limits.max_objects, undo_bytes=limits.undo_bytes)
        self._desk = Desk(source, self.results, make_tracker)
        self._editor = Editor(source.info, self._desk, self.results, order)
        self._make_tracker = make_tracker
        self.looks = SecondLooks(self.results, self._book.find, limits.spill_folder)
        self._track: TrackRun | None = None
        # Prompts of many clicks take many turns, and later ones must not overtake them.
        self._in_order = asyncio.Lock()
        self._calls = 0
        self._unreadable: dict[int, UnreadableFrame] = {}
        self._looked_at: tuple[int | None, float] = (None, 0.0)

    @property
    def _planner(self) -> Planner:
        book, desk = self._book, self._desk
        return Planner(
            self.clip,
            self._order,
            ground=lambda object_id, at_cuts: self._editor.ground(book.contents, object_id, at_cuts),
            stale=desk.stale.of,
            exists=lambda object_id: object_id in book.contents.names,
            cuts=lambda: desk.shots.cuts,
        )

    @property
    def clip(self) -> ClipInfo:
        """What the session was opened on, without the pictures that turned out to be unusable since."""
        return with_unreadable(self._source.info, self._unreadable)

    def note_unreadable(self, frames: Iterable[UnreadableFrame]) -> None:
        """Keep what another reader of the clip, an export say, found to be unusable."""
        self._unreadable.update((each.frame, each) for each in frames)

    @property
    def is_busy(self) -> bool:
        """True while a call waits for the device or a track runs."""
        return self._calls > 0 or self._track is not None

    @property
    def is_untouched(self) -> bool:
        """True as long as nothing was ever said: no object, no prompt."""
        return not self._book.objects() and not self.undo_left and not self.redo_left

    @property
    def memory_bytes(self) -> int:
        """What the tracker held after its last turn."""
        return self._desk.memory_bytes

    @property
    def undo_left(self) -> int:
        """How many edits can be taken back."""
        return self._book.history.undo_left

    @property
    def redo_left(self) -> int:
        """How many edits that were taken back can be made again."""
        return self._book.history.redo_left

    @property
    def looked_at(self) -> int | None:
        """The frame that the artist looks at; None where nobody has said so lately."""
        frame, told_s = self._looked_at
        return None if time.monotonic() - told_s > LOOK_COUNTS_S else frame

    def look_at(self, frame: int) -> None:
        """Hear which frame the artist looks at: a track that runs goes there first."""
        self._looked_at = frame, time.monotonic()

    def info(self) -> SessionInfo:
        """Clip, objects, and the state of every frame with a result."""
        book = self._book
        return SessionInfo(
            self.session_id,
            self.clip,
            book.objects(),
            self.states(),
            book.locks(),
            book.mattes(),
            self._desk.shots.cuts,
        )

    def states(self, object_ids: Sequence[int] = ()) -> tuple[StateRange, ...]:
        """The state of every frame with a result; of all objects unless some are named.

        Raises:
            ObjectNotFoundError: The session has no such object.
        """
        contents = self._book.contents
        chosen = [self._book.object(object_id).object_id for object_id in object_ids]
        found: list[StateRange] = []
        for object_id in chosen or contents.names:
            found += self.results.states(
                object_id,
                contents.prompted_frames(object_id),
                is_locked=partial(contents.is_locked, object_id),
                stale=self._desk.stale.of(object_id),
            )
        return tuple(found)

    def untracked(self, object_ids: Sequence[int] = ()) -> tuple[StateRange, ...]:
        """Frames without a mask, of objects that were tracked; of all such objects unless some are named.

        Raises:
            ObjectNotFoundError: The session has no such object.
        """
        found: list[StateRange] = []
        chosen = [self._book.object(object_id) for object_id in object_ids] or self._book.objects()
        for info in chosen:
            known = self.results.frames_of(info.object_id)
            if info.prompted_frames and not set(known) <= set(info.prompted_frames):
                found += untracked(info.object_id, self.clip, known)
        return tuple(found)

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
        """All objects and prompts, without the masks of locked frames."""
        return self._book.document()

    def whole_document(self) -> PromptDocument:
        """All objects and prompts with the masks of locked frames: many bytes, to be made in a thread."""
        return self._editor.with_masks(self._book.document())

    def locks(self) -> tuple[LockedRange, ...]:
        """All locked ranges, by object and frame."""
        return self._book.locks()

    def prompts_on(self, object_id: int, frame: int) -> FramePrompts | None:
        """What is said about an object on a frame, None where nothing is."""
        return self._book.find(object_id, frame)

    def is_drawn(self, result: ObjectFrame) -> bool:
        """True where the artist drew a mask of a result's object on its frame."""
        said = self._book.contents.prompts.get((result.object_id, result.frame))
        return said is not None and said.is_drawn

    def drawn_on(self, result: ObjectFrame) -> Mask | None:
        """The mask that the artist drew of a result's object on its frame, None where there is none."""
        said = self._book.find(result.object_id, result.frame)
        return None if said is None else said.mask

    def strokes_on(self, result: ObjectFrame) -> Sequence[Scribble]:
        """The strokes that the artist drew for a result's object on its frame."""
        said = self._book.find(result.object_id, result.frame)
        return () if said is None else said.scribbles

    def mattes(self) -> Mapping[int, MatteSettings]:
        """Settings of all mattes that are not left as they are, by object id."""
        return self._book.contents.mattes

    def matte(self, object_id: int) -> MatteSettings:
        """How the matte of an object is finished."""
        return self._book.contents.mattes.get(object_id) or MatteSettings()

    async def add_object(self, name: str) -> ObjectInfo:
        """Add an object; see :meth:`PromptBook.add_object`."""
        return await self._turn(lambda: self._book.add_object(name), urgent=True)

    async def rename_object(self, object_id: int, name: str) -> ObjectInfo:
        """Give an object another name; see :meth:`PromptBook.rename_object`."""
        return await self._turn(lambda: self._book.rename_object(object_id, name), urgent=True)

    async def remove_object(self, object_id: int) -> None:
        """Forget an object with its prompts and masks.

        Raises:
            ObjectNotFoundError: The session has no such object.
        """
        self._book.object(object_id)
        await self._turn(lambda: self._editor.remove_object(self._book, object_id), urgent=True)

    async def set_lock(
        self, object_id: int, frames: FrameRange, *, locked: bool, masks: Sequence[LockedMask] = ()
    ) -> None:
        """Lock frames of an object against tracking, or unlock them; see :meth:`PromptBook.set_lock`.

        ``masks`` are put in place of what the locked frames have; their object ids mean nothing.
        """
        await self._turn(
            lambda: self._editor.set_lock(self._book, object_id, frames, locked=locked, masks=masks),
            urgent=True,
        )

    async def set_matte(self, object_id: int, settings: MatteSettings) -> None:
        """Choose how an object's matte is finished; see :meth:`PromptBook.set_matte`."""
        await self._turn(lambda: self._book.set_matte(object_id, settings), urgent=True)

    async def set_prompts(self, prompts: FramePrompts, *, replace_mask: bool = False) -> Prompted:
        """Replace what is said about one object on one frame; errors as in :meth:`PromptBook.check`.

        Clicks and boxes take the place of a drawn mask only with ``replace_mask``.
        """
        said = prompts

        def based() -> FramePrompts:
            if not replace_mask:
                self._book.check_mask_stays(prompts)
            return self._editor.based(self._book, prompts)

        def change() -> Prompted:
            if not replace_mask:
                self._book.check_mask_stays(prompts)
            return self._editor.put(self._book, said)

        self._book.check(prompts)
        async with self._in_order:
            await self._make_room()
            if len(prompts.marks) > 1:
                said = await self._turn(based, urgent=True, commits=False)
                await self._draft(said)
            return await self._turn(change, urgent=True)

    async def add_click(self, object_id: int, frame: int, click: Click) -> Prompted:
        """Add one click to what is said; errors as in :meth:`PromptBook.check`."""

        def change() -> Prompted:
            # Here and not outside: two quick clicks must not both start from the same prompts.
            return self._editor.put(self._book, self._book.with_click(object_id, frame, click))

        self._book.check(FramePrompts(object_id, frame, (click,)))
        async with self._in_order:
            await self._make_room()
            return await self._turn(change, urgent=True)

    async def preview(self, prompts: FramePrompts) -> ObjectFrame:
        """What prompts would give, and nothing changes; errors as in :meth:`PromptBook.check`.

        Object 0 stands for one that is not there yet. Whoever is about to say something goes first.
        """
        if prompts.object_id:
            self._book.check(prompts)

        def look() -> ObjectFrame:
            return self._desk.preview(
                self._editor.based(self._book, prompts) if prompts.object_id else prompts
            )

        with self.in_use():
            return await self._scheduler.run(
                look, user=self.user, turn_class=TurnClass.WATCHED, owner=self, commits=False
            )

    async def undo(self) -> Reverted:
        """Take back the last edit.

        Raises:
            BadInputError: There is nothing to take back.
        """
        async with self._in_order:
            await self._draft_edit(self._book.history.last_done(), back=True)
            return await self._turn(lambda: self._editor.take_back(self._book), urgent=True)

    async def redo(self) -> Reverted:
        """Make the last edit that was taken back again.

        Raises:
            BadInputError: There is none.
        """
        async with self._in_order:
            await self._draft_edit(self._book.history.last_undone(), back=False)
            return await self._turn(lambda: self._editor.make_again(self._book), urgent=True)

    async def set_document(self, document: PromptDocument) -> tuple[ObjectInfo, ...]:
        """Begin anew from a document: all objects, prompts and masks are replaced, as one edit.

        Raises:
            BadInputError: The document contradicts itself or does not fit the clip; nothing changes.
            ClipError: The picture of a prompt cannot be read; nothing changes.
        """
        replacement = self._book.replaced_by(document)
        editor, said = self._editor, replacement.contents.prompts
        try:
            for own in said.values():
                await self._make_room()
                await self._draft(own.prompts)
                await self._turn(partial(editor.stage, replacement, own.prompts), urgent=True, commits=False)
            if self._track is not None:
                self._track.stop()
            await self._turn(partial(editor.replace_all, self._book, replacement), urgent=True)
        except BaseException:
            await self._turn(partial(editor.drop, replacement), urgent=True, commits=False)
            raise
        return self._book.objects()

    async def track(
        self,
        *,
        frames: FrameRange | None = None,
        object_ids: Sequence[int] = (),
        direction: Direction = Direction.BOTH,
        stale_only: bool = False,
        at_cuts: CutPolicy = CutPolicy.STOP,
        farm: bool = False,
        request_id: str = "",
    ) -> AsyncGenerator[TrackItem, None]:
        """Track objects over a range: a start, results as they come, an end.

        Args:
            frames: None for the whole clip.
            object_ids: Empty for all objects with prompts.
            direction: Which way from the prompts.
            stale_only: Only what prompts have overtaken, and no further than results change.
            at_cuts: What to do where one shot ends and another begins.
            farm: Nobody waits for it: it takes what others leave of the device.
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
        work = TrackWork(
            objects=self._chosen(object_ids),
            frames=frames,
            direction=direction,
            stale_only=stale_only,
            at_cuts=at_cuts,
            farm=farm,
        )
        range_in(self.clip, frames)
        if running is not None:
            running.stop()
        run = TrackRun(
            partial(self._planned, work.begin),
            fetch=self._fetch,
            visit=partial(self._visit, work),
            extend=partial(self._planned, work.extend),
            looked_at=lambda: self.looked_at,
            cuts=lambda: work.watch.cuts.union(work.planned_cuts),
            unreadable=lambda: self.clip.unreadable,
            request_id=request_id,
        )
        self._track = run
        try:
            async with aclosing(run.events()) as events:
                async for event in events:
                    yield event
        finally:
            if self._track is run:
                self._track = None

    @asynccontextmanager
    async def clip_beside(self) -> AsyncIterator[ClosingSource]:
        """The clip once more, for whoever reads pictures while a track may run."""
        source = await self.at_disk(self.open_source, unwanted=lambda late: late.close())
        try:
            yield source
        finally:
            self._errands.start(source.close)

    async def at_disk(
        self,
        work: Callable[..., ResultT],
        *args: Any,
        unwanted: Callable[[ResultT], None] = lambda value: None,
    ) -> ResultT:
        """Do something with the plate's files in a thread; raises ClipError when their disk hangs."""
        return await self._errands.run(work, *args, whose=self.user, at_disk=True, unwanted=unwanted)

    def cancel(self) -> bool:
        """Stop tracking after the frame in hand; False when nothing runs."""
        if self._track is None:
            return False
        self._track.stop()
        return True

    async def look_again(
        self, object_ids: Sequence[int], frames: FrameRange, source: ClosingSource
    ) -> AsyncGenerator[LookProgress, None]:
        """Have second looks at objects in a large plate and tell how far they are; see :class:`SecondLooks`.

        ``source`` is opened for this and closed by the caller, after the generator.
        """
        whole = source.info.frames
        cuts = [cut for cut in self._desk.shots.cuts if whole.first < cut <= whole.last]
        shots = [range(*ends) for ends in zip((whole.first, *cuts), (*cuts, whole.last + 1), strict=True)]
        async with aclosing(
            self.looks.look(object_ids, shots, frames, source, self._make_tracker, self._turn)
        ) as looks:
            async for progress in looks:
                yield progress

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Count as busy for as long as something outside, an export say, reads the results."""
        self._calls += 1
        try:
            yield
        finally:
            self._calls -= 1

    async def park(self) -> None:
        """Give the device's memory back, and the clip's decoder; the next call rebuilds what it needs."""
        await self._turn(self._desk.park)
        self.viewing.close()

    async def close(self) -> None:
        """Forget everything. Results can no longer be read."""
        self.cancel()
        self._desk.closed = True
        self.viewing.close(for_good=True)
        try:
            await self._turn(self._desk.release, urgent=True)
        except ClipError:
            # The clip's disk hangs, and whoever waits there holds the rest.
            _log.warning("a session was closed while its plate's disk did not answer")
        self.results.close()
        self.looks.close()
        closing = asyncio.ensure_future(self.at_disk(self._source.close))
        await asyncio.wait({closing}, timeout=CLOSE_S)
        if not closing.done():
            closing.cancel()

    def _chosen(self, object_ids: Sequence[int]) -> tuple[int, ...]:
        chosen = [self._book.object(object_id) for object_id in dict.fromkeys(object_ids)]
        if not chosen:
            chosen = [info for info in self._book.objects() if info.prompted_frames]
            if not chosen:
                raise NotPromptedError("no object has a prompt yet: click one first, then track")
        for info in chosen:
            if not info.prompted_frames:
                raise NotPromptedError(f"{info.name} has no prompt yet: click it on some frame, then track")
        return tuple(info.object_id for info in chosen)

    async def _fetch(self, step: Step) -> list[ObjectFrame]:
        def find() -> list[ObjectFrame]:
            found = (self.results.find(object_id, step.frame) for object_id in step.object_ids)
            return [result for result in found if result is not None]

        return await asyncio.get_running_loop().run_in_executor(None, find)

    async def _planned(self, plan: Callable[[Planner], ResultT]) -> ResultT:
        """A plan made of what there is now, beside the device: it may take longer than a frame.

        The session's other turns wait, so that what is planned with stands still.
        """

        def make() -> ResultT:
            with working_beside():
                return plan(self._planner)

        return await self._turn(make, urgent=True, commits=False)

    async def _visit(self, work: TrackWork, step: Step, is_watched: bool) -> Sequence[ObjectFrame]:
        await self._make_room()
        turn_class = TurnClass.WATCHED if is_watched else TurnClass.SHOT
        # The plan may be older than the book: objects go, and frames get prompts of their own.
        results = await self._turn(
            lambda: self._desk.track(step, self._book.contents, work.watch, work.at_cuts),
            turn_class=TurnClass.FARM if work.farm else turn_class,
        )
        await asyncio.get_running_loop().run_in_executor(None, self.results.pack)
        return results

    async def _make_room(self) -> None:
        """See that a frame's results can be kept before they are made; see :meth:`ResultStore.make_room`."""
        if self.results.is_full:
            await asyncio.get_running_loop().run_in_executor(None, self.results.make_room)

    async def _draft(self, prompts: FramePrompts) -> None:
        """Make all clicks and strokes but the last, a turn for each: others come in between."""
        for _ in prompts.marks[1:]:
            if not await self._turn(partial(self._desk.draft, prompts), urgent=True, commits=False):
                return

    async def _draft_edit(self, edit: Edit, *, back: bool) -> None:
        """The same for what comes back where an edit of one frame's prompts is undone or redone."""
        contents = edit.before if back else edit.after
        said = None if edit.frame is None else contents.prompts.get((edit.object_id, edit.frame))
        if said is not None:
            await self._draft(said.prompts)

    async def _turn(
        self,
        call: Callable[[], ResultT],
        *,
        urgent: bool = False,
        turn_class: TurnClass = TurnClass.SHOT,
        commits: bool = True,
    ) -> ResultT:
        with self.in_use():
            return await self._scheduler.run(
                call,
                user=self.user,
                turn_class=TurnClass.PROMPT if urgent else turn_class,
                owner=self,
                commits=commits,
            )
