from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet_server.engine.recall import Leg, Reach, neighbours, pointers_in_clip, recall

OFFICIAL = Reach(maps=7, pointers=16)


def test_only_the_prompted_frame_is_read_next_to_it() -> None:
    read = recall(1, {0}, (), OFFICIAL, backward=False)

    assert read.maps == ((0, 6),)
    assert read.pointers == ((0, 1),)


def test_six_tracked_frames_join_the_prompted_one_newest_in_slot_zero() -> None:
    read = recall(20, {0}, range(1, 20), OFFICIAL, backward=False)

    assert read.maps == ((0, 6), (14, 5), (15, 4), (16, 3), (17, 2), (18, 1), (19, 0))


def test_fifteen_pointers_of_tracked_frames_join_that_of_the_prompted_one() -> None:
    read = recall(20, {0}, range(1, 20), OFFICIAL, backward=False)

    assert read.pointers == ((0, 20), *((20 - age, age) for age in range(1, 16)))


def test_backward_is_the_mirror_image_of_forward() -> None:
    forward = recall(20, {0, 30}, range(1, 20), OFFICIAL, backward=False)
    backward = recall(-20, {0, -30}, range(-19, 0), OFFICIAL, backward=True)

    assert {(-frame, slot) for frame, slot in backward.maps} == set(forward.maps)
    assert {(-frame, age) for frame, age in backward.pointers} == set(forward.pointers)


def test_a_prompted_frame_ahead_gives_its_map_but_not_its_pointer() -> None:
    read = recall(5, {0, 9}, range(1, 5), OFFICIAL, backward=False)

    assert (9, 6) in read.maps
    assert [frame for frame, _ in read.pointers if frame > 5] == []


def test_frames_that_were_not_tracked_are_left_out() -> None:
    read = recall(10, {0}, (4, 9), OFFICIAL, backward=False)

    assert read.maps == ((0, 6), (4, 5), (9, 0))
    assert read.pointers == ((0, 10), (9, 1), (4, 6))


def test_a_prompted_frame_counts_once_even_where_it_was_tracked_too() -> None:
    read = recall(3, {0, 2}, (0, 1, 2), OFFICIAL, backward=False)

    assert read.maps == ((0, 6), (2, 6), (1, 1))
    assert read.pointers == ((0, 3), (2, 1), (1, 2))


def test_all_prompted_frames_are_read_where_no_limit_is_set() -> None:
    prompted = set(range(0, 100, 10))

    read = recall(55, prompted, (), OFFICIAL, backward=False)

    assert {frame for frame, _ in read.maps} == prompted


def test_neighbours_are_the_nearest_on_either_side() -> None:
    assert neighbours(55, set(range(0, 100, 10))) == (50, 60)
    assert neighbours(95, {10, 90}) == (90,)
    assert neighbours(10, {10, 90}) == (90,)
    assert neighbours(10, ()) == ()


@given(
    st.integers(0, 30),
    st.sets(st.integers(0, 30)),
    st.sets(st.integers(0, 30)),
    st.booleans(),
    st.none() | st.integers(0, 30),
)
def test_a_leg_is_what_is_known_between_its_prompt_and_its_frame(
    frame: int, prompted: set[int], known: set[int], backward: bool, since: int | None
) -> None:
    behind = [prompt for prompt in prompted if (prompt > frame) == backward and prompt != frame]
    source = min(behind, key=lambda prompt: abs(prompt - frame), default=None)

    leg = Leg(frame, source, backward, since, known.__contains__)

    def on_the_way(other: int) -> bool:
        end = (31 if backward else -1) if source is None else source
        first, last = min(frame, end), max(frame, end)
        in_shot = since is None or (other <= since if backward else other >= since)
        return first < other < last and in_shot

    assert [other for other in range(31) if other in leg] == sorted(filter(on_the_way, known))


@pytest.mark.parametrize(("length_frames", "pointers"), [(1, 1), (12, 12), (16, 16), (5000, 16), (None, 16)])
def test_pointers_are_limited_by_short_clips_only(length_frames: int | None, pointers: int) -> None:
    assert pointers_in_clip(16, length_frames) == pointers


def test_ages_in_a_single_picture_have_a_unit() -> None:
    assert Reach(maps=7, pointers=1).pointer_unit_frames == 1.0
    assert Reach(maps=7, pointers=12).pointer_unit_frames == 11.0


def test_fewer_recent_maps_with_gaps_between_them_take_the_slots_of_the_nearest() -> None:
    reach = Reach(maps=4, pointers=16, recent=2, recent_step=2)

    forward = recall(10, {0}, range(1, 10), reach, backward=False)
    backward = recall(10, {20}, range(11, 20), reach, backward=True)

    assert forward.maps == ((0, 3), (7, 1), (9, 0))
    assert backward.maps == ((20, 3), (13, 1), (11, 0))
    assert len(forward.pointers) == 10
    assert reach.map_frames == 3


def test_maps_without_the_object_give_way_to_the_newest_that_shows_it() -> None:
    reach = Reach(maps=4, pointers=16, recent=2, recent_step=2, lookback_frames=8)

    read = recall(20, {0}, range(1, 20), reach, backward=False, shows=lambda frame: frame < 16)
    official = recall(20, {0}, range(1, 20), reach, backward=False)

    # Both places fall on frame 15, which is read once.
    assert read.maps == ((0, 3), (15, 0))
    assert official.maps == ((0, 3), (17, 1), (19, 0))
    assert read.pointers == official.pointers
    assert reach.map_frames == 11


def test_the_look_back_ends_where_it_is_said_to_and_works_both_ways() -> None:
    reach = Reach(maps=4, pointers=16, recent=2, recent_step=2, lookback_frames=4)

    long_gone = recall(20, {0}, range(1, 20), reach, backward=False, shows=lambda frame: frame < 10)
    backward = recall(10, {30}, range(11, 30), reach, backward=True, shows=lambda frame: frame > 12)

    assert long_gone.maps == ((0, 3),)
    assert backward.maps == ((30, 3), (13, 0))
