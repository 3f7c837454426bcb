from __future__ import annotations

import dataclasses
import json
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from masklet.errors import WeightsError
from masklet_server.model import checkpoint
from masklet_server.model.checkpoint import (
    convert,
    load_network,
    network_of,
    prepare_for_inference,
    read_checkpoint,
    save_network,
)
from masklet_server.model.config import EMBEDDED, PRESETS, ConvTrunkConfig
from masklet_server.model.header import config_from_json, config_to_json
from masklet_server.model.network import build_network

_SMALL = dataclasses.replace(
    EMBEDDED,
    name="small",
    trunk=ConvTrunkConfig(channels=(8, 16, 24, 32), stages=(1, 1, 1, 1)),
    width=32,
    memory_width=16,
    memory_mask_channels=(1, 4, 4, 8, 8),
    decoder_heads=2,
)


@pytest.fixture
def official(reference: Any, tmp_path: Path) -> Path:
    """A file with exactly the keys and shapes of the published tiny checkpoint."""
    path = tmp_path / "sam2.1_hiera_tiny.pt"
    torch.save({"model": reference.state("sam2.1_hiera_tiny")}, path)
    return path


def test_an_official_file_is_recognised_and_loaded(official: Path) -> None:
    renamed = official.with_name("whatever.pt")
    official.rename(renamed)

    network = load_network(renamed)

    assert network.config == PRESETS["sam2.1_hiera_tiny"]
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_converted_weights_are_the_same_and_say_what_they_are(official: Path, tmp_path: Path) -> None:
    target = tmp_path / "converted.safetensors"

    convert(official, target, licence="Apache-2.0")

    before, after = read_checkpoint(official), read_checkpoint(target)
    assert after.config == PRESETS["sam2.1_hiera_tiny"]
    assert after.metadata["licence"] == "Apache-2.0"
    assert after.metadata["name"] == "sam2.1_hiera_tiny"
    assert all(torch.equal(after.state[name], tensor) for name, tensor in before.state.items())


def test_weights_of_another_network_are_refused_by_the_first_keys_that_differ(
    reference: Any, tmp_path: Path
) -> None:
    state = reference.state("sam2.1_hiera_tiny")
    del state["no_mem_embed"]
    state["maskmem_tpos_enc"] = torch.zeros(5, 1, 1, 64)
    state["head.weight"] = torch.zeros(1)
    path = tmp_path / "sam2.1_hiera_tiny.pt"
    torch.save({"model": state}, path)

    with pytest.raises(WeightsError) as caught:
        read_checkpoint(path)

    message = str(caught.value)
    assert "maskmem_tpos_enc ([5, 1, 1, 64] instead of [7, 1, 1, 64])" in message
    assert "no_mem_embed (missing)" in message
    assert "head.weight (unknown)" in message
    assert str(tmp_path) not in message


@pytest.mark.parametrize("name", ["broken.pt", "broken.safetensors"])
@pytest.mark.parametrize("content", [b"", b"not weights at all" * 100], ids=["empty", "noise"])
def test_a_damaged_file_is_called_damaged(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(WeightsError, match="may be incomplete: fetch it again"):
        read_checkpoint(path)


def test_a_truncated_file_is_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "small.safetensors"
    save_network(build_network(_SMALL), path, licence="MIT")
    path.write_bytes(path.read_bytes()[:-1000])

    with pytest.raises(WeightsError, match="may be incomplete"):
        read_checkpoint(path)


def test_a_file_without_the_entry_model_is_no_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "other.pt"
    torch.save({"state": {}}, path)

    with pytest.raises(WeightsError, match="no entry called 'model'"):
        read_checkpoint(path)


def test_missing_weights_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASKLET_WEIGHTS", str(tmp_path))

    with pytest.raises(WeightsError, match=r"no weights called sam2\.1_hiera_tiny"):
        load_network("sam2.1_hiera_tiny")


def test_a_trained_network_comes_back_with_its_own_sizes(tmp_path: Path) -> None:
    network = build_network(_SMALL).eval()
    path = tmp_path / "mine.safetensors"

    save_network(network, path, licence="CC0-1.0", metadata={"steps": "12"})
    checkpoint = read_checkpoint(path)
    again = network_of(checkpoint).eval()

    assert checkpoint.config == _SMALL
    assert checkpoint.metadata["steps"] == "12"
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.equal(again.encode_image(images).embedding, network.encode_image(images).embedding)


def test_half_storage_halves_the_file_and_loads_as_float32(tmp_path: Path) -> None:
    network = build_network(_SMALL)
    save_network(network, tmp_path / "full.safetensors", licence="MIT")
    save_network(network, tmp_path / "half.safetensors", licence="MIT", half=True)

    loaded = load_network(tmp_path / "half.safetensors")

    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("half", "full")]
    assert sizes[0] < 0.6 * sizes[1]
    assert {parameter.dtype for parameter in loaded.parameters()} == {torch.float32}


def test_a_header_that_describes_no_network_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "odd.safetensors"
    save_file({"x": torch.zeros(1)}, path, {"config": '{"name": "odd"}'})

    with pytest.raises(WeightsError, match="may be incomplete"):
        read_checkpoint(path)


def test_a_folder_that_cannot_be_written_is_named_as_the_cause(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(WeightsError, match="choose another folder"):
        save_network(build_network(_SMALL), tmp_path / "file" / "x.safetensors", licence="MIT")


@pytest.mark.parametrize("config", [*PRESETS.values(), _SMALL], ids=lambda config: config.name)
def test_a_configuration_survives_a_files_header(config: Any) -> None:
    assert config_from_json(config_to_json(config)) == config


@torch.inference_mode()
def test_bfloat16_keeps_clicks_where_they_are() -> None:
    torch.manual_seed(0)
    exact = prepare_for_inference(build_network(_SMALL))
    torch.manual_seed(0)
    rounded = prepare_for_inference(build_network(_SMALL), dtype=torch.bfloat16)
    points, labels = torch.tensor([[[203.0, 411.0]]]), torch.tensor([[1]])

    where = [network.sam_prompt_encoder.points(points, labels, side_px=448) for network in (exact, rounded)]
    decoded = rounded.decode(
        rounded.encode_image(torch.randn(1, 3, 64, 64)),
        torch.randn(1, 32, 4, 4, dtype=torch.bfloat16),
        points=points,
        labels=labels,
        mask_logits=None,
        multimask=True,
        stability_fallback=True,
    )

    assert torch.allclose(where[0], where[1].float(), atol=0.02)
    assert decoded.best_logits.dtype == torch.float32


def small_state() -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in build_network(_SMALL).state_dict().items()}


def described(path: Path, state: dict[str, torch.Tensor], **changes: Any) -> Path:
    """Weights whose header says something else of the network than it is."""
    fields = json.loads(config_to_json(_SMALL))
    trunk = {**fields["trunk"], **changes.pop("trunk", {})}
    save_file(state, path, {"config": json.dumps({**fields, "trunk": trunk, **changes})})
    return path


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_weights_with_values_that_are_no_numbers_are_refused_by_name(
    tmp_path: Path, value: float, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = small_state()
    state["no_mem_embed"].view(-1)[1] = value
    path = tmp_path / f"failed{suffix}"
    if suffix == ".pt":
        monkeypatch.setattr(checkpoint, "PRESETS", {"small": _SMALL})
        torch.save({"model": state}, path)
    else:
        described(path, state)

    with pytest.raises(WeightsError, match=r"failed\S+ holds values that are no numbers \(in no_mem_embed\)"):
        read_checkpoint(path)


def test_whole_numbers_are_no_weights(tmp_path: Path) -> None:
    state = {name: tensor.to(torch.int8) for name, tensor in small_state().items()}

    with pytest.raises(WeightsError, match=r"holds torch\.int8 where a network has fractions"):
        read_checkpoint(described(tmp_path / "whole.safetensors", state))


@pytest.mark.parametrize(
    "changes",
    [
        {"trunk": {"stages": [10**6, 1, 1, 1]}},
        {"trunk": {"channels": [10**9, 1, 1, 1]}},
        {"trunk": {"channels": [8.0, 16, 24, 32]}},
        {"trunk": {"channels": [8, 16, 24]}},
        {"trunk": {"kernel": True}},
        {"trunk": {"unknown": 1}},
        {"image_side_px": 16 * 10**6},
        {"image_side_px": 481},
        {"image_side_px": -480},
        {"image_side_px": 1e400},
        {"image_side_px": "480"},
        {"image_side_px": [480]},
        {"decoder_heads": 0},
        {"width": 33},
        {"pointers": 10**12},
        {"memory_mask_channels": []},
        {"pointer_time": "never"},
        {"name": "a\nb"},
        {"name": "a" * 10**5},
        {"unknown": 1},
    ],
)
def test_a_header_that_describes_no_network_of_this_family_is_refused_at_once(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    path = described(tmp_path / "absurd.safetensors", {"a": torch.zeros(1)}, **changes)
    with pytest.raises(WeightsError, match=r"absurd.safetensors (cannot be read as|fits no)"):
        read_checkpoint(path)


@pytest.mark.parametrize("config", ["[" * 60_000, "[" * 30_000 + "]" * 30_000, "7", "[]", '{"trunk": 7}'])
def test_a_header_of_brackets_is_refused(tmp_path: Path, config: str) -> None:
    path = tmp_path / "deep.safetensors"
    save_file({"a": torch.zeros(1)}, path, {"config": config})
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        read_checkpoint(path)


def test_sizes_that_no_weights_have_are_refused_before_they_are_read(tmp_path: Path) -> None:
    long = tmp_path / "long.safetensors"
    long.write_bytes(struct.pack("<Q", 90 << 20) + b"{}")
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        read_checkpoint(long)

    with (tmp_path / "sparse.safetensors").open("wb") as file:
        file.truncate(checkpoint.MAX_FILE_BYTES + 1)
    with pytest.raises(WeightsError, match="larger than any weights"):
        read_checkpoint(tmp_path / "sparse.safetensors")


def test_packed_weights_that_unfold_without_end_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint, "MAX_FILE_BYTES", 1 << 20)
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data/0", bytes(4 << 20))

    with pytest.raises(WeightsError, match="larger than any weights"):
        read_checkpoint(tmp_path / "bomb.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "bomb.pt").read_bytes()[:-10])
    with pytest.raises(WeightsError, match="cannot be read as weights"):
        read_checkpoint(tmp_path / "cut.pt")


def test_what_is_called_a_tensor_and_is_no_parameter_is_refused(tmp_path: Path) -> None:
    for state in ({"a": torch.eye(3).to_sparse()}, {1: torch.zeros(1)}):
        torch.save({"model": state}, tmp_path / "odd.pt")
        with pytest.raises(WeightsError, match="no entry called 'model'"):
            read_checkpoint(tmp_path / "odd.pt")


class _Command:
    """Unpickled the usual way it makes a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._path}",)


def test_weights_that_would_run_a_command_are_refused_and_run_none(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    torch.save({"model": {"a": torch.zeros(1)}, "extra": _Command(ran)}, tmp_path / "hostile.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps({"model": _Command(ran)}))

    for name in ("hostile.pt", "plain.pt"):
        with pytest.raises(WeightsError, match="cannot be read as weights"):
            read_checkpoint(tmp_path / name)
    assert not ran.exists()


def test_a_header_longer_than_any_file_is_refused(tmp_path: Path) -> None:
    for length in (2**63, 2**64 - 1, 2**32):
        path = tmp_path / f"{length}.safetensors"
        path.write_bytes(struct.pack("<Q", length) + b"{}")
        with pytest.raises(WeightsError, match="cannot be read as weights"):
            read_checkpoint(path)
