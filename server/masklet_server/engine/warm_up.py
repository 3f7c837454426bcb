"""Everything that is slow the first time, done before anybody waits for it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from masklet.types import Click, ClipInfo, FramePrompts
from masklet_server.engine.accelerate import Layout
from masklet_server.engine.profile import Profile
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.model.network import Network
from masklet_server.tracking import ObjectFrame

_WIDTH_PX, _HEIGHT_PX = 160, 90
# Uses of a shape from which on a recording exists, and one use of that.
_STEADY_FRAMES = 4
_FIRST_FRAMES = 4


def warm_up(network: Network, layout: Layout, profile: Profile, *, objects: int) -> None:
    """Track a blank clip with every size of batch that ``objects`` objects or fewer can meet.

    Afterwards nothing is compiled or recorded any more while clicks start objects and tracks run, come
    and go. Takes seconds for a network as it is, and minutes for one that is being compiled.
    """
    sizes = {layout.objects(size) for count in range(1, objects + 1) for size in layout.batches(count)}
    frames = network.config.pointers + _STEADY_FRAMES
    # What only a track's first frames meet has to be met as often as it takes to be recorded.
    lengths = (frames, *[_FIRST_FRAMES] * (_STEADY_FRAMES - 2))
    for size, length in itertools.product(sorted(sizes), lengths):
        tracker = NetworkTracker(network, _BlankClip(frames), _AllTracked(), profile=profile, layout=layout)
        for object_id in range(size):
            click = Click(_WIDTH_PX / 2, _HEIGHT_PX / 2)
            tracker.prompt(FramePrompts(object_id, 0, clicks=(click,)))
        for frame in range(1, length):
            tracker.track(frame, range(size), backward=False)
        tracker.park()


@dataclass
class _BlankClip:
    """Black pictures."""

    length_frames: int
    info: ClipInfo = field(init=False)

    def __post_init__(self) -> None:
        self.info = ClipInfo("warm-up", _WIDTH_PX, _HEIGHT_PX, 0, self.length_frames - 1)

    def read(self, frame: int) -> NDArray[np.uint8]:
        return np.zeros((_HEIGHT_PX, _WIDTH_PX, 3), np.uint8)


class _AllTracked:
    """Every frame counts as tracked; results are not needed, as the tracker holds what it has just made."""

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        return None

    def has(self, object_id: int, frame: int) -> bool:
        return True

    def frames_of(self, object_id: int) -> tuple[int, ...]:
        return ()
