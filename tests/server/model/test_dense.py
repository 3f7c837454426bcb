"""Every form of a linear layer and of attention gives what its formula says."""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cache

import pytest
import torch
from torch import nn
from torch.nn.functional import gelu, linear, relu, scaled_dot_product_attention

from masklet_server.model import attention as attention_module
from masklet_server.model import dense as dense_module
from masklet_server.model.attention import attend
from masklet_server.model.dense import Activation, Dense, dense, feed_forward, fuses
from masklet_server.model.position import rotary_grid, rotate


@pytest.mark.parametrize("activation", ["none", "relu", "gelu"])
@pytest.mark.parametrize("bias", [True, False])
@torch.inference_mode()
def test_a_dense_layer_is_a_product_a_bias_and_an_activation(activation: Activation, bias: bool) -> None:
    x = torch.randn(2, 5, 3, 7).transpose(1, 2)
    weight, shift = torch.randn(11, 7), torch.randn(11) if bias else None

    y = dense(x, weight, shift, activation)

    expected = linear(x, weight, shift)
    if activation != "none":
        expected = (gelu if activation == "gelu" else relu)(expected)
    assert torch.allclose(y, expected, atol=1e-5)


def another_signature(*arguments: object) -> torch.Tensor:
    raise TypeError("_linear_pointwise() takes 7 positional arguments but 6 were given")


def another_meaning(x: torch.Tensor, weight: torch.Tensor, *rest: object) -> torch.Tensor:
    return linear(x, weight)


@pytest.mark.parametrize("kernel", [another_signature, another_meaning])
@torch.inference_mode()
def test_a_torch_whose_kernel_is_another_computes_the_same_without_it(
    monkeypatch: pytest.MonkeyPatch, kernel: Callable[..., torch.Tensor]
) -> None:
    x, weight, shift = torch.randn(5, 7), torch.randn(11, 7), torch.randn(11)
    monkeypatch.setattr(dense_module, "_fused", kernel)
    # Else it would keep what the real kernel said, and be kept from others what this one says.
    monkeypatch.setattr(dense_module, "is_kernel_known", cache(dense_module.is_kernel_known.__wrapped__))

    assert not fuses(x)
    assert torch.allclose(dense(x, weight, shift, "gelu"), gelu(linear(x, weight, shift)), atol=1e-5)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the kernel is x86's")
@torch.inference_mode()
def test_the_torch_that_is_tested_has_the_kernel() -> None:
    assert fuses(torch.randn(2, 3))


@pytest.mark.parametrize("rows", [0, 1, 70, 3001])
@torch.inference_mode()
def test_a_feed_forward_part_is_the_same_in_chunks(rows: int) -> None:
    inner, outer = Dense(8, 1000), Dense(1000, 6)
    x = torch.randn(rows, 2, 8)

    y = feed_forward(x, inner, outer, "gelu")

    assert torch.allclose(y, nn.Sequential(inner, nn.GELU(), outer)(x), atol=1e-5)


def test_gradients_pass_through_a_dense_layer() -> None:
    layer = Dense(4, 3)
    layer(torch.randn(5, 4)).sum().backward()

    assert layer.weight.grad is not None


@pytest.mark.parametrize("by_mkl", [False, True])
@pytest.mark.parametrize("memory_tokens", [3, 50, 120_000])
@pytest.mark.parametrize("masked", [False, True])
@torch.inference_mode()
def test_attention_in_blocks_is_attention(
    monkeypatch: pytest.MonkeyPatch, memory_tokens: int, masked: bool, by_mkl: bool
) -> None:
    monkeypatch.setattr(attention_module, "prefers_mkl", lambda: by_mkl)
    generator = torch.Generator().manual_seed(0)
    query = 3 * torch.randn(1, 70, 8, generator=generator)
    key = torch.randn(2, memory_tokens, 8, generator=generator)
    value = torch.randn(2, memory_tokens, 4, generator=generator)
    valid = torch.rand(2, memory_tokens, generator=generator) > 0.3 if masked else None
    if valid is not None:
        valid[:, 0] = True
    before = query.clone(), key.clone(), value.clone()

    seen = attend(query, key, value, valid=valid)

    expected = scaled_dot_product_attention(
        query.expand(2, -1, -1), key, value, None if valid is None else valid[:, None]
    )
    assert torch.allclose(seen, expected, atol=1e-5)
    assert all(torch.equal(now, then) for now, then in zip((query, key, value), before, strict=True))


@pytest.mark.parametrize("by_mkl", [False, True])
@torch.inference_mode()
def test_attention_over_values_as_wide_as_the_keys_is_attention(
    monkeypatch: pytest.MonkeyPatch, by_mkl: bool
) -> None:
    monkeypatch.setattr(attention_module, "prefers_mkl", lambda: by_mkl)
    query, key, value = (3 * torch.randn(2, 70, 8) for _ in range(3))

    assert torch.allclose(
        attend(query, key, value), scaled_dot_product_attention(query, key, value), atol=1e-5
    )


@pytest.mark.parametrize(
    ("system", "said", "is_intels"),
    [
        ("win32", "Intel64 Family 6 Model 154 Stepping 3, GenuineIntel", True),
        ("win32", "AMD64 Family 25 Model 80 Stepping 0, AuthenticAMD", False),
        ("darwin", "i386", True),
    ],
)
def test_products_are_mkls_on_processors_of_intel(
    monkeypatch: pytest.MonkeyPatch, system: str, said: str, is_intels: bool
) -> None:
    monkeypatch.setattr("sys.platform", system)
    monkeypatch.setattr("platform.processor", lambda: said)
    monkeypatch.setattr(dense_module, "_X86", True)
    monkeypatch.setattr(torch.backends.mkl, "is_available", lambda: True)

    assert dense_module.prefers_mkl.__wrapped__() is is_intels


def test_rotary_codes_depend_on_differences_of_positions_only() -> None:
    rotation = rotary_grid(4, 6, 16, device=torch.device("cpu"))
    query, key = torch.randn(16).expand(24, 16), torch.randn(16).expand(24, 16)

    with torch.enable_grad():
        scores = rotate(query, rotation) @ rotate(key, rotation).T
    with torch.inference_mode():
        in_place = rotate(query.clone(), rotation) @ rotate(key.clone(), rotation).T

    by_step: dict[tuple[int, int], list[float]] = {}
    for one in range(24):
        for other in range(24):
            step = (other // 6 - one // 6, other % 6 - one % 6)
            by_step.setdefault(step, []).append(scores[one, other].item())
    assert max(max(same) - min(same) for same in by_step.values()) < 1e-4
    assert torch.allclose(scores, in_place, atol=1e-5)


@pytest.mark.parametrize("by_mkl", [False, True])
@pytest.mark.parametrize("width", [64, 256])
@torch.inference_mode()
def test_an_object_sees_the_same_to_the_bit_alone_and_beside_one_that_remembers_more(
    monkeypatch: pytest.MonkeyPatch, width: int, by_mkl: bool
) -> None:
    monkeypatch.setattr(attention_module, "prefers_mkl", lambda: by_mkl)
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(1, 300, width, generator=generator)
    key = torch.randn(2, 1100, width, generator=generator)
    value = torch.randn(2, 1100, 64, generator=generator)
    valid = torch.ones(2, 1100, dtype=torch.bool)
    # Less is remembered, with a hole as between masks and what points to them.
    valid[0, 520:1040] = False
    own_key, own_value = key[:1, valid[0]].contiguous(), value[:1, valid[0]].contiguous()

    both = attend(query, key, value, valid=valid)

    assert torch.equal(both[0], attend(query, own_key, own_value)[0])
    assert torch.equal(both[1], attend(query, key[1:], value[1:])[0])
