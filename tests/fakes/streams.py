"""Streams of generated pictures, and what a tracker of random weights makes of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fakes.tracking import DiscClip, TinyNetwork
from masklet.types import Click, ClipInfo, FramePrompts
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.live.feed import Feed
from masklet_server.live.follower import Follower
from masklet_server.tracking import FrameSource, ObjectFrame, ResultReader

SAID = (
    FramePrompts(1, 1001, (Click(20.5, 27.5),)),
    FramePrompts(2, 1004, (Click(60.5, 20.5),)),
)


class ListStream:
    """Frames one after the other, as fast as they are taken, or at a pace."""

    def __init__(self, clip: DiscClip, pause_s: float = 0.0) -> None:
        self.clip, self.pause_s, self.closed = clip, pause_s, threading.Event()

    def frames(self) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        for frame in range(self.clip.info.first_frame, self.clip.info.last_frame + 1):
            if self.closed.wait(self.pause_s) if self.pause_s else self.closed.is_set():
                return
            yield frame, self.clip.read(frame)

    def close(self) -> None:
        self.closed.set()


def network_tracker(source: FrameSource, results: ResultReader) -> NetworkTracker:
    return NetworkTracker(TinyNetwork(), source, results, length_known=False)


def follow_all(
    clip: DiscClip,
    feed: Feed,
    said: Sequence[FramePrompts] = SAID,
    policies: Mapping[int, str] = MappingProxyType({}),
) -> dict[tuple[int, int], ObjectFrame]:
    """All that came of a stream by object and frame; what came later takes the place of what was there."""
    info = ClipInfo("stream", clip.width_px, clip.height_px, 1001, 1001)
    follower = Follower(network_tracker, info, said, policies)
    with feed:
        return {
            (result.object_id, result.frame): result
            for arrival in feed
            for result in follower.follow(arrival)
        }
