"""What the delivery of locked frames reads beside their own masks, kept as it was when they were approved.

An exported matte is calmed by the masks of the frames around it, and in large plates looked at a second time.
On a locked frame neither may change any more, whatever becomes of the frames around. So the masks around it
stay: those of locked frames where they are, copies of the others under numbers of their own in the result
store, where they are packed, spilled and kept like all results. Second looks stay in memory once they were
made, and go into the document with them.

All methods but :meth:`Approvals.delivered` and :meth:`Approvals.locked_mask` are called inside turns of the
device.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from masklet.matte_settings import CALM_SPAN
from masklet.types import ClipInfo, CloseLook, FrameRange, LockedMask, NearMask, Presence, TrackedMask
from masklet_server.mattes.calm import is_one_shot
from masklet_server.mattes.refined_alpha import Approved
from masklet_server.mattes.windows import Look, Window, trusted
from masklet_server.sessions.contents import Contents
from masklet_server.sessions.masks import result_of, unpack_logits
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.second_look import SecondLooks
from masklet_server.tracking import ObjectFrame

MAX_LOOK_BYTES = 8 << 20
"""Of the second looks of all locked frames, packed; more are made anew with every export."""

# Objects count from 1, results that are kept aside from -1 downwards: these are far below.
_FIRST_ID = -(1 << 30)
_IDS = 2 * CALM_SPAN + 2


@dataclass(frozen=True)
class Seen:
    """Second looks at a locked frame, and at those that calm it, by frame."""

    own: tuple[CloseLook, ...]
    around: Mapping[int, tuple[CloseLook, ...]] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        """Packed."""
        return sum(len(look.logits) for looks in (self.own, *self.around.values()) for look in looks)


class Approvals:
    """Keeps what locked frames of one session were approved with.

    Args:
        clip: The session's.
        results: Its masks.
        looks: Its second looks.
        cuts: First frames of new shots, as far as they are known.
    """

    def __init__(
        self, clip: ClipInfo, results: ResultStore, looks: SecondLooks, cuts: Callable[[], Collection[int]]
    ) -> None:
        self._clip = clip
        self._results = results
        self._second = looks
        self._cuts = cuts
        self._settled: set[tuple[int, int]] = set()
        self._looks: dict[tuple[int, int], Seen] = {}
        self._look_bytes = 0
        self._lock = threading.Lock()

    @property
    def seen(self) -> Mapping[tuple[int, int], Seen]:
        """A copy of all second looks that are kept, by object and frame."""
        with self._lock:
            return dict(self._looks)

    def restore(self, seen: Mapping[tuple[int, int], Seen]) -> None:
        """Know second looks again."""
        for key, each in seen.items():
            self._put_looks(key, each)

    def settle(self, contents: Contents) -> None:
        """Keep what calms each locked frame with a mask, as far as that may change; before anything does."""
        for object_id, ranges in contents.locks.items():
            for frame in self._results.frames_of(object_id):
                if (object_id, frame) not in self._settled and any(frame in each for each in ranges):
                    self._settle(contents, object_id, frame)

    def release(self, contents: Contents, object_id: int, frames: Collection[int]) -> None:
        """Some locked frames are about to be unlocked: keep what they are to those that stay locked.

        Args:
            contents: As it still is.
            object_id: Whose.
            frames: Locked ones.
        """
        for frame in frames:
            own = self._results.find(object_id, frame)
            if own is None:
                continue
            # Should the lock come back by an undo, it is known whether the same was approved.
            self._put(_near_id(object_id, 0), frame, own)
            self._settled.discard((object_id, frame))
            for other in self._around(frame):
                stays = contents.is_locked(object_id, other) and other not in frames
                if stays and self._results.has(object_id, other):
                    self._keep(object_id, other, frame)

    def renew(self, object_id: int, frames: Iterable[int]) -> None:
        """Forget what frames were approved with before: they are approved anew."""
        for frame in frames:
            self._settled.discard((object_id, frame))
            for offset in range(-CALM_SPAN, CALM_SPAN + 1):
                self._results.remove(_near_id(object_id, offset), frame)
            self._put_looks((object_id, frame), None)

    def resume(self, object_id: int, frames: Iterable[int]) -> None:
        """Frames are locked again by an undo or a redo: as before, unless they have another mask now."""
        for frame in frames:
            own, then = (
                self._results.find(object_id, frame),
                self._results.find(_near_id(object_id, 0), frame),
            )
            if own is None or then is None or not np.array_equal(own.logits, then.logits):
                self.renew(object_id, (frame,))

    def load(self, contents: Contents, masks: Collection[LockedMask]) -> None:
        """Take what came with locked masks, whose results are there already.

        Args:
            contents: With their locks.
            masks: Under the session's own object ids.

        Raises:
            BadInputError: One is damaged; what was taken so far stays, as nothing reads it.
        """
        named = {(kept.object_id, kept.frame): kept.mask for kept in masks}
        for kept in masks:
            if kept.around is None:
                continue
            object_id, frame = kept.object_id, kept.frame
            near = {each.frame: each for each in kept.around}
            for other in self._around(frame):
                mask = near[other].mask if other in near else None
                locked = contents.is_locked(object_id, other) and (object_id, other) in named
                if mask is not None and locked and named[object_id, other] == mask:
                    continue
                result = _nothing(frame) if mask is None else result_of(mask, object_id, other)
                self._put(_near_id(object_id, other - frame), frame, result)
            self._settled.add((object_id, frame))
            if kept.looks is not None:
                seen = Seen(kept.looks, {each.frame: each.looks for each in kept.around})
                self._put_looks((object_id, frame), seen)

    def delivered(self, result: ObjectFrame) -> Approved:
        """What the delivery of a locked frame's result reads. From any thread."""
        around = {frame: near for frame, near in self._near(result) if (near.logits > 0).any()}
        seen = self._seen(result, around)
        if seen is None:
            found = [(near, tuple(self._second.find(near))) for near in around.values()]
            return Approved(tuple(self._second.find(result)), tuple(found))
        looks = seen.around
        return Approved(
            tuple(self._unpacked(result, seen.own)),
            tuple((near, tuple(self._unpacked(near, looks.get(at, ())))) for at, near in around.items()),
        )

    def locked_mask(self, object_id: int, frame: int, *, stale: bool) -> LockedMask | None:
        """What a document keeps of a locked frame, None where it has no mask. From any thread."""
        mask, result = self._results.packed(object_id, frame), self._results.find(object_id, frame)
        if mask is None or result is None:
            return None
        seen = self._seen(result, dict(self._near(result)))
        looks = {} if seen is None else seen.around
        around = tuple(
            NearMask(other, near, looks.get(other, ())) for other, near in self._near_packed(result)
        )
        return LockedMask(object_id, frame, mask, stale, around, None if seen is None else seen.own)

    def size_of(self, contents: Contents) -> int:
        """About how many bytes a document of these locks takes beside the masks of the locked frames."""
        copies = sum(
            self._results.size_of(_near_id(object_id, offset), frame)
            for object_id, ranges in contents.locks.items()
            for frame in self._results.frames_of(object_id)
            if any(frame in each for each in ranges)
            for offset in range(-CALM_SPAN, CALM_SPAN + 1)
            if offset
        )
        return copies + self._look_bytes

    def _settle(self, contents: Contents, object_id: int, frame: int) -> None:
        for other in self._around(frame):
            stays = contents.is_locked(object_id, other) and self._results.has(object_id, other)
            if not (stays and self._is_one_shot(frame, other)):
                self._keep(object_id, frame, other)
        self._settled.add((object_id, frame))
        result = self._results.find(object_id, frame)
        if result is not None:
            self._seen(result, dict(self._near(result)))

    def _keep(self, object_id: int, frame: int, other: int) -> None:
        """Keep what ``other`` is to ``frame``, unless that is kept already."""
        near_id = _near_id(object_id, other - frame)
        if not self._results.has(near_id, frame):
            near = self._results.find(object_id, other) if self._is_one_shot(frame, other) else None
            self._put(near_id, frame, _nothing(frame) if near is None else near)

    def _put(self, near_id: int, frame: int, result: ObjectFrame) -> None:
        self._results.put(replace(result, object_id=near_id, frame=frame))

    def _near(self, result: ObjectFrame) -> Iterator[tuple[int, ObjectFrame]]:
        """What is around a frame, as it was approved or, until something changes, as it is."""
        object_id, frame = result.object_id, result.frame
        for other in self._around(frame):
            near = self._results.find(_near_id(object_id, other - frame), frame)
            if near is None and self._is_one_shot(frame, other):
                near = self._results.find(object_id, other)
            if near is not None and near.logits.size > 1:
                yield other, replace(near, object_id=object_id, frame=other)

    def _near_packed(self, result: ObjectFrame) -> Iterator[tuple[int, TrackedMask]]:
        object_id, frame = result.object_id, result.frame
        for other, _ in self._near(result):
            kept = self._results.packed(_near_id(object_id, other - frame), frame)
            near = kept or self._results.packed(object_id, other)
            if near is not None:
                yield other, near

    def _seen(self, result: ObjectFrame, around: Mapping[int, ObjectFrame]) -> Seen | None:
        """Second looks at a frame and around it: kept once there are any. None where nobody has looked."""
        key = (result.object_id, result.frame)
        with self._lock:
            kept = self._looks.get(key)
        if kept is not None:
            return kept
        own = self._second.packed(result)
        if own is None:
            return None
        found = {frame: self._second.packed(near) or () for frame, near in around.items()}
        seen = Seen(own, found)
        self._put_looks(key, seen)
        return seen

    def _put_looks(self, key: tuple[int, int], seen: Seen | None) -> None:
        with self._lock:
            before = self._looks.pop(key, None)
            self._look_bytes -= 0 if before is None else before.size_bytes
            if seen is not None and self._look_bytes + seen.size_bytes <= MAX_LOOK_BYTES:
                self._looks[key] = seen
                self._look_bytes += seen.size_bytes

    def _unpacked(self, result: ObjectFrame, looks: Iterable[CloseLook]) -> Iterator[Look]:
        for look in looks:
            window = Window(look.left_px, look.top_px, look.width_px, look.height_px)
            logits = unpack_logits(look.logits, (look.rows, look.columns))
            found = trusted(result.logits, Look(window, logits), self._clip)
            if found is not None:
                yield found

    def _around(self, frame: int) -> Iterator[int]:
        clip = self._clip
        near = FrameRange(max(clip.first_frame, frame - CALM_SPAN), min(clip.last_frame, frame + CALM_SPAN))
        return (each for each in range(near.first, near.last + 1) if each != frame)

    def _is_one_shot(self, frame: int, other: int) -> bool:
        return is_one_shot(frame, other, self._cuts())


def owner_of(results_id: int) -> int:
    """The object for whose locked frames results are kept under such a number, or the number itself."""
    return (_FIRST_ID - results_id) // _IDS if results_id <= _FIRST_ID else results_id


def _near_id(object_id: int, offset: int) -> int:
    """The number under which the result store has what lies so many frames after an object's locked ones."""
    return _FIRST_ID - object_id * _IDS - (offset + CALM_SPAN)


def _nothing(frame: int) -> ObjectFrame:
    """What stands where nothing was."""
    empty = np.full((1, 1), -1.0, np.float16)
    return ObjectFrame(0, frame, empty, -1.0, 0.0, Presence.ABSENT, np.zeros(0, np.float16))
