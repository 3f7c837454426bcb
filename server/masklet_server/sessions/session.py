"""One clip with its objects, prompts and results: the owner of everything but the network's state.

Every change of prompts happens inside a turn of the device, together with what the tracker makes of
it; so book, tracker and results never contradict each other, and no lock is needed.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from masklet.errors import ClipError, MaskletError
from masklet.matte_settings import MatteSettings
from masklet.types import (
    Click,
    FramePrompts,
    FrameRange,
    LockedMask,
    MemoryPolicy,
    ObjectInfo,
    PromptDocument,
)
from masklet_server.sessions.admission import Admission
from masklet_server.sessions.approvals import Approvals
from masklet_server.sessions.callers import current_request
from masklet_server.sessions.contents import Contents
from masklet_server.sessions.durability import Answer, NoJournal, Request, Restored, SessionJournal
from masklet_server.sessions.edited_masks import EditedMasks
from masklet_server.sessions.editor import Editor, Prompted
from masklet_server.sessions.history import Edit
from masklet_server.sessions.ledger import Ledger
from masklet_server.sessions.plan import TrackOrder
from masklet_server.sessions.prompts import PromptBook
from masklet_server.sessions.recorder import Recorder
from masklet_server.sessions.replies import ReplyLog
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.reversals import Reversals, Reverted
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.search import Search
from masklet_server.sessions.second_look import LookProgress, SecondLooks
from masklet_server.sessions.session_limits import NO_OTHER_SESSION_LIMITS, SessionLimits
from masklet_server.sessions.session_tracker import ClosingSource, SessionTracker, TrackerFactory
from masklet_server.sessions.session_turns import SessionTurns
from masklet_server.sessions.standing import put_back, standing_of
from masklet_server.sessions.tracks import Tracks
from masklet_server.sessions.turns import TurnClass
from masklet_server.sessions.viewing import Viewing
from masklet_server.sessions.worker_threads import WorkerThreads
from masklet_server.tracking import ObjectFrame

ResultT = TypeVar("ResultT")

CLOSE_S = 1.0
"""Waits so long for a plate's files to be closed; a disk that hangs is left to itself."""

_log = logging.getLogger("masklet_server.sessions")


class Session(SessionTurns):
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
        workers: Threads that read files.
        journal: Where changes go; closed by the store.
        restored: What a journal knows of the session; None for a fresh one.
        ledger: Adds up what sessions hold of the device's memory.
        admission: Lets tracks in while that lasts.
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
        limits: SessionLimits = NO_OTHER_SESSION_LIMITS,
        order: TrackOrder = TrackOrder.NEAREST,
        workers: WorkerThreads | None = None,
        journal: SessionJournal | None = None,
        restored: Restored | None = None,
        ledger: Ledger | None = None,
        admission: Admission | None = None,
    ) -> None:
        self.replies = ReplyLog()
        recorder = Recorder(journal) if journal is not None else None
        results = ResultStore(
            memory_bytes=limits.result_memory_bytes,
            spill_folder=limits.spill_folder,
            full_disk_bytes=limits.full_disk_bytes,
            most_spilled_bytes=limits.most_spilled_bytes,
            witness=recorder,
        )
        book = PromptBook(source.info, max_objects=limits.max_objects, undo_bytes=limits.undo_bytes)
        self._ledger = ledger or Ledger(0)
        tracker = SessionTracker(
            source, results, make_tracker, lambda: book.contents, witness=recorder, ledger=self._ledger
        )
        self._ledger.enter(tracker, lambda: self.is_busy)
        self.looks = SecondLooks(results, book.find, limits.spill_folder)
        self.approvals = Approvals(source.info, results, self.looks, lambda: tracker.shots.cuts)
        masks = EditedMasks(source.info, tracker, results, order)
        editor = Editor(source.info, tracker, results, order, masks, self.approvals)
        self._reversals = Reversals(tracker, results, masks, self.approvals)
        super().__init__(
            session_id,
            user,
            open_source,
            source,
            book,
            tracker,
            results,
            editor,
            scheduler,
            workers or WorkerThreads("files", at_once=1),
            journal or NoJournal(),
        )
        self._make_tracker = make_tracker
        self.viewing = Viewing(open_source, self._workers, user)
        # Without a circle, so that a closed session is gone at once and not when the collector comes.
        self.tracks = Tracks(weakref.proxy(self), book, tracker, editor, order, recorder, admission)
        self.search = Search(weakref.proxy(self), book, tracker)
        self._recorder = recorder
        # Of calls that were made and could not be kept: a retry has only that left to do.
        self._unsettled: dict[Request, Any] = {}
        if restored is not None:
            self.replies.remember(restored.answers)
            put_back(restored, book, tracker, masks, self.approvals, results)
            self.tracks.restore(restored)
            self.notices = restored.notices
        if recorder is not None:
            recorder.begin(partial(standing_of, book, tracker, masks, self.approvals, self.tracks))
            self._journal.attach(results)
        # Prompts of many clicks take many turns, and later ones must not overtake them.
        self._in_order = asyncio.Lock()

    @property
    def is_busy(self) -> bool:
        """True while a call waits for the device or a track runs."""
        return self._calls > 0 or self.tracks.is_running

    async def add_object(self, name: str) -> ObjectInfo:
        """Add an object; see :meth:`PromptBook.add_object`."""
        return await self._change(lambda: self._book.add_object(name), lambda made: Answer(made.object_id))

    async def rename_object(self, object_id: int, name: str) -> ObjectInfo:
        """Give an object another name; see :meth:`PromptBook.rename_object`."""
        return await self._change(
            lambda: self._book.rename_object(object_id, name), lambda made: Answer(object_id)
        )

    async def remove_object(self, object_id: int) -> None:
        """Forget an object with its prompts and masks.

        Raises:
            ObjectNotFoundError: The session has no such object.
        """
        self._book.object(object_id)
        await self._change(lambda: self._editor.remove_object(self._book, object_id))

    async def set_lock(
        self, object_id: int, frames: FrameRange, *, locked: bool, masks: Sequence[LockedMask] = ()
    ) -> None:
        """Lock frames of an object against tracking, or unlock them; see :meth:`PromptBook.set_lock`.

        ``masks`` are put in place of what the locked frames have; their object ids mean nothing.
        """
        await self._change(
            lambda: self._editor.set_lock(self._book, object_id, frames, locked=locked, masks=masks)
        )

    async def set_policy(self, object_id: int, policy: MemoryPolicy) -> None:
        """Choose how an object's memory is used while it is tracked; see :meth:`Editor.set_policy`."""
        await self._change(lambda: self._editor.set_policy(self._book, object_id, policy))

    async def set_matte(self, object_id: int, settings: MatteSettings) -> None:
        """Choose how an object's matte is finished; see :meth:`PromptBook.set_matte`."""
        await self._change(lambda: self._book.set_matte(object_id, settings))

    async def refresh(self) -> None:
        """Use frames again whose files were mended since they could not be used."""
        if self.clip.unreadable:
            await self.turn(self._tracker.shots.refresh, commits=False)
            # What other readers found is found again where it is still so.
            self._unreadable.clear()
            self._book.see(self._source.info)

    async def _mend(self, frame: int) -> None:
        if any(each.frame == frame for each in self.clip.unreadable):
            await self.refresh()

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

        await self._mend(prompts.frame)
        self._book.check(prompts)
        async with self._in_order:
            await self.make_room()
            if len(prompts.marks) > 1:
                said = await self.turn(based, urgent=True, commits=False)
                await self._draft(said)
            return await self._change(change, _on_frame)

    async def add_click(self, object_id: int, frame: int, click: Click) -> Prompted:
        """Add one click to what is said; errors as in :meth:`PromptBook.check`."""

        def change() -> Prompted:
            # Here and not outside: two quick clicks must not both start from the same prompts.
            return self._editor.put(self._book, self._book.with_click(object_id, frame, click))

        await self._mend(frame)
        self._book.check(FramePrompts(object_id, frame, (click,)))
        async with self._in_order:
            await self.make_room()
            return await self._change(change, _on_frame)

    async def preview(self, prompts: FramePrompts) -> ObjectFrame:
        """What prompts would give, and nothing changes; errors as in :meth:`PromptBook.check`.

        Object 0 stands for one that is not there yet. Whoever is about to say something goes first.
        """
        if prompts.object_id:
            self._book.check(prompts)

        def look() -> ObjectFrame:
            return self._tracker.preview(
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
            edit = self._book.history.last_done()
            async with self._readied(edit, edit.before):
                return await self._change(lambda: self._reversals.take_back(self._book), _reverted)

    async def redo(self) -> Reverted:
        """Make the last edit that was taken back again.

        Raises:
            BadInputError: There is none.
        """
        async with self._in_order:
            edit = self._book.history.last_undone()
            async with self._readied(edit, edit.after):
                return await self._change(lambda: self._reversals.make_again(self._book), _reverted)

    def prompted(self, object_id: int, frame: int) -> Prompted:
        """What is said about an object on a frame, and its mask there."""
        said = self._book.find(object_id, frame)
        if said is None:
            return Prompted(FramePrompts(object_id, frame), None)
        return Prompted(said, self.results.find(object_id, frame))

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
                await self.make_room()
                await self._draft(own.prompts)
                await self.turn(partial(editor.stage, replacement, own.prompts), urgent=True, commits=False)
            self.tracks.cancel()
            await self._change(partial(editor.replace_all, self._book, replacement))
        except BaseException:
            await self.turn(partial(editor.drop, replacement), urgent=True, commits=False)
            raise
        return self._book.objects()

    async def look_again(
        self, object_ids: Sequence[int], frames: FrameRange, source: ClosingSource
    ) -> AsyncGenerator[LookProgress, None]:
        """Have second looks at objects in a large plate and tell how far they are; see :class:`SecondLooks`.

        ``source`` is opened for this and closed by the caller, after the generator.
        """
        whole = source.info.frames
        cuts = [cut for cut in self._tracker.shots.cuts if whole.first < cut <= whole.last]
        shots = [range(*ends) for ends in zip((whole.first, *cuts), (*cuts, whole.last + 1), strict=True)]
        async with aclosing(
            self.looks.look(object_ids, shots, frames, source, self._make_tracker, self.turn)
        ) as looks:
            async for progress in looks:
                yield progress

    async def park(self) -> None:
        """Give memory back, the device's and what masks take, and the clip's decoder.

        The next call rebuilds what it needs.
        """
        await self.turn(self._tracker.park)
        self.viewing.close()
        await self.at_results(self.results.rest)

    async def close(self) -> None:
        """Give everything back. Results can no longer be read; what a journal keeps stays there."""
        self.tracks.cancel()
        self._tracker.closed = True
        self._ledger.leave(self._tracker)
        self.viewing.close(for_good=True)
        try:
            await self.turn(self._tracker.release, urgent=True)
        except ClipError:
            # The clip's disk hangs, and whoever waits there holds the rest.
            _log.warning("a session was closed while its plate's disk did not answer")
        if self._recorder is not None:
            self._recorder.close()
        self.results.close()
        self.looks.close()
        closing = asyncio.ensure_future(self.at_disk(self._source.close))
        await asyncio.wait({closing}, timeout=CLOSE_S)
        if not closing.done():
            closing.cancel()

    async def _change(
        self, call: Callable[[], ResultT], tell: Callable[[ResultT], Answer] = lambda made: Answer()
    ) -> ResultT:
        """Make an edit, which is kept when this returns.

        Args:
            call: Makes it, in a turn of the device.
            tell: Says what a client that asks again has to be told.

        Raises:
            OutputError: It cannot be kept. Nothing is changed where that is known before; otherwise the
                same request, made again, only has to be kept.
        """
        named = current_request.get()
        request = None if named is None else Request(*named)
        await self._journal.settle()
        if request in self._unsettled:
            made: ResultT = self._unsettled.pop(request)
            return made

        def change() -> ResultT:
            value = call()
            if self._recorder is not None:
                self._recorder.seal(request, tell(value))
            return value

        value = await self.turn(change, urgent=True)
        try:
            await self._journal.settle()
        except MaskletError:
            if request is not None:
                self._unsettled[request] = value
            raise
        return value

    async def _draft(self, prompts: FramePrompts) -> None:
        """Make all clicks and strokes but the last, a turn for each: others come in between."""
        for _ in prompts.marks[1:]:
            if not await self.turn(partial(self._tracker.draft, prompts), urgent=True, commits=False):
                return

    @asynccontextmanager
    async def _readied(self, edit: Edit, contents: Contents) -> AsyncIterator[None]:
        """Do the network's work for what comes back with an edit first, a click a turn."""
        said = None if edit.frame is None else contents.prompts.get((edit.object_id, edit.frame))
        if said is not None:
            await self._draft(said.prompts)
        coming: list[int] = self._reversals.comes_back(self._book, contents)
        some_back: Callable[[], bool] = partial(self._reversals.bring_some_back, self._book, contents)
        try:
            if coming:
                while await self.turn(some_back, urgent=True, commits=False):
                    await self.make_room()
            yield
        except BaseException:
            gone = [each for each in coming if each not in self._book.contents.names]
            if gone:
                await self.turn(partial(self._reversals.send_off, gone), urgent=True, commits=False)
            raise


def _on_frame(made: Prompted) -> Answer:
    return Answer(made.prompts.object_id, made.prompts.frame)


def _reverted(made: Reverted) -> Answer:
    frame = None if made.prompted is None else made.prompted.prompts.frame
    return Answer(made.object_id, frame, made.kind)
