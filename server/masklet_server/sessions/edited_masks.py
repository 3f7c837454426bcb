"""What edits do to masks: which of them are overtaken, and which go aside until the edit is taken back.

All methods are called inside turns of the device.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from masklet.types import ClipInfo
from masklet_server.sessions.contents import Contents
from masklet_server.sessions.history import Aside, Edit, Trace
from masklet_server.sessions.plan import TrackOrder, affected_frames
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.session_tracker import SessionTracker


class EditedMasks:
    """The masks of one session, as edits find and leave them.

    Args:
        clip: The session's.
        tracker: With the frames that are stale.
        results: Masks.
        order: From which prompt frames are tracked.

    Attributes:
        next_aside: Id of the next results that are kept aside: no object has such a number.
    """

    def __init__(
        self, clip: ClipInfo, tracker: SessionTracker, results: ResultStore, order: TrackOrder
    ) -> None:
        self._clip = clip
        self._tracker = tracker
        self._results = results
        self._order = order
        self.next_aside = -1

    def follow(self, edit: Edit, trace: Trace, contents: Contents) -> Trace:
        """Mark what prompts have overtaken; without any prompts left, take away what nothing makes now."""
        object_id, stale = edit.object_id, self._tracker.stale
        if not contents.prompted_frames(object_id):
            return self.set_aside(object_id, trace, contents)
        # Not tracked since: what stands there was made from what is in force again.
        as_before = trace.marked_stale & stale.of(object_id)
        stale.clear(object_id, as_before)
        reached = self._reached(edit, trace, contents)
        return replace(trace, marked_stale=stale.mark(object_id, reached - as_before))

    def set_aside(self, object_id: int, trace: Trace, contents: Contents) -> Trace:
        """Take away what nothing makes any more, to be brought back with the edit."""
        stale = self._tracker.stale
        known = frozenset(self._results.frames_of(object_id))
        going = known - self.held(contents, object_id, known)
        aside = Aside(self.next_aside, stale.of(object_id) - trace.marked_stale)
        self.next_aside -= 1
        self._tracker.move(object_id, going, aside.results_id)
        stale.clear(object_id, stale.of(object_id) - self.held(contents, object_id, known))
        return replace(trace, marked_stale=frozenset(), aside=aside)

    def take_from_aside(self, object_id: int, trace: Trace, *, but: int | None = None) -> Trace:
        """Bring back what was set aside with an edit, all but one frame's."""
        assert trace.aside is not None
        aside = trace.aside
        kept = [each for each in self._results.frames_of(aside.results_id) if each != but]
        self._tracker.move(aside.results_id, kept, object_id)
        self._tracker.stale.mark(object_id, aside.stale)
        return replace(trace, aside=None)

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

    def mark_behind(
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

    def locked_in(self, contents: Contents, object_id: int, *, but_not: Contents) -> list[int]:
        """Frames with masks that are locked in one state and not in another."""
        known = self._results.frames_of(object_id)
        held = (frame for frame in known if contents.is_locked(object_id, frame))
        return [frame for frame in held if not but_not.is_locked(object_id, frame)]

    def held(self, contents: Contents, object_id: int, known: Collection[int]) -> frozenset[int]:
        """Those of some frames that are locked."""
        return frozenset(frame for frame in known if contents.is_locked(object_id, frame))

    def exchange_policy(self, edit: Edit, trace: Trace, end: Contents) -> Trace:
        """Mark what was tracked in another way; what this edit had marked is as it should be again."""
        object_id, stale = edit.object_id, self._tracker.stale
        as_before = trace.marked_stale & stale.of(object_id)
        stale.clear(object_id, as_before)
        tracked = frozenset(self._results.frames_of(object_id)) - set(end.prompted_frames(object_id))
        return replace(trace, marked_stale=stale.mark(object_id, tracked - as_before))
