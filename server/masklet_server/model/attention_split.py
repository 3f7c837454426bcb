"""Attention over parts of the keys, and the parts joined: the same function, spread over more of a GPU.

The softmax over all keys follows exactly from those over parts of them and the logarithms of
their sums (Flash-Decoding, Dao et al. 2023).
"""

from __future__ import annotations

import importlib.util

import torch
from torch import Tensor


def joined(partial: Tensor, log_sum: Tensor) -> Tensor:
    """Attention over all keys from that over parts of them.

    Args:
        partial: ``(B, K, N, V)``.
        log_sum: ``(B, K, N)`` logarithm of each part's sum of exponentials, -inf for a part without a
            visible key; every row needs one that has some.

    Returns:
        ``(B, N, V)`` in the type of ``partial``.
    """
    shares = torch.softmax(log_sum.float(), dim=1)  # (B, K, N)
    return (partial.float() * shares[..., None]).sum(1).to(partial.dtype)


def attend_in_parts(query: Tensor, key: Tensor, value: Tensor, *, parts: int) -> Tensor:
    """Attention by cuDNN, with the parts of the keys as further items of the batch.

    Args:
        query: ``(B, N, D)``, half precision, on a CUDA device.
        key: ``(B, L, D)``; L must be a multiple of ``parts``.
        value: ``(B, L, V)``.
        parts: K.

    Returns:
        ``(B, N, V)``.
    """
    batch = key.shape[0]
    queries = query[:, None].expand(-1, parts, -1, -1).reshape(batch * parts, 1, *query.shape[1:])
    keys = key.reshape(batch * parts, 1, -1, key.shape[-1])
    values = value.reshape(batch * parts, 1, -1, value.shape[-1])
    out, log_sum, *_ = torch.ops.aten._scaled_dot_product_cudnn_attention(queries, keys, values, None, True)
    return joined(out.view(batch, parts, *out.shape[2:]), log_sum.view(batch, parts, -1))


def attend_in_kernel(
    query: Tensor, key: Tensor, value: Tensor, *, parts: int, valid: Tensor | None = None
) -> Tensor:
    """Our own kernel, for any number of keys; see :mod:`masklet_server.model.attention_kernel`.

    Args:
        query: ``(B, N, D)``.
        key: ``(B, L, D)``.
        value: ``(B, L, V)``.
        parts: K.
        valid: ``(B, L)`` bool, False where a key must not be seen; every row needs one True.

    Returns:
        ``(B, N, V)``.
    """
    from masklet_server.model.attention_kernel import partial_attention

    return joined(*partial_attention(query, key, value, valid, parts=parts)).to(value.dtype)


def kernel_is_there() -> bool:
    """Whether Triton is installed: it comes with torch for CUDA on Linux."""
    return importlib.util.find_spec("triton") is not None
