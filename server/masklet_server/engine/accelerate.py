"""Fixed shapes for devices on which a new shape is expensive, and the network compiled for them.

A compiled network is built anew for every new shape, which takes many seconds in the middle of a
shot. So objects, maps and pointers are padded to a few sizes, and what pads is masked out of the
attention or cut off afterwards: an object gets what it would get alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from masklet_server.model.network import Network

_MAP_STEP = 3
_POINTER_STEP = 16


@dataclass(frozen=True)
class Layout:
    """The sizes that occur.

    Attributes:
        shapes: ``"exact"`` pads nothing but pointers; ``"fixed"`` rounds all sizes up.
    """

    shapes: Literal["exact", "fixed"] = "exact"

    def maps(self, count: int) -> int:
        """T for ``count`` maps: 1, 4, 7, 10, …, so that a full memory behind one prompt needs no mask."""
        if self.shapes == "exact":
            return count
        return 1 + -(-(count - 1) // _MAP_STEP) * _MAP_STEP

    def pointers(self, count: int) -> int:
        """P for ``count`` pointers: multiples of 16, as many as a network reads behind one prompt."""
        if self.shapes == "exact":
            return count
        return max(-(-count // _POINTER_STEP), 1) * _POINTER_STEP

    def objects(self, count: int) -> int:
        """B for ``count`` objects: powers of two."""
        return count if self.shapes == "exact" else 1 << (count - 1).bit_length()

    def padded(self, rows: Tensor) -> Tensor:
        """``(B, ...)`` with its first row repeated until B is one of the sizes that occur."""
        missing = self.objects(rows.shape[0]) - rows.shape[0]
        return rows if missing == 0 else torch.cat((rows, rows[:1].expand(missing, *rows.shape[1:])))


EXACT = Layout()
FIXED = Layout("fixed")


def compile_network(network: Network, *, backend: str = "inductor") -> Network:
    """The same network, its heavy parts compiled for fixed shapes.

    Meant for CUDA and for long work: each shape is compiled on its first use, which takes up to
    minutes. Trackers of such a network need the layout :data:`FIXED`. ``backend`` is one of
    PyTorch's compilers.
    """
    for part in ("encode_image", "attend_memory", "encode_memory", "decode"):
        compiled = torch.compile(getattr(network, part), dynamic=False, backend=backend)
        setattr(network, part, compiled)
    return network
