from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from masklet.errors import WeightsError
from masklet_server.model.checkpoint import (
    config_from_json,
    config_to_json,
    convert,
    load_network,
    network_of,
    prepare_for_inference,
    read_checkpoint,
    save_network,
)
from masklet_server.model.config import EMBEDDED, PRESETS, ConvTrunkConfig
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
