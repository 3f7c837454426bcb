"""Checkpoints: whole or not at all, and exact."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from masklet.errors import OutputError, WeightsError
from masklet_server.training import checkpoints
from masklet_server.training.checkpoints import (
    Position,
    read_checkpoint,
    write_checkpoint,
    write_weights,
)
from platforms import resource_module


def _tensors(seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    names = ("network/a", "average/a", "moment1/a", "moment2/a")
    drawn = {name: torch.randn(50, 40, generator=generator) for name in names}
    return {**drawn, "count/a": torch.tensor(7.0), "source": generator.get_state()}


def _position(step: int) -> Position:
    return Position("test", step, step / 100, 1.5 * step)


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, _position(7), _tensors(1), compact=False)

    position, tensors = read_checkpoint(tmp_path)

    assert position == _position(7)
    assert tensors.keys() == _tensors(1).keys()
    for name, tensor in _tensors(1).items():
        assert torch.equal(tensors[name], tensor)


def test_the_newest_checkpoint_is_read_and_the_older_is_gone(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, _position(7), _tensors(1), compact=False)
    write_checkpoint(tmp_path, _position(12), _tensors(2), compact=False)

    position, _ = read_checkpoint(tmp_path)

    assert position.step == 12
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-00000012"]


def test_large_states_are_split_into_small_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "SHARD_BYTES", 10_000)

    folder = write_checkpoint(tmp_path, _position(1), _tensors(1), compact=False)

    assert len(list(folder.glob("part-*.safetensors"))) >= 4
    assert torch.equal(read_checkpoint(tmp_path)[1]["moment2/a"], _tensors(1)["moment2/a"])


def test_a_compact_checkpoint_keeps_a_quarter_of_the_bytes(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, _position(1), _tensors(1), compact=True)

    _, tensors = read_checkpoint(tmp_path)

    assert tensors.keys() == {"network/a", "moment2/a", "count/a", "source"}
    assert torch.equal(tensors["source"], _tensors(1)["source"])
    torch.testing.assert_close(tensors["network/a"].float(), _tensors(1)["network/a"], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(tensors["moment2/a"].float(), _tensors(1)["moment2/a"], rtol=1e-2, atol=1e-3)


def test_a_disk_that_fills_in_mid_checkpoint_leaves_the_previous_one(tmp_path: Path) -> None:
    resource = resource_module()
    write_checkpoint(tmp_path, _position(7), _tensors(1), compact=False)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The kernel refuses to let any file grow further, in the middle of the write.
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))

    try:
        with pytest.raises(OutputError, match="the one before it is kept"):
            write_checkpoint(tmp_path, _position(8), _tensors(2), compact=False)
        with pytest.raises(OutputError):
            write_weights(tmp_path / "weights.safetensors", _tensors(2), metadata={})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    position, tensors = read_checkpoint(tmp_path)
    assert position.step == 7
    assert torch.equal(tensors["network/a"], _tensors(1)["network/a"])
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-00000007"]


def test_a_checkpoint_left_unfinished_by_a_killed_process_is_not_read(tmp_path: Path) -> None:
    write_checkpoint(tmp_path, _position(7), _tensors(1), compact=False)
    left = write_checkpoint(tmp_path / "elsewhere", _position(9), _tensors(2), compact=False)
    left.rename(tmp_path / "checkpoint-00000009.partial")

    assert read_checkpoint(tmp_path)[0].step == 7


def test_a_folder_without_checkpoints_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no checkpoint"):
        read_checkpoint(tmp_path)


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path, _position(7), _tensors(1), compact=False)
    part = next(folder.glob("part-*.safetensors"))
    part.write_bytes(part.read_bytes()[:100])

    with pytest.raises(WeightsError, match="damaged"):
        read_checkpoint(tmp_path)
