"""What ``bench_trunks.py`` measures: accuracy of short trainings and milliseconds of their networks."""

from __future__ import annotations

import os
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from bench_network import When, our_frame
from bench_official import SteadyState

from masklet_server.evaluation.evaluator import Assignment, evaluate_clip
from masklet_server.evaluation.protocols import ProtocolName
from masklet_server.evaluation.scores import figures
from masklet_server.evaluation.trackers import network_trackers
from masklet_server.model.checkpoint import load_network, network_of, read_checkpoint
from masklet_server.training.config import Phase, TrainingConfig
from masklet_server.training.probe import plan_of
from masklet_server.training.unroll import FIGURES, ClipUnroll

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from masklet_server.evaluation.clips import AnnotatedClip
    from masklet_server.model.network import Network
    from masklet_server.training.clips import ClipSource

UNSEEN = {"batches": 8, "clips": 4, "frames": 4, "side_px": 192}
SPEED_SIDE_PX = 480
_WARM_UP, _REPEATS = 3, 15


@dataclass(frozen=True)
class Accuracy:
    """Skill of one training.

    Attributes:
        prompted: J in percent on generated clips that no training saw, after a click or a box, on the
            prompted frame; one value per batch.
        tracked: J of their frames tracked from memory.
        footage: J&F in percent by sequence, from a true first mask.
    """

    prompted: Sequence[float]
    tracked: Sequence[float]
    footage: Mapping[str, float]

    @property
    def j_prompted(self) -> float:
        """Mean over generated clips."""
        return statistics.fmean(self.prompted)

    @property
    def j_tracked(self) -> float:
        """Mean over generated clips."""
        return statistics.fmean(self.tracked)

    @property
    def j_and_f(self) -> float:
        """Mean over sequences of footage."""
        return statistics.fmean(self.footage.values())

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "j_prompted": round(self.j_prompted, 2),
            "j_tracked": round(self.j_tracked, 2),
            "j_and_f": round(self.j_and_f, 2),
            "sequences": {name: round(value, 2) for name, value in self.footage.items()},
        }

    def __str__(self) -> str:
        return (
            f"generated clips: J prompted {self.j_prompted:.1f}, tracked {self.j_tracked:.1f};"
            f" footage: J&F {self.j_and_f:.1f}"
        )


@dataclass(frozen=True)
class Speed:
    """Medians in milliseconds at 480 pixels.

    Attributes:
        parameters: Of the trunk, in millions.
        trunk: Processor time of the trunk, one thread.
        frame: Processor time of a whole tracked frame, one object, one thread.
        frame_wall: The same frame by the clock, by number of threads.
    """

    parameters: float
    trunk: float
    frame: float
    frame_wall: Mapping[int, float]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "trunk_parameters_m": round(self.parameters, 2),
            "trunk_cpu_ms": round(self.trunk, 1),
            "frame_cpu_ms": round(self.frame, 1),
            "frame_ms_by_threads": {str(count): round(value, 1) for count, value in self.frame_wall.items()},
        }


@torch.no_grad()
def measure_generated(weights: Path, source: ClipSource) -> tuple[list[float], list[float]]:
    """J in percent of prompted and of tracked frames, by batch; prompts are the same for all weights."""
    network = network_of(read_checkpoint(weights)).train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    clips, frames, side_px = UNSEEN["clips"], UNSEEN["frames"], UNSEEN["side_px"]
    config = TrainingConfig("measure", network.config, (Phase(1.0, (frames,), (side_px,)),), steps=1)
    plan = plan_of(clips=clips, frames=frames, side_px=side_px)
    prompted, tracked = [], []
    for number in range(UNSEEN["batches"]):
        batch = source.compose(plan.clips, plan.frames, plan.side_px, plan.objects)
        generator = torch.Generator().manual_seed(number)
        outcome = ClipUnroll(network, batch, plan, config=config, generator=generator).run()
        values = dict(zip(FIGURES, outcome.figures().tolist(), strict=True))
        prompted.append(100 * values["j_prompted"])
        tracked.append(100 * values["j_tracked"])
    return prompted, tracked


def measure_footage(weights: Path, clips: Sequence[AnnotatedClip], *, side_px: int) -> dict[str, float]:
    """J&F in percent by sequence, from the true first mask."""
    make_tracker = network_trackers(str(weights), side_px=side_px, device="cpu")
    assignment = Assignment(ProtocolName.MASK, baselines=False)
    reports = [evaluate_clip(clip, assignment, make_tracker)[0] for clip in clips]
    return {report.name: figures(report.outcome.objects).j_and_f for report in reports}


@torch.inference_mode()
def measure_speed(weights: Mapping[str, Path]) -> dict[str, Speed]:
    """Times of all networks, frame by frame in turn, so that a busy machine slows all alike."""
    networks = {name: load_network(path) for name, path in weights.items()}
    image = torch.randn(1, 3, SPEED_SIDE_PX, SPEED_SIDE_PX, generator=torch.Generator().manual_seed(0))
    trunk: dict[str, list[float]] = {name: [] for name in networks}
    frame: dict[str, list[float]] = {name: [] for name in networks}
    wall: dict[int, dict[str, list[float]]] = {}
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        wall[threads] = {name: [] for name in networks}
        for repeat in range(_WARM_UP + _REPEATS):
            for name, network in networks.items():
                started_s, started_cpu_s = time.perf_counter(), time.process_time()
                _track_one(network, image)
                wall_s, cpu_s = time.perf_counter() - started_s, time.process_time() - started_cpu_s
                started_cpu_s = time.process_time()
                network.image_encoder.trunk(image)
                trunk_s = time.process_time() - started_cpu_s
                if repeat >= _WARM_UP:
                    wall[threads][name].append(wall_s)
                    if threads == 1:
                        frame[name].append(cpu_s)
                        trunk[name].append(trunk_s)
    torch.set_num_threads(before)
    return {
        name: Speed(
            sum(one.numel() for one in network.image_encoder.trunk.parameters()) / 1e6,
            1e3 * statistics.median(trunk[name]),
            1e3 * statistics.median(frame[name]),
            {threads: 1e3 * statistics.median(times[name]) for threads, times in wall.items()},
        )
        for name, network in networks.items()
    }


def _track_one(network: Network, image: torch.Tensor) -> None:
    """A tracked frame of one object in the middle of a clip, its memory written."""
    config = network.config
    recent = config.memory_frames - 1 if config.recent_maps is None else config.recent_maps
    grid = image.shape[-1] // 16
    state = SteadyState(
        torch.zeros(1, 1 + recent, config.memory_width, grid, grid),
        torch.zeros(1, config.pointers, config.width),
    )
    slots = torch.tensor([[config.memory_frames - 1, *range(recent)]])
    distance = torch.arange(config.pointers).float()[None]
    our_frame(network, image, state, When(slots, distance))


def pareto_front(accuracy: Mapping[tuple[str, int], Accuracy], speed: Mapping[str, Speed]) -> tuple[str, ...]:
    """Candidates than which none is both quicker and better on footage, quickest first."""
    mean = _means(accuracy)
    ordered = sorted(mean, key=lambda name: speed[name].trunk)
    return tuple(
        name
        for place, name in enumerate(ordered)
        if all(mean[name] > mean[quicker] for quicker in ordered[:place])
    )


def _means(accuracy: Mapping[tuple[str, int], Accuracy]) -> dict[str, float]:
    """J&F on footage by candidate, over its seeds."""
    found: dict[str, list[float]] = {}
    for (name, _), value in accuracy.items():
        found.setdefault(name, []).append(value.j_and_f)
    return {name: statistics.fmean(values) for name, values in found.items()}


def table(
    accuracy: Mapping[tuple[str, int], Accuracy], speed: Mapping[str, Speed], *, front: Sequence[str]
) -> str:
    """All figures for reading, in Markdown."""
    rows = [
        "| trunk | seed | M params | J prompted | J tracked | J&F | trunk ms | frame ms | 1 / 2 threads"
        " | J&F per trunk ms | per frame ms | front |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (name, seed), value in accuracy.items():
        fast = speed[name]
        rows.append(
            f"| {name} | {seed} | {fast.parameters:.2f} | {value.j_prompted:.1f} | {value.j_tracked:.1f}"
            f" | {value.j_and_f:.1f} | {fast.trunk:.0f} | {fast.frame:.0f}"
            f" | {fast.frame_wall[1]:.0f} / {fast.frame_wall[2]:.0f} | {value.j_and_f / fast.trunk:.2f}"
            f" | {value.j_and_f / fast.frame:.2f} | {'yes' if name in front else 'no'} |"
        )
    return "\n".join(rows)


def machine() -> str:
    """The processor's name and its cores."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"
