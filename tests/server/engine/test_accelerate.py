from __future__ import annotations

from masklet_server.engine.accelerate import EXACT, FIXED


def test_a_full_memory_behind_one_prompt_needs_no_padding() -> None:
    assert FIXED.maps(7) == 7
    assert FIXED.pointers(16) == 16


def test_a_shot_meets_few_shapes() -> None:
    assert {FIXED.maps(count) for count in range(1, 11)} == {1, 4, 7, 10}
    assert {FIXED.pointers(count) for count in range(20)} == {16, 32}
    assert {FIXED.objects(count) for count in range(1, 17)} == {1, 2, 4, 8, 16}


def test_exact_sizes_are_left_alone() -> None:
    assert [EXACT.maps(count) for count in range(1, 9)] == list(range(1, 9))
    assert [EXACT.pointers(count) for count in range(9)] == list(range(9))
    assert [EXACT.objects(count) for count in range(1, 9)] == list(range(1, 9))
