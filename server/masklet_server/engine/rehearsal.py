"""A device that nobody has measured is tried before it is used: a small track there and on the processor."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from masklet.types import Click, ClipInfo, FramePrompts
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.model.network import Network
from masklet_server.tracking import ObjectFrame

_SIDE_PX = 256
_FRAMES = 4
# Devices round differently, and resize pictures to another grey level here and there. What is wrong differs
# everywhere.
_LARGEST_DIFFERENCE = 0.02


def trouble_with(network: Network, on_processor: Network) -> str | None:
    """What is wrong with a network's device, in a few words; None where it tracks as the processor does.

    Args:
        network: On the device in question.
        on_processor: With the same weights, in float32.
    """
    expected = _rehearsed(on_processor)
    try:
        found = _rehearsed(network)
    except Exception as error:  # noqa: BLE001  (nobody has listed what an unknown driver may raise)
        return f"it fails: {str(error).splitlines()[0] if str(error) else type(error).__name__}"
    differing = max(_difference(one, other) for one, other in zip(expected, found, strict=True))
    if not differing <= _LARGEST_DIFFERENCE:
        return f"its masks differ from the processor's, by {differing:.2g} of their range"
    return None


def _rehearsed(network: Network) -> list[NDArray[np.float32]]:
    """Logits of a click, tracked frames and a correction."""
    small = copy.copy(network)
    small.config = replace(network.config, image_side_px=min(_SIDE_PX, network.config.image_side_px))
    results = _Results()
    tracker = NetworkTracker(small, _Discs(), results)
    given = [tracker.prompt(FramePrompts(1, 0, (Click(40.0, 27.0),)))]
    for frame in range(1, _FRAMES):
        given += tracker.track(frame, [1], backward=False)
        results.held[frame] = given[-1]
    given.append(tracker.prompt(FramePrompts(1, _FRAMES - 1, (Click(46.0, 27.0), Click(5.0, 5.0, False)))))
    tracker.park()
    return [result.logits.astype(np.float32) for result in given]


def _difference(expected: NDArray[np.float32], found: NDArray[np.float32]) -> float:
    """The mean one, as a share of the range of what was expected."""
    return float(np.abs(expected - found).mean() / max(1.0, float(np.abs(expected).max())))


@dataclass
class _Discs:
    """A bright disc that crosses a patterned ground."""

    info: ClipInfo = field(default=ClipInfo("rehearsal", 96, 54, 0, _FRAMES - 1))

    def read(self, frame: int) -> NDArray[np.uint8]:
        rows, columns = np.mgrid[:54, :96]
        picture = np.stack([40 + rows, 60 + columns % 16 * 4, 90 + 0 * rows], axis=-1)
        disc = (rows - 27) ** 2 + (columns - 40 - 2 * frame) ** 2 <= 13**2
        picture[disc] = (230, 200, 90)
        return picture.astype(np.uint8)


@dataclass
class _Results:
    held: dict[int, ObjectFrame] = field(default_factory=dict)

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        return self.held.get(frame)

    def has(self, object_id: int, frame: int) -> bool:
        return frame in self.held

    def frames_of(self, object_id: int) -> Sequence[int]:
        return tuple(self.held)
