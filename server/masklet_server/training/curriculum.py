"""What each step of a run does, decided on the host from the seed, the step and the progress alone.

Decisions that shape tensors (clip length, side, batch, number of corrections) are drawn here
rather than on the device, so that a step never waits for the device to learn its own shape, and
a resumed run repeats them exactly.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from masklet_server.training.config import OptimiserConfig, TrainingConfig

_CLIPS_MULTIPLE = 4
"""Batches come in fours, so that shares of a quarter are exact."""

_FULL_MEMORY_SHARE = 0.6


@dataclass(frozen=True)
class StepPlan:
    """One step.

    Attributes:
        clips: B.
        frames: T; 1 for still pictures.
        side_px: S.
        objects: O.
        mask_entries: The first so many of the B*O entries are prompted by their mask.
        click_entries: The next so many by a click; the rest by a box.
        corrections: Correction clicks after the first click or box.
        corrected_frame: A later frame that gets clicks too, or None.
        later_corrections: How many clicks it gets.
        recent_ages: How many frames ago the maps of tracked frames that are attended are from, in the order
            of their slots; None for the last few, one for each slot.
    """

    clips: int
    frames: int
    side_px: int
    objects: int
    mask_entries: int
    click_entries: int
    corrections: int
    corrected_frame: int | None = None
    later_corrections: int = 0
    recent_ages: tuple[int, ...] | None = None

    @property
    def entries(self) -> int:
        """N: one object of one clip each."""
        return self.clips * self.objects

    @property
    def box_entries(self) -> int:
        """Entries prompted by a box."""
        return self.entries - self.mask_entries - self.click_entries


def plan_step(config: TrainingConfig, *, step: int, progress: float) -> StepPlan:
    """The step's plan; equal arguments give equal plans."""
    # Steps that share a batch of clips share its shape, whatever progress is made between them.
    shape_chance = random.Random(f"{config.seed}/shape/{step // config.clip_uses}")
    chance = random.Random(f"{config.seed}/{step}")
    phase = config.phase_at(progress)
    frames = 1 if shape_chance.random() < phase.image_share else shape_chance.choice(phase.frames)
    side_px = shape_chance.choice(phase.sides_px)
    if config.step_variants:
        variant = chance.randrange(config.step_variants)
        chance = random.Random(f"{config.seed}/{frames}/{side_px}/{variant}")
    clips = clips_per_step(config, frames=frames, side_px=side_px)
    entries = clips * phase.objects
    prompts = config.prompts
    # A mask given on a still picture leaves nothing to learn.
    mask_share = prompts.mask_share if frames > 1 else 0.0
    click_share = prompts.click_share if frames > 1 else prompts.click_share / (1 - prompts.mask_share)
    mask_entries = round(entries * mask_share)
    counts = range(len(prompts.corrections))
    corrections = chance.choices(counts, prompts.corrections)[0]
    if frames < 3 or chance.random() >= prompts.correct_later_share:
        corrected_frame, later_corrections = None, 0
    else:
        corrected_frame, later_corrections = chance.randrange(1, frames - 1), chance.choice((1, 2, 3))
    return StepPlan(
        clips=clips,
        frames=frames,
        side_px=side_px,
        objects=phase.objects,
        mask_entries=mask_entries,
        click_entries=min(round(entries * click_share), entries - mask_entries),
        corrections=corrections,
        corrected_frame=corrected_frame,
        later_corrections=later_corrections,
        recent_ages=_recent_ages(config, chance),
    )


def _recent_ages(config: TrainingConfig, chance: random.Random) -> tuple[int, ...]:
    network = config.network
    most_recent = network.memory_frames - 1
    if config.memory_as_tracked:
        count = most_recent if network.recent_maps is None else min(network.recent_maps, most_recent)
        return tuple(1 + network.recent_step * slot for slot in range(count))
    # Sometimes fewer than there are slots, so that an engine may choose speed over memory.
    full = chance.random() < _FULL_MEMORY_SHARE
    count = most_recent if full else chance.randint(1, max(most_recent, 1))
    return tuple(range(1, count + 1))


def clips_per_step(config: TrainingConfig, *, frames: int, side_px: int) -> int:
    """Batch that fills the step's megapixels, a multiple of four within the limits."""
    clips = config.step_megapixels * 1e6 / (frames * side_px**2)
    clips = min(clips, config.most_clips)
    return max(_CLIPS_MULTIPLE, int(clips) // _CLIPS_MULTIPLE * _CLIPS_MULTIPLE)


def rate_share(optimiser: OptimiserConfig, *, step: int, progress: float) -> float:
    """Learning rate over its peak: a linear warm-up in steps, then a cosine in progress."""
    warm_up = min(1.0, (step + 1) / max(optimiser.warm_up_steps, 1))
    cosine = 0.5 + 0.5 * math.cos(math.pi * min(max(progress, 0.0), 1.0))
    return warm_up * (optimiser.final_share + (1 - optimiser.final_share) * cosine)
