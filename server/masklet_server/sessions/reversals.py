"""Edits that are taken back and made again, with the masks that were there.

All methods are called inside turns of the device.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from masklet.errors import MaskletError
from masklet.events import EditKind
from masklet.types import FramePrompts
from masklet_server.sessions.approvals import Approvals
from masklet_server.sessions.contents import Contents
from masklet_server.sessions.edited_masks import EditedMasks
from masklet_server.sessions.editor import Prompted
from masklet_server.sessions.history import Edit, History, Trace
from masklet_server.sessions.prompts import PromptBook
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.session_tracker import SessionTracker


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


class Reversals:
    """Takes edits of one session back, and makes them again.

    Args:
        tracker: With the frames that are stale.
        results: Masks.
        masks: What edits do to them.
        approvals: What locked frames are delivered with.
    """

    def __init__(
        self, tracker: SessionTracker, results: ResultStore, masks: EditedMasks, approvals: Approvals
    ) -> None:
        self._tracker = tracker
        self._results = results
        self._masks = masks
        self._approvals = approvals

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
            history.set_trace(edit, self._masks.exchange_policy(edit, history.trace(edit), end))
        if edit.kind is EditKind.LOCKS:
            opened = self._masks.locked_in(start, object_id, but_not=end)
            self._approvals.release(start, object_id, opened)
            history.set_trace(edit, self._exchange_locked(edit, history.trace(edit), start, end))
            self._approvals.resume(object_id, self._masks.locked_in(end, object_id, but_not=start))
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
            trace = self._masks.take_from_aside(object_id, trace, but=frame)
        else:
            trace = self._masks.follow(edit, trace, end)
        history.set_trace(edit, trace)
        return Prompted(prompts, result)

    def _exchange_locked(self, edit: Edit, trace: Trace, start: Contents, end: Contents) -> Trace:
        """Masks that came with a lock give way to what stood there, and the other way round."""
        object_id, stale = edit.object_id, self._tracker.stale
        as_before = trace.marked_stale & stale.of(object_id)
        stale.clear(object_id, as_before)
        marked: frozenset[int] = frozenset()
        if not as_before:
            overtaken = stale.of(object_id)
            opened = [frame for frame in overtaken if not end.is_locked(object_id, frame)]
            closed = [
                frame for frame in self._masks.locked_in(end, object_id, but_not=start) if frame in overtaken
            ]
            marked = self._masks.mark_behind(end, object_id, opened)
            marked |= self._masks.mark_behind(end, object_id, closed, both_ways=True)
        stood = {frame: self._results.find(object_id, frame) for frame in trace.replaced}
        for frame, held in trace.replaced.items():
            if held is None:
                self._results.remove(object_id, frame)
            else:
                self._tracker.put(held)
        trace = replace(trace, marked_stale=marked, replaced=stood)
        if trace.aside is not None:
            return self._masks.take_from_aside(object_id, trace)
        if object_id in end.names and not end.prompted_frames(object_id):
            return self._masks.set_aside(object_id, trace, end)
        return trace

    def comes_back(self, book: PromptBook, contents: Contents) -> list[int]:
        """Objects that are there in another state and not now."""
        return [object_id for object_id in contents.names if object_id not in book.contents.names]

    def bring_some_back(self, book: PromptBook, contents: Contents) -> bool:
        """Do a click's work towards bringing objects back; False when the edit's own turn can do the rest.

        Args:
            book: As it is, without these objects.
            contents: With them.

        Raises:
            MaskletError: A picture cannot be read; the tracker knows none of them then.
        """
        coming = self.comes_back(book, contents)
        left = [said for said in self._prompts_of(coming, contents) if not self._tracker.knows(said[0])]
        if sum(self._tracker.asks_network(*said) for said in left) < 2:
            return False
        try:
            for prompts, keep in left:
                asks = self._tracker.asks_network(prompts, keep)
                if asks and self._tracker.draft(prompts):
                    return True
                self._tracker.bring_back(prompts, keep=keep)
                if asks:
                    return True
        except MaskletError:
            self.send_off(coming)
            raise
        return False

    def send_off(self, object_ids: Iterable[int]) -> None:
        """Have the tracker forget objects that do not come back after all."""
        for object_id in object_ids:
            self._tracker.withdraw(object_id)

    def _bring_back(self, object_ids: Sequence[int], contents: Contents) -> None:
        try:
            for prompts, keep in self._prompts_of(object_ids, contents):
                if not self._tracker.knows(prompts):
                    self._tracker.bring_back(prompts, keep=keep)
        except MaskletError:
            self.send_off(object_ids)
            raise

    def _prompts_of(
        self, object_ids: Iterable[int], contents: Contents
    ) -> Iterator[tuple[FramePrompts, bool]]:
        """What is said about objects, and whether the mask that stands there is locked."""
        for object_id in object_ids:
            for frame in contents.prompted_frames(object_id):
                yield contents.prompts[object_id, frame].prompts, contents.is_locked(object_id, frame)
