"""The network on a processor: torch and OpenVINO in one run, alternating, and how far their masks agree.

    taskset -c 0,1 python server/benchmarks/bench_processor.py [--weights NAME] [--objects 1 4]
    python server/benchmarks/bench_processor.py --clips DAVIS_FOLDER --frames 24

Without clips: milliseconds of every part and of a whole tracked frame in steady state, both runtimes taking
turns, so that a busy machine slows both; medians, minima, and the ratio of medians. With clips (a folder of
``NAME/frames`` and ``NAME/masks``): the IoU of both masks, frame by frame, from the mask of the first one.
Prints one JSON line per case. Parts are exported first where they are not kept yet.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from records import begin, write_line

from masklet.types import ClipInfo, FramePrompts, Mask
from masklet_server.engine.accelerate import fixed_layout
from masklet_server.engine.processor.backend import cache_folder, fast_network
from masklet_server.engine.processor.exporting import export, file_of
from masklet_server.engine.processor.forms import FORMS
from masklet_server.engine.tracker import NetworkTracker
from masklet_server.model.checkpoint import load_network
from masklet_server.model.network import Network
from masklet_server.model.store import describe_weights, find_weights
from masklet_server.tracking import ObjectFrame

_WARM_UP, _REPEATS = 2, 15


class FolderClip:
    """Numbered pictures of a folder, frames counted from 0."""

    def __init__(self, folder: Path, frames: int) -> None:
        self._files = sorted(folder.iterdir())[:frames]
        height_px, width_px = self.read(0).shape[:2]
        self.info = ClipInfo(folder.parent.name, width_px, height_px, 0, len(self._files) - 1)

    def read(self, frame: int) -> NDArray[np.uint8]:
        """The picture of a frame."""
        picture = cv2.imread(str(self._files[frame]))
        assert picture is not None
        return np.ascontiguousarray(picture[..., ::-1]).astype(np.uint8)


class Results:
    """Results of one track."""

    def __init__(self) -> None:
        self.held: dict[tuple[int, int], ObjectFrame] = {}

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        """One of them."""
        return self.held.get((object_id, frame))

    def has(self, object_id: int, frame: int) -> bool:
        """Whether there is one."""
        return (object_id, frame) in self.held

    def frames_of(self, object_id: int) -> Sequence[int]:
        """Where there are any."""
        return sorted(frame for owner, frame in self.held if owner == object_id)


def part_calls(network: Network, objects: int) -> dict[str, Callable[[], Any]]:
    """Each part, called as in the middle of a long track."""
    config, side, generator = network.config, network.config.grid_side, torch.Generator().manual_seed(0)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    count = fixed_layout(config).usual_maps
    image = noise(1, 3, config.image_side_px, config.image_side_px)
    features = network.encode_image(image)
    maps = noise(objects, count, config.memory_width, side, side)
    slots = torch.tensor([config.memory_frames - 1, *range(count - 1)]).expand(objects, -1)
    pointers = noise(objects, config.pointers, config.width)
    ages = torch.arange(config.pointers, dtype=torch.float32).expand(objects, -1)
    conditioned = noise(objects, config.width, side, side)
    logits = noise(objects, 1, config.image_side_px, config.image_side_px)
    present = torch.ones(objects, 1)
    return {
        "encode_image": lambda: network.encode_image(image).embedding,
        "attend_memory": lambda: network.attend_memory(
            features.embedding,
            maps=maps,
            slots=slots,
            pointers=pointers,
            pointer_distance=ages,
            max_distance=config.pointers - 1.0,
        ),
        "decode": lambda: (
            network.decode(
                features,
                conditioned,
                points=None,
                labels=None,
                mask_logits=None,
                multimask=True,
                stability_fallback=True,
            ).best_logits
        ),
        "encode_memory": lambda: network.encode_memory(features.embedding, logits, present, binarise=False),
    }


@torch.inference_mode()
def time_parts(plain: Network, fast: Network, objects: int) -> list[dict[str, Any]]:
    """A line for each part and one for their sum, which is a frame of ``objects`` objects."""
    ours, theirs = part_calls(fast, objects), part_calls(plain, objects)
    lines, sums = [], {"openvino": 0.0, "torch": 0.0}
    for name in ours:
        wall: dict[str, list[float]] = {"openvino": [], "torch": []}
        for repeat in range(_WARM_UP + _REPEATS):
            for runtime, call in (("openvino", ours[name]), ("torch", theirs[name])):
                started_s = time.perf_counter()
                call()
                if repeat >= _WARM_UP:
                    wall[runtime].append(1e3 * (time.perf_counter() - started_s))
        line: dict[str, Any] = {"case": name, "objects": objects}
        for runtime, values in wall.items():
            line[f"{runtime}_ms"] = round(statistics.median(values), 2)
            line[f"{runtime}_least_ms"] = round(min(values), 2)
            sums[runtime] += statistics.median(values)
        line["ratio"] = round(line["torch_ms"] / line["openvino_ms"], 2)
        line["largest_difference"] = float((ours[name]() - theirs[name]()).abs().max())
        lines.append(line)
    whole = {f"{runtime}_ms": round(value, 2) for runtime, value in sums.items()}
    ratio = round(sums["torch"] / sums["openvino"], 2)
    return [*lines, {"case": "network of a frame", "objects": objects, **whole, "ratio": ratio}]


def track(network: Network, clip: FolderClip, mask: Mask) -> Results:
    """Track from the first frame's mask to the end."""
    results = Results()
    tracker = NetworkTracker(network, clip, results, layout=fixed_layout(network.config))
    first = tracker.prompt(FramePrompts(1, 0, mask=mask))
    results.held[1, 0] = first
    for frame in range(1, clip.info.last_frame + 1):
        for result in tracker.track(frame, (1,), backward=False):
            results.held[1, frame] = result
    return results


def agreement(plain: Network, fast: Network, sequence: Path, frames: int) -> list[float]:
    """The IoU of the masks of both runtimes on each tracked frame."""
    clip = FolderClip(sequence / "frames", frames)
    drawn = cv2.imread(str(sorted((sequence / "masks").iterdir())[0]), cv2.IMREAD_GRAYSCALE)
    assert drawn is not None
    mask = Mask.from_array(np.where(drawn > 0, 255, 0).astype(np.uint8))
    one, other = track(plain, clip, mask), track(fast, clip, mask)
    ious = []
    for key, result in one.held.items():
        ours, theirs = other.held[key].logits > 0, result.logits > 0
        union = int(np.count_nonzero(ours | theirs))
        ious.append(int(np.count_nonzero(ours & theirs)) / union if union else 1.0)
    return ious


def main() -> None:
    """Run what was asked for and print its lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="masklet_embedded")
    parser.add_argument("--objects", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--frames", type=int, default=24)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    path = find_weights(arguments.weights)
    info = describe_weights(path)
    plain, folder = load_network(path), cache_folder(info.sha256)
    folder.mkdir(parents=True, exist_ok=True)
    for form in FORMS:
        if not file_of(folder, form).is_file():
            export(plain, form, file_of(folder, form))
    fast = fast_network(plain, folder)
    begin(
        "bench_processor",
        weights=path,
        footage=None if arguments.clips is None else arguments.clips.name,
        threads=arguments.threads,
        openvino=importlib.metadata.version("openvino"),
    )
    if arguments.clips is None:
        for objects in arguments.objects:
            for line in time_parts(plain, fast, objects):
                write_line(line)
        return
    everything: list[float] = []
    for sequence in sorted(path for path in arguments.clips.iterdir() if (path / "masks").is_dir()):
        ious = agreement(plain, fast, sequence, arguments.frames)
        everything += ious
        write_line(
            {"case": "agreement", "sequence": sequence.name, "frames": len(ious), "worst_iou": min(ious)}
        )
    mean = statistics.fmean(everything)
    write_line({"case": "agreement of all", "mean_iou": mean, "worst_iou": min(everything)})


if __name__ == "__main__":
    main()
