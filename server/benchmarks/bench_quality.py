"""What a quality costs and gives: seconds a frame and, on annotated clips, J&F at each side of the input.

    python server/benchmarks/bench_quality.py ../shared/data/davis_dev --until-s 200

Times are of a click and of a tracked frame in the middle of a shot, one object, 854x480. Weights of SAM 2.1's
tiny are random where the checkpoint is not there: they take as long. J&F is from a click and from the true
mask on the first frame of eight sequences, thirteen frames each; the data are for evaluation only.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from records import begin, write_line

from masklet.types import Click, ClipInfo, FramePrompts
from masklet_server.engine.quality import SIDES_PX
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.evaluation.datasets import open_dataset
from masklet_server.evaluation.protocols import ProtocolName, run_protocol
from masklet_server.evaluation.runs import MemoryResults
from masklet_server.model.checkpoint import load_network, prepare_for_inference
from masklet_server.model.config import EMBEDDED, PRESETS
from masklet_server.model.network import Network, build_network

SEQUENCES = ("bear", "bus", "dance-jump", "flamingo", "hockey", "lucia", "mallard-fly", "stroller")
FRAMES = 13
TINY = "sam2.1_hiera_tiny"


@dataclass
class Noise:
    """Pictures of noise: a network takes as long for them as for any."""

    info: ClipInfo

    def read(self, frame: int) -> NDArray[np.uint8]:
        """Noise that is the same for a frame whenever it is read."""
        shape = (self.info.height_px, self.info.width_px, 3)
        return np.random.default_rng(frame).integers(0, 255, shape, np.uint8)


def main() -> None:
    """Time every side, then measure masks at those of the embedded model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--until-s", type=float, default=200.0, help="begin nothing after this time")
    arguments = parser.parse_args()
    begun_s = time.perf_counter()
    begin("bench_quality", weights=EMBEDDED.name, footage="noise; davis_dev", sequences=SEQUENCES)
    torch.set_grad_enabled(False)
    embedded = load_network(EMBEDDED.name)
    for side_px in SIDES_PX[EMBEDDED.name].values():
        write_line(
            {"case": "time", "model": EMBEDDED.name, "side_px": side_px, **times(at(embedded, side_px), 8)}
        )
    tiny = prepare_for_inference(build_network(PRESETS[TINY]))
    for side_px in SIDES_PX[TINY].values():
        write_line({"case": "time", "model": TINY, "side_px": side_px, **times(at(tiny, side_px), 4)})
    if arguments.data is None:
        return
    for protocol in (ProtocolName.CLICK, ProtocolName.MASK):
        for side_px in SIDES_PX[EMBEDDED.name].values():
            if time.perf_counter() - begun_s < arguments.until_s:
                write_line(masks(arguments.data, at(embedded, side_px), protocol))


def at(network: Network, side_px: int) -> Network:
    """The same network for another side."""
    network.config = replace(network.config, image_side_px=side_px)
    return network


def times(network: Network, frames: int) -> dict[str, float]:
    """Seconds of a click and of a tracked frame, medians, when every object reads full memories."""
    config = network.config
    first = config.memory_frames * config.recent_step + 2
    source = Noise(ClipInfo("noise", 854, 480, 0, first + frames))
    results = MemoryResults()
    tracker = NetworkTracker(network, source, results)
    clicks, tracked = [], []
    for number in range(3):
        start_s = time.perf_counter()
        result = tracker.prompt(FramePrompts(1, 0, tuple(Click(400.0 + i, 200.0) for i in range(number + 1))))
        clicks.append(time.perf_counter() - start_s)
        results.put(result)
    for frame in range(1, first + frames):
        # The frames on the way fill the memories; at large sides a few of them do.
        start_s = time.perf_counter()
        for result in tracker.track(frame, [1], backward=False):
            results.put(result)
        if frame >= first:
            tracked.append(time.perf_counter() - start_s)
    return {
        "first_click_s": round(clicks[0], 3),
        "further_click_s": round(statistics.median(clicks[1:]), 3),
        "frame_s": round(statistics.median(tracked), 3),
    }


def masks(data: Path, network: Network, protocol: ProtocolName) -> dict[str, object]:
    """J&F of the sequences, in percent."""
    clips = open_dataset(data, sequences=SEQUENCES, frame_limit=FRAMES)
    found = dict(scores(clips, network, protocol))
    return {
        "case": f"j_and_f from one {protocol.value}",
        "model": network.config.name,
        "side_px": network.config.image_side_px,
        "frames": FRAMES,
        "j_and_f": round(statistics.mean(found.values()), 2),
        "sequences": found,
    }


def scores(clips: object, network: Network, protocol: ProtocolName) -> Iterator[tuple[str, float]]:
    """J&F by sequence."""
    for clip in clips:  # type: ignore[attr-defined]
        outcome, _ = run_protocol(
            protocol, clip, lambda source, results: NetworkTracker(network, source, results)
        )
        yield clip.name, round(statistics.mean(50 * (one.j + one.f) for one in outcome.objects), 2)


if __name__ == "__main__":
    main()
