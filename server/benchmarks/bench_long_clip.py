"""A long hard clip: quality against frame number, memory and speed, a line for each part of it.

The clip is that of ``evaluate --hard --weaknesses long``: a look-alike crosses, a wall covers, the object
leaves and comes back, every 300 frames; its masks are exact. A frame is judged 150 frames late, when no
policy changes it any more. A run that is cut short is worth what it printed.

    python server/benchmarks/bench_long_clip.py [--policies editor,guarded] [--frames 5000] [--every 1000]

Needs Linux for the resident size.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
from records import begin, write_line

from masklet.types import FramePrompts, Mask
from masklet_server.evaluation.hard.contest import stored_mask
from masklet_server.evaluation.hard.judging import Counts, Judge
from masklet_server.evaluation.hard.material import from_photographs, generated
from masklet_server.evaluation.hard.stage import TARGET, GeneratedFrames
from masklet_server.evaluation.hard.weaknesses import LONG_FRAMES, scenes
from masklet_server.evaluation.trackers import network_contests
from masklet_server.sessions.results import ResultStore

_LATE_FRAMES = 150


def main() -> None:
    """Track, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policies", default="editor,guarded")
    parser.add_argument("--frames", type=int, default=LONG_FRAMES)
    parser.add_argument("--every", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--photographs", type=Path)
    parser.add_argument("--side", type=int)
    parser.add_argument("--weights", default="masklet_embedded")
    asked = parser.parse_args()
    names = tuple(asked.policies.split(","))
    material = generated(asked.seed) if asked.photographs is None else from_photographs(asked.photographs)
    (scene,) = scenes(material, ["long"], clips=1, seed=asked.seed, long_frames=asked.frames)
    frames = GeneratedFrames(scene)
    stores = {name: ResultStore(memory_bytes=8 << 20) for name in names}
    contest = network_contests(asked.weights, names, side_px=asked.side, device="cpu")(frames, stores)
    begin(
        "bench_long_clip",
        weights=asked.weights,
        footage=f"generated, {'shapes' if asked.photographs is None else 'photographs'}, seed {asked.seed}",
        frames=asked.frames,
        side_px=asked.side,
    )
    first = frames.visible(0)
    for name, tracker in contest.trackers.items():
        prompt = FramePrompts(TARGET, 0, mask=Mask.from_array(first.astype(np.uint8) * 255))
        stores[name].put(tracker.prompt(prompt))
    judges = {name: Judge(first) for name in names}
    told = dict.fromkeys(names, Counts())
    spent_s = dict.fromkeys(("picture", *names), 0.0)
    judged = timed = 0

    def judge(frame: int) -> None:
        truth, rivals = frames.visible(frame), frames.rivals(frame)
        for name in names:
            judges[name].add(stored_mask(stores[name], frame), truth, rivals)

    def tell(frame: int) -> None:
        for name in names:
            counts, before = judges[name].counts, asdict(told[name])
            part = {key: value - before[key] for key, value in asdict(counts).items()}
            told[name] = counts
            count = part["frames"]
            write_line(
                {
                    "to_frame": frame,
                    "policy": name,
                    "j_and_f": round(50 * (part["j_sum"] + part["f_sum"]) / count, 1),
                    **{key: part[key] for key in _TOLD},
                    "ms_a_frame": _ms(spent_s[name], timed),
                    "ms_the_picture": _ms(spent_s["picture"], timed),
                    "resident_mib": _resident_mib(),
                }
            )
        spent_s.update(dict.fromkeys(spent_s, 0.0))

    for frame in range(1, scene.frames):
        timed += 1
        start_s = time.process_time()
        contest.encode(frame)
        spent_s["picture"] += time.process_time() - start_s
        for name, tracker in contest.trackers.items():
            start_s = time.process_time()
            results = tracker.track(frame, [TARGET], backward=False)
            spent_s[name] += time.process_time() - start_s
            for result in results:
                stores[name].put(result)
            stores[name].make_room()
        while judged < (frame if frame == scene.frames - 1 else frame - _LATE_FRAMES):
            judged += 1
            judge(judged)
            if judged % asked.every == 0 or judged == scene.frames - 1:
                tell(judged)
                timed = 0


_TOLD = ("frames", "present", "lost", "absent", "ghosts", "returns", "missed", "switches", "on_rival")


def _ms(spent_s: float, frames: int) -> float | None:
    """Of the processor, a frame; None where the frames were tracked before."""
    return round(1000 * spent_s / frames, 1) if frames else None


def _resident_mib() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) >> 10


if __name__ == "__main__":
    main()
