"""What each policy costs a frame on a network of official size: random weights, full memories, one processor.

Nothing is learned about masks. A frame in the middle of a shot is tracked: the prompted frame and all recent
ones are in memory, and paths have parted. Looks at pictures are shared, as in a session.

    python server/benchmarks/bench_policy_costs.py [--network sam2.1_hiera_tiny] [--side 1024] [--frames 2]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
import torch
from records import begin, write_line

from masklet.types import ClipInfo, FramePrompts, Mask, Presence
from masklet_server.engine.features import FeatureCache
from masklet_server.engine.policies.policy import POLICIES
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.evaluation.runs import MemoryResults
from masklet_server.model.config import PRESETS
from masklet_server.model.network import Network
from masklet_server.tracking import ObjectFrame

_RECENT = 16
_WIDTH_PX, _HEIGHT_PX = 960, 540


class Noise:
    """A clip of noise."""

    info = ClipInfo("noise", _WIDTH_PX, _HEIGHT_PX, 0, _RECENT + 20)

    def read(self, frame: int) -> np.ndarray:
        """A picture."""
        return np.random.default_rng(frame).integers(0, 256, (_HEIGHT_PX, _WIDTH_PX, 3)).astype(np.uint8)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="sam2.1_hiera_tiny", choices=list(PRESETS))
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--policies", default=",".join(POLICIES))
    asked = parser.parse_args()
    begin("bench_policy_costs", network=asked.network, side_px=asked.side, weights_are="random")
    torch.manual_seed(1)
    network = Network(replace(PRESETS[asked.network], image_side_px=asked.side)).eval().requires_grad_(False)
    with torch.no_grad():
        # Always there, and sure of it.
        network.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(20.0)
    features = FeatureCache(network, Noise(), capacity=_RECENT + 8, by_device=False)
    for name in asked.policies.split(","):
        write_line(_measured(network, features, name, asked.side, asked.frames))


def _measured(network: Network, features: FeatureCache, name: str, side_px: int, frames: int) -> dict:
    results = MemoryResults()
    tracker = NetworkTracker(network, Noise(), results, features=features)
    tracker.set_policy(1, name)
    mask = np.zeros((_HEIGHT_PX, _WIDTH_PX), np.uint8)
    mask[180:360, 320:640] = 255
    prompted = tracker.prompt(FramePrompts(1, 0, mask=Mask.from_array(mask)))
    results.put(prompted)
    side = side_px // 4
    for frame in range(1, _RECENT + 1):
        logits = np.full((side, side), -8, np.float16)
        logits[side // 3 : 2 * side // 3, side // 3 : 2 * side // 3] = 8
        results.put(ObjectFrame(1, frame, logits, 20.0, 0.9, Presence.PRESENT, prompted.pointer, rival=0.5))
    times: list[float] = []
    # The first ones make memories of what is stored, and let paths part.
    for frame in range(_RECENT + 1, _RECENT + 3 + frames):
        with torch.inference_mode():
            features.features(frame)
        start_s = time.perf_counter()
        found = tracker.track(frame, [1], backward=False)
        times.append(time.perf_counter() - start_s)
        for result in found:
            results.put(result)
    return {"policy": name, "seconds_a_frame": round(float(np.median(times[2:])), 2)}


if __name__ == "__main__":
    main()
