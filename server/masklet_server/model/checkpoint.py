"""Weights on disk and in a network: official ``.pt`` files and ``safetensors``, loaded strictly."""

from __future__ import annotations

import contextlib
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from masklet.errors import WeightsError
from masklet_server.model.config import PRESETS, NetworkConfig
from masklet_server.model.conv_trunk import fold_batch_norms
from masklet_server.model.header import MAX_HEADER_BYTES, config_from_json, config_to_json
from masklet_server.model.hiera import Hiera
from masklet_server.model.network import Network, build_network

MAX_FILE_BYTES = 8 << 30
"""The largest official checkpoint has 0.9 GB."""
_COUNTER = ".num_batches_tracked"
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
        WeightsError: The file is missing, damaged, too large, of no network of this family, or holds numbers
            that are none.
    """
    if not path.is_file():
        raise WeightsError(
            f"there are no weights at {path.name}: check the name, or fetch them with weights pull"
        )
    if path.stat().st_size > MAX_FILE_BYTES:
        raise _too_large(path)
    state, metadata = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickled(path)
    config = _match_config(state, metadata, path)
    _check_numbers(state, path)
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


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    try:
        with path.open("rb") as plain:
            if int.from_bytes(plain.read(8), "little") > MAX_HEADER_BYTES:
                raise _damaged(path)
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError, RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise _damaged(path) from error


def _read_pickled(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    # Packed, a small file could unfold to more than there is memory.
    if _unpacked_bytes(path) > MAX_FILE_BYTES:
        raise _too_large(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # A damaged pickle has more ways to fail than anybody has listed.
        raise _damaged(path) from error
    state = content.get("model") if isinstance(content, dict) else None
    if not isinstance(state, dict) or not all(map(_is_parameter, state, state.values())):
        raise WeightsError(f"{path.name} holds no SAM 2 weights: it has no entry called 'model' with tensors")
    return state, {}


def _unpacked_bytes(path: Path) -> int:
    """Of everything in a file that torch has written; 0 for one that is no archive."""
    try:
        if not zipfile.is_zipfile(path):
            return 0
        with zipfile.ZipFile(path) as archive:
            return sum(entry.file_size for entry in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise _damaged(path) from error


def _is_parameter(name: object, value: object) -> bool:
    return (
        isinstance(name, str)
        and isinstance(value, Tensor)
        and value.layout is torch.strided
        and not value.is_quantized
    )


def _check_numbers(state: dict[str, Tensor], path: Path) -> None:
    """Refuse numbers that are none: one of them turns every mask into nothing, without a word.

    Raises:
        WeightsError: There are some.
    """
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            if not name.endswith(_COUNTER):
                raise WeightsError(
                    f"{path.name} holds {tensor.dtype} where a network has fractions (in {name}): use the "
                    "checkpoint as it was published"
                )
        elif not bool(tensor.float().isfinite().all()):
            raise WeightsError(
                f"{path.name} holds values that are no numbers (in {name}): it is damaged or its training "
                "failed; fetch it again, or export an earlier checkpoint"
            )


def _too_large(path: Path) -> WeightsError:
    return WeightsError(
        f"{path.name} is larger than any weights of this family: check that it is the right file"
    )


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
        try:
            expected = _expected_shapes(config)
        except (RuntimeError, ValueError, TypeError, ArithmeticError, AssertionError, IndexError) as error:
            # Each number may be one of a network, and all together of none.
            raise _damaged(path) from error
        differing = _differences(expected, found)
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
