"""Composites clips with exact masks on the device that trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from masklet_server.training.clips import ClipBatch

if TYPE_CHECKING:
    from torch import Tensor

    from masklet_server.training.material.atlas import Material


@dataclass(frozen=True)
class ComposerConfig:
    """How clips come about; every share is a probability per clip or per layer.

    Attributes:
        layers: Cut-outs per clip at most; slots of objects are taken from them, the rest occlude.
        samples_per_frame: Points in time averaged per frame, for motion blur and smooth edges.
        lookalike_share: A second layer is cloned from the first cut-out.
        retexture_share: A cut-out is filled with a piece of a photograph.
        scene_share: A photograph's own objects are targets, in place.
        leave_share: The first target leaves the frame, or is covered, and comes back.
    """

    layers: int = 4
    samples_per_frame: int = 3
    lookalike_share: float = 0.4
    retexture_share: float = 0.35
    scene_share: float = 0.3
    leave_share: float = 0.15


class ClipComposer:
    """An endless source of clips."""

    def __init__(
        self,
        material: Material,
        *,
        device: torch.device | str,
        seed: int,
        config: ComposerConfig | None = None,
    ) -> None:
        """Draw from ``material``; the same seed on the same device gives the same clips."""
        self._material = material
        self._config = config or ComposerConfig()
        self._generator = torch.Generator(device=device).manual_seed(seed)

    def compose(self, batch: int, frames: int, side_px: int, objects: int) -> ClipBatch:
        """New clips: see :class:`masklet_server.training.clips.ClipSource`."""
        raise NotImplementedError

    def state(self) -> Tensor:
        """Where its random numbers stand, for an exact resume; a CPU uint8 tensor."""
        return self._generator.get_state()

    def restore(self, state: Tensor) -> None:
        """Go on from a :meth:`state`."""
        self._generator.set_state(state)
