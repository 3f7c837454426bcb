"""The pack: one file with all pictures, encoded, and an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import torch

    from masklet_server.training.material.atlas import Material


def load_material(
    path: Path, *, device: torch.device | str, cutout_side_px: int = 224, photo_side_px: int = 512
) -> Material:
    """Decode a pack on all cores.

    Raises:
        BadInputError: The file is missing or is no pack.
    """
    raise NotImplementedError
