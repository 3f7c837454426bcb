"""What makes a network fast on devices where new shapes and launches are expensive.

A compiled network is built anew for every new shape, which takes many seconds in the middle of a
shot, and a CUDA graph is recorded anew. So objects, maps and pointers are padded to a few sizes,
and what pads is masked out of the attention or cut off afterwards: an object gets what it would
get alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from masklet_server.engine.replay import Recorder, Replayed
from masklet_server.model.attention_choice import Trial
from masklet_server.model.config import NetworkConfig
from masklet_server.model.network import Network

_POINTER_STEP = 16
_LARGEST_BATCH = 16
_WASTE_SHARE = 4  # one part in so many of a batch may be padding
_PARTS = ("encode_image", "attend_memory", "decode", "encode_memory")
# The compiler's own limit on shapes of one function is meant for accidents. Here shapes are few by
# design, and a process may hold several networks.
_SHAPES_OF_A_FUNCTION = 64


@dataclass(frozen=True)
class Layout:
    """The sizes that occur.

    Attributes:
        shapes: ``"exact"`` pads nothing but pointers; ``"fixed"`` rounds all sizes up.
        usual_maps: Maps that an object reads in the middle of a shot with one prompted frame.
    """

    shapes: Literal["exact", "fixed"] = "exact"
    usual_maps: int = 7

    def maps(self, count: int) -> int:
        """T for ``count`` maps: one, the usual number, or what more prompted frames need.

        Fewer than usual occur on the first frames of a shot only, more stay for the rest of it: the
        few are padded and the many are not.
        """
        if self.shapes == "exact" or count <= 1:
            return count
        return max(count, self.usual_maps)

    def pointers(self, count: int) -> int:
        """P for ``count`` pointers: multiples of 16, as many as a network reads behind one prompt."""
        if self.shapes == "exact":
            return count
        return max(-(-count // _POINTER_STEP), 1) * _POINTER_STEP

    def objects(self, count: int) -> int:
        """B for ``count`` objects of one batch: powers of two."""
        return count if self.shapes == "exact" else 1 << (count - 1).bit_length()

    def batches(self, count: int) -> tuple[int, ...]:
        """How many objects go into each batch, for ``count`` of them on one frame.

        At most 16 go together, so that memory does not grow with objects, and at most a quarter of a
        batch is padding: 9 objects are 8 and 1, while 13 fill most of 16.
        """
        if self.shapes == "exact":
            return (count,)
        sizes: list[int] = []
        while count:
            whole = min(self.objects(count), _LARGEST_BATCH)
            if (whole - count) * _WASTE_SHARE > whole:
                whole //= 2
            sizes.append(min(whole, count))
            count -= sizes[-1]
        return tuple(sizes)

    def padded(self, rows: Tensor) -> Tensor:
        """``(B, ...)`` with its first row repeated until B is one of the sizes that occur."""
        missing = self.objects(rows.shape[0]) - rows.shape[0]
        return rows if missing == 0 else torch.cat((rows, rows[:1].expand(missing, *rows.shape[1:])))


EXACT = Layout()


def fixed_layout(config: NetworkConfig) -> Layout:
    """The layout for a compiled or replayed network of this configuration."""
    recent = config.memory_frames - 1 if config.recent_maps is None else config.recent_maps
    return Layout("fixed", 1 + recent)


def compile_network(network: Network, *, backend: str = "inductor") -> Network:
    """The same network, its heavy parts compiled for the shapes of long tracks.

    Meant for CUDA and for long work: each number of objects in a batch is compiled on its first
    use, which takes up to minutes; :func:`masklet_server.engine.warm_up.warm_up` gets it over
    with. What is rare (the first frames of a shot, prompts, third and fourth prompted frames) runs
    as it is, so that it never waits for a compiler. Trackers of such a network need
    :func:`fixed_layout`. ``backend`` is one of PyTorch's compilers.
    """
    import torch._dynamo.config as compiler  # slow to import, and only this needs it

    compiler.cache_size_limit = max(compiler.cache_size_limit, _SHAPES_OF_A_FUNCTION)
    layout, pointers = fixed_layout(network.config), network.config.pointers

    def full(call: dict[str, Any]) -> bool:
        return (
            call.get("map_valid") is None
            and call.get("pointer_valid") is None
            and call["maps"].shape[1] == layout.usual_maps
            and call["pointers"].shape[1] == pointers
        )

    def tracks(call: dict[str, Any]) -> bool:
        return call["points"] is None and call["mask_logits"] is None and bool(call["multimask"])

    def tracked(call: dict[str, Any]) -> bool:
        return not call["binarise"]

    usual: dict[str, Callable[[dict[str, Any]], bool]] = {
        "attend_memory": full,
        "decode": tracks,
        "encode_memory": tracked,
    }
    for part in _PARTS:
        plain = getattr(network, part)
        compiled = torch.compile(plain, dynamic=False, backend=backend)
        setattr(network, part, _Choice(plain, compiled, usual[part]) if part in usual else compiled)
    return network


def replay_network(network: Network, record: Recorder[Any]) -> Network:
    """The same network, every part replayed from a recording once its shapes have been seen.

    Made for :class:`masklet_server.engine.replay.GraphRecorder`: one launch a part instead of
    hundreds. A compiled network can be replayed too. Trackers need :func:`fixed_layout`, or
    recordings are as many as sizes.
    """
    for part in _PARTS:
        setattr(network, part, Replayed(getattr(network, part), record))
    return network


def choose_attention(network: Network, batch: int) -> list[Trial]:
    """Let the network use the fastest attention over full memories of ``batch`` objects on its device.

    To be done before the network is compiled or recorded.
    """
    config = network.config
    return network.memory_attention.measure_attention(
        batch,
        side=config.grid_side,
        maps=fixed_layout(config).usual_maps,
        pointer_tokens=config.pointers * (config.width // config.memory_width),
    )


def recordings_of(network: Network) -> int:
    """How many shapes a replayed network has recorded; 0 for one that is not replayed."""
    parts = [getattr(network, part) for part in _PARTS]
    return sum(part.recordings for part in parts if isinstance(part, Replayed))


@dataclass(frozen=True, eq=False)
class _Choice:
    """Two forms of one function, and which calls the fast one is for."""

    plain: Callable[..., Any]
    fast: Callable[..., Any]
    suits: Callable[[dict[str, Any]], bool]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return (self.fast if self.suits(kwargs) else self.plain)(*args, **kwargs)
