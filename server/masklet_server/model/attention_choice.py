"""Which form of attention is fastest is measured on the device that will run it, shape by shape.

No form wins everywhere: one object leaves most of a large GPU idle unless its keys are divided, for
sixteen dividing only adds work, and which library is best differs between devices and versions.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet_server.model.attention_split import attend_in_kernel, attend_in_parts, kernel_is_there
from masklet_server.model.devices import wait_for

Form = Callable[[Tensor, Tensor, Tensor], Tensor]
"""``(B, N, D)``, ``(B, L, D)`` and ``(B, L, V)`` to ``(B, N, V)``."""

PLAIN = "plain"
_PARTS = (2, 4, 8)
_WARM_UP, _REPEATS = 2, 10
# Forms round differently; more than this times the error of the plain form is a mistake.
_TOLERANCE = 4.0
_CHECKED_ROWS = 256


@dataclass(frozen=True)
class Trial:
    """How one form did.

    Attributes:
        name: Of the form.
        ms: Median of a call, None where it does not run here.
        error: Largest difference to the same attention in float32.
        reason: Why it was not taken into account, or "".
    """

    name: str
    ms: float | None
    error: float
    reason: str = ""


class AttentionChoice:
    """The forms that were found to be fastest; the plain one for shapes that were not measured."""

    def __init__(self) -> None:
        self._forms: dict[tuple[int, int, int], Form] = {}

    def form_for(self, query: Tensor, key: Tensor) -> Form | None:
        """The form for arguments of this shape, None for the plain one."""
        return self._forms.get((key.shape[0], query.shape[1], key.shape[1]))

    @torch.inference_mode()
    def measure(
        self, query: Tensor, key: Tensor, value: Tensor, candidates: Mapping[str, Form] | None = None
    ) -> list[Trial]:
        """Time all forms on these arguments, and use the fastest that is right for their shape.

        A form that does not run on this device, or gives something else, is left out.

        Args:
            query: ``(B, N, D)``.
            key: ``(B, L, D)``.
            value: ``(B, L, V)``.
            candidates: Forms by name beside the plain one; those of :func:`cuda_forms` without.
        """
        shape = (key.shape[0], query.shape[1], key.shape[1])
        forms: dict[str, Form] = {PLAIN: plain, **(cuda_forms(key) if candidates is None else candidates)}
        rows = query[:, :_CHECKED_ROWS]
        exact = plain(rows.float(), key.float(), value.float())
        allowed = _TOLERANCE * max(float((plain(rows, key, value).float() - exact).abs().max()), 1e-6)
        trials = []
        for name, form in forms.items():
            try:
                error = float((form(query, key, value)[:, :_CHECKED_ROWS].float() - exact).abs().max())
                ms = _median_ms(partial(form, query, key, value), query.device)
            # Whatever a library or a compiler dislikes about this device, the plain form remains.
            except Exception as reason:  # noqa: BLE001
                trials.append(Trial(name, None, float("nan"), f"{type(reason).__name__}: {reason}"[:200]))
                continue
            trials.append(Trial(name, ms, error, "" if error <= allowed else "its result is wrong"))
        usable = {trial.name: trial.ms for trial in trials if trial.ms is not None and not trial.reason}
        fastest = min(usable, key=lambda name: usable[name])
        self._forms.pop(shape, None)
        if fastest != PLAIN:
            self._forms[shape] = forms[fastest]
        return trials


def plain(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Whatever torch picks."""
    return F.scaled_dot_product_attention(query[:, None], key[:, None], value[:, None])[:, 0]


def cuda_forms(key: Tensor) -> dict[str, Form]:
    """The forms that a CUDA device may have, for keys ``(B, L, D)``."""
    forms: dict[str, Form] = {}
    for parts in _PARTS:
        if key.shape[1] % parts == 0:
            forms[f"cudnn_in_{parts}"] = partial(attend_in_parts, parts=parts)
    if kernel_is_there():
        for parts in (1, *_PARTS):
            forms[f"kernel_in_{parts}"] = partial(attend_in_kernel, parts=parts)
    return forms


def _median_ms(call: Callable[[], Tensor], device: torch.device) -> float:
    times_s = []
    for repeat in range(_WARM_UP + _REPEATS):
        wait_for(device)
        started_s = time.perf_counter()
        call()
        wait_for(device)
        if repeat >= _WARM_UP:
            times_s.append(time.perf_counter() - started_s)
    return 1e3 * statistics.median(times_s)
