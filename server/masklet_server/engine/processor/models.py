"""Exported parts compiled for the shapes that occur, and called with tensors."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

_HELD = 24
"""Shapes that one part keeps at most; the one not used for longest goes first."""

_TOLERANCE = 1e-3
"""Largest error, as a share of the largest value: more is no rounding any more."""


class WrongResultError(RuntimeError):
    """A compiled part does not compute what the network computes."""


class CompiledPart:
    """One exported part.

    Args:
        core: OpenVINO's ``Core``.
        file: Of the part.
        threads: Of the processor.
    """

    def __init__(self, core: Any, file: Path, *, threads: int) -> None:
        self._core = core
        self._model = core.read_model(file)
        self._options = {
            # Left to itself it takes bfloat16 where a processor has it, which other masks come of.
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": threads,
            "PERFORMANCE_HINT": "LATENCY",
        }
        self._requests: OrderedDict[tuple[torch.Size, ...], Any] = OrderedDict()
        self._is_checked = False
        # Shapes are set on the one model, and a request has one set of inputs.
        self._lock = threading.Lock()

    def __call__(
        self, arguments: Sequence[Tensor], exact: Callable[[], Sequence[Tensor]]
    ) -> tuple[Tensor, ...]:
        """The part's results, the caller's to keep.

        Args:
            arguments: As the form takes them, on the processor.
            exact: What the network itself makes of them; asked once, of the first call.

        Raises:
            WrongResultError: That is something else.
            RuntimeError: OpenVINO cannot run the part here.
        """
        shapes = tuple(argument.shape for argument in arguments)
        with self._lock:
            request = self._requests.get(shapes)
            if request is None:
                request = self._compile(shapes)
            self._requests.move_to_end(shapes)
            found = request.infer(
                [argument.contiguous().numpy() for argument in arguments],
                share_inputs=True,
                share_outputs=False,
            )
            results = tuple(torch.from_numpy(values) for values in found.to_tuple())
            if not self._is_checked:
                self._check(results, exact())
                self._is_checked = True
        return results

    def _compile(self, shapes: tuple[torch.Size, ...]) -> Any:
        while len(self._requests) >= _HELD:
            self._requests.popitem(last=False)
        # Fixed shapes: with open ones the processor's kernels are slower, and some fail when a size changes.
        self._model.reshape({index: list(shape) for index, shape in enumerate(shapes)})
        request = self._core.compile_model(self._model, "CPU", self._options).create_infer_request()
        self._requests[shapes] = request
        return request

    def _check(self, found: Sequence[Tensor], exact: Sequence[Tensor]) -> None:
        for ours, theirs in zip(found, exact, strict=True):
            allowed = _TOLERANCE * max(float(theirs.abs().max()), 1.0)
            error = float((ours - theirs).abs().max())
            if not error <= allowed:
                raise WrongResultError(f"its result is off by {error:.3g}, where {allowed:.3g} is rounding")
