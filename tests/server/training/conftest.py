"""A source of clips that is easy to learn: coloured discs that drift over grey noise."""

from __future__ import annotations

import pytest
import torch

from masklet_server.training.clips import ClipBatch


class DriftingDiscs:
    """Discs of random colour, size and direction; the same seed gives the same clips."""

    def __init__(self, *, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)
        self.interrupt_after: int | None = None

    def compose(self, batch: int, frames: int, side_px: int, objects: int) -> ClipBatch:
        if self.interrupt_after is not None:
            self.interrupt_after -= 1
            if self.interrupt_after < 0:
                raise KeyboardInterrupt
        draw = self._draw
        centre = (
            0.2
            + 0.6 * draw(batch, 1, objects, 2)
            + 0.1 * (draw(batch, 1, objects, 2) - 0.5) * torch.arange(frames).reshape(1, -1, 1, 1)
        )
        radius = 0.08 + 0.1 * draw(batch, 1, objects, 1, 1)
        y, x = torch.meshgrid(*(torch.arange(side_px) / side_px,) * 2, indexing="ij")
        distance = (x - centre[..., 0, None, None]) ** 2 + (y - centre[..., 1, None, None]) ** 2
        masks = distance < radius**2  # (B, T, O, S, S)
        for index in range(1, objects):
            masks[:, :, index] &= ~masks[:, :, :index].any(dim=2)
        images = 0.5 * draw(batch, 1, 3, 1, 1) + 0.2 * draw(batch, frames, 3, side_px, side_px)
        colour = draw(batch, 1, objects, 3, 1, 1)
        for index in range(objects):
            images = torch.where(masks[:, :, index, None], colour[:, :, index], images)
        visible = masks[:, 0].flatten(2).any(dim=2)
        return ClipBatch(images, masks, masks.to(torch.uint8) * 255, visible)

    def state(self) -> torch.Tensor:
        return self._generator.get_state()

    def restore(self, state: torch.Tensor) -> None:
        self._generator.set_state(state)

    def _draw(self, *shape: int) -> torch.Tensor:
        return torch.rand(shape, generator=self._generator)


@pytest.fixture
def drifting_discs() -> type[DriftingDiscs]:
    """The class, so that a test may make several with seeds of its own."""
    return DriftingDiscs
