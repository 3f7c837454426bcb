from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from masklet_server.model.attention_split import attend_in_kernel, joined, kernel_is_there


@pytest.fixture(scope="module")
def interpreted() -> Iterator[None]:
    """The kernel run by Triton's interpreter, which needs no GPU."""
    if not kernel_is_there():
        pytest.skip("Triton is not installed")
    name = "masklet_server.model.attention_kernel"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_INTERPRET", "1")
        patch.delitem(sys.modules, name, raising=False)
        importlib.import_module(name)
        yield
        sys.modules.pop(name, None)


def case(batch: int, queries: int, keys: int, *, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return (
        3 * torch.randn(batch, queries, 32, generator=generator),
        torch.randn(batch, keys, 32, generator=generator),
        torch.randn(batch, keys, 16, generator=generator),
    )


def exact(query: Tensor, key: Tensor, value: Tensor, valid: Tensor | None = None) -> Tensor:
    scores = query.double() @ key.double().transpose(1, 2) / query.shape[-1] ** 0.5
    if valid is not None:
        scores.masked_fill_(~valid[:, None], -torch.inf)
    return torch.softmax(scores, -1) @ value.double()


def partial(query: Tensor, key: Tensor, value: Tensor, cuts: list[int]) -> tuple[Tensor, Tensor]:
    outs, sums = [], []
    for keys, values in zip(key.tensor_split(cuts, 1), value.tensor_split(cuts, 1), strict=True):
        scores = query @ keys.transpose(1, 2) / query.shape[-1] ** 0.5
        outs.append(torch.softmax(scores, -1) @ values)
        sums.append(torch.logsumexp(scores, -1))
    return torch.stack(outs, 1), torch.stack(sums, 1)


@pytest.mark.parametrize("cuts", [[], [20], [1, 2, 39]], ids=["one part", "halves", "uneven"])
def test_parts_of_the_keys_join_to_attention_over_all_of_them(cuts: list[int]) -> None:
    query, key, value = case(2, 9, 40)

    torch.testing.assert_close(
        joined(*partial(query, key, value, cuts)), exact(query, key, value).float(), atol=2e-6, rtol=1e-5
    )


def test_a_part_without_a_visible_key_counts_for_nothing() -> None:
    query, key, value = case(1, 3, 10)
    out, sums = partial(query, key, value, [5])
    empty = torch.zeros_like(out[:, :1]), torch.full_like(sums[:, :1], -torch.inf)

    with_empty = joined(torch.cat((out, empty[0]), 1), torch.cat((sums, empty[1]), 1))

    assert torch.equal(with_empty, joined(out, sums))


@pytest.mark.usefixtures("interpreted")
@pytest.mark.parametrize(("queries", "keys"), [(64, 128), (130, 200)], ids=["whole blocks", "ragged"])
@pytest.mark.parametrize("parts", [1, 3, 4])
def test_the_kernel_gives_exact_attention_whatever_the_parts(queries: int, keys: int, parts: int) -> None:
    query, key, value = case(2, queries, keys)

    found = attend_in_kernel(query, key, value, parts=parts)

    torch.testing.assert_close(found, exact(query, key, value).float(), atol=2e-6, rtol=1e-5)


@pytest.mark.usefixtures("interpreted")
def test_the_kernel_skips_keys_that_are_not_valid() -> None:
    query, key, value = case(2, 16, 200)
    valid = torch.rand(2, 200, generator=torch.Generator().manual_seed(1)) < 0.5
    valid[0, :128] = False  # a whole part of one object sees nothing

    found = attend_in_kernel(query, key, value, parts=2, valid=valid)

    torch.testing.assert_close(found, exact(query, key, value, valid).float(), atol=2e-6, rtol=1e-5)


@pytest.mark.usefixtures("interpreted")
def test_the_kernel_sums_in_float32_when_its_arguments_are_half_as_wide() -> None:
    # Triton's interpreter knows no products of bfloat16.
    query, key, value = (tensor.half() for tensor in case(1, 16, 512))

    found = attend_in_kernel(query, key, value, parts=2)

    assert found.dtype == torch.float16
    # The weights and the result are rounded, each to a part in 2048; the sums of 512 of them are not.
    torch.testing.assert_close(found.float(), exact(query, key, value).float(), atol=1e-3, rtol=1e-3)
