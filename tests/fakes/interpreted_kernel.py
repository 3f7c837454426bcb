"""Runs the attention kernel in Triton's interpreter and prints its largest errors, as JSON by case.

In a process of its own: whether Triton interprets or compiles is settled when it is first imported.
"""

from __future__ import annotations

import json
import os
import sys

os.environ["TRITON_INTERPRET"] = "1"

import torch
from torch import Tensor

from masklet_server.model.attention_split import attend_in_kernel


def main() -> None:
    """Print ``{case: largest error}``."""
    torch.set_num_threads(1)
    errors = {}
    for queries, keys in ((64, 128), (130, 200)):
        for parts in (1, 3, 4):
            errors[f"{queries} queries, {keys} keys, {parts} parts"] = _error(*_case(2, queries, keys), parts)
    valid = torch.rand(2, 200, generator=torch.Generator().manual_seed(1)) < 0.5
    valid[0, :128] = False  # a whole part of one object sees nothing
    errors["hidden keys"] = _error(*_case(2, 16, 200), 2, valid)
    # Triton's interpreter knows no products of bfloat16.
    errors["float16"] = _error(*(tensor.half() for tensor in _case(1, 16, 512)), 2)
    json.dump(errors, sys.stdout)


def _case(batch: int, queries: int, keys: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return (
        3 * torch.randn(batch, queries, 32, generator=generator),
        torch.randn(batch, keys, 32, generator=generator),
        torch.randn(batch, keys, 16, generator=generator),
    )


def _error(query: Tensor, key: Tensor, value: Tensor, parts: int, valid: Tensor | None = None) -> float:
    scores = query.double() @ key.double().transpose(1, 2) / query.shape[-1] ** 0.5
    if valid is not None:
        scores.masked_fill_(~valid[:, None], -torch.inf)
    exact = torch.softmax(scores, -1) @ value.double()
    found = attend_in_kernel(query, key, value, parts=parts, valid=valid)
    assert found.dtype == value.dtype
    return float((found.double() - exact).abs().max())


if __name__ == "__main__":
    main()
