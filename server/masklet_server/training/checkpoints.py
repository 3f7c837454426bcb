"""Checkpoints of a run: safetensors in shards, written whole or not at all.

A checkpoint is a folder ``checkpoint-STEP`` of files small enough to travel one by one. It is
written beside the one before under another name and renamed when everything is on the disk;
only then the older one goes. A full disk or a killed process therefore costs the new one only.
Tensors are named ``network/…``, ``average/…``, ``moment1/…``, ``moment2/…`` and ``source``.
"""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from masklet.errors import OutputError, WeightsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from torch import Tensor

SHARD_BYTES = 15_000_000
_PREFIX = "checkpoint-"
_POSITION = "position.json"


@dataclass(frozen=True)
class Position:
    """How far a run is.

    Attributes:
        name: Of the run's configuration.
        step: Steps made.
        progress: Share of the run made, 0 to 1.
        elapsed_s: Time spent on steps, all pieces together.
        batch_progress: Progress when the batch now in use was composed.
    """

    name: str
    step: int
    progress: float
    elapsed_s: float
    batch_progress: float = 0.0


def write_checkpoint(
    folder: Path, position: Position, tensors: Mapping[str, Tensor], *, compact: bool
) -> Path:
    """The folder of the new checkpoint inside ``folder``; older ones are gone.

    Args:
        folder: Of the run; made if it is missing.
        position: How far the run is.
        tensors: Everything to go on from.
        compact: Leave out what a run soon finds again (average, first moments) and store the rest
            in half the bytes, a quarter of the whole. The run then goes on nearly, not exactly, as
            it would have.

    Raises:
        OutputError: The disk is full or read-only; the checkpoint before is kept.
    """
    final = folder / f"{_PREFIX}{position.step:08d}"
    partial = folder / f"{final.name}.partial"
    try:
        partial.mkdir(parents=True, exist_ok=True)
        if compact:
            tensors = _compacted(tensors)
        stored = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        for index, shard in enumerate(_shards(stored)):
            _write(partial / f"part-{index:02d}.safetensors", save(shard))
        _write(partial / _POSITION, json.dumps(asdict(position)).encode())
        if final.exists():
            shutil.rmtree(final)
        partial.rename(final)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise OutputError(
            f"The checkpoint of step {position.step} could not be written ({error.strerror}); the one before"
            " it is kept. Make room on the disk, then resume."
        ) from error
    for older in _checkpoints(folder):
        if older != final:
            shutil.rmtree(older, ignore_errors=True)
    return final


def read_checkpoint(folder: Path) -> tuple[Position, dict[str, Tensor]]:
    """The newest checkpoint in ``folder``, or ``folder`` itself if it is one.

    Raises:
        WeightsError: There is none, or it is damaged.
    """
    found = [folder] if (folder / _POSITION).is_file() else _checkpoints(folder)
    if not found:
        raise WeightsError(
            f"There is no checkpoint in {folder.name!r}: start without resuming, or name its folder."
        )
    newest = found[-1]
    tensors: dict[str, Tensor] = {}
    try:
        position = Position(**json.loads((newest / _POSITION).read_bytes()))
        for shard in sorted(newest.glob("part-*.safetensors")):
            tensors.update(load(shard.read_bytes()))
    except (OSError, ValueError, TypeError, SafetensorError) as error:
        raise WeightsError(f"The checkpoint {newest.name!r} is damaged: resume from another one.") from error
    return position, tensors


def write_weights(path: Path, weights: Mapping[str, Tensor], *, metadata: Mapping[str, str]) -> None:
    """Weights or other tensors, floating-point ones as float16, written whole or not at all.

    Raises:
        OutputError: The disk is full or read-only.
    """
    small = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).detach().cpu().contiguous()
        for name, tensor in weights.items()
    }
    partial = path.with_name(f"{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(partial, save(small, metadata=dict(metadata)))
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OutputError(
            f"{path.name!r} could not be written ({error.strerror}). Make room on the disk."
        ) from error


def part_of(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors under ``prefix/``, named without it."""
    start = f"{prefix}/"
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


def _compacted(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    kept = {name: tensor for name, tensor in tensors.items() if not name.startswith(("average/", "moment1/"))}
    # Moments span more powers of ten than float16 has.
    halves = {"network": torch.float16, "moment2": torch.bfloat16}
    return {
        name: tensor.to(halves[part]) if part in halves and tensor.is_floating_point() else tensor
        for name, tensor in kept.items()
        for part in [name.split("/", 1)[0]]
    }


def _shards(tensors: Mapping[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    shard: dict[str, Tensor] = {}
    used_bytes = 0
    for name, tensor in tensors.items():
        if shard and used_bytes + tensor.nbytes > SHARD_BYTES:
            yield shard
            shard, used_bytes = {}, 0
        shard[name] = tensor
        used_bytes += tensor.nbytes
    yield shard


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _checkpoints(folder: Path) -> list[Path]:
    """Finished checkpoints, oldest first."""
    return sorted(
        path for path in folder.glob(f"{_PREFIX}*") if (path / _POSITION).is_file() and not path.suffix
    )
