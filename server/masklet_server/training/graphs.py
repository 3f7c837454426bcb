"""Steps of training replayed as CUDA graphs: a small network on a fast GPU otherwise waits for Python.

A step of the embedded network launches some ten thousand small kernels; launching them takes the
host three times as long as running them takes the device. Captured once per shape of step, they
are launched as one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import torch

from masklet_server.training.clips import ClipBatch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from masklet_server.training.curriculum import StepPlan

_EAGER_USES = 2
"""Steps of a shape made without a graph first: libraries choose their algorithms and tables get built."""


class Lesson(Protocol):
    """What a step does between clips and optimiser."""

    def __call__(self, batch: ClipBatch, plan: StepPlan) -> Tensor:
        """Add the gradients of one batch to those of the parameters; returns figures."""


@dataclass(frozen=True, eq=False)
class _Recorded:
    """A captured step, the tensors it reads, and those it leaves its figures in."""

    graph: torch.cuda.CUDAGraph
    batch: ClipBatch
    figures: Tensor


class GraphedLessons:
    """Runs a lesson, from its third use of a shape on as a graph; the same arithmetic either way.

    Args:
        lesson: Must not wait for the device, and must draw from ``generator`` alone.
        parameters: Their gradients keep their place in memory from now on.
        generator: Of the prompts, on the device.
    """

    def __init__(
        self, lesson: Lesson, parameters: Sequence[nn.Parameter], generator: torch.Generator
    ) -> None:
        self._lesson = lesson
        self._generator = generator
        self._gradients: list[Tensor] = []
        for parameter in parameters:
            parameter.grad = torch.zeros_like(parameter)
            self._gradients.append(parameter.grad)
        self._uses: dict[StepPlan, int] = {}
        self._recorded: dict[StepPlan, _Recorded] = {}
        self._pool = torch.cuda.graph_pool_handle()
        self._inputs: dict[tuple[int, ...], ClipBatch] = {}

    def __call__(self, batch: ClipBatch, plan: StepPlan) -> Tensor:
        """Leave the gradients of this batch alone in the parameters; returns its figures."""
        uses = self._uses.get(plan, 0)
        self._uses[plan] = uses + 1
        if uses < _EAGER_USES:
            torch._foreach_zero_(self._gradients)
            return self._lesson(batch, plan)
        recorded = self._recorded.get(plan)
        if recorded is None:
            recorded = self._recorded[plan] = self._record(batch, plan)
        _copy_into(recorded.batch, batch)
        recorded.graph.replay()
        return recorded.figures.clone()

    def _record(self, batch: ClipBatch, plan: StepPlan) -> _Recorded:
        shape = tuple(batch.masks.shape)
        if shape not in self._inputs:
            self._inputs[shape] = _like(batch)
        held = self._inputs[shape]
        _copy_into(held, batch)
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self._generator)
        torch.cuda.synchronize()
        with torch.cuda.graph(graph, pool=self._pool):
            torch._foreach_zero_(self._gradients)
            figures = self._lesson(held, plan)
        return _Recorded(graph, held, figures)


def _like(batch: ClipBatch) -> ClipBatch:
    return replace(
        batch,
        images=torch.empty_like(batch.images),
        masks=torch.empty_like(batch.masks),
        alphas=torch.empty_like(batch.alphas),
        valid=torch.empty_like(batch.valid),
    )


def _copy_into(held: ClipBatch, batch: ClipBatch) -> None:
    held.images.copy_(batch.images)
    held.masks.copy_(batch.masks)
    held.alphas.copy_(batch.alphas)
    held.valid.copy_(batch.valid)
