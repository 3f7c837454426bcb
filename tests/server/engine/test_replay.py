from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import pytest
import torch
from torch import Tensor

from fakes.replay import RerunRecorder
from masklet_server.engine.replay import Recording, Replayed

R = TypeVar("R")


@dataclass(frozen=True, eq=False)
class Pair:
    total: Tensor
    scaled: Tensor


def pair_of(x: Tensor, *, other: Tensor | None = None, scale: float = 1.0) -> Pair:
    return Pair(x.sum(0) if other is None else x.sum(0) + other.sum(0), scale * x)


def test_replays_give_what_the_function_gives() -> None:
    replayed = Replayed(pair_of, RerunRecorder())

    for number in range(6):
        x, other = torch.full((2, 3), float(number)), torch.arange(6.0).view(2, 3) * number
        found, expected = (each(x, other=other, scale=3.0) for each in (replayed, pair_of))
        assert torch.equal(found.total, expected.total)
        assert torch.equal(found.scaled, expected.scaled)


def test_the_first_uses_of_a_shape_are_not_recorded() -> None:
    record = RerunRecorder()
    replayed = Replayed(pair_of, record)

    recorded_after = []
    for _ in range(5):
        replayed(torch.ones(2, 3))
        recorded_after.append(record.recorded)

    assert recorded_after == [0, 0, 1, 1, 1]


def test_results_stay_as_they_are_when_the_recording_runs_again() -> None:
    replayed = Replayed(pair_of, RerunRecorder())
    results = [replayed(torch.full((2, 3), float(number))) for number in range(6)]

    assert [float(result.total[0]) for result in results] == [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]


@pytest.mark.parametrize(
    "other",
    [
        {"x": torch.ones(4, 3)},
        {"x": torch.ones(2, 3, dtype=torch.float64)},
        {"x": torch.ones(2, 3), "scale": 2.0},
        {"x": torch.ones(2, 3), "other": torch.ones(2, 3)},
    ],
    ids=["shape", "type", "value", "presence"],
)
def test_calls_that_differ_in_more_than_values_have_recordings_of_their_own(other: dict[str, Tensor]) -> None:
    record = RerunRecorder()
    replayed = Replayed(pair_of, record)
    for _ in range(3):
        replayed(x=torch.ones(2, 3))
    for _ in range(3):
        replayed(**other)

    assert record.recorded == replayed.recordings == 2


def test_values_that_only_look_expanded_are_read_in_full() -> None:
    replayed = Replayed(pair_of, RerunRecorder())
    for number in range(4):
        found = replayed(torch.full((1, 3), float(number)).expand(5, 3))

    assert float(found.total[0]) == 15.0


def test_recordings_not_used_for_longest_are_dropped() -> None:
    record = RerunRecorder()
    replayed = Replayed(pair_of, record, held=2)
    for size in (1, 2, 3):
        for _ in range(3):
            replayed(torch.ones(size, 3))
    assert (record.recorded, replayed.recordings) == (3, 2)

    # Recorded before 3, used after it.
    replayed(torch.ones(2, 3))
    assert record.recorded == 3

    replayed(torch.ones(1, 3))
    assert (record.recorded, replayed.recordings) == (4, 2)
    replayed(torch.ones(2, 3))
    assert record.recorded == 4


def test_a_failed_recording_leaves_nothing_behind() -> None:
    def refuses(call: Callable[[], R]) -> Recording[R]:
        raise RuntimeError("no memory left on the device")

    replayed = Replayed(pair_of, refuses)
    for _ in range(2):
        replayed(torch.ones(2, 3))

    with pytest.raises(RuntimeError, match="no memory"):
        replayed(torch.ones(2, 3))
    assert replayed.recordings == 0
