"""Which memories the network reads on a frame: pure arithmetic on frame numbers.

Follows the selection of the official video predictor (sections 2.3.1 to 2.3.3 of the facts this
project builds on, `facebookresearch/sam2` at 2b90b9f): prompted frames first, whether they lie
in the past or in the future, then the most recent tracked frames, then object pointers, which
come from the past only. Which prompted and tracked frames there are to select from is for the
profile to say. Beyond it, maps of tracked frames without the object may give way to earlier ones that
show it: see :mod:`masklet_server.engine.absence`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Container
from dataclasses import dataclass


@dataclass(frozen=True)
class Reach:
    """How far a network and a profile look.

    Attributes:
        maps: Memory maps attended at most besides further prompted frames.
        pointers: Pointers attended at most, clip length permitting.
        recent: Tracked frames whose maps are attended at most; None for one less than ``maps``.
        recent_step: Frames from one of these to the next; the newest is the frame just before.
        lookback_frames: How much further back a map may be from where the object was not seen in between.
    """

    maps: int
    pointers: int
    recent: int | None = None
    recent_step: int = 1
    lookback_frames: int = 0

    @property
    def recent_ages(self) -> tuple[int, ...]:
        """How many frames ago the maps of tracked frames are from, the newest first."""
        count = self.maps - 1 if self.recent is None else min(self.recent, self.maps - 1)
        return tuple(1 + self.recent_step * index for index in range(count))

    @property
    def map_frames(self) -> int:
        """Distance of the oldest tracked frame whose map is read."""
        return max(self.recent_ages, default=0) + self.lookback_frames

    @property
    def pointer_frames(self) -> int:
        """Distance of the oldest tracked frame whose pointer is read."""
        return self.pointers - 1

    @property
    def pointer_unit_frames(self) -> float:
        """What the network divides a pointer's age by; 1 where a clip has a single frame."""
        return float(max(self.pointers - 1, 1))


def pointers_in_clip(pointers: int, length_frames: int | None) -> int:
    """Pointers a network may read in a clip of ``length_frames``, None where that is unknown.

    The network measures the age of a pointer in units of the clip's length, at most ``pointers``
    (16) frames. A stream of unknown length counts as long: that is right for it the moment it
    has shown as many frames, and its first frames read what they would in a long clip.
    """
    return pointers if length_frames is None else min(length_frames, pointers)


@dataclass(frozen=True)
class Recall:
    """What one object reads on one frame.

    Attributes:
        maps: Pairs of a frame and the slot of its temporal code: the last slot for prompted
            frames, 0 for the frame just before.
        pointers: Pairs of a frame and its age in frames; in the direction of travel, so it is
            positive for anything already passed.
    """

    maps: tuple[tuple[int, int], ...]
    pointers: tuple[tuple[int, int], ...]


def recall(
    frame: int,
    prompted: Collection[int],
    tracked: Container[int],
    reach: Reach,
    *,
    backward: bool,
    shows: Callable[[int], bool] | None = None,
) -> Recall:
    """The memories that an object reads on ``frame``.

    Args:
        frame: The frame to segment.
        prompted: Prompted frames of the object, wherever they lie.
        tracked: Frames tracked before and not forgotten.
        reach: How far to look.
        backward: The direction of travel; "before" means later frames then.
        shows: Whether a tracked frame shows the object. Maps of frames that do not give way to the
            newest before them that does, as far as ``reach`` looks back; None to take them as they are.
    """
    attended = tuple(sorted(prompted))
    step = 1 if backward else -1

    def is_memory(before: int) -> bool:
        return before in tracked and before not in attended

    recent: dict[int, int] = {}
    for slot, age in enumerate(reach.recent_ages):
        before = frame + step * age
        for each in range(before, before + step * (reach.lookback_frames + 1), step):
            if not is_memory(each):
                break
            if shows is None or shows(each):
                recent.setdefault(each, slot)
                break
    maps = [(prompt, reach.maps - 1) for prompt in attended]
    maps += reversed(list(recent.items()))

    pointers = [(prompt, (prompt - frame) * step) for prompt in attended if (prompt - frame) * step >= 0]
    for age in range(1, reach.pointers):
        before = frame + step * age
        if is_memory(before):
            pointers.append((before, age))
    return Recall(tuple(maps), tuple(pointers))


def neighbours(frame: int, prompted: Collection[int]) -> tuple[int, ...]:
    """The nearest prompted frame on either side of ``frame``, which is on neither; ascending."""
    before = max((prompt for prompt in prompted if prompt < frame), default=None)
    after = min((prompt for prompt in prompted if prompt > frame), default=None)
    return tuple(prompt for prompt in (before, after) if prompt is not None)


@dataclass(frozen=True)
class Leg:
    """Frames with a result on the way to a frame from the nearest prompted one behind it, neither included.

    Attributes:
        frame: Where the way leads.
        source: The prompted frame; None where there is none behind ``frame``.
        backward: The direction of travel.
        since: The first frame of the way that counts, where a shot began on it; None for all of it.
        is_known: Whether a frame has a result.
    """

    frame: int
    source: int | None
    backward: bool
    since: int | None
    is_known: Callable[[int], bool]

    def __contains__(self, other: object) -> bool:
        if not isinstance(other, int):
            return False
        sign = -1 if self.backward else 1
        at = sign * other
        if at >= sign * self.frame or (self.source is not None and at <= sign * self.source):
            return False
        if self.since is not None and at < sign * self.since:
            return False
        return self.is_known(other)
