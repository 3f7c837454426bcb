"""Changes of what was said, there and back, with everything that follows: masks, memory, stale frames.

All methods are called inside turns of the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from masklet.errors import MaskletError
from masklet.events import EditKind
from masklet.types import ClipInfo, FramePrompts, FrameRange, LockedMask, PromptDocument
from masklet_server.sessions.desk import Desk
from masklet_server.sessions.history import Contents, Edit
from masklet_server.sessions.masks import result_of
from masklet_server.sessions.plan import Ground, TrackOrder, affected_frames
from masklet_server.sessions.prompts import PromptBook
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.tracking import ObjectFrame


@dataclass(frozen=True, eq=False)
class Prompted:
    """What a change of prompts made: what is said now, and the mask, None where nothing is said."""

    prompts: FramePrompts
    result: ObjectFrame | None


@dataclass(frozen=True, eq=False)
class Reverted:
    """An edit that was taken back or made again.

    Attributes:
        kind: What was changed.
        object_id: Whose.
        prompted: What is said and seen now, where prompts of one frame were changed.
    """

    kind: EditKind
    object_id: int
    prompted: Prompted | None


class Editor:
    """Makes edits of one session.

    Args:
        clip: The session's.
        desk: Tracker and stale frames.
        results: Masks.
        order: From which prompt frames are tracked.
    """

    def __init__(self, clip: ClipInfo, desk: Desk, results: ResultStore, order: TrackOrder) -> None:
        self._clip = clip
        self._desk = desk
        self._results = results
        self._order = order

    def ground(self, contents: Contents, object_id: int) -> Ground:
        """What there is of an object: what tracking starts from, builds on and leaves as it is."""
        known = frozenset(self._results.frames_of(object_id))
        return Ground(
            prompted=contents.prompted_frames(object_id),
            known=known - self._desk.stale.of(object_id),
            held=frozenset(frame for frame in known if contents.is_locked(object_id, frame)),
        )

    def put(self, book: PromptBook, prompts: FramePrompts) -> Prompted:
        """Say something in place of what was said on a frame; errors as in :meth:`PromptBook.check`."""
        checked = book.check(prompts)
        object_id, frame = checked.object_id, checked.frame
        replaced = self._tracked(object_id, frame)
        result = self._desk.segment(checked)
        edit = book.put(checked)
        edit.replaced = replaced
        edit.marked_stale = self._desk.stale.mark(object_id, self._reached(edit, book.contents))
        self.sweep(book)
        return Prompted(checked, result)

    def remove_object(self, book: PromptBook, object_id: int) -> None:
        """Forget an object; its masks stay for as long as it can be brought back."""
        book.remove_object(object_id)
        self._desk.withdraw(object_id)
        self.sweep(book)

    def set_lock(
        self,
        book: PromptBook,
        object_id: int,
        frames: FrameRange,
        *,
        locked: bool,
        masks: Sequence[LockedMask] = (),
    ) -> None:
        """Lock frames, or unlock them; errors as in :meth:`PromptBook.set_lock`.

        Args:
            book: The session's.
            object_id: Whose.
            frames: Which.
            locked: False unlocks.
            masks: Of frames to lock, in place of what these have.
        """
        inside = [result_of(kept.mask, object_id, kept.frame) for kept in masks if kept.frame in frames]
        book.set_lock(object_id, frames, locked=locked)
        for result in inside if locked else ():
            self._results.put(result)

    def with_masks(self, document: PromptDocument) -> PromptDocument:
        """The document with the masks of its locked frames."""
        masks = []
        for lock in document.locks:
            stale = self._desk.stale.of(lock.object_id)
            for frame in self._results.frames_of(lock.object_id):
                mask = self._results.packed(lock.object_id, frame) if frame in lock.frames else None
                if mask is not None:
                    masks.append(LockedMask(lock.object_id, frame, mask, frame in stale))
        return replace(document, masks=tuple(masks))

    def take_back(self, book: PromptBook) -> Reverted:
        """Take back the last edit.

        Raises:
            BadInputError: There is none.
            MaskletError: A picture cannot be read; nothing changes.
        """
        edit = book.history.last_done()
        reverted = self._move(edit, edit.after, edit.before)
        book.take_back()
        return reverted

    def make_again(self, book: PromptBook) -> Reverted:
        """Make the last edit that was taken back again; errors as in :meth:`take_back`."""
        edit = book.history.last_undone()
        reverted = self._move(edit, edit.before, edit.after)
        book.make_again()
        return reverted

    def sweep(self, book: PromptBook) -> None:
        """Drop the masks of objects that nothing can bring back any more."""
        alive = {*book.contents.names, *book.history.objects()}
        dead = self._results.object_ids() - alive
        if dead:
            self._desk.forget_objects(sorted(dead))

    def _move(self, edit: Edit, start: Contents, end: Contents) -> Reverted:
        object_id = edit.object_id
        if edit.kind is EditKind.PROMPTS:
            assert edit.frame is not None
            return Reverted(edit.kind, object_id, self._exchange(edit, edit.frame, end))
        if object_id in start.names and object_id not in end.names:
            self._desk.withdraw(object_id)
        elif object_id not in start.names:
            self._bring_back(object_id, end)
        return Reverted(edit.kind, object_id, None)

    def _exchange(self, edit: Edit, frame: int, end: Contents) -> Prompted:
        """Put other prompts on a frame; what was tracked there before the first of them comes back."""
        object_id = edit.object_id
        prompts = end.prompts.get((object_id, frame)) or FramePrompts(object_id, frame)
        tracked = self._tracked(object_id, frame)
        result = self._desk.segment(prompts)
        if prompts.is_empty and edit.replaced is not None:
            self._results.put(edit.replaced)
        elif tracked is not None:
            edit.replaced = tracked
        stale = self._desk.stale
        # Not tracked since: what stands there was made from what is in force again.
        as_before = edit.marked_stale & stale.of(object_id)
        stale.clear(object_id, as_before)
        edit.marked_stale = stale.mark(object_id, self._reached(edit, end) - as_before)
        return Prompted(prompts, result)

    def _bring_back(self, object_id: int, contents: Contents) -> None:
        try:
            for frame in contents.prompted_frames(object_id):
                self._desk.segment(contents.prompts[object_id, frame])
        except MaskletError:
            self._desk.withdraw(object_id)
            raise

    def _tracked(self, object_id: int, frame: int) -> ObjectFrame | None:
        result = self._results.find(object_id, frame)
        return None if result is None or result.prompted else result

    def _reached(self, edit: Edit, contents: Contents) -> frozenset[int]:
        """Frames with masks that the edit's prompts reach; the frame itself where it lost its mask."""
        object_id, frame = edit.object_id, edit.frame
        assert frame is not None
        known = frozenset(self._results.frames_of(object_id))
        ground = self.ground(contents, object_id)
        reached = known.intersection(affected_frames(frame, ground, self._clip, self._order))
        if frame not in known and not known.isdisjoint((frame - 1, frame + 1)):
            reached |= {frame}
        elif frame in known:
            reached -= {frame}
        return reached - frozenset(ground.prompted) - frozenset(ground.held)
