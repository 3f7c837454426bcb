"""Changes of what was said, there and back, with everything that follows: masks, memory, stale frames.

All methods are called inside turns of the device.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from masklet.errors import LimitError, MaskletError
from masklet.events import EditKind
from masklet.types import (
    ClipInfo,
    CutPolicy,
    FramePrompts,
    FrameRange,
    LockedMask,
    MemoryPolicy,
    PromptDocument,
)
from masklet_server.sessions.approvals import Approvals, owner_of
from masklet_server.sessions.bases import with_base
from masklet_server.sessions.contents import Contents
from masklet_server.sessions.history import Aside, Edit, History, Trace
from masklet_server.sessions.masks import result_of
from masklet_server.sessions.plan import Ground, TrackOrder, affected_frames
from masklet_server.sessions.prompts import PromptBook, Replacement
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.session_tracker import SessionTracker
from masklet_server.sessions.ways import Horizon
from masklet_server.tracking import ObjectFrame

MAX_LOCKED_BYTES = 24 << 20
"""Packed, of the masks of all locked frames of a document: they travel in one message."""


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
        tracker: With the frames that are stale.
        results: Masks.
        order: From which prompt frames are tracked.
        approvals: What locked frames are delivered with.

    Attributes:
        next_aside: Id of the next results that are kept aside: no object has such a number.
    """

    def __init__(
        self,
        clip: ClipInfo,
        tracker: SessionTracker,
        results: ResultStore,
        order: TrackOrder,
        approvals: Approvals,
    ) -> None:
        self._approvals = approvals
        self._clip = clip
        self._tracker = tracker
        self._results = results
        self._order = order
        self.next_aside = -1
        self._staged: set[int] = set()

    def ground(self, contents: Contents, object_id: int, at_cuts: CutPolicy) -> Ground:
        """What there is of an object: what tracking starts from, builds on and leaves as it is."""
        known = frozenset(self._results.frames_of(object_id))
        prompted = contents.prompted_frames(object_id)
        matching = partial(
            self._tracker.ways.matching,
            object_id,
            known - self._tracker.stale.of(object_id),
            prompted,
            Horizon(at_cuts, self._tracker.shots.cuts, contents.policy(object_id)),
        )
        return Ground(
            prompted=prompted,
            forward=matching(backward=False),
            backward=matching(backward=True),
            held=self._held(contents, object_id, known),
        )

    def settle(self, book: PromptBook) -> None:
        """See that locked frames are delivered as they are now, whatever happens around them next."""
        self._approvals.settle(book.contents)

    def put(self, book: PromptBook, prompts: FramePrompts) -> Prompted:
        """Say something in place of what was said on a frame; errors as in :meth:`PromptBook.check`."""
        checked = book.check(prompts)
        object_id, frame = checked.object_id, checked.frame
        before, standing = book.find(object_id, frame), self._results.find(object_id, frame)
        if checked.is_empty and before is None:
            return Prompted(checked, None)
        said = self.based(book, checked)
        if said == before and standing is not None:
            return Prompted(said, standing)
        was_stale = self._tracker.stale.of(object_id) & {frame}
        self._approvals.settle(book.contents)
        result = self._tracker.segment(said)
        edit = book.put(said)
        trace = Trace()
        if standing is not None and not standing.prompted:
            trace = Trace(replaced={frame: standing}, replaced_stale=was_stale)
        book.history.set_trace(edit, self._follow(edit, trace, book.contents))
        self.sweep(book)
        return Prompted(said, result)

    def based(self, book: PromptBook, prompts: FramePrompts) -> FramePrompts:
        """Checked prompts, with what they correct; errors as in :meth:`PromptBook.check`."""
        checked = book.check(prompts)
        if self._order is not TrackOrder.NEAREST:
            return checked
        object_id, frame = checked.object_id, checked.frame
        before, standing = book.find(object_id, frame), self._results.find(object_id, frame)
        others = set(book.prompted_frames(object_id)) - {frame}
        look = partial(self._tracker.look, object_id, frame) if others else lambda: None
        return with_base(checked, before, standing, look)

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

        Raises:
            LimitError: The locked masks would be too many for one document.
            BadInputError: A mask is damaged.
        """
        inside = [kept for kept in masks if locked and kept.frame in frames]
        results = [result_of(kept.mask, object_id, kept.frame) for kept in inside]
        if locked:
            self._check_size(book, object_id, frames)
        before = book.contents
        self._approvals.settle(before)
        known = [frame for frame in self._results.frames_of(object_id) if frame in frames]
        held = [frame for frame in known if before.is_locked(object_id, frame)]
        if not locked:
            self._approvals.release(before, object_id, held)
        edit = book.set_lock(object_id, frames, locked=locked)
        stale, trace = self._tracker.stale, Trace()
        if edit is not None:
            # What was overtaken while it was locked shows now, and so does what was built on it. What is
            # overtaken and locked now stays, and what was built on what its prompts would give does not.
            overtaken = [frame for frame in stale.of(object_id) if frame in frames]
            trace = Trace(self._mark_behind(book.contents, object_id, overtaken, both_ways=locked))
        if edit is not None and not locked and not book.contents.prompted_frames(object_id):
            # Only the lock kept them: no prompt makes them any more.
            trace = self._set_aside(object_id, trace, book.contents)
        stood = {kept.frame: self._results.find(object_id, kept.frame) for kept in inside}
        self._approvals.release(before, object_id, [frame for frame in held if frame in stood])
        for kept, result in zip(inside, results, strict=True):
            self._tracker.put(result)
            if kept.stale:
                stale.mark(object_id, (kept.frame,))
        if edit is not None:
            book.history.set_trace(edit, replace(trace, replaced=stood))
        if locked:
            self._approvals.renew(object_id, {*known, *stood}.difference(set(held).difference(stood)))
            self._approvals.load(book.contents, [replace(kept, object_id=object_id) for kept in inside])
            self._approvals.settle(book.contents)

    def set_policy(self, book: PromptBook, object_id: int, policy: MemoryPolicy) -> None:
        """Choose how an object's memory is used: what was tracked otherwise is stale from then on.

        Raises:
            ObjectNotFoundError: The session has no such object.
            BadInputError: The tracker knows no policies.
        """
        book.object(object_id)
        self._tracker.check_policy(policy)
        self._approvals.settle(book.contents)
        edit = book.set_policy(object_id, policy)
        if edit is not None:
            book.history.set_trace(edit, self._exchange_policy(edit, Trace(), book.contents))

    def remove_object(self, book: PromptBook, object_id: int) -> None:
        """Forget an object; its masks stay for as long as it can be brought back."""
        self._approvals.settle(book.contents)
        book.remove_object(object_id)
        self._tracker.withdraw(object_id)
        self.sweep(book)

    def stage(self, replacement: Replacement, prompts: FramePrompts) -> None:
        """Make what a document's prompts on one frame give, before the document is in force.

        Raises:
            MaskletError: The picture cannot be read: :meth:`drop` takes back what was made.
        """
        contents = replacement.contents
        self._staged.update(replacement.object_ids)
        for kept in replacement.masks:
            if (kept.object_id, kept.frame) == (prompts.object_id, prompts.frame):
                self._tracker.put(result_of(kept.mask, kept.object_id, kept.frame, prompted=True))
        self._tracker.segment(prompts, keep=contents.is_locked(prompts.object_id, prompts.frame))

    def drop(self, replacement: Replacement) -> None:
        """Forget what was made of a document that does not come into force."""
        self._staged.difference_update(replacement.object_ids)
        made = {each for each in self._results.object_ids() if owner_of(each) in replacement.object_ids}
        self._tracker.forget_objects({*replacement.object_ids, *made})

    def replace_all(self, book: PromptBook, replacement: Replacement) -> None:
        """Put a document whose prompts are staged into force: one edit.

        Raises:
            BadInputError: A mask is damaged; nothing changes.
        """
        contents = replacement.contents
        masks = [(kept, result_of(kept.mask, kept.object_id, kept.frame)) for kept in replacement.masks]
        self._approvals.load(contents, replacement.masks)
        self._approvals.settle(book.contents)
        for kept, result in masks:
            if (kept.object_id, kept.frame) not in contents.prompts:
                self._tracker.put(result)
            if kept.stale:
                self._tracker.stale.mark(kept.object_id, (kept.frame,))
        for object_id in book.contents.names:
            self._tracker.withdraw(object_id)
        book.replace_all(contents)
        self._staged.difference_update(replacement.object_ids)
        self.sweep(book)

    def with_masks(self, document: PromptDocument) -> PromptDocument:
        """The document with the masks of its locked frames."""
        masks = []
        for lock in document.locks:
            stale = self._tracker.stale.of(lock.object_id)
            for frame in self._results.frames_of(lock.object_id):
                if frame in lock.frames:
                    masks.append(self._approvals.locked_mask(lock.object_id, frame, stale=frame in stale))
        return replace(document, masks=tuple(mask for mask in masks if mask is not None))

    def take_back(self, book: PromptBook) -> Reverted:
        """Take back the last edit.

        Raises:
            BadInputError: There is none.
            MaskletError: A picture cannot be read; nothing changes.
        """
        edit = book.history.last_done()
        reverted = self._move(book.history, edit, edit.after, edit.before)
        book.take_back()
        return reverted

    def make_again(self, book: PromptBook) -> Reverted:
        """Make the last edit that was taken back again; errors as in :meth:`take_back`."""
        edit = book.history.last_undone()
        reverted = self._move(book.history, edit, edit.before, edit.after)
        book.make_again()
        return reverted

    def sweep(self, book: PromptBook) -> None:
        """Drop the masks of objects that nothing can bring back any more."""
        alive = {*book.contents.names, *book.history.objects(), *self._staged}
        dead = {each for each in self._results.object_ids() if owner_of(each) not in alive}
        if dead:
            self._tracker.forget_objects(sorted(dead))

    def _move(self, history: History, edit: Edit, start: Contents, end: Contents) -> Reverted:
        object_id = edit.object_id
        self._approvals.settle(start)
        if edit.kind is EditKind.PROMPTS:
            assert edit.frame is not None
            return Reverted(edit.kind, object_id, self._exchange(history, edit, edit.frame, end))
        self._bring_back([each for each in end.names if each not in start.names], end)
        for each in start.names:
            if each not in end.names:
                self._tracker.withdraw(each)
        if edit.kind is EditKind.POLICY:
            history.set_trace(edit, self._exchange_policy(edit, history.trace(edit), end))
        if edit.kind is EditKind.LOCKS:
            opened = self._locked_in(start, object_id, but_not=end)
            self._approvals.release(start, object_id, opened)
            history.set_trace(edit, self._exchange_locked(edit, history.trace(edit), start, end))
            self._approvals.resume(object_id, self._locked_in(end, object_id, but_not=start))
            self._approvals.settle(end)
        return Reverted(edit.kind, object_id, None)

    def _exchange(self, history: History, edit: Edit, frame: int, end: Contents) -> Prompted:
        """Put other prompts on a frame; what was tracked there before the first of them comes back."""
        object_id, trace = edit.object_id, history.trace(edit)
        said = end.prompts.get((object_id, frame))
        prompts = FramePrompts(object_id, frame) if said is None else said.prompts
        standing = self._results.find(object_id, frame)
        stale = self._tracker.stale
        was_stale = stale.of(object_id) & {frame}
        result = self._tracker.segment(prompts, keep=end.is_locked(object_id, frame))
        held = trace.replaced.get(frame)
        if prompts.is_empty and held is not None:
            self._tracker.put(held)
            stale.mark(object_id, trace.replaced_stale)
        elif standing is not None and not standing.prompted:
            trace = replace(trace, replaced={frame: standing}, replaced_stale=was_stale)
        if trace.aside is not None:
            trace = self._take_from_aside(object_id, trace, but=frame)
        else:
            trace = self._follow(edit, trace, end)
        history.set_trace(edit, trace)
        return Prompted(prompts, result)

    def _exchange_policy(self, edit: Edit, trace: Trace, end: Contents) -> Trace:
        """Mark what was tracked in another way; what this edit had marked is as it should be again."""
        object_id, stale = edit.object_id, self._tracker.stale
        as_before = trace.marked_stale & stale.of(object_id)
        stale.clear(object_id, as_before)
        tracked = frozenset(self._results.frames_of(object_id)) - set(end.prompted_frames(object_id))
        return replace(trace, marked_stale=stale.mark(object_id, tracked - as_before))

    def _exchange_locked(self, edit: Edit, trace: Trace, start: Contents, end: Contents) -> Trace:
        """Masks that came with a lock give way to what stood there, and the other way round."""
        object_id, stale = edit.object_id, self._tracker.stale
        as_before = trace.marked_stale & stale.of(object_id)
        stale.clear(object_id, as_before)
        marked: frozenset[int] = frozenset()
        if not as_before:
            overtaken = stale.of(object_id)
            opened = [frame for frame in overtaken if not end.is_locked(object_id, frame)]
            closed = [frame for frame in self._locked_in(end, object_id, but_not=start) if frame in overtaken]
            marked = self._mark_behind(end, object_id, opened)
            marked |= self._mark_behind(end, object_id, closed, both_ways=True)
        stood = {frame: self._results.find(object_id, frame) for frame in trace.replaced}
        for frame, held in trace.replaced.items():
            if held is None:
                self._results.remove(object_id, frame)
            else:
                self._tracker.put(held)
        trace = replace(trace, marked_stale=marked, replaced=stood)
        if trace.aside is not None:
            return self._take_from_aside(object_id, trace)
        if object_id in end.names and not end.prompted_frames(object_id):
            return self._set_aside(object_id, trace, end)
        return trace

    def _follow(self, edit: Edit, trace: Trace, contents: Contents) -> Trace:
        """Mark what prompts have overtaken; without any prompts left, take away what nothing makes now."""
        object_id, stale = edit.object_id, self._tracker.stale
        if not contents.prompted_frames(object_id):
            return self._set_aside(object_id, trace, contents)
        # Not tracked since: what stands there was made from what is in force again.
        as_before = trace.marked_stale & stale.of(object_id)
        stale.clear(object_id, as_before)
        reached = self._reached(edit, trace, contents)
        return replace(trace, marked_stale=stale.mark(object_id, reached - as_before))

    def _set_aside(self, object_id: int, trace: Trace, contents: Contents) -> Trace:
        stale = self._tracker.stale
        known = frozenset(self._results.frames_of(object_id))
        going = known - self._held(contents, object_id, known)
        aside = Aside(self.next_aside, stale.of(object_id) - trace.marked_stale)
        self.next_aside -= 1
        self._tracker.move(object_id, going, aside.results_id)
        stale.clear(object_id, stale.of(object_id) - self._held(contents, object_id, known))
        return replace(trace, marked_stale=frozenset(), aside=aside)

    def _take_from_aside(self, object_id: int, trace: Trace, *, but: int | None = None) -> Trace:
        """Bring back what was set aside with an edit, all but one frame's."""
        assert trace.aside is not None
        aside = trace.aside
        kept = [each for each in self._results.frames_of(aside.results_id) if each != but]
        self._tracker.move(aside.results_id, kept, object_id)
        self._tracker.stale.mark(object_id, aside.stale)
        return replace(trace, aside=None)

    def _bring_back(self, object_ids: Sequence[int], contents: Contents) -> None:
        try:
            for object_id in object_ids:
                for frame in contents.prompted_frames(object_id):
                    said = contents.prompts[object_id, frame].prompts
                    self._tracker.bring_back(said, keep=contents.is_locked(object_id, frame))
        except MaskletError:
            for object_id in object_ids:
                self._tracker.withdraw(object_id)
            raise

    def _reached(self, edit: Edit, trace: Trace, contents: Contents) -> frozenset[int]:
        """Frames with masks that the edit's prompts reach; the frame itself where it lost its mask."""
        object_id, frame = edit.object_id, edit.frame
        assert frame is not None
        known = frozenset(self._results.frames_of(object_id))
        prompted = contents.prompted_frames(object_id)
        affected = affected_frames(frame, prompted, self._clip, self._order)
        reached = frozenset(each for each in known if each in affected)
        if frame not in known and not known.isdisjoint((frame - 1, frame + 1)):
            reached |= {frame}
        elif frame in known and (frame in prompted or frame in trace.replaced):
            # It has the mask of its prompts, or the one that stood there before them.
            reached -= {frame}
        return reached - frozenset(prompted)

    def _mark_behind(
        self, contents: Contents, object_id: int, frames: Collection[int], *, both_ways: bool = False
    ) -> frozenset[int]:
        """Mark what tracking built on some frames, or may build on them from either side; what was marked."""
        known = frozenset(self._results.frames_of(object_id))
        prompted = contents.prompted_frames(object_id)
        behind: set[int] = set()
        for frame in frames:
            way = self._tracker.ways.of(object_id, frame)
            reached = affected_frames(frame, prompted, self._clip, self._order)
            if way is not None and not both_ways:
                reached = range(reached.start, frame) if way.backward else range(frame + 1, reached.stop)
            behind.update(each for each in known if each in reached)
        return self._tracker.stale.mark(object_id, behind - set(prompted))

    def _locked_in(self, contents: Contents, object_id: int, *, but_not: Contents) -> list[int]:
        """Frames with masks that are locked in one state and not in another."""
        known = self._results.frames_of(object_id)
        held = (frame for frame in known if contents.is_locked(object_id, frame))
        return [frame for frame in held if not but_not.is_locked(object_id, frame)]

    def _held(self, contents: Contents, object_id: int, known: Collection[int]) -> frozenset[int]:
        return frozenset(frame for frame in known if contents.is_locked(object_id, frame))

    def _check_size(self, book: PromptBook, object_id: int, frames: FrameRange) -> None:
        locked = book.contents.with_lock(object_id, frames, locked=True).locks
        size_bytes = sum(
            self._results.size_of(owner, frame)
            for owner, ranges in locked.items()
            for frame in self._results.frames_of(owner)
            if any(frame in each for each in ranges)
        )
        size_bytes += self._approvals.size_of(book.contents)
        if size_bytes > MAX_LOCKED_BYTES:
            raise LimitError(
                f"the masks of all locked frames would take {size_bytes / 1e6:.0f} MB, and a prompt document "
                f"holds {MAX_LOCKED_BYTES / 1e6:.0f}: lock fewer frames, or unlock some first"
            )
