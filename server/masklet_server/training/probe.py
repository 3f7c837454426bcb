"""What a machine makes of a run before it starts: clips per second, share of composing, memory.

Measure first on a machine whose time is short: which batch pays, and whether composing keeps up.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from masklet_server.training.curriculum import StepPlan, clips_per_step
from masklet_server.training.loop import Trainer
from masklet_server.training.unroll import FIGURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from masklet_server.training.clips import ClipSource
    from masklet_server.training.config import TrainingConfig
    from masklet_server.training.distributed import Team

_WARM_UP_STEPS = 3


@dataclass(frozen=True)
class Trial:
    """One size of step.

    Attributes:
        megapixels: Pixels of all frames of a step, in millions.
        frames: Clip length.
        side_px: Side of the square.
    """

    megapixels: float
    frames: int
    side_px: int


@dataclass(frozen=True)
class TrialResult:
    """What a trial showed.

    Attributes:
        trial: Which one.
        clips: Batch.
        step_ms: Mean of the timed steps.
        clips_per_s: Clips learned from per second, composing included.
        frames_per_s: Likewise for frames.
        compose_share: Share of the time spent composing.
        peak_gb: Highest device memory in use, 0 on a CPU.
        loss: Of the last step: finite, or something is wrong.
    """

    trial: Trial
    clips: int
    step_ms: float
    clips_per_s: float
    frames_per_s: float
    compose_share: float
    peak_gb: float
    loss: float

    def __str__(self) -> str:
        trial = self.trial
        return (
            f"{trial.frames} frames of {trial.side_px} px, {trial.megapixels:g} MP: {self.clips} clips,"
            f" {self.step_ms:.0f} ms a step, {self.clips_per_s:.1f} clips/s, {self.frames_per_s:.0f} frames/s"
            f" composing included ({100 * self.compose_share:.0f} %), {self.peak_gb:.1f} GB,"
            f" loss {self.loss:.3f}"
        )


def run_trial(
    config: TrainingConfig, source: ClipSource, team: Team, trial: Trial, *, steps: int
) -> TrialResult:
    """Train a fresh network for a few steps of one size.

    Raises:
        RuntimeError: The device ran out of memory (``torch.cuda.OutOfMemoryError``).
    """
    sized = dataclasses.replace(config, step_megapixels=trial.megapixels, clip_uses=1)
    clips = clips_per_step(sized, frames=trial.frames, side_px=trial.side_px)
    plan = plan_of(clips=clips, frames=trial.frames, side_px=trial.side_px)
    trainer = Trainer(sized, source, team)
    on_gpu = team.device.type == "cuda"
    for _ in range(_WARM_UP_STEPS):
        trainer.train_on(plan)
    trainer.watch.take_shares()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    started_s = time.perf_counter()
    for _ in range(steps):
        figures = trainer.train_on(plan)
    loss = float(figures[FIGURES.index("loss")].item())  # waits for the device
    seconds = time.perf_counter() - started_s
    return TrialResult(
        trial=trial,
        clips=clips,
        step_ms=1e3 * seconds / steps,
        clips_per_s=clips * steps / seconds,
        frames_per_s=clips * trial.frames * steps / seconds,
        compose_share=trainer.watch.take_shares().get("compose", 0.0),
        peak_gb=torch.cuda.max_memory_allocated() / 1e9 if on_gpu else 0.0,
        loss=loss,
    )


def plan_of(*, clips: int, frames: int, side_px: int, objects: int = 2) -> StepPlan:
    """A step with one correction click and half of the entries prompted by masks."""
    entries = clips * objects
    return StepPlan(
        clips=clips,
        frames=frames,
        side_px=side_px,
        objects=objects,
        mask_entries=entries // 2,
        click_entries=entries // 4,
        corrections=1,
    )


def profile_step(
    config: TrainingConfig, source: ClipSource, team: Team, trial: Trial, report: Callable[[str], None]
) -> None:
    """Report the operations that take most of a step's time, composing included."""
    sized = dataclasses.replace(config, step_megapixels=trial.megapixels, clip_uses=1)
    clips = clips_per_step(sized, frames=trial.frames, side_px=trial.side_px)
    plan = plan_of(clips=clips, frames=trial.frames, side_px=trial.side_px)
    trainer = Trainer(sized, source, team)
    for _ in range(2):
        trainer.train_on(plan)
    on_gpu = team.device.type == "cuda"
    activities = [torch.profiler.ProfilerActivity.CPU]
    if on_gpu:
        activities.append(torch.profiler.ProfilerActivity.CUDA)
        torch.cuda.synchronize()
    with torch.profiler.profile(activities=activities) as profile:
        trainer.train_on(plan)
        if on_gpu:
            torch.cuda.synchronize()
    order = "self_device_time_total" if on_gpu else "self_cpu_time_total"
    report(profile.key_averages().table(sort_by=order, row_limit=22, max_name_column_width=60))
