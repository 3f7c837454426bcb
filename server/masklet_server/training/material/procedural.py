"""Material that needs no download: shapes and textures from noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from masklet_server.training.material.atlas import Material


def procedural_material(*, device: torch.device | str, seed: int, cutout_side_px: int = 128) -> Material:
    """A few dozen blobs and textures; enough for tests and a first look, not for a good model."""
    raise NotImplementedError
