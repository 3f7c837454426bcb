"""The network's parts as functions of plain tensors: what another library can be given to run.

Shape letters are those of :mod:`masklet_server.engine`. B, T and N are left open when a form is exported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from masklet_server.model.config import NetworkConfig
from masklet_server.model.network import ImageFeatures, Network

_B, _T, _N = "B", "T", "N"
# Two of everything that is left open: a size of one is taken for a constant by the exporter.
_EXAMPLE = 2

Axes = dict[int, str]
"""Which dimensions of an argument are left open, and by what name."""


@dataclass(frozen=True, eq=False)
class Form:
    """One part of the network.

    Attributes:
        name: Of its file.
        make: The part as a module of plain tensors, sharing the network's weights.
        examples: Arguments to export it with.
        axes: For each argument.
    """

    name: str
    make: Callable[[Network], nn.Module]
    examples: Callable[[NetworkConfig], tuple[Tensor, ...]]
    axes: tuple[Axes, ...]


class _Part(nn.Module):
    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network


class _Image(_Part):
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features = self.network.encode_image(images)
        return features.embedding, features.skip8, features.skip4


class _Attend(_Part):
    """Ages arrive divided by the largest one, since that is a number of the clip's and no tensor."""

    def forward(
        self,
        embedding: Tensor,
        maps: Tensor,
        slots: Tensor,
        pointers: Tensor,
        ages: Tensor,
        map_valid: Tensor,
        pointer_valid: Tensor,
    ) -> Tensor:
        return self.network.attend_memory(
            embedding,
            maps=maps,
            slots=slots,
            pointers=pointers,
            pointer_distance=ages,
            max_distance=1.0,
            map_valid=map_valid,
            pointer_valid=pointer_valid,
        )


class _Predict(_Part):
    def forward(
        self,
        embedding: Tensor,
        skip8: Tensor,
        skip4: Tensor,
        points: Tensor | None = None,
        labels: Tensor | None = None,
        mask_logits: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        features = ImageFeatures(embedding, skip8, skip4)
        found = self.network.predict(features, embedding, points, labels, mask_logits)
        return found.logits, found.ious, found.tokens, found.presence_logit


class _Fuse(_Part):
    def forward(self, embedding: Tensor, mask: Tensor) -> Tensor:
        return self.network.fuse(embedding, mask)


def _image(config: NetworkConfig) -> tuple[Tensor, ...]:
    return (torch.zeros(1, 3, config.image_side_px, config.image_side_px),)


def _memories(config: NetworkConfig) -> tuple[Tensor, ...]:
    side, count = config.grid_side, _EXAMPLE
    return (
        torch.zeros(1, config.width, side, side),
        torch.zeros(count, count, config.memory_width, side, side),
        torch.zeros(count, count, dtype=torch.int64),
        torch.zeros(count, config.pointers, config.width),
        torch.zeros(count, config.pointers),
        torch.ones(count, count, dtype=torch.bool),
        torch.ones(count, config.pointers, dtype=torch.bool),
    )


def _tracked(config: NetworkConfig) -> tuple[Tensor, ...]:
    side, width = config.grid_side, config.width
    return (
        torch.zeros(_EXAMPLE, width, side, side),
        torch.zeros(1, width // 4, 2 * side, 2 * side),
        torch.zeros(1, width // 8, 4 * side, 4 * side),
    )


def _clicked(config: NetworkConfig) -> tuple[Tensor, ...]:
    # Prompts belong to one object at a time.
    embedding, skip8, skip4 = _tracked(config)
    points = torch.zeros(1, _EXAMPLE, 2)
    return embedding[:1], skip8, skip4, points, torch.ones(1, _EXAMPLE, dtype=torch.int64)


def _refined(config: NetworkConfig) -> tuple[Tensor, ...]:
    return *_clicked(config), torch.zeros(1, 1, config.mask_side, config.mask_side)


def _masked(config: NetworkConfig) -> tuple[Tensor, ...]:
    side, side_px = config.grid_side, config.image_side_px
    return torch.zeros(1, config.width, side, side), torch.zeros(_EXAMPLE, 1, side_px, side_px)


_BATCH: Axes = {0: _B}
IMAGE = Form("image", _Image, _image, ({},))
ATTEND = Form(
    "attend",
    _Attend,
    _memories,
    ({}, {0: _B, 1: _T}, {0: _B, 1: _T}, _BATCH, _BATCH, {0: _B, 1: _T}, _BATCH),
)
TRACKED = Form("tracked", _Predict, _tracked, (_BATCH, {}, {}))
CLICKED = Form("clicked", _Predict, _clicked, ({}, {}, {}, {1: _N}, {1: _N}))
REFINED = Form("refined", _Predict, _refined, ({}, {}, {}, {1: _N}, {1: _N}, {}))
FUSE = Form("fuse", _Fuse, _masked, ({}, _BATCH))
FORMS = (IMAGE, CLICKED, REFINED, ATTEND, TRACKED, FUSE)
"""In the order in which a session needs them."""
