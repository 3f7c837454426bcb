"""Changes of what was said, with everything that follows: masks, memory, stale frames.

All methods are called inside turns of the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from masklet.errors import LimitError
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
from masklet_server.sessions.edited_masks import EditedMasks
from masklet_server.sessions.history import Trace
from masklet_server.sessions.masks import result_of
from masklet_server.sessions.plan import Ground, TrackOrder
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


class Editor:
    """Makes edits of one session.

    Args:
        clip: The session's.
        tracker: With the frames that are stale.
        results: Masks.
        order: From which prompt frames are tracked.
        masks: What edits do to them.
        approvals: What locked frames are delivered with.
    """

    def __init__(
        self,
        clip: ClipInfo,
        tracker: SessionTracker,
        results: ResultStore,
        order: TrackOrder,
        masks: EditedMasks,
        approvals: Approvals,
    ) -> None:
        self._approvals = approvals
        self._clip = clip
        self._tracker = tracker
        self._results = results
        self._order = order
        self._masks = masks
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
            held=self._masks.held(contents, object_id, known),
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
        book.history.set_trace(edit, self._masks.follow(edit, trace, book.contents))
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
            trace = Trace(self._masks.mark_behind(book.contents, object_id, overtaken, both_ways=locked))
        if edit is not None and not locked and not book.contents.prompted_frames(object_id):
            # Only the lock kept them: no prompt makes them any more.
            trace = self._masks.set_aside(object_id, trace, book.contents)
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
            book.history.set_trace(edit, self._masks.exchange_policy(edit, Trace(), book.contents))

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

    def sweep(self, book: PromptBook) -> None:
        """Drop the masks of objects that nothing can bring back any more."""
        alive = {*book.contents.names, *book.history.objects(), *self._staged}
        dead = {each for each in self._results.object_ids() if owner_of(each) not in alive}
        if dead:
            self._tracker.forget_objects(sorted(dead))

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
