"""Stand-in weights and frames, drawn from generators that are seeded by name.

No trained checkpoint is needed to show that two implementations compute the same function. What
is drawn here follows from a seed and the names and shapes of the weights alone, in any order.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from masklet.types import ClipInfo

CLIP_FRAMES = 12

_MEAN = torch.tensor((0.485, 0.456, 0.406)).view(3, 1, 1)
_DEVIATION = torch.tensor((0.229, 0.224, 0.225)).view(3, 1, 1)
_EMBEDDINGS = (
    "pos_embed",
    "pos_embed_window",
    "no_obj_ptr",
    "no_obj_embed_spatial",
    "maskmem_tpos_enc",
    "no_mem_embed",
    "no_mem_pos_enc",
)


def stand_in_weights(shapes: Mapping[str, Sequence[int]], seed: int) -> dict[str, Tensor]:
    """A state dict with these keys and shapes."""
    return {key: _weight(key, shape, seed) for key, shape in shapes.items()}


def _weight(key: str, shape: Sequence[int], seed: int) -> Tensor:
    """The stand-in values of one parameter: they depend on its name, shape and the seed alone."""
    noise = torch.randn(tuple(shape), generator=_generator(key, seed))
    owner = key.split(".")[-2] if "." in key else key
    if key.endswith("positional_encoding_gaussian_matrix"):
        return noise
    if key.endswith("gamma"):
        return 0.1 * noise
    if key.endswith(_EMBEDDINGS) or "embed" in owner:
        return 0.2 * noise
    if len(shape) <= 1:
        return 0.1 * noise + (1.0 if key.endswith("weight") else 0.0)
    scaled: Tensor = noise / float(np.prod(shape[1:])) ** 0.5
    return scaled


def stand_in_frames(side_px: int, seed: int) -> Tensor:
    """``(12, 3, S, S)`` stand-in frames, normalised: drifting noise and a disc that moves against it."""
    coarse = torch.randn((1, 3, 12, 12), generator=_generator("frames", seed))
    canvas_px = side_px + 64
    canvas = functional.interpolate(coarse, size=(canvas_px, canvas_px), mode="bicubic")[0]
    rows, columns = torch.arange(side_px).view(-1, 1), torch.arange(side_px).view(1, -1)
    colour = torch.tensor((1.5, -0.7, 0.4)).view(3, 1)
    frames = []
    for index in range(CLIP_FRAMES):
        shift = 3 * index % 64
        frame = canvas[:, shift : shift + side_px, :side_px].clone()
        row, column = side_px * 0.35 + 2 * index, side_px * 0.3 + 4 * index
        frame[:, (rows - row) ** 2 + (columns - column) ** 2 < (side_px * 0.16) ** 2] = colour
        frames.append(frame)
    return torch.stack(frames)


def _generator(name: str, seed: int) -> torch.Generator:
    return torch.Generator().manual_seed((zlib.crc32(name.encode()) + 7919 * seed) % 2**31)


class StandInClip:
    """The stand-in frames as a clip, with the normalisation taken back that the engine applies."""

    def __init__(self, side_px: int, seed: int) -> None:
        pictures = stand_in_frames(side_px, seed) * _DEVIATION + _MEAN
        self._pictures = pictures.permute(0, 2, 3, 1).contiguous().numpy()  # (12, S, S, 3)
        self.info = ClipInfo("stand-in", side_px, side_px, 0, CLIP_FRAMES - 1)

    def read(self, frame: int) -> NDArray[np.float32]:
        """``(S, S, 3)``; values leave 0 to 1, as the normalised frames ask for it."""
        return self._pictures[frame]  # type: ignore[no-any-return]
