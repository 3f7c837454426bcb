"""Many clicks on one picture, one by one and together: how much quicker is together?

    python server/benchmarks/bench_find.py PHOTOGRAPH.jpg

Three ways, each with the same regular grid of clicks, on one thread:

- ``clicks``: each as an artist's, by the tracker's preview: what a client without searches would do;
- ``network``: each by the network's decoder alone, all masks drawn;
- ``together``: as searches do it.

They take turns, a few clicks at a time, and the processor's own time is counted: others on the machine hardly
matter.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import torch
from records import begin, write_line

from masklet.types import Click, ClipInfo, FramePrompts
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.evaluation.find_command import Photograph
from masklet_server.evaluation.searches import Kept
from masklet_server.model.checkpoint import load_network
from masklet_server.model.store import find_weights
from masklet_server.sessions.search import CLICKS_A_TURN
from masklet_server.sessions.sighted import grid_of
from masklet_server.sightings import Part

_SHARE = 8
"""One click of so many is also made by itself, and counts for them."""


@torch.inference_mode()
def main() -> None:
    """Time, print one line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photograph", type=Path)
    parser.add_argument("--clicks", type=int, default=24, help="along each side")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    picture = np.ascontiguousarray(cv2.imread(str(arguments.photograph))[..., ::-1])
    height_px, width_px = picture.shape[:2]
    photograph = Photograph(ClipInfo("it", width_px, height_px, 0, 0), np.asarray(picture, np.uint8), [])
    network = load_network(find_weights("masklet_embedded"))
    tracker = NetworkTracker(network, photograph, Kept())
    part = Part(0, 0, width_px, height_px)
    places = grid_of(part, arguments.clicks)
    features = tracker._features.features(0)
    side = network.config.image_side_px

    def alone(x_px: float, y_px: float) -> None:
        point = torch.tensor([[[x_px * side / width_px, y_px * side / height_px]]]) - 0.5
        network.decode(
            features,
            network.without_memory(features.embedding),
            points=point,
            labels=torch.ones(1, 1, dtype=torch.int64),
            mask_logits=None,
            multimask=True,
            stability_fallback=False,
        )

    tracker.preview(FramePrompts(0, 0, (Click(*places[0]),)))
    alone(*places[0])
    tracker.seeker.sight(0, part, places[:CLICKS_A_TURN])
    took_s: Counter[str] = Counter()
    found = 0
    for start in range(0, len(places), CLICKS_A_TURN):
        chunk = places[start : start + CLICKS_A_TURN]
        began_s = time.process_time()
        found += len(tracker.seeker.sight(0, part, chunk))
        took_s["together"] += time.process_time() - began_s
        for x_px, y_px in chunk[::_SHARE]:
            began_s = time.process_time()
            alone(x_px, y_px)
            took_s["network"] += _SHARE * (time.process_time() - began_s)
            began_s = time.process_time()
            tracker.preview(FramePrompts(0, 0, (Click(x_px, y_px),)))
            took_s["clicks"] += _SHARE * (time.process_time() - began_s)
    begin("bench_find", weights="masklet_embedded", footage=arguments.photograph.name)
    ratios = {
        f"{name}_over_together": round(took_s[name] / took_s["together"], 2) for name in ("network", "clicks")
    }
    seconds = {f"{name}_s": round(value, 2) for name, value in took_s.items()}
    write_line({"clicks": len(places), "good_masks": found, **seconds, **ratios})


if __name__ == "__main__":
    main()
