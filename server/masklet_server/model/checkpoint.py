"""Weights on disk and in a network: official ``.pt`` files and ``safetensors``, loaded strictly."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from masklet.errors import WeightsError
from masklet_server.model.config import PRESETS, ConvTrunkConfig, HieraConfig, NetworkConfig
from masklet_server.model.conv_trunk import fold_batch_norms
from masklet_server.model.hiera import Hiera
from masklet_server.model.network import Network, build_network

_NAMED_KEYS = 3

NetworkT = TypeVar("NetworkT", bound=Network)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """Weights as they were read.

    Attributes:
        state: Float tensors by parameter name, on the CPU.
        config: The network they belong to, every key and shape checked.
        metadata: What the file says of itself: ``name``, ``licence`` and whatever its maker added.
    """

    state: dict[str, Tensor]
    config: NetworkConfig
    metadata: dict[str, str]


def read_checkpoint(path: Path) -> Checkpoint:
    """The weights in a ``.pt`` or ``.safetensors`` file.

    Raises:
        WeightsError: The file is missing, damaged, or of no network of this family.
    """
    if not path.is_file():
        raise WeightsError(
            f"there are no weights at {path.name}: check the name, or fetch them with weights pull"
        )
    state, metadata = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickled(path)
    config = _match_config(state, metadata, path)
    return Checkpoint(state, config, metadata)


def network_of(checkpoint: Checkpoint) -> Network:
    """A network with these weights in float32, ready to be trained further."""
    return filled(build_network(checkpoint.config), checkpoint)


def filled(network: NetworkT, checkpoint: Checkpoint) -> NetworkT:
    """The same network with these weights, in float32."""
    network.load_state_dict(
        {
            name: tensor.float() if tensor.is_floating_point() else tensor
            for name, tensor in checkpoint.state.items()
        }
    )
    return network


def prepare_for_inference(
    network: Network, *, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> Network:
    """The same network, changed in place for inference: frozen, batch norms folded, moved and cast.

    Its weights must not be changed afterwards.
    """
    network.eval().requires_grad_(False)
    fold_batch_norms(network)
    if isinstance(network.image_encoder.trunk, Hiera):
        network.image_encoder.trunk.keeps_positions = True
    position = network.sam_prompt_encoder.pe_layer
    exact = position.positional_encoding_gaussian_matrix
    network.to(device, dtype)
    # Positions of clicks need more digits than bfloat16 has.
    position.positional_encoding_gaussian_matrix = exact.to(device)
    return network


def load_network(
    name_or_path: str | Path, device: torch.device | str = "cpu", dtype: torch.dtype = torch.float32
) -> Network:
    """A network ready for inference.

    Args:
        name_or_path: A name that the weight store knows, or a file.
        device: Where it shall run.
        dtype: Of its weights and its inner arithmetic; masks come out in float32 in any case.

    Raises:
        WeightsError: There are no such weights, or they are damaged.
    """
    from masklet_server.model.store import find_weights

    network = network_of(read_checkpoint(find_weights(name_or_path)))
    return prepare_for_inference(network, device=device, dtype=dtype)


def save_network(
    network: Network, path: Path, *, licence: str, half: bool = False, metadata: dict[str, str] | None = None
) -> None:
    """Write a network's weights as ``safetensors``, whole or not at all.

    Args:
        network: As trained: batch norms not folded.
        path: The file; an existing one is replaced.
        licence: SPDX name, kept in the file.
        half: Store float16, to be widened again on loading.
        metadata: Further entries for the file's header.
    """
    state = {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
    write_safetensors(state, path, network.config, licence=licence, half=half, metadata=metadata)


def write_safetensors(
    state: dict[str, Tensor],
    path: Path,
    config: NetworkConfig,
    *,
    licence: str,
    half: bool = False,
    metadata: dict[str, str] | None = None,
) -> None:
    """Write weights whose network is known; see :func:`save_network`."""
    entries = {**(metadata or {}), "name": config.name, "licence": licence, "config": config_to_json(config)}
    tensors = {
        name: (tensor.half() if half and tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in state.items()
    }
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(tensors, temporary, entries)
        temporary.replace(path)
    except (OSError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise WeightsError(
            f"{path.name} cannot be written ({error}): free some space or choose another folder"
        ) from error


def convert(source: Path, target: Path, *, licence: str) -> NetworkConfig:
    """Write the weights of ``source`` as ``safetensors`` with name and licence in the header.

    Raises:
        WeightsError: ``source`` cannot be used or ``target`` cannot be written.
    """
    checkpoint = read_checkpoint(source)
    write_safetensors(checkpoint.state, target, checkpoint.config, licence=licence)
    return checkpoint.config


def config_to_json(config: NetworkConfig) -> str:
    """The configuration as JSON, for a file's header."""
    return json.dumps(dataclasses.asdict(config))


def config_from_json(text: str) -> NetworkConfig:
    """The inverse of :func:`config_to_json`.

    Raises:
        ValueError: The text describes no network.
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        trunk: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in fields.pop("trunk").items()
        }
        fields = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
        parsed = HieraConfig(**trunk) if "heads" in trunk else ConvTrunkConfig(**trunk)
        return NetworkConfig(trunk=parsed, **fields)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("the text describes no network") from error


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise _damaged(path) from error


def _read_pickled(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise _damaged(path) from error
    state = content.get("model") if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{path.name} holds no SAM 2 weights: it has no entry called 'model' with tensors")
    return state, {}


def _damaged(path: Path) -> WeightsError:
    return WeightsError(f"{path.name} cannot be read as weights, it may be incomplete: fetch it again")


def _match_config(state: dict[str, Tensor], metadata: dict[str, str], path: Path) -> NetworkConfig:
    """The configuration whose keys and shapes are those of ``state``."""
    if "config" in metadata:
        try:
            candidates = [config_from_json(metadata["config"])]
        except ValueError as error:
            raise _damaged(path) from error
    else:
        candidates = list(PRESETS.values())
    # The likeliest first, so that usually one comparison is enough.
    candidates.sort(key=lambda config: config.name != path.stem)

    found = {name: tuple(tensor.shape) for name, tensor in state.items()}
    nearest: list[str] | None = None
    nearest_name = ""
    for config in candidates:
        differing = _differences(_expected_shapes(config), found)
        if not differing:
            return config
        if nearest is None or len(differing) < len(nearest):
            nearest, nearest_name = differing, config.name
    assert nearest is not None
    more = f" and {len(nearest) - _NAMED_KEYS} more" if len(nearest) > _NAMED_KEYS else ""
    raise WeightsError(
        f"{path.name} fits no network of masklet; beside the nearest, {nearest_name}, it differs in "
        f"{', '.join(nearest[:_NAMED_KEYS])}{more}. Use an unmodified SAM 2 or SAM 2.1 checkpoint."
    )


def _expected_shapes(config: NetworkConfig) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        network = Network(config)
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def _differences(expected: dict[str, tuple[int, ...]], found: dict[str, tuple[int, ...]]) -> list[str]:
    """One phrase per key that is missing, unknown or of another shape."""
    phrases = []
    for name, shape in expected.items():
        if name not in found:
            phrases.append(f"{name} (missing)")
        elif found[name] != shape:
            phrases.append(f"{name} ({list(found[name])} instead of {list(shape)})")
    phrases += [f"{name} (unknown)" for name in found if name not in expected]
    return phrases
