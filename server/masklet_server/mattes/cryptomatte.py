"""Ids, ranks and manifest of Cryptomatte.

Source: J. Friedman, A. Jones, "Fully automatic ID mattes with support for motion blur and
transparency", 2015, and the Cryptomatte specification 1.2.0 (Psyop).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

#: What compositing applications list the mattes under.
LAYER = "CryptoObject"
# Objects that one pixel can tell apart; six is what renderers write.
_RANKS = 6


def murmur3(data: bytes) -> int:
    """MurmurHash3, 32 bits, x86, seed 0 (A. Appleby, public domain)."""
    mixed = 0
    whole = len(data) & ~3
    for (block,) in struct.iter_unpack("<I", data[:whole]):
        mixed ^= _scrambled(block)
        mixed = (_rotated(mixed, 13) * 5 + 0xE6546B64) & 0xFFFFFFFF
    if len(data) > whole:
        mixed ^= _scrambled(int.from_bytes(data[whole:], "little"))
    mixed ^= len(data)
    mixed = ((mixed ^ mixed >> 16) * 0x85EBCA6B) & 0xFFFFFFFF
    mixed = ((mixed ^ mixed >> 13) * 0xC2B2AE35) & 0xFFFFFFFF
    return mixed ^ mixed >> 16


def id_bits(name: str) -> int:
    """The id of a name: its hash, changed in one bit where it would not be an ordinary float."""
    bits = murmur3(name.encode())
    # Zeros, denormals, infinities and NaNs do not survive every application.
    return bits ^ 1 << 23 if bits >> 23 & 0xFF in (0, 0xFF) else bits


def id_float(name: str) -> float:
    """The id of a name as pixels hold it."""
    (value,) = struct.unpack("<f", struct.pack("<I", id_bits(name)))
    return float(value)


def manifest_attributes(names: Sequence[str]) -> dict[str, str]:
    """Header attributes that tell which name each id stands for."""
    key = f"cryptomatte/{murmur3(LAYER.encode()):08x}"[: len("cryptomatte/") + 7]
    manifest = json.dumps(
        {name: f"{id_bits(name):08x}" for name in names}, ensure_ascii=False, sort_keys=True
    )
    return {
        f"{key}/name": LAYER,
        f"{key}/hash": "MurmurHash3_32",
        f"{key}/conversion": "uint32_to_float32",
        f"{key}/manifest": manifest,
    }


def ranked_channels(alphas: Mapping[str, NDArray[np.float32]]) -> tuple[list[str], NDArray[np.float32]]:
    """Channels and their pixels: at every pixel, ids and coverage in the order of coverage.

    Coverage is each object's own: where objects overlap it adds up to more than one, and a matte
    picked for one object is exactly that object's matte.

    Args:
        alphas: Object name to ``(H, W)`` coverage.

    Returns:
        Channel names and ``(H, W, C)``: red and blue of a layer are ids, green and alpha coverage.
    """
    ids = np.array([id_float(name) for name in alphas], np.float32)
    coverage = np.stack(list(alphas.values()))  # (B, H, W)
    ranks = min(_RANKS, len(ids))
    layers = -(-ranks // 2)
    order = np.argsort(-coverage, axis=0, kind="stable")[:ranks]  # (ranks, H, W)
    ranked = np.take_along_axis(coverage, order, axis=0)
    # Nothing has the id 0, and nothing else has no coverage.
    ranked_ids = np.where(ranked > 0, ids[order], np.float32(0))
    planes = np.zeros((*coverage.shape[1:], 4 * layers), np.float32)  # (H, W, C)
    planes[..., 0 : 2 * ranks : 2] = np.moveaxis(ranked_ids, 0, -1)
    planes[..., 1 : 2 * ranks : 2] = np.moveaxis(ranked, 0, -1)
    names = [f"{LAYER}{layer:02d}.{channel}" for layer in range(layers) for channel in "RGBA"]
    return names, planes


def picked(name: str, channels: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32] | None:
    """One object's coverage ``(H, W)`` out of the channels of a file; None where it holds no Cryptomatte."""
    wanted = np.float32(id_float(name))
    found: NDArray[np.float32] | None = None
    for channel, ids in channels.items():
        layer, _, letter = channel.rpartition(".")
        if layer.startswith(LAYER) and letter in ("R", "B"):
            coverage = channels[f"{layer}.{'G' if letter == 'R' else 'A'}"]
            here = np.where(ids == wanted, coverage, np.float32(0))
            found = here if found is None else found + here
    return found


def _scrambled(block: int) -> int:
    return (_rotated((block * 0xCC9E2D51) & 0xFFFFFFFF, 15) * 0x1B873593) & 0xFFFFFFFF


def _rotated(value: int, places: int) -> int:
    return (value << places | value >> (32 - places)) & 0xFFFFFFFF
