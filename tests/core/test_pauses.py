"""A server that went away is tried again for a while, which its user may set."""

from __future__ import annotations

import itertools

import pytest

from masklet.errors import BadInputError
from masklet.transport.pauses import PATIENCE_S, pauses, read_patience_s


@pytest.mark.parametrize(("patience_s", "count"), [(0.0, 0), (0.5, 1), (2.0, 3), (4.0, 4), (PATIENCE_S, 23)])
def test_all_pauses_together_take_no_longer_than_the_patience(patience_s: float, count: int) -> None:
    found = list(itertools.islice(pauses(patience_s), 100))

    assert len(found) == count
    assert sum(found) <= patience_s
    assert found == sorted(found)


def test_the_environment_says_how_long() -> None:
    assert read_patience_s({}) == read_patience_s({"MASKLET_PATIENCE_S": " "}) == PATIENCE_S
    assert read_patience_s({"MASKLET_PATIENCE_S": "7.5"}) == 7.5


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf"])
def test_what_is_no_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadInputError, match=r"MASKLET_PATIENCE_S is .*: write seconds"):
        read_patience_s({"MASKLET_PATIENCE_S": text})
