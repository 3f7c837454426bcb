"""Composed clips used more than once, where composing them costs as much as learning from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet_server.training.clips import ClipBatch

if TYPE_CHECKING:
    from torch import Tensor

    from masklet_server.training.clips import ClipSource
    from masklet_server.training.curriculum import StepPlan

_LEAST_AREA = 0.0008


class ReusedClips:
    """Gives each composed batch ``times`` times: as it is, then mirrored and running backwards, and so on.

    Args:
        source: Of new clips.
        times: How often each batch is used.
    """

    def __init__(self, source: ClipSource, *, times: int) -> None:
        self._source = source
        self._times = times
        self._batch: ClipBatch | None = None
        self._before = source.state()

    def batch_for(self, plan: StepPlan, *, step: int) -> ClipBatch:
        """The batch of ``step``; the steps that share one have plans of one shape."""
        use = step % self._times
        if use == 0 or self._batch is None:
            self._before = self._source.state()
            self._batch = self._source.compose(plan.clips, plan.frames, plan.side_px, plan.objects)
        return self._batch if use % 2 == 0 else turned_around(self._batch)

    def state(self, *, step: int) -> Tensor:
        """What the source needs to go on with ``step``, which may be in the middle of a batch's uses."""
        return self._source.state() if step % self._times == 0 else self._before

    def restore(self, state: Tensor) -> None:
        """Go on from a :meth:`state`."""
        self._batch = None
        if state.numel() == self._source.state().numel():
            self._source.restore(state)


def turned_around(batch: ClipBatch) -> ClipBatch:
    """The clips backwards in time and mirrored; objects too small on their new first frame do not count."""
    masks = batch.masks.flip((1, 4))
    area = masks[:, 0].flatten(2).float().mean(dim=2)  # (B, O)
    return ClipBatch(batch.images.flip((1, 4)), masks, batch.alphas.flip((1, 4)), area >= _LEAST_AREA)
