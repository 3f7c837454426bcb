"""Several processes that train one network, as ``torchrun`` starts them: one per GPU.

Gradients are averaged by hand after each backward pass rather than by a wrapper: a step uses
different parts of the network (a still picture has no memory), and all processes use the same
ones, because their plans come from the same seed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn


@dataclass(frozen=True)
class Team:
    """The processes of a run.

    Attributes:
        rank: Number of this one; 0 writes files.
        size: How many there are.
        device: What this one trains on.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """True in the process that writes files."""
        return self.rank == 0

    def average_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Replace gradients by their mean over the team."""
        if self.size == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        start = 0
        for gradient in gradients:
            gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
            start += gradient.numel()

    def lead_decides(self, value: float) -> float:
        """The leader's ``value`` in every process: clocks differ, and plans must not."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        dist.broadcast(shared, src=0)
        return float(shared.item())

    def disband(self) -> None:
        """Leave the team."""
        if self.size > 1:
            dist.destroy_process_group()


def join_team(device: str | None = None) -> Team:
    """This process's place, from the variables that ``torchrun`` sets; alone without them.

    Args:
        device: What to train on; None takes a GPU if there is one.
    """
    rank, size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    chosen = torch.device(device or (f"cuda:{local}" if torch.cuda.is_available() else "cpu"))
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    if size > 1:
        dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    return Team(rank, size, chosen)
