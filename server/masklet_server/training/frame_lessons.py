"""Learning from hard frames alone: single frames in a batch, with their memories as they were read.

What reads the memory and what decodes it learn. Features of pictures and memory maps come from disk, so what
makes those, image encoder and memory encoder, stays as it is. No gradient goes back in time: a clip need not
be painted, encoded or tracked for a step, and nearly every frame of it teaches something.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from random import Random
from typing import TYPE_CHECKING

import torch

from masklet.errors import BadInputError
from masklet_server.model.checkpoint import network_of
from masklet_server.model.header import config_to_json
from masklet_server.model.network import ImageFeatures
from masklet_server.training.checkpoints import write_weights
from masklet_server.training.config import LossConfig, OptimiserConfig
from masklet_server.training.curriculum import rate_share
from masklet_server.training.hard_frames import GatheredClip, HardFrame, read_clip
from masklet_server.training.log import RunLog
from masklet_server.training.losses import FrameLoss, Target, frame_loss, target_of
from masklet_server.training.optimiser import PartedAdamW
from masklet_server.training.weight_average import WeightAverage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from masklet_server.model.checkpoint import Checkpoint
    from masklet_server.model.network import Decoded, Network

# Skips are made for the decoder and kept with the features.
_FROZEN = (
    "image_encoder.",
    "mask_downsample.",
    "memory_encoder.",
    "sam_prompt_encoder.",
    "sam_mask_decoder.conv_s",
    "obj_ptr_proj.",
    "no_",
)
_OPEN_CLIPS = 40
_LOG_STEPS = 50


Example = tuple[GatheredClip, HardFrame]
"""A frame, and the clip that has its picture."""


@dataclass(frozen=True)
class FrameLessons:
    """How weights learn from hard frames; the defaults, for 36 and 30 minutes, made the embedded model's.

    Attributes:
        minutes: Length on the wall clock, where ``steps`` says nothing.
        steps: Length in steps.
        batch: Frames a step.
        certain_from_share: From this share of its first area on an object counts as present. Between nothing
            and that, neither its presence nor its absence is taught.
        losses: What is minimised.
        optimiser: How.
        seed: Of the order of frames.
    """

    minutes: float = 36.0
    steps: int | None = None
    batch: int = 8
    certain_from_share: float = 0.06
    losses: LossConfig = field(default_factory=LossConfig)
    optimiser: OptimiserConfig = field(
        default_factory=lambda: OptimiserConfig(
            rate=1e-4,
            final_share=0.02,
            warm_up_steps=30,
            weight_decay=0.0,
            betas=(0.9, 0.99),
            ema_decay=0.995,
            frozen=_FROZEN,
        )
    )
    seed: int = 1


def learn_frames(
    start: Checkpoint, folder: Path, lessons: FrameLessons, *, out: Path, report: Callable[[str], None]
) -> Path:
    """Go on from weights with the hard frames in a folder; the file of the new weights, in ``out``.

    Ctrl-C ends it early and loses nothing.

    Args:
        start: Of the network that gathered the frames, or one with the same image and memory encoders.
        folder: As :func:`masklet_server.training.hard_frames.write_clip` fills it; what is added
            meanwhile is learned from too.
        lessons: How.
        out: Folder of weights and log.
        report: Told how it goes.

    Raises:
        BadInputError: The folder holds no hard frames, or damaged ones.
        OutputError: The disk is full or read-only.
    """
    network = network_of(start).train()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    learner = _Learner(network, lessons)
    log = RunLog(out / "log.jsonl")
    try:
        for figures in _in_time(learner, folder, lessons):
            log.add(figures)
            report(", ".join(f"{name} {value:.4g}" for name, value in figures.items()))
    except KeyboardInterrupt:
        report("interrupted: writing the weights")
    path = out / "weights.safetensors"
    metadata = {
        "name": start.config.name,
        "licence": start.metadata.get("licence", "Apache-2.0"),
        "config": config_to_json(start.config),
    }
    write_weights(path, learner.average.state(), metadata=metadata)
    report(f"{learner.steps} steps")
    return path


def batches(clips: Sequence[GatheredClip], size: int, chance: Random) -> Iterator[Sequence[Example]]:
    """All frames of some clips in random order, in batches of up to ``size`` that read equally much.

    What is left of a kind after the last full batch makes one more if it is half as many or more.
    """
    kinds: dict[tuple[int, int], list[Example]] = {}
    for clip in clips:
        for frame in clip.frames:
            kinds.setdefault(frame.kind, []).append((clip, frame))
    made = []
    for examples in kinds.values():
        chance.shuffle(examples)
        parts = [examples[first : first + size] for first in range(0, len(examples), size)]
        made += [part for part in parts if 2 * len(part) >= size]
    chance.shuffle(made)
    yield from made


def decode_frames(network: Network, examples: Sequence[Example]) -> Decoded:
    """What the network makes of hard frames of one kind, with the memories that were read then."""
    frames = [frame for _, frame in examples]
    features = ImageFeatures(
        *(
            torch.stack([getattr(clip.features, level)[frame.picture] for clip, frame in examples]).float()
            for level in ("embedding", "skip8", "skip4")
        )
    )
    embedding = network.attend_memory(
        features.embedding,
        maps=torch.stack([frame.maps for frame in frames]).float(),
        slots=torch.stack([frame.slots for frame in frames]),
        pointers=torch.stack([frame.pointers for frame in frames]).float(),
        pointer_distance=torch.stack([frame.distances for frame in frames]),
        max_distance=frames[0].span,
    )
    return network.decode(
        features,
        embedding,
        points=None,
        labels=None,
        mask_logits=None,
        multimask=True,
        stability_fallback=False,
    )


class _Learner:
    """A network, its optimiser and its average."""

    def __init__(self, network: Network, lessons: FrameLessons) -> None:
        self.steps = 0
        self.chance = Random(lessons.seed)
        self.average = WeightAverage(network, decay=lessons.optimiser.ema_decay)
        self._network = network
        self._lessons = lessons
        self._optimiser = PartedAdamW(network, lessons.optimiser)

    def step(self, examples: Sequence[Example], progress: float) -> FrameLoss:
        """Learn from one batch."""
        lessons = self._lessons
        decoded = decode_frames(self._network, examples)
        target = _target(examples, lessons)
        loss = frame_loss(decoded.logits, decoded.ious, decoded.presence_logit, target, lessons.losses)
        self._optimiser.forget_gradients()
        loss.total.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step(rate_share=rate_share(lessons.optimiser, step=self.steps, progress=progress))
        self.average.update(step=self.steps)
        self.steps += 1
        return loss


def _in_time(learner: _Learner, folder: Path, lessons: FrameLessons) -> Iterator[dict[str, float]]:
    """Make steps until the time is over, and tell how it goes."""
    started_s = time.monotonic()
    losses: list[FrameLoss] = []
    for clips in _rounds(folder, learner.chance):
        for examples in batches(clips, lessons.batch, learner.chance):
            passed_s = time.monotonic() - started_s
            progress = learner.steps / lessons.steps if lessons.steps else passed_s / (60 * lessons.minutes)
            if progress >= 1:
                return
            losses.append(learner.step(examples, progress))
            if len(losses) == _LOG_STEPS:
                yield {
                    "step": learner.steps,
                    "progress": round(progress, 4),
                    "loss": _mean(losses, "total"),
                    "presence": _mean(losses, "presence"),
                    "iou": _mean(losses, "iou"),
                    "j_tracked": _mean(losses, "j"),
                    "presence_right": _mean(losses, "presence_right"),
                }
                losses.clear()


def _rounds(folder: Path, chance: Random) -> Iterator[Sequence[GatheredClip]]:
    """The clips of a folder, a handful at a time, again and again in another order."""
    while True:
        paths = sorted(folder.glob("*.safetensors"))
        if not paths:
            raise BadInputError(
                f"{folder.name} holds no hard frames: gather them first with `masklet-server train-gather`."
            )
        chance.shuffle(paths)
        for first in range(0, len(paths), _OPEN_CLIPS):
            yield [read_clip(path) for path in paths[first : first + _OPEN_CLIPS]]


def _target(examples: Sequence[Example], lessons: FrameLessons) -> Target:
    masks = torch.stack([frame.mask for _, frame in examples])  # (N, S, S)
    everyone = torch.ones(len(examples), dtype=torch.bool)
    target = target_of(masks.to(torch.uint8) * 255, everyone, lessons.losses)
    areas_px = masks.flatten(1).sum(dim=1)
    first_px = torch.tensor([frame.first_area_px for _, frame in examples])
    shows = areas_px >= (lessons.certain_from_share * first_px).clamp(min=lessons.losses.least_area_px)
    return replace(target, certain=((areas_px == 0) | shows).float())


def _mean(losses: Sequence[FrameLoss], name: str) -> float:
    return round(sum(float(getattr(loss, name).detach()) for loss in losses) / len(losses), 5)
