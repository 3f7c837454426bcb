"""Calls of the network replayed as CUDA graphs.

A fast GPU is done with one object's kernels before the processor has launched the next ones. A
graph holds all launches of a call and is launched as one. It reads and writes fixed places in
memory, so arguments are copied in and results are copied out; both are small beside the work.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar

import torch
from torch import Tensor

_EAGER_USES = 2
"""Calls of a shape made without a graph: libraries choose their kernels, and tables get built."""

_HELD = 48
"""Graphs that one function keeps at most; the one not used for longest goes first."""

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class Recording(Generic[R]):
    """A call that can be made again on what then lies in its inputs.

    Attributes:
        replay: Makes it.
        outputs: What the call returned; holds the new results after each replay.
    """

    replay: Callable[[], None]
    outputs: R


Recorder = Callable[[Callable[[], R]], Recording[R]]
"""Makes a call, which reads fixed tensors, into a recording of it."""


class GraphRecorder:
    """Records CUDA graphs that share their working memory: only one of them runs at a time."""

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()

    def __call__(self, call: Callable[[], R]) -> Recording[R]:
        """Capture ``call``; it must neither wait for the device nor read from it."""
        graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        # Other threads may ask for pinned memory meanwhile, which a stricter mode would forbid them.
        with torch.cuda.graph(graph, pool=self._pool, capture_error_mode="thread_local"):
            outputs = call()
        return Recording(graph.replay, outputs)


@dataclass(frozen=True, eq=False)
class _Held(Generic[R]):
    inputs: list[Tensor]
    recording: Recording[R]


class Replayed(Generic[P, R]):
    """A function of tensors that is recorded once per shape and replayed from then on.

    Arguments and results are tensors or dataclasses of tensors; arguments may also be hashable
    values, which count as part of the shape. Results are the caller's to keep.

    Args:
        function: What to replay. For inference.
        record: Makes recordings.
        held: Recordings kept at most.
    """

    def __init__(self, function: Callable[P, R], record: Recorder[R], *, held: int = _HELD) -> None:
        self._function = function
        self._record = record
        self._capacity = held
        self._uses: dict[object, int] = {}
        self._held: OrderedDict[object, _Held[R]] = OrderedDict()
        # Two callers at a time would overwrite each other's inputs.
        self._lock = threading.Lock()

    @property
    def recordings(self) -> int:
        """How many shapes are recorded now."""
        return len(self._held)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """What the function returns."""
        given: list[Tensor] = []
        shape = _shape_of((args, kwargs), given)
        with self._lock, torch.inference_mode():
            uses = self._uses[shape] = self._uses.get(shape, 0) + 1
            if uses <= _EAGER_USES:
                return self._function(*args, **kwargs)
            found = self._held.get(shape)
            if found is None:
                while len(self._held) >= self._capacity:
                    self._held.popitem(last=False)
                found = self._held[shape] = self._recorded(args, kwargs, given)
            self._held.move_to_end(shape)
            for held, tensor in zip(found.inputs, given, strict=True):
                held.copy_(tensor)
            found.recording.replay()
            copied: R = _with_tensors(found.recording.outputs, torch.clone)
            return copied

    def _recorded(self, args: Any, kwargs: Any, given: list[Tensor]) -> _Held[R]:
        inputs = [torch.empty_like(tensor).copy_(tensor) for tensor in given]
        places = iter(inputs)
        held_args, held_kwargs = _with_tensors((args, kwargs), lambda _: next(places))
        return _Held(inputs, self._record(lambda: self._function(*held_args, **held_kwargs)))


def _shape_of(value: Any, tensors: list[Tensor]) -> object:
    """What two values must share to share a recording; tensors are appended as they are met."""
    if isinstance(value, Tensor):
        tensors.append(value)
        return (value.shape, value.dtype, value.device)
    if isinstance(value, tuple):
        return tuple(_shape_of(each, tensors) for each in value)
    if isinstance(value, dict):
        return tuple((name, _shape_of(value[name], tensors)) for name in sorted(value))
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return (type(value), *(_shape_of(getattr(value, field.name), tensors) for field in fields))
    return value


def _with_tensors(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """The same value with its tensors changed, in the order of :func:`_shape_of`."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, tuple):
        return tuple(_with_tensors(each, change) for each in value)
    if isinstance(value, dict):
        return {name: _with_tensors(value[name], change) for name in sorted(value)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        changed = {
            field.name: _with_tensors(getattr(value, field.name), change)
            for field in dataclasses.fields(value)
        }
        return dataclasses.replace(value, **changed)
    return value
