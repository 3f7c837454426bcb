"""Fine-tuning: weights that exist, a little footage, some parts held still.

What keeps a network from forgetting is, in order of effect: parts that are frozen, batch norms that
keep the statistics they came with, a low rate, and batches of known clips among the new ones.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from masklet.errors import BadInputError
from masklet_server.training.config import OptimiserConfig, Phase, PromptConfig, TrainingConfig
from masklet_server.training.loop import Piece, Trainer, train

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from masklet_server.model.checkpoint import Checkpoint
    from masklet_server.model.config import NetworkConfig
    from masklet_server.training.clips import ClipSource
    from masklet_server.training.distributed import Team

PARTS: Final = MappingProxyType(
    {
        "trunk": ("image_encoder.trunk.",),
        "neck": ("image_encoder.neck.",),
        "prompts": ("sam_prompt_encoder.",),
        "decoder": ("sam_mask_decoder.", "obj_ptr_proj.", "mask_downsample."),
        "memory": ("memory_attention.", "memory_encoder.", "maskmem_tpos_enc", "obj_ptr_tpos_proj."),
    }
)
"""Parts that can be frozen, by the prefixes of their parameters."""


@dataclass(frozen=True)
class FineTuning:
    """How weights are tuned.

    Attributes:
        name: Of the run.
        steps: Batches.
        frames: Clip lengths, one drawn per step.
        side_px: Side of the square; None for that of the weights.
        rate: Learning rate at its peak.
        trunk_rate_share: The trunk's rate over that rate.
        freeze: Names of :data:`PARTS` that are left as they are.
        step_megapixels: Pixels of all frames of one step, in millions.
        objects: Object slots per clip.
        mask_share: Objects prompted by their mask on the first frame; half of the others by a click, half
            by a box. 1 where a click cannot tell what a show means by an object.
        seed: Of prompts and curriculum.
    """

    name: str = "finetuned"
    steps: int = 400
    frames: tuple[int, ...] = (2, 4)
    side_px: int | None = None
    rate: float = 3e-5
    trunk_rate_share: float = 0.3
    freeze: tuple[str, ...] = ("trunk",)
    step_megapixels: float = 4.0
    objects: int = 2
    mask_share: float = 0.5
    seed: int = 1


def finetune_config(tuning: FineTuning, network: NetworkConfig) -> TrainingConfig:
    """The run that tunes ``network`` as ``tuning`` says.

    Raises:
        BadInputError: A part to freeze is unknown, nothing is left to train, or the side does not work.
    """
    unknown = [part for part in tuning.freeze if part not in PARTS]
    if unknown:
        raise BadInputError(f"there is no part {unknown[0]!r} to freeze: choose from {', '.join(PARTS)}.")
    if set(tuning.freeze) == set(PARTS):
        raise BadInputError("all parts are frozen, so nothing would be learnt: leave one of them free.")
    frozen = tuple(prefix for part in tuning.freeze for prefix in PARTS[part])
    phase = Phase(
        until=1.0,
        frames=tuning.frames,
        sides_px=(tuning.side_px or network.image_side_px,),
        objects=tuning.objects,
        # A mask given on a still picture leaves nothing to learn.
        image_share=0.1 if tuning.mask_share < 1 else 0.0,
    )
    return TrainingConfig(
        name=tuning.name,
        network=network,
        phases=(phase,),
        steps=tuning.steps,
        step_megapixels=tuning.step_megapixels,
        seed=tuning.seed,
        keep_statistics=True,
        prompts=PromptConfig(mask_share=tuning.mask_share, click_share=(1 - tuning.mask_share) / 2),
        optimiser=OptimiserConfig(
            rate=tuning.rate,
            trunk_rate=tuning.rate * tuning.trunk_rate_share,
            final_share=0.1,
            warm_up_steps=max(1, min(50, tuning.steps // 10)),
            ema_decay=0.98,
            frozen=frozen,
        ),
    )


def fine_tune(
    start: Checkpoint,
    source: ClipSource,
    team: Team,
    tuning: FineTuning,
    *,
    folder: Path,
    report: Callable[[str], None],
    log_steps: int = 20,
) -> Path:
    """Tune weights on clips of ``source``; the file of the new weights, in ``folder``.

    Args:
        start: Weights to start from, of any member of the family.
        source: Clips, on the team's device.
        team: Where this process stands among others.
        tuning: How.
        folder: For checkpoint, weights and log.
        report: Told how it goes.
        log_steps: Steps between records.

    Raises:
        BadInputError: See :func:`finetune_config`, or footage that cannot be read.
        OutputError: The disk is full or read-only.
    """
    trainer = Trainer(finetune_config(tuning, start.config), source, team, start=start.state)
    piece = Piece(minutes=None, started_s=time.monotonic(), log_steps=log_steps)
    train(trainer, folder, piece, report=report, licence=start.metadata.get("licence", "Apache-2.0"))
    return folder / "weights.safetensors"
