"""Attention over memory, in the form that is fastest on each device. All forms are exact."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet_server.model.attention_choice import AttentionChoice
from masklet_server.model.dense import dense, prefers_mkl
from masklet_server.model.devices import rules_of

# Scores at a time. More would leave the cache, and make the allocator ask the operating system
# for fresh pages every time; fewer would starve the matrix product.
_BLOCK_VALUES = 7_500_000
_FEWEST_ROWS = 64


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    valid: Tensor | None = None,
    choice: AttentionChoice | None = None,
) -> Tensor:
    """Softmax attention with one head, whose values may be narrower than its keys.

    Args:
        query: ``(B or 1, N, D)``.
        key: ``(B, L, D)``.
        value: ``(B, L, V)``.
        valid: ``(B, L)`` bool, False where a key must not be seen; every row needs one True.
        choice: What was measured on this device, for calls without ``valid``.

    Returns:
        ``(B, N, V)``.
    """
    query = query.expand(key.shape[0], -1, -1)
    in_blocks = rules_of(key.device).attention_in_blocks
    # A graph that is compiled or exported cannot ask what is hidden.
    is_traced = torch.compiler.is_compiling() or torch.compiler.is_exporting()
    if in_blocks and not torch.is_grad_enabled() and not is_traced:
        return _attend_in_blocks(query, key, value, valid)
    form = None if choice is None or valid is not None else choice.form_for(query, key)
    if form is not None:
        return form(query, key, value)
    mask = None if valid is None else valid[:, None, None, :]  # (B, 1, 1, L)
    return F.scaled_dot_product_attention(query[:, None], key[:, None], value[:, None], mask)[:, 0]


def _attend_in_blocks(query: Tensor, key: Tensor, value: Tensor, valid: Tensor | None) -> Tensor:
    """Some rows of the score matrix at a time.

    torch's fused kernel for processors wants values as wide as the keys, and the whole matrix
    would be half a gigabyte an object; so it is with Apple's GPUs.
    """
    scaled = query * (1.0 / math.sqrt(query.shape[-1]))
    out = query.new_empty(*query.shape[:-1], value.shape[-1])
    has_mkl = query.device.type == "cpu" and prefers_mkl()
    by_mkl = has_mkl and query.dtype == torch.float32
    for item in range(query.shape[0]):
        own_key, own_value = key[item], value[item]
        if valid is not None and not bool(valid[item].all()):
            # What is hidden is left out: an object is the same to the bit whoever is tracked beside it, and
            # MKL's products of longer rows are not, zeros or no zeros.
            own_key, own_value = own_key[valid[item]], own_value[valid[item]]
        if has_mkl and own_value.shape == own_key.shape:
            alone = F.scaled_dot_product_attention(query[item, None], own_key[None], own_value[None])
            out[item] = alone[0]
            continue
        rows = min(query.shape[1], max(_FEWEST_ROWS, _BLOCK_VALUES // own_key.shape[0]))
        seen = _MklBlocks(own_key, own_value, rows=rows) if by_mkl else _OneDnnBlocks(own_key, own_value)
        for block, target in zip(torch.split(scaled[item], rows), torch.split(out[item], rows), strict=True):
            seen(block, target)
    return out


class _OneDnnBlocks:
    """What some queries see of an object's memory, by oneDNN's kernel."""

    def __init__(self, key: Tensor, value: Tensor) -> None:
        self._key = key
        self._turned = value.T.contiguous()  # (V, L)

    def __call__(self, block: Tensor, target: Tensor) -> None:
        scores = dense(block, self._key, None)  # (rows, L)
        # In place only where the kernel is known to read a row before it writes it.
        scores = torch.softmax(scores, -1, out=scores if scores.device.type == "cpu" else None)
        target.copy_(dense(scores, self._turned, None))


class _MklBlocks:
    """The same by MKL's products, which write into memory that is there already."""

    def __init__(self, key: Tensor, value: Tensor, *, rows: int) -> None:
        self._key, self._value = key.T, value
        self._scores = key.new_empty(rows, key.shape[0])

    def __call__(self, block: Tensor, target: Tensor) -> None:
        scores = self._scores[: block.shape[0]]
        torch.mm(block, self._key, out=scores)
        torch.softmax(scores, -1, out=scores)
        torch.mm(scores, self._value, out=target)
