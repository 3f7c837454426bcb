"""What of a session happens on the device's thread: one tracker, and the results it makes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from masklet.errors import SessionNotFoundError
from masklet.types import FramePrompts
from masklet_server.sessions.plan import Step
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.tracking import FrameSource, ObjectFrame, ResultReader, Tracker


class ClosingSource(FrameSource, Protocol):
    """A clip that holds something open."""

    def close(self) -> None:
        """Give files and threads back."""
        ...


TrackerFactory = Callable[[FrameSource, ResultReader], Tracker]


class Desk:
    """Keeps tracker and results in step. All methods are called inside turns of the device.

    Args:
        source: The clip.
        results: Where results are kept.
        make_tracker: Called when the first prompt comes.

    Attributes:
        closed: Set by the session, from any thread; turns that come later do nothing or fail.
        memory_bytes: What the tracker held after the last turn.
    """

    def __init__(self, source: ClosingSource, results: ResultStore, make_tracker: TrackerFactory) -> None:
        self.closed = False
        self.memory_bytes = 0
        self._source = source
        self._results = results
        self._make_tracker = make_tracker
        self._tracker: Tracker | None = None

    def segment(self, prompts: FramePrompts) -> ObjectFrame | None:
        """The result of all prompts of one object on one frame; None, and no result, when they are empty.

        Raises:
            ClipError: The picture cannot be read; nothing changes.
            SessionNotFoundError: The session was closed meanwhile.
        """
        if prompts.is_empty:
            if self._tracker is not None:
                self._tracker.forget_prompts(prompts.object_id, prompts.frame)
            self._results.remove(prompts.object_id, prompts.frame)
            return None
        result = self._engine().prompt(prompts)
        self._results.put(result)
        self._measure()
        return result

    def track(self, step: Step, prompted_frames: Callable[[int], Collection[int]]) -> Sequence[ObjectFrame]:
        """The results of a step, for those of its objects that still need it.

        Args:
            step: What was planned.
            prompted_frames: Tells, by object, the frames with prompts as they are now.
        """
        now = {object_id: prompted_frames(object_id) for object_id in step.object_ids}
        object_ids = [object_id for object_id, own in now.items() if own and step.frame not in own]
        if not object_ids or self.closed:
            return ()
        results = self._engine().track(step.frame, object_ids, backward=step.backward)
        for result in results:
            self._results.put(result)
        self._measure()
        return results

    def forget_objects(self, object_ids: Iterable[int]) -> None:
        """Drop all that is known of some objects."""
        for object_id in object_ids:
            if self._tracker is not None:
                self._tracker.remove(object_id)
            self._results.remove_object(object_id)
        self._measure()

    def park(self) -> None:
        """Give the device's memory back; the next call rebuilds what it needs."""
        if self._tracker is not None:
            self._tracker.park()
        self._measure()

    def release(self) -> None:
        """Give the device's memory back for good."""
        self.park()
        self._tracker = None
        self._measure()

    def _engine(self) -> Tracker:
        if self.closed:
            raise SessionNotFoundError("the session was closed meanwhile: open the clip again")
        if self._tracker is None:
            self._tracker = self._make_tracker(self._source, self._results)
        return self._tracker

    def _measure(self) -> None:
        self.memory_bytes = 0 if self._tracker is None else self._tracker.memory_bytes
