from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from masklet_server.mattes.row_blocks import by_rows, each_of

Plane = NDArray[np.float32]


def blend(first: Plane, second: Plane) -> tuple[Plane, Plane]:
    return first * second + first, np.exp(-second)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 700), st.integers(1, 300), st.integers(0, 9))
def test_rows_a_few_at_a_time_give_the_same_bits_as_all_at_once(height: int, width: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = random.random((2, height, width), np.float32)
    whole = blend(first, second)
    for made, wanted in zip(by_rows(blend, first, second, makes=2), whole, strict=True):
        assert made.tobytes() == wanted.tobytes()


def test_order_is_kept_and_an_error_is_the_callers() -> None:
    assert each_of(lambda number: number * number, range(40)) == [number * number for number in range(40)]
    with pytest.raises(ZeroDivisionError):
        each_of(lambda number: 1 // number, [1, 0])
