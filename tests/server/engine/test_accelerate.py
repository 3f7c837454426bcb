from __future__ import annotations

import pytest

from masklet_server.engine.accelerate import EXACT, Layout, fixed_layout
from masklet_server.model.config import EMBEDDED, PRESETS

FIXED = Layout("fixed")


def test_a_full_memory_behind_one_prompt_needs_no_padding() -> None:
    layout = fixed_layout(PRESETS["sam2.1_hiera_tiny"])
    assert layout.maps(7) == 7
    assert layout.pointers(16) == 16
    assert fixed_layout(EMBEDDED).maps(3) == 3


def test_a_shot_with_one_prompted_frame_meets_few_shapes() -> None:
    assert {FIXED.maps(count) for count in range(1, 8)} == {1, 7}
    assert {FIXED.pointers(count) for count in range(20)} == {16, 32}
    assert {FIXED.objects(count) for count in range(1, 17)} == {1, 2, 4, 8, 16}


def test_maps_of_further_prompted_frames_are_not_padded() -> None:
    assert [FIXED.maps(count) for count in (8, 9, 10)] == [8, 9, 10]


def test_exact_sizes_are_left_alone() -> None:
    assert [EXACT.maps(count) for count in range(1, 9)] == list(range(1, 9))
    assert [EXACT.pointers(count) for count in range(9)] == list(range(9))
    assert [EXACT.objects(count) for count in range(1, 9)] == list(range(1, 9))
    assert [EXACT.batches(count) for count in (1, 9, 100)] == [(1,), (9,), (100,)]


@pytest.mark.parametrize("count", range(1, 130))
def test_batches_hold_every_object_once_and_little_padding(count: int) -> None:
    sizes = FIXED.batches(count)

    assert sum(sizes) == count
    assert all(1 <= size <= 16 for size in sizes)
    for size in sizes:
        assert 4 * (FIXED.objects(size) - size) <= FIXED.objects(size)


def test_batches_are_as_few_as_the_padding_allows() -> None:
    found = {count: FIXED.batches(count) for count in (1, 3, 5, 6, 9, 11, 12, 13, 16, 17, 40)}
    assert found == {
        1: (1,),
        3: (3,),
        5: (4, 1),
        6: (6,),
        9: (8, 1),
        11: (8, 3),
        12: (12,),
        13: (13,),
        16: (16,),
        17: (16, 1),
        40: (16, 16, 8),
    }
