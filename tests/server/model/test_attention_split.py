from __future__ import annotations

import pytest
import torch
from torch import Tensor

from masklet_server.model.attention_split import joined


def case(batch: int, queries: int, keys: int, *, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return (
        3 * torch.randn(batch, queries, 32, generator=generator),
        torch.randn(batch, keys, 32, generator=generator),
        torch.randn(batch, keys, 16, generator=generator),
    )


def exact(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    scores = query.double() @ key.double().transpose(1, 2) / query.shape[-1] ** 0.5
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
