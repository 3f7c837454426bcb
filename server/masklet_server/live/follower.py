"""A tracker that follows a stream: the newest pictures and results are held, the older ones forgotten."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from masklet.errors import FrameMissingError
from masklet.types import ClipInfo, FramePrompts, FrameRange
from masklet_server.live.feed import Arrival
from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader, Tracker

HELD_FRAMES = 256
"""Results: many more than any network of the family looks back."""
_FORGET_EVERY_FRAMES = 64

Picture = NDArray[np.uint8] | NDArray[np.float32]
TrackerMaker = Callable[[FrameSource, ResultReader], Tracker]


class NewestPictures:
    """A :class:`masklet_server.tracking.FrameSource` of a stream: its newest picture, and those with prompts.

    Args:
        info: Of the stream as far as it is known; it grows with every picture.
        kept: Frames whose pictures stay.
    """

    def __init__(self, info: ClipInfo, kept: frozenset[int]) -> None:
        self.info = info
        self._kept = kept
        self._pictures: dict[int, Picture] = {}

    def take(self, frame: int, picture: Picture) -> None:
        """Have one more picture."""
        for known in [known for known in self._pictures if known not in self._kept]:
            del self._pictures[known]
        self._pictures[frame] = picture
        self.info = replace(self.info, last_frame=max(frame, self.info.last_frame))

    def read(self, frame: int) -> Picture:
        """The picture, as far as it is held.

        Raises:
            FrameMissingError: It has gone by, or was dropped.
        """
        if frame not in self._pictures:
            raise FrameMissingError(f"frame {frame} of the stream has gone by")
        return self._pictures[frame]


class NewestResults:
    """A :class:`masklet_server.tracking.ResultReader` that forgets the oldest but those of prompts."""

    def __init__(self) -> None:
        self._held: dict[int, OrderedDict[int, ObjectFrame]] = {}

    def put(self, result: ObjectFrame) -> None:
        """Keep a result."""
        own = self._held.setdefault(result.object_id, OrderedDict())
        own[result.frame] = result
        passing = [frame for frame, each in own.items() if not each.prompted]
        for frame in passing[: max(0, len(passing) - HELD_FRAMES)]:
            del own[frame]

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        """The result, if it is held."""
        own = self._held.get(object_id)
        return None if own is None else own.get(frame)

    def has(self, object_id: int, frame: int) -> bool:
        """Whether it is."""
        return frame in self._held.get(object_id, {})

    def frames_of(self, object_id: int) -> Sequence[int]:
        """Frames with a result, ascending."""
        return sorted(self._held.get(object_id, {}))


class Follower:
    """Tracks objects through frames as they come.

    The result is that of tracking the finished clip forward with the same prompts and policies, bit for bit,
    where no frame was dropped and each object has its prompts on one frame: later ones cannot count before
    they are said.

    Args:
        make_tracker: For streams: the length of the clip is not known.
        info: Of the stream; its last frame is that of the first picture.
        prompts: All that is said, by frame.
        policies: By object, how its memory is used.

    Raises:
        BadInputError: There is no such policy.
    """

    def __init__(
        self,
        make_tracker: TrackerMaker,
        info: ClipInfo,
        prompts: Sequence[FramePrompts],
        policies: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        self._prompts: dict[int, list[FramePrompts]] = {}
        for said in prompts:
            self._prompts.setdefault(said.frame, []).append(said)
        self._source = NewestPictures(info, frozenset(self._prompts))
        self._results = NewestResults()
        self._tracker = make_tracker(self._source, self._results)
        for object_id, policy in policies.items():
            self._tracker.set_policy(object_id, policy)
        self._active: list[int] = []
        self._forgotten = info.first_frame

    def follow(self, arrival: Arrival) -> list[ObjectFrame]:
        """Masks of all objects that were prompted on this frame or before, in the order of their prompts.

        Under a policy of several paths masks of earlier frames may come before that of this one, and take
        the place of what was given there.
        """
        frame = arrival.frame
        self._source.take(frame, arrival.picture)
        found: dict[int, list[ObjectFrame]] = {}
        here = [self._tracker.prompt(said) for said in self._prompts.get(frame, [])]
        for result in here:
            self._results.put(result)
        for result in self._tracker.track(frame, self._active, backward=False) if self._active else ():
            found.setdefault(result.object_id, []).append(result)
        found |= {result.object_id: [result] for result in here}
        for result in (each for results in found.values() for each in results if not each.prompted):
            self._results.put(result)
        self._active += [result.object_id for result in here if result.object_id not in self._active]
        self._forget(frame)
        return [result for object_id in self._active for result in found[object_id]]

    def _forget(self, frame: int) -> None:
        last = frame - HELD_FRAMES
        if last < self._forgotten + _FORGET_EVERY_FRAMES:
            return
        for object_id in self._active:
            self._tracker.let_go(object_id, FrameRange(self._forgotten, last))
        self._forgotten = last
