"""Policies side by side on annotated footage: J&F of each, and what it costs a frame.

All share one look at every picture, so that four policies cost far less than four evaluations. The convention
is that of ``masklet-server evaluate --protocol mask``; hard clips are measured by ``evaluate --hard``.

    python server/benchmarks/bench_policies.py DIR [--policies editor,distractor] [--limit N]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
from records import begin, write_line

from masklet.types import FramePrompts, Mask
from masklet_server.engine.policies.policy import POLICIES
from masklet_server.evaluation.clips import AnnotatedClip
from masklet_server.evaluation.datasets import open_dataset
from masklet_server.evaluation.hard.stage import TARGET
from masklet_server.evaluation.metrics import score_frame
from masklet_server.evaluation.runs import MemoryResults
from masklet_server.evaluation.trackers import network_contests


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument("--sequences", default="")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--side", type=int)
    parser.add_argument("--weights", default="masklet_embedded")
    asked = parser.parse_args()
    names = tuple(asked.policies.split(","))
    chosen = tuple(name for name in asked.sequences.split(",") if name)
    make_contest = network_contests(asked.weights, names, side_px=asked.side, device="cpu")
    scores: dict[str, dict[str, float]] = {name: {} for name in names}
    seconds = dict.fromkeys(names, 0.0)
    frames = 0
    clips = open_dataset(asked.data, sequences=chosen, frame_limit=asked.limit)
    begin(
        "bench_policies",
        weights=asked.weights,
        footage=asked.data.name,
        sequences=[clip.name for clip in clips],
        limit=asked.limit,
        side_px=asked.side,
    )
    for clip in clips:
        results = {name: MemoryResults() for name in names}
        contest = make_contest(clip.limited_source, results)
        first = clip.frames[0]
        ours = clip.truth.object_ids[0]
        prompt = Mask.from_array(clip.read_truth(first).masks[ours].astype(np.uint8) * 255)
        sums = {name: [0.0, 0] for name in names}
        for name, tracker in contest.trackers.items():
            results[name].put(tracker.prompt(FramePrompts(TARGET, first, mask=prompt)))
        for frame in clip.frames[1:]:
            contest.encode(frame)
            frames += 1
            for name, tracker in contest.trackers.items():
                start_s = time.perf_counter()
                found = tracker.track(frame, [TARGET], backward=False)
                seconds[name] += time.perf_counter() - start_s
                for result in found:
                    results[name].put(result)
        # Only now: whoever follows several paths changes what was said of earlier frames.
        for frame in clip.frames[1:-1]:
            for name in names:
                result = results[name].find(TARGET, frame)
                sums[name][0] += _score(clip, frame, ours, result.logits)
                sums[name][1] += 1
        for name, (total, count) in sums.items():
            scores[name][clip.name] = 100 * total / count
        write_line(
            {"sequence": clip.name, "j_and_f": {name: round(scores[name][clip.name], 1) for name in names}}
        )
    means = {name: round(float(np.mean(list(values.values()))), 2) for name, values in scores.items()}
    costs_ms = {name: round(1000 * spent / frames, 1) for name, spent in seconds.items()}
    write_line({"frames": frames, "j_and_f": means, "ms_a_frame_beside_the_picture": costs_ms})


def _score(clip: AnnotatedClip, frame: int, ours: int, logits: np.ndarray) -> float:
    size_px = (clip.info.width_px, clip.info.height_px)
    mask = cv2.resize(logits.astype(np.float32), size_px, interpolation=cv2.INTER_LINEAR) > 0
    return score_frame(mask, clip.read_truth(frame).masks[ours]).j_and_f


if __name__ == "__main__":
    main()
