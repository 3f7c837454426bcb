"""Attention with 256-wide keys and 64-wide values as a Triton kernel, its keys divided among programs.

FlashAttention (Dao et al. 2022) with the division of keys of Flash-Decoding (Dao et al. 2023): one
object has 32 tiles of 128 queries, and a large GPU four times as many multiprocessors, so several of
them share a tile, each with a part of the keys. Import it only where Triton is installed.
"""

from __future__ import annotations

from typing import Final

import torch
import triton
import triton.language as tl
from torch import Tensor

_QUERIES, _KEYS = 128, 64
# Three blocks of keys on their way fill 184 of the 227 KiB that a multiprocessor of Hopper shares.
_OPTIONS: Final = {"num_warps": 8, "num_stages": 3}


@triton.jit  # type: ignore[untyped-decorator]
def _partial_attention(  # type: ignore[no-untyped-def]
    query,
    key,
    value,
    valid,
    out,
    log_sum,
    queries,
    keys,
    part_keys,
    scale_log2,
    width: tl.constexpr,
    value_width: tl.constexpr,
    masked: tl.constexpr,
    block_queries: tl.constexpr,
    block_keys: tl.constexpr,
):
    tile, part, item = tl.program_id(0), tl.program_id(1), tl.program_id(2).to(tl.int64)
    parts = tl.num_programs(1)
    rows = tile * block_queries + tl.arange(0, block_queries)
    channels, value_channels = tl.arange(0, width), tl.arange(0, value_width)
    q = tl.load(
        query + item * queries * width + rows[:, None] * width + channels[None, :],
        mask=rows[:, None] < queries,
        other=0.0,
    )
    highest = tl.full((block_queries,), -float("inf"), tl.float32)
    total = tl.zeros((block_queries,), tl.float32)
    seen = tl.zeros((block_queries, value_width), tl.float32)

    first = part * part_keys
    last = tl.minimum(first + part_keys, keys)
    key += item * keys * width
    value += item * keys * value_width
    for start in range(first, last, block_keys):
        columns = start + tl.arange(0, block_keys)
        here = columns < last
        k = tl.load(key + columns[:, None] * width + channels[None, :], mask=here[:, None], other=0.0)
        if masked:
            here = here & (tl.load(valid + item * keys + columns, mask=here, other=0) != 0)
        # In powers of two, which the device has an instruction for.
        scores = tl.dot(q, tl.trans(k)) * scale_log2
        scores = tl.where(here[None, :], scores, -float("inf"))
        new_highest = tl.maximum(highest, tl.max(scores, 1))
        # While no key has been visible, the difference of two infinities would be no number.
        base = tl.where(new_highest == -float("inf"), 0.0, new_highest)
        weights = tl.exp2(scores - base[:, None])
        kept = tl.exp2(highest - base)
        total = total * kept + tl.sum(weights, 1)
        v = tl.load(
            value + columns[:, None] * value_width + value_channels[None, :], mask=here[:, None], other=0.0
        )
        seen = seen * kept[:, None] + tl.dot(weights.to(v.dtype), v)
        highest = new_highest

    place = (item * parts + part) * queries + rows
    nothing = total == 0.0
    total = tl.where(nothing, 1.0, total)
    seen = seen / total[:, None]
    # Natural logarithms leave, as everybody else gives them.
    sums = tl.where(nothing, -float("inf"), (highest + tl.log2(total)) * 0.6931471805599453)
    tl.store(out + place[:, None] * value_width + value_channels[None, :], seen, mask=rows[:, None] < queries)
    tl.store(log_sum + place, sums, mask=rows < queries)


def partial_attention(
    query: Tensor, key: Tensor, value: Tensor, valid: Tensor | None, *, parts: int
) -> tuple[Tensor, Tensor]:
    """Attention over each of some parts of the keys.

    Args:
        query: ``(B, N, D)``, D a power of two.
        key: ``(B, L, D)``.
        value: ``(B, L, V)``, V a power of two.
        valid: ``(B, L)`` bool, False where a key must not be seen, or None.
        parts: K.

    Returns:
        ``(B, K, N, V)`` and the logarithm of the sums of exponentials ``(B, K, N)``, -inf where a part
        has no visible key; both float32, whatever the type of the arguments.
    """
    batch, queries, width = query.shape
    keys, value_width = value.shape[1:]
    query, key, value = query.contiguous(), key.contiguous(), value.contiguous()
    out = torch.empty(batch, parts, queries, value_width, device=query.device, dtype=torch.float32)
    log_sum = torch.empty(batch, parts, queries, device=query.device, dtype=torch.float32)
    # Whole blocks for all parts but the last.
    part_keys = triton.cdiv(triton.cdiv(keys, parts), _KEYS) * _KEYS
    _partial_attention[(triton.cdiv(queries, _QUERIES), parts, batch)](
        query,
        key,
        value,
        query if valid is None else valid.contiguous().view(torch.uint8),
        out,
        log_sum,
        queries,
        keys,
        part_keys,
        1.4426950408889634 / width**0.5,
        width=width,
        value_width=value_width,
        masked=valid is not None,
        block_queries=_QUERIES,
        block_keys=_KEYS,
        **_OPTIONS,
    )
    return out, log_sum
