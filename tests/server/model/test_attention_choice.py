from __future__ import annotations

import time

import torch
from torch import Tensor

from masklet_server.model.attention_choice import AttentionChoice, plain
from masklet_server.model.memory_attention import Memory, MemoryAttention


def case(batch: int = 2, queries: int = 8, keys: int = 12) -> tuple[Tensor, Tensor, Tensor]:
    return torch.randn(batch, queries, 16), torch.randn(batch, keys, 16), torch.randn(batch, keys, 4)


class Slept:
    """Plain attention after a nap."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.calls = 0

    def __call__(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        self.calls += 1
        time.sleep(self.seconds)
        return plain(query, key, value)


class Remembering:
    """Plain attention that takes no time the second time."""

    def __init__(self) -> None:
        self.calls = 0
        self._last: tuple[Tensor, Tensor, Tensor] | None = None
        self._answer = torch.empty(0)

    def __call__(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        self.calls += 1
        if self._last is None or self._last[1] is not key:
            self._last, self._answer = (query, key, value), plain(query, key, value)
        return self._answer


def test_the_fastest_right_form_is_used_for_its_shape_alone() -> None:
    arguments = case()
    quick = Remembering()
    choice = AttentionChoice()

    trials = choice.measure(*arguments, {"slow": Slept(0.002), "quick": quick})

    assert [trial.name for trial in trials] == ["plain", "slow", "quick"]
    assert all(trial.ms is not None and not trial.reason for trial in trials)
    assert choice.form_for(*arguments[:2]) is quick
    other = case(keys=13)
    assert choice.form_for(*other[:2]) is None


def test_torchs_own_form_stays_where_nothing_beats_it() -> None:
    arguments = case()
    choice = AttentionChoice()
    choice.measure(*arguments, {"slow": Slept(0.002)})

    assert choice.form_for(*arguments[:2]) is None


def test_a_form_that_is_wrong_or_does_not_run_is_never_used() -> None:
    def refuses(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        raise RuntimeError("no such kernel on this device")

    arguments = case()
    answer = 1.1 * plain(*arguments)

    def wrong(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return answer

    choice = AttentionChoice()

    trials = {trial.name: trial for trial in choice.measure(*arguments, {"wrong": wrong, "refuses": refuses})}

    assert choice.form_for(*arguments[:2]) is None
    assert trials["wrong"].reason == "its result is wrong"
    assert trials["refuses"].ms is None
    assert "no such kernel" in trials["refuses"].reason


def test_memory_attention_uses_what_was_measured_where_no_key_is_hidden() -> None:
    torch.manual_seed(0)
    attention = MemoryAttention(width=16, memory_width=8, feed_forward=16, layers=2)
    embedding = torch.randn(1, 16, 2, 2)
    values, codes = torch.randn(2, 10, 8), torch.randn(2, 10, 8)
    whole = Memory(values, codes, spatial=8, valid=None)
    masked = Memory(values, codes, spatial=8, valid=torch.ones(2, 10, dtype=torch.bool))
    before = attention(embedding, whole)
    form = Remembering()
    attention.measure_attention(2, side=2, maps=2, pointer_tokens=2, candidates={"form": form})
    measured = form.calls

    # With gradients, as a processor without them takes another way.
    after = attention(embedding, whole)
    assert form.calls == measured + 2
    torch.testing.assert_close(after, before)

    attention(embedding, masked)
    assert form.calls == measured + 2
