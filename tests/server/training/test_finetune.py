"""Fine-tuning: footage becomes clips, frozen parts stay, and what was learnt can be used."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet_server.model.checkpoint import Checkpoint, read_checkpoint
from masklet_server.model.network import build_network
from masklet_server.training.config import load_config
from masklet_server.training.distributed import Team
from masklet_server.training.finetune import FineTuning, fine_tune, finetune_config
from masklet_server.training.footage import FootageClips, FootageConfig, MixedClips

ALONE = Team(0, 1, torch.device("cpu"))


@dataclasses.dataclass(frozen=True)
class MovingSquare:
    """Twelve frames, every second one annotated: a bright square (id 7) moves to the right over black."""

    name: str = "square"
    frames: tuple[int, ...] = (0, 2, 4, 6, 8, 10)
    gone_from: int = 99

    def picture(self, frame: int) -> NDArray[np.uint8]:
        return np.repeat(self._mask(frame)[..., None], 3, axis=2).astype(np.uint8) * 200

    def masks(self, frame: int) -> Mapping[int, NDArray[np.bool_]]:
        return {7: self._mask(frame)}

    def _mask(self, frame: int) -> NDArray[np.bool_]:
        mask = np.zeros((60, 100), np.bool_)
        if frame < self.gone_from:
            mask[20:40, 10 + 5 * frame : 30 + 5 * frame] = True
        return mask


def test_masks_lie_on_the_object_of_the_picture_whatever_the_crop() -> None:
    exact = FootageConfig(kept_side_px=128, exposure=0.0)
    batch = FootageClips([MovingSquare()], seed=1, config=exact).compose(8, 3, 64, 2)

    assert batch.images.shape == (8, 3, 3, 64, 64)
    assert batch.masks.shape == (8, 3, 2, 64, 64)
    bright = batch.images.mean(dim=2) > 0.4
    both = (bright & batch.masks[:, :, 0]).sum(dim=(2, 3)).float()
    either = (bright | batch.masks[:, :, 0]).sum(dim=(2, 3)).float()
    assert (both / either.clamp(min=1) > 0.9)[either > 0].all()
    assert batch.valid[:, 0].all()
    assert not batch.valid[:, 1].any()


def test_the_object_moves_along_as_annotated_in_either_direction() -> None:
    batch = FootageClips([MovingSquare()], seed=2, config=FootageConfig(smallest_crop=1.0)).compose(
        12, 3, 64, 1
    )

    columns = torch.arange(64.0)
    weights = batch.masks[:, :, 0].float().sum(dim=2)  # (B, T, S)
    middles = (weights * columns).sum(dim=2) / weights.sum(dim=2)
    steps = middles.diff(dim=1)
    assert (steps.abs() > 3).all()
    assert (steps > 0).any()
    assert (steps < 0).any()


def test_an_object_that_leaves_is_absent_and_one_that_never_shows_is_no_target() -> None:
    source = FootageClips([MovingSquare(gone_from=6)], seed=3)
    batch = source.compose(16, 4, 64, 1)

    # Prompted only where it shows; absent later in some clip.
    assert (batch.valid[:, 0] == batch.masks[:, 0, 0].flatten(1).any(dim=1)).all()
    assert (~batch.visible[batch.valid[:, 0], 1:, 0]).any()


def test_shots_shorter_than_a_clip_swing_back_and_forth() -> None:
    shot = MovingSquare(frames=(0, 2))
    batch = FootageClips([shot], seed=1, config=FootageConfig(smallest_crop=1.0)).compose(2, 4, 32, 1)

    assert torch.equal(batch.masks[:, 0], batch.masks[:, 2])
    assert not torch.equal(batch.masks[:, 0], batch.masks[:, 1])


def test_kept_pictures_stay_within_their_room() -> None:
    roomy, tight = (
        FootageClips([MovingSquare()], seed=4, config=FootageConfig(kept_side_px=64, kept_bytes=kept))
        for kept in (1 << 30, 20_000)
    )

    ours, theirs = (source.compose(4, 3, 32, 1) for source in (roomy, tight))

    assert torch.equal(ours.images, theirs.images)
    assert tight._used_bytes <= 20_000


def test_the_same_state_gives_the_same_clips_of_both_sources(drifting_discs: Any) -> None:
    def mixed() -> MixedClips:
        return MixedClips(
            FootageClips([MovingSquare()], seed=1), drifting_discs(seed=1), known_share=0.5, seed=1
        )

    first, second = mixed(), mixed()
    first.compose(1, 2, 32, 1)
    second.restore(first.state())

    batches = [(first.compose(1, 2, 32, 1), second.compose(1, 2, 32, 1)) for _ in range(6)]
    assert all(torch.equal(ours.images, theirs.images) for ours, theirs in batches)
    # The discs drift over noise, the square over black.
    assert {bool((ours.images == 0).float().mean() > 0.3) for ours, _ in batches} == {True, False}


def test_footage_without_annotations_is_refused() -> None:
    with pytest.raises(BadInputError, match="no annotated footage"):
        FootageClips([MovingSquare(frames=())], seed=1)


def test_parts_that_do_not_exist_and_freezing_all_of_them_are_refused() -> None:
    network = load_config("proof").network
    with pytest.raises(BadInputError, match="no part 'backbone'"):
        finetune_config(FineTuning(freeze=("backbone",)), network)
    with pytest.raises(BadInputError, match="nothing would be learnt"):
        finetune_config(FineTuning(freeze=("trunk", "neck", "prompts", "decoder", "memory")), network)


def test_tuning_changes_what_is_free_alone_and_its_weights_say_whose_they_are(tmp_path: Path) -> None:
    torch.manual_seed(1)
    config = load_config("proof").network
    state = {name: tensor.clone() for name, tensor in build_network(config).state_dict().items()}
    start = Checkpoint(state, config, {"licence": "CC-BY-4.0"})
    tuning = FineTuning(
        steps=2, frames=(2,), side_px=64, rate=2e-2, freeze=("trunk", "memory"), step_megapixels=0.03
    )

    made = fine_tune(
        start,
        FootageClips([MovingSquare()], seed=1),
        ALONE,
        tuning,
        folder=tmp_path,
        report=lambda _: None,
    )

    tuned = read_checkpoint(made)
    assert tuned.config == config
    assert tuned.metadata["licence"] == "CC-BY-4.0"
    changed = {
        name
        for name, tensor in tuned.state.items()
        if not torch.allclose(tensor.float(), state[name].float(), atol=1e-3, rtol=1e-3)
    }
    moved = {name for name in changed if not name.startswith(("image_encoder.trunk.", "memory_"))}
    # Statistics of batch norms are part of the trunk too.
    assert changed == moved
    assert moved
