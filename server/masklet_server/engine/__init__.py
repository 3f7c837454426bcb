"""State over time: what a tracker remembers of a clip, and how the network reads it.

Shape letters of this package: B objects in a batch; S side of the network's square input;
s = S / 4 side of its mask logits; C channels of the embedding at stride 16 and of a pointer;
M channels of a memory map; h = w = S / 16 sides of the embedding and of a memory map;
T memory maps and P pointers that one object reads; N points of a prompt.
"""

from __future__ import annotations

from typing import Protocol

from masklet.types import ModelInfo
from masklet_server.tracking import FrameSource, ResultReader, Tracker


class TrackerFactory(Protocol):
    """Makes trackers that share one network."""

    @property
    def device(self) -> str:
        """Where the network runs."""
        ...

    @property
    def device_bytes(self) -> int | None:
        """What that device gives to one process; None for processors, whose memory is the machine's."""
        ...

    def __call__(self, source: FrameSource, results: ResultReader, /) -> Tracker:
        """A tracker of one clip."""
        ...


def load_tracker_factory(
    weights: str,
    device: str = "auto",
    profile: str = "editor",
    *,
    compiled: bool = False,
    runtime: str = "torch",
    quality: str = "own",
    length_known: bool = True,
) -> tuple[TrackerFactory, ModelInfo]:
    """A maker of trackers that share one network, and what is known of its weights.

    Torch is imported here and not before.

    Args:
        weights: A name that the weight store knows, or a file.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``, ``"xpu"``; ``"auto"`` takes a GPU if there is
            one that tracks as the processor does.
        profile: ``"editor"``, ``"reference"`` or ``"benchmark"``.
        compiled: Compile the network for the sizes that occur, before this returns: faster on a GPU,
            at the price of minutes (less from the second time on, as the compiler keeps its results).
        runtime: What runs the network on a processor: ``"torch"``, ``"openvino"``, or ``"auto"``: OpenVINO
            where it is installed, as soon as it has been prepared for these weights.
        quality: ``"own"``, ``"fast"``, ``"balanced"`` or ``"best"``: how closely pictures are looked at.
        length_known: False for streams, which may go on.

    Raises:
        WeightsError: There are no such weights, or they are damaged.
        BadInputError: There is no such device, profile or runtime.
    """
    from masklet_server.engine.loading import load

    return load(
        weights,
        device,
        profile,
        compiled=compiled,
        runtime=runtime,
        quality=quality,
        length_known=length_known,
    )
