"""Clips with exact masks, as a composer makes them and the trainer eats them.

Shape letters of this package: B clips, T frames, O object slots, S side in pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class ClipBatch:
    """Clips of equal length, all on one device.

    Attributes:
        images: (B, T, 3, S, S) float32, sRGB from 0 to 1, not normalised. The clip is stretched to
            the square, as the network sees every clip.
        masks: (B, T, O, S, S) bool, what is visible of each object; no two overlap.
        alphas: (B, T, O, S, S) uint8, visible coverage of the same objects; ``masks`` is ``alphas > 127``.
        valid: (B, O) bool, True where the slot holds an object that shows on frame 0 with at least
            the composer's smallest area, so that it can be prompted there.
    """

    images: Tensor
    masks: Tensor
    alphas: Tensor
    valid: Tensor

    @property
    def visible(self) -> Tensor:
        """(B, T, O) bool, True where at least one pixel of the object is visible."""
        return self.masks.flatten(3).any(dim=3)


class ClipSource(Protocol):
    """Anything that makes batches of clips."""

    def compose(self, batch: int, frames: int, side_px: int, objects: int) -> ClipBatch:
        """New clips: ``batch`` of them with ``frames`` each (1 for stills) and ``objects`` slots."""

    def state(self) -> Tensor:
        """Where its random numbers stand, for an exact resume; a CPU uint8 tensor."""

    def restore(self, state: Tensor) -> None:
        """Go on from a :meth:`state`."""
