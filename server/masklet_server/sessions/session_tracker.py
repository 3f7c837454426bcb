"""What of a session happens on the device's thread: one tracker, and the results it makes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from masklet.errors import DeviceError, FrameMissingError, SessionNotFoundError
from masklet.pictures import Grade
from masklet.plate_marks import PlateMarks
from masklet.types import CutPolicy, FramePrompts, FrameRange, MemoryPolicy
from masklet_server.aside import check_wanted
from masklet_server.sessions.contents import Contents
from masklet_server.sessions.ledger import Ledger
from masklet_server.sessions.plan import Step
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.staleness import StaleFrames
from masklet_server.sessions.track_watch import TrackWatch
from masklet_server.sessions.ways import Horizon, Way, Ways, WayWitness
from masklet_server.shots.watch import ShotWatch
from masklet_server.tracking import (
    DeviceMemoryError,
    FrameSource,
    Holdings,
    ObjectFrame,
    Relief,
    ResultReader,
    Seeker,
    Tracker,
)

ValueT = TypeVar("ValueT")


class ClosingSource(FrameSource, Protocol):
    """A clip that holds something open."""

    def read_shown(self, frame: int, grade: Grade) -> NDArray[np.uint8]:
        """The picture as people look at it, ``(H, W, 3)`` sRGB; raises FrameMissingError as ``read`` does."""
        ...

    def marks(self, frame: int) -> PlateMarks:
        """Timecode, reel and owner of a frame, as far as the plate says."""
        ...

    def close(self) -> None:
        """Give files and threads back; the next read opens them again."""
        ...


TrackerFactory = Callable[[FrameSource, ResultReader], Tracker]


class SessionTracker:
    """Keeps tracker and results in step. All methods are called inside turns of the device.

    Args:
        source: The clip.
        results: Where results are kept.
        make_tracker: Called when the first prompt comes.
        said: Gives all that is said: a new tracker has to know it.
        witness: Told how frames were tracked.
        ledger: Adds up what trackers hold; None where there is one alone.

    Attributes:
        closed: Set by the session, from any thread; turns that come later do nothing or fail.
        holdings: What the tracker held after the last turn.
        is_engaged: True while the tracker is at a call.
        stale: Frames whose masks prompts have overtaken.
        ways: How tracked frames came about.
        shots: Knows the cuts that were met.
    """

    def __init__(
        self,
        source: ClosingSource,
        results: ResultStore,
        make_tracker: TrackerFactory,
        said: Callable[[], Contents] = Contents,
        *,
        witness: WayWitness | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.closed = False
        self.holdings = Holdings()
        self.is_engaged = False
        self._ledger = ledger or Ledger(0)
        self.stale = StaleFrames()
        self.ways = Ways(witness)
        self._said = said
        self.shots = ShotWatch(source)
        self._results = results
        self._make_tracker = make_tracker
        self._tracker: Tracker | None = None
        self._told: dict[int, MemoryPolicy] = {}
        # Object and frame of what was brought back since it was withdrawn.
        self._back: set[tuple[int, int]] = set()

    def segment(self, prompts: FramePrompts, *, keep: bool = False) -> ObjectFrame | None:
        """The result of all prompts of one object on one frame; None, and no result, when they are empty.

        Args:
            prompts: All of them.
            keep: A result that stands there stays, as on a locked frame.

        Raises:
            ClipError: The picture cannot be read; nothing changes.
            SessionNotFoundError: The session was closed meanwhile.
        """
        object_id, frame = prompts.object_id, prompts.frame
        if prompts.is_empty:
            if self._tracker is not None:
                self._tracker.forget_prompts(object_id, frame)
            self._results.remove(object_id, frame)
            return None
        result = self._on_device(lambda tracker: tracker.prompt(prompts))
        if keep and self._results.has(object_id, frame):
            return result
        self._results.put(result)
        self.stale.clear(object_id, (frame,))
        return result

    def bring_back(self, prompts: FramePrompts, *, keep: bool) -> None:
        """Take prompts of an object that was withdrawn; the network is asked only where its mask has gone.

        Args:
            prompts: All of one object on one frame.
            keep: As for :meth:`segment`, whose errors are raised.
        """
        result = self._results.find(prompts.object_id, prompts.frame)
        if result is None or self.asks_network(prompts, keep):
            self.segment(prompts, keep=keep)
        else:
            self._on_device(lambda tracker: tracker.restore(prompts, result))
        self._back.add((prompts.object_id, prompts.frame))

    def asks_network(self, prompts: FramePrompts, keep: bool) -> bool:
        """Whether :meth:`bring_back` has the network make these anew."""
        result = self._results.find(prompts.object_id, prompts.frame)
        return keep or result is None or not result.prompted

    def knows(self, prompts: FramePrompts) -> bool:
        """Whether these were brought back, and nothing has gone since."""
        return (prompts.object_id, prompts.frame) in self._back

    def draft(self, prompts: FramePrompts) -> bool:
        """Do one click's work towards :meth:`segment`; False when no more is left. Errors as there."""
        if prompts.is_empty:
            return False
        return self._on_device(lambda tracker: tracker.draft(prompts))

    def preview(self, prompts: FramePrompts) -> ObjectFrame:
        """What :meth:`segment` would give for these prompts; nothing is kept. Errors as there."""
        return self._on_device(lambda tracker: tracker.preview(prompts))

    def _tell_policy(self, tracker: Tracker, object_id: int, policy: MemoryPolicy) -> None:
        if self._told.get(object_id, MemoryPolicy.EDITOR) is not policy:
            tracker.set_policy(object_id, policy.value)
            self._told[object_id] = policy

    def check_policy(self, policy: MemoryPolicy) -> None:
        """See that the tracker knows a policy.

        Raises:
            BadInputError: It follows the official predictor, which has none.
        """
        self._engine().check_policy(policy.value)

    def seek(self, call: Callable[[Seeker], ValueT]) -> ValueT:
        """Look for something in the clip's pictures; errors as in :meth:`segment`."""
        return self._on_device(lambda tracker: call(tracker.seeker))

    def look(self, object_id: int, frame: int) -> ObjectFrame:
        """What an object's prompts on other frames alone make of a frame; errors as in :meth:`segment`."""
        return self._on_device(lambda tracker: tracker.look(object_id, frame))

    def put(self, result: ObjectFrame) -> None:
        """Put a result in the place of another, which memory must not be made of any more."""
        self._results.put(result)
        self._forget(result.object_id, (result.frame,))

    def move(self, object_id: int, frames: Collection[int], to_id: int) -> None:
        """Give results of an object to another, or keep them aside under a number of their own."""
        self._results.move(object_id, frames, to_id)
        self._forget(object_id, frames)
        self._forget(to_id, frames)

    def track(
        self, step: Step, said: Contents, watch: TrackWatch, at_cuts: CutPolicy
    ) -> Sequence[ObjectFrame]:
        """The results of a step, for those of its objects that still need it.

        A frame whose picture turns out to be unusable is left out like a missing one: the clip's info tells.

        Args:
            step: What was planned.
            said: All prompts and locks as they are now; the plan may be older.
            watch: Of this track.
            at_cuts: What to do where the step crosses a cut.
        """
        frame, backward = step.frame, step.backward
        if self.closed or frame in self.shots.info.missing:
            return ()
        # Now: the session may be closed while the pictures are looked at.
        tracker = self._engine()
        before = self._before(frame, backward=backward)
        going = [
            object_id
            for object_id in step.object_ids
            if self._needs(object_id, frame, said)
            and watch.enter(object_id, frame, before=before, backward=backward)
        ]
        if not going:
            return ()
        if at_cuts is not CutPolicy.IGNORE and self.shots.is_cut(min(before, frame), max(before, frame)):
            watch.cuts.add(max(before, frame))
            if at_cuts is CutPolicy.STOP:
                for object_id in going:
                    watch.block(object_id, frame, backward=backward)
                return ()
        horizon = Horizon(at_cuts, self.shots.cuts)
        ways = {
            object_id: Way(
                backward,
                horizon.since(frame, said.prompted_frames(object_id), backward=backward),
                said.policy(object_id),
            )
            for object_id in going
        }
        # Objects that began behind the cut remember nothing before it anyway.
        since = next((way.since for way in ways.values() if way.since is not None), None)
        for object_id in going:
            self._tell_policy(tracker, object_id, said.policy(object_id))
        try:
            results = self._on_device(
                lambda tracker: tracker.track(frame, going, backward=backward, since=since),
                tracker,
                objects=len(going),
            )
        except FrameMissingError:
            if frame not in self.shots.info.missing:
                raise
            return ()
        # Earlier frames come again where another path explains them better; what was said meanwhile stays.
        results = [
            result
            for result in results
            if result.frame == frame or self._needs(result.object_id, result.frame, said)
        ]
        for result in results:
            self._results.put(result)
            self.ways.note(result.object_id, result.frame, ways[result.object_id])
        for object_id in going:
            watch.note(object_id, frame)
            self.stale.clear(object_id, (frame,))
        return results

    def withdraw(self, object_id: int) -> None:
        """Drop what the tracker knows of an object; its results stay, should it come back."""
        if self._tracker is not None:
            self._tracker.remove(object_id)
        self._drop(object_id)
        self._measure()

    def forget_objects(self, object_ids: Iterable[int]) -> None:
        """Drop all that is known of some objects."""
        for object_id in object_ids:
            if self._tracker is not None:
                self._tracker.remove(object_id)
            self._drop(object_id)
            self._results.remove_object(object_id)
            self.stale.forget(object_id)
            self.ways.forget(object_id)
        self._measure()

    def park(self) -> None:
        """Give the device's memory back, and the clip's decoder; the next call rebuilds what it needs."""
        if self._tracker is not None:
            self._tracker.park()
        self._measure()
        self.shots.close()

    def relieve(self, relief: Relief) -> None:
        """Give some of the device's memory back; the next call rebuilds what it needs."""
        if self._tracker is not None:
            self._tracker.relieve(relief)
            self._measure()

    def abandon(self) -> None:
        """Leave the tracker to a call that does not end; from now on there is another."""
        self._tracker, self.is_engaged = None, False
        self._back.clear()
        self.holdings = Holdings()

    def release(self) -> None:
        """Give the device's memory back for good."""
        if self._tracker is not None:
            self._tracker.park()
        self._tracker = None
        self._back.clear()
        self._measure()

    def _engine(self) -> Tracker:
        if self.closed:
            raise SessionNotFoundError("the session was closed meanwhile: open the clip again")
        if self._tracker is None:
            tracker = self._make_tracker(self.shots, self._results)
            self._tell_all(tracker)
            check_wanted()
            self._tracker = tracker
        return self._tracker

    def _tell_all(self, tracker: Tracker) -> None:
        """Tell a new tracker what was said before it was there, as in a session that comes from a journal."""
        contents = self._said()
        for (object_id, frame), said in sorted(contents.prompts.items()):
            result = self._results.find(object_id, frame)
            if result is not None and result.prompted and not contents.is_locked(object_id, frame):
                tracker.restore(said.prompts, result)
            else:
                # What stands there was made of something else, and tracking reads what the prompts make.
                tracker.prompt(said.prompts)

    def _on_device(
        self, call: Callable[[Tracker], ValueT], tracker: Tracker | None = None, *, objects: int = 0
    ) -> ValueT:
        """Make a call of the engine; once more with more room where the device's memory was full.

        Raises:
            DeviceError: It is full all the same. Nothing has changed.
        """
        for _ in range(2):
            self.is_engaged = True
            try:
                tracker = tracker or self._engine()
                value = call(tracker)
            except DeviceMemoryError:
                pass
            else:
                # A call that was given up must change nothing when it ends after all.
                check_wanted()
                return value
            finally:
                if tracker is self._tracker:
                    self.is_engaged = False
                    self._measure()
                    self._ledger.note(self, objects)
            # Out here, since an exception holds all that its call held.
            check_wanted()
            self.relieve(Relief.ALL)
            self._ledger.give_way(self)
        raise DeviceError(
            "the server's graphics memory is full, and this was too much for it: try fewer objects, "
            "or try again when others have finished. The session is as it was"
        )

    def _before(self, frame: int, *, backward: bool) -> int:
        """The frame before this one on the way, which the clip may not have: it may begin there."""
        step = 1 if backward else -1
        return self.shots.info.missing.past(frame + step, step)

    def _needs(self, object_id: int, frame: int, said: Contents) -> bool:
        own = said.prompted_frames(object_id)
        if not own or frame in own or object_id not in said.names:
            return False
        return not (said.is_locked(object_id, frame) and self._results.has(object_id, frame))

    def _forget(self, object_id: int, frames: Collection[int]) -> None:
        if self._tracker is not None and frames:
            self._tracker.forget_tracked(object_id, FrameRange(min(frames), max(frames)))

    def _drop(self, object_id: int) -> None:
        self._told.pop(object_id, None)
        self._back = {each for each in self._back if each[0] != object_id}

    def _measure(self) -> None:
        self.holdings = Holdings() if self._tracker is None else self._tracker.holdings
