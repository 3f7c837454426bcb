"""Hard frames: which are kept, that they survive the disk, and that a network learns from them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch

from masklet.errors import BadInputError
from masklet_server.model.checkpoint import Checkpoint, read_checkpoint
from masklet_server.model.config import EMBEDDED, ConvTrunkConfig
from masklet_server.model.network import ImageFeatures, build_network
from masklet_server.training.frame_lessons import FrameLessons, batches, decode_frames, learn_frames
from masklet_server.training.hard_frames import (
    GatheredClip,
    HardFrame,
    choose_frames,
    read_clip,
    write_clip,
)
from masklet_server.training.log import read_log
from masklet_server.training.mixing import mixed_weights

SIDE = 64
SMALL = dataclasses.replace(
    EMBEDDED,
    image_side_px=SIDE,
    trunk=ConvTrunkConfig(channels=(8, 8, 16, 16), stages=(1, 1, 1, 1)),
    width=32,
    memory_width=16,
    memory_mask_channels=(1, 2, 4, 8, 16),
    memory_feed_forward=32,
    decoder_feed_forward=32,
)


def hard_clip(*, seed: int, absent: bool, frames: int = 8, maps: int = 3) -> GatheredClip:
    """Frames whose features say whether the object is there: a pattern over the channels, or its opposite."""
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator)

    # All channels alike would not do: layer norms take their mean away.
    pattern = (-1.0) ** torch.arange(32).reshape(1, -1, 1, 1) * (-1.0 if absent else 1.0)
    grid = SIDE // 16
    features = ImageFeatures(
        noise(1, 32, grid, grid) + pattern,
        noise(1, 8, 2 * grid, 2 * grid) + pattern[:, :8],
        noise(1, 4, 4 * grid, 4 * grid) + pattern[:, :4],
    )
    mask = torch.zeros(SIDE, SIDE, dtype=torch.bool)
    if not absent:
        mask[16:48, 16:48] = True
    return GatheredClip(
        features,
        [
            HardFrame(
                picture=0,
                maps=noise(maps, 16, grid, grid),
                slots=torch.tensor([3, 1, 0][:maps]),
                pointers=noise(4, 32),
                distances=torch.tensor([4.0, 1.0, 2.0, 3.0]),
                span=15.0,
                mask=mask,
                first_area_px=1024,
            )
            for _ in range(frames)
        ],
    )


@pytest.fixture
def start() -> Checkpoint:
    torch.manual_seed(5)
    return Checkpoint(dict(build_network(SMALL).state_dict()), SMALL, {"licence": "CC0-1.0"})


def test_frames_without_the_object_and_around_them_are_hard() -> None:
    areas = np.array([100] * 10 + [0, 0] + [100] * 10)
    sure = np.full(len(areas), 9.0)

    chosen = choose_frames(areas, sure, Random(1), hard=99, plain=0)

    assert chosen == [6, 7, 8, 9, 10, 11, 12, 13, 14, 15]


def test_an_unsure_look_at_a_present_object_is_hard_and_a_sure_one_is_plain() -> None:
    areas = np.full(6, 100)
    logits = np.array([0.0, 9.0, 2.0, 9.0, -1.0, 9.0])

    assert choose_frames(areas, logits, Random(1), hard=99, plain=0) == [2, 4]
    assert choose_frames(areas, logits, Random(1), hard=0, plain=99) == [1, 3, 5]
    assert len(choose_frames(areas, logits, Random(1), hard=1, plain=1)) == 2


def test_a_rim_of_the_object_is_hard_however_sure_the_network_is() -> None:
    areas = np.array([100, 100, 5, 100, 100])

    assert choose_frames(areas, np.full(5, 9.0), Random(1), hard=99, plain=0) == [2]


def test_hard_frames_survive_the_disk(tmp_path: Path) -> None:
    clip = hard_clip(seed=1, absent=False, frames=2)

    write_clip(clip, tmp_path / "frames" / "one.safetensors")
    back = read_clip(tmp_path / "frames" / "one.safetensors")

    assert len(back.frames) == 2
    assert torch.equal(back.features.skip4, clip.features.skip4.half())
    for got, wanted in zip(back.frames, clip.frames, strict=True):
        assert torch.equal(got.maps, wanted.maps.half())
        assert torch.equal(got.pointers, wanted.pointers.half())
        assert torch.equal(got.slots, wanted.slots)
        assert torch.equal(got.distances, wanted.distances)
        assert torch.equal(got.mask, wanted.mask)
        assert (got.picture, got.span, got.first_area_px) == (0, 15.0, 1024)


def test_batches_read_equally_many_maps_and_lose_few_frames() -> None:
    clips = [hard_clip(seed=1, absent=False, frames=9), hard_clip(seed=2, absent=True, frames=7, maps=2)]

    made = list(batches(clips, 4, Random(1)))

    # Nine make two full batches, and the one left over is too few for another; seven make four and three.
    assert sorted(len(batch) for batch in made) == [3, 4, 4, 4]
    assert all(len({frame.kind for _, frame in batch}) == 1 for batch in made)


def test_a_network_learns_from_hard_frames_when_an_object_is_gone(start: Checkpoint, tmp_path: Path) -> None:
    for seed in range(4):
        write_clip(hard_clip(seed=seed, absent=bool(seed % 2)), tmp_path / f"{seed}.safetensors")
    lessons = FrameLessons(steps=100)
    quick = dataclasses.replace(lessons.optimiser, rate=2e-3, warm_up_steps=1, ema_decay=0.9)

    made = learn_frames(
        start, tmp_path, dataclasses.replace(lessons, optimiser=quick), out=tmp_path / "run", report=print
    )

    learned = read_checkpoint(made)
    assert learned.metadata["licence"] == "CC0-1.0"
    network = build_network(learned.config).eval()
    network.load_state_dict({name: tensor.float() for name, tensor in learned.state.items()})
    with torch.no_grad():
        for seed, absent in ((11, True), (12, False)):
            clip = hard_clip(seed=seed, absent=absent)
            logits = decode_frames(network, [(clip, frame) for frame in clip.frames]).presence_logit
            assert ((logits > 0) != absent).all()
    assert read_log(tmp_path / "run" / "log.jsonl")[-1]["presence_right"] > 0.9


def test_what_made_the_frames_stays_as_it_is(start: Checkpoint, tmp_path: Path) -> None:
    write_clip(hard_clip(seed=1, absent=True), tmp_path / "one.safetensors")

    made = learn_frames(start, tmp_path, FrameLessons(steps=2), out=tmp_path / "run", report=print)

    learned = read_checkpoint(made).state
    for name, tensor in start.state.items():
        if name.startswith(
            ("image_encoder.", "memory_encoder.", "sam_prompt_encoder.", "no_", "obj_ptr_proj.")
        ):
            assert torch.equal(learned[name], tensor.half().float()), name
    assert any(
        not torch.equal(learned[name], tensor.half().float())
        for name, tensor in start.state.items()
        if name.startswith("memory_attention.")
    )


def test_an_interruption_loses_nothing(start: Checkpoint, tmp_path: Path) -> None:
    write_clip(hard_clip(seed=1, absent=True), tmp_path / "one.safetensors")
    told: list[str] = []

    def interrupt(line: str) -> None:
        told.append(line)
        if line.startswith("step"):
            raise KeyboardInterrupt

    made = learn_frames(start, tmp_path, FrameLessons(steps=10_000), out=tmp_path / "run", report=interrupt)

    assert read_checkpoint(made).config == SMALL
    assert told[-1] == "50 steps"


def test_a_folder_without_hard_frames_says_how_to_get_some(start: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="train-gather"):
        learn_frames(start, tmp_path, FrameLessons(steps=2), out=tmp_path, report=print)


def test_a_damaged_file_of_hard_frames_is_named(start: Checkpoint, tmp_path: Path) -> None:
    (tmp_path / "broken.safetensors").write_bytes(b"nothing")

    with pytest.raises(BadInputError, match=r"broken\.safetensors"):
        learn_frames(start, tmp_path, FrameLessons(steps=2), out=tmp_path / "run", report=print)


def test_mixed_weights_lie_between_those_they_are_made_of(start: Checkpoint) -> None:
    name = "maskmem_tpos_enc"
    other = Checkpoint({**start.state, name: start.state[name] + 4.0}, SMALL, {})

    mixed = mixed_weights([start, other], [3.0, 1.0])

    assert torch.allclose(mixed[name], start.state[name] + 1.0, atol=1e-6)
    assert set(mixed) == set(start.state)


def test_weights_of_different_networks_are_not_mixed(start: Checkpoint) -> None:
    other = Checkpoint(start.state, dataclasses.replace(SMALL, recent_step=3), {})

    with pytest.raises(BadInputError, match="same network"):
        mixed_weights([start, other], [1.0, 1.0])
    with pytest.raises(BadInputError, match="shares"):
        mixed_weights([start, start], [1.0])
