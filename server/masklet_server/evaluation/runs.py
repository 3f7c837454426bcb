"""One clip with one tracker: prompts in, masks at plate size out, time kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.matte_settings import MatteSettings
from masklet.types import FramePrompts
from masklet_server.evaluation.clips import AnnotatedClip
from masklet_server.mattes.refined_alpha import Calming, RefinedAlpha
from masklet_server.sessions.bases import with_base
from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader, Tracker

TrackerFactory = Callable[[FrameSource, ResultReader], Tracker]
"""Makes the tracker of one clip."""


class MemoryResults:
    """Results of one clip, kept in memory."""

    def __init__(self) -> None:
        self._by_object: dict[int, dict[int, ObjectFrame]] = {}

    def put(self, result: ObjectFrame) -> None:
        """Keep a result in place of an earlier one."""
        self._by_object.setdefault(result.object_id, {})[result.frame] = result

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        """The result, or None where there is none."""
        return self._by_object.get(object_id, {}).get(frame)

    def has(self, object_id: int, frame: int) -> bool:
        """True where there is a result."""
        return frame in self._by_object.get(object_id, {})

    def frames_of(self, object_id: int) -> Sequence[int]:
        """Frame numbers with a result, ascending."""
        return sorted(self._by_object.get(object_id, {}))


class ClipRun:
    """A tracker at work on one clip.

    Args:
        clip: The sequence.
        make_tracker: Makes its tracker.
        refined: Masks of tracked frames are mattes as exports write them, thresholded at half
            coverage: calm in time as far as frames around are tracked, with edges from the plate, without
            second looks. What a prompt answers stays the network's own, as an artist sees it while clicking.

    Attributes:
        seconds: Time spent in the tracker, decoding included.
        frames_done: Frames tracked or prompted so far; a frame done twice counts twice.
    """

    def __init__(self, clip: AnnotatedClip, make_tracker: TrackerFactory, *, refined: bool = False) -> None:
        self.clip = clip
        self.results = MemoryResults()
        self.seconds = 0.0
        self.frames_done = 0
        self._said: dict[tuple[int, int], FramePrompts] = {}
        self._tracker = make_tracker(clip.limited_source, self.results)
        calming = Calming(self.results, lambda _: MatteSettings().calm)
        self._coverage = RefinedAlpha(clip.limited_source, calming=calming) if refined else None
        self._height_px, self._width_px = clip.info.height_px, clip.info.width_px

    def prompt(self, prompts: FramePrompts) -> NDArray[np.bool_]:
        """The ``(h, w)`` mask that the prompts give."""
        object_id, frame = prompts.object_id, prompts.frame
        others = any(owner == object_id and other != frame for owner, other in self._said)
        start_s = time.perf_counter()
        said = with_base(
            prompts,
            self._said.get((object_id, frame)),
            self.results.find(object_id, frame),
            (lambda: self._tracker.look(object_id, frame)) if others else lambda: None,
        )
        result = self._tracker.prompt(said)
        self._said[object_id, frame] = said
        self.seconds += time.perf_counter() - start_s
        self.results.put(result)
        return self._at_plate_size(result.logits) > 0

    def track(self, frames: Iterable[int], object_ids: Sequence[int]) -> None:
        """Track the objects over frames that ascend, and keep the results."""
        for frame in frames:
            start_s = time.perf_counter()
            results = self._tracker.track(frame, object_ids, backward=False)
            self.seconds += time.perf_counter() - start_s
            self.frames_done += 1
            for result in results:
                self.results.put(result)

    def mask(self, object_id: int, frame: int) -> NDArray[np.bool_]:
        """The ``(h, w)`` mask of one object; empty where it has no result."""
        result = self.results.find(object_id, frame)
        if result is None:
            return np.zeros((self._height_px, self._width_px), np.bool_)
        return self._mask_of(result)

    def masks(self, frame: int, object_ids: Sequence[int]) -> dict[int, NDArray[np.bool_]]:
        """The ``(h, w)`` masks of several objects, as the clip's kind of truth has them.

        Where objects exclude each other, a pixel goes to the one with the highest logit, of equals
        to the first.
        """
        results = [self.results.find(object_id, frame) for object_id in object_ids]
        found = [result for result in results if result is not None]
        empty = np.zeros((self._height_px, self._width_px), np.bool_)
        masks = {result.object_id: self._mask_of(result) for result in found}
        if self.clip.exclusive and len(found) > 1:
            # Only those that claim a pixel compete for it: a refined edge may lie beyond the logits' zero.
            claims = [
                np.where(masks[one.object_id], self._at_plate_size(one.logits), -np.inf) for one in found
            ]
            winner = np.argmax(np.stack(claims), axis=0)
            masks = {object_id: mask & (winner == at) for at, (object_id, mask) in enumerate(masks.items())}
        return {object_id: masks.get(object_id, empty) for object_id in object_ids}

    def _mask_of(self, result: ObjectFrame) -> NDArray[np.bool_]:
        if self._coverage is not None:
            return np.asarray(self._coverage(result) > 0.5)
        return self._at_plate_size(result.logits) > 0

    def _at_plate_size(self, logits: NDArray[np.float16]) -> NDArray[np.float32]:
        size_px = (self._width_px, self._height_px)
        resized = cv2.resize(logits.astype(np.float32), size_px, interpolation=cv2.INTER_LINEAR)
        return resized.astype(np.float32, copy=False)
