from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.errors import BadInputError
from masklet.types import ClipInfo, Direction, FrameRange
from masklet_server.sessions.plan import Ground, Plan, Step, TrackOrder, affected_frames, plan_track

CLIP = ClipInfo("clip", 64, 48, 1, 10)
BOTH, FORWARD, BACKWARD = Direction.BOTH, Direction.FORWARD, Direction.BACKWARD


def sweep(plan: Plan, object_id: int, *, backward: bool) -> list[int]:
    steps = [step for step in plan.steps if object_id in step.object_ids and step.backward == backward]
    return [step.frame for step in steps]


@pytest.mark.parametrize(
    ("direction", "ahead", "behind"),
    [
        (BOTH, [4, 5, 8, 9, 10], [6, 2, 1]),
        (FORWARD, [4, 5, 6, 8, 9, 10], []),
        (BACKWARD, [], [6, 5, 4, 2, 1]),
    ],
)
def test_two_prompts_share_the_frames_between_them(
    direction: Direction, ahead: list[int], behind: list[int]
) -> None:
    plan = plan_track({1: Ground([7, 3])}, CLIP, direction=direction)

    assert sweep(plan, 1, backward=False) == ahead
    assert sweep(plan, 1, backward=True) == behind
    assert [step.frame for step in plan.prompted] == [3, 7]


def test_the_papers_order_goes_from_the_first_prompt_to_the_end_and_back() -> None:
    plan = plan_track({1: Ground([7, 3])}, CLIP, order=TrackOrder.FIRST_PROMPT)

    assert sweep(plan, 1, backward=False) == [4, 5, 6, 8, 9, 10]
    assert sweep(plan, 1, backward=True) == [2, 1]


def test_objects_that_need_a_frame_in_the_same_direction_share_a_step() -> None:
    plan = plan_track({1: Ground([1]), 2: Ground([5])}, CLIP, frames=FrameRange(4, 7))

    assert plan.steps == (
        Step(2, (1,), backward=False),
        Step(3, (1,), backward=False),
        Step(4, (1,), backward=False),
        Step(5, (1,), backward=False),
        Step(6, (1, 2), backward=False),
        Step(7, (1, 2), backward=False),
        Step(4, (2,), backward=True),
    )
    assert plan.updates == 8


def test_a_range_is_entered_where_results_end() -> None:
    entered = plan_track({1: Ground([1], forward=[2, 3, 4])}, CLIP, frames=FrameRange(6, 7))
    beside = plan_track({1: Ground([1], forward=[2, 3, 4, 5])}, CLIP, frames=FrameRange(6, 7))
    gap = plan_track({1: Ground([1], forward=[2, 4, 5])}, CLIP, frames=FrameRange(6, 7))
    other_way = plan_track({1: Ground([1], backward=[2, 3, 4, 5])}, CLIP, frames=FrameRange(6, 7))

    assert sweep(entered, 1, backward=False) == [5, 6, 7]
    assert sweep(beside, 1, backward=False) == [6, 7]
    assert sweep(gap, 1, backward=False) == [3, 6, 7]
    assert sweep(other_way, 1, backward=False) == [2, 3, 4, 5, 6, 7]


def test_a_range_behind_the_prompt_gives_nothing_to_a_forward_track() -> None:
    plan = plan_track({1: Ground([8])}, CLIP, frames=FrameRange(1, 4), direction=FORWARD)

    assert plan.steps == ()
    assert plan.updates == 0


@pytest.mark.parametrize("frames", [FrameRange(0, 3), FrameRange(5, 11)])
def test_a_range_outside_the_clip_is_refused(frames: FrameRange) -> None:
    with pytest.raises(BadInputError, match="which has 1-10"):
        plan_track({1: Ground([3])}, CLIP, frames=frames)


@given(
    prompts=st.dictionaries(
        st.integers(1, 4), st.sets(st.integers(-5, 20), min_size=1, max_size=5), min_size=1
    ),
    missing=st.sets(st.integers(-4, 19)),
    ends=st.tuples(st.integers(-5, 20), st.integers(-5, 20)),
    order=st.sampled_from(TrackOrder),
)
def test_both_ways_every_frame_of_the_range_comes_once_and_from_its_neighbour(
    prompts: dict[int, set[int]], missing: set[int], ends: tuple[int, int], order: TrackOrder
) -> None:
    gone = missing - set().union(*prompts.values())
    clip = ClipInfo("clip", 64, 48, -5, 20, missing_frames=tuple(sorted(gone)))
    wanted = FrameRange(min(ends), max(ends))

    plan = plan_track({key: Ground(own) for key, own in prompts.items()}, clip, frames=wanted, order=order)

    there = [frame for frame in range(wanted.first, wanted.last + 1) if frame not in gone]
    for object_id, own in prompts.items():
        ahead, behind = sweep(plan, object_id, backward=False), sweep(plan, object_id, backward=True)
        tracked = [frame for frame in (*ahead, *behind) if frame in wanted]
        assert sorted([*tracked, *(own & set(there))]) == there
        reached = set(own)
        for frames, way in ((ahead, -1), (behind, 1)):
            for frame in frames:
                before = frame + way
                while before in gone:
                    before += way
                assert before in reached
                reached.add(frame)
    assert plan.missing_frames == tuple(sorted(frame for frame in gone if frame in wanted))


def test_locked_frames_stay_and_tracking_goes_on_over_them() -> None:
    plan = plan_track({1: Ground([1], held=[4, 5])}, CLIP)

    assert sweep(plan, 1, backward=False) == [2, 3, 6, 7, 8, 9, 10]
    assert sweep(plan, 1, backward=True) == []


def test_nothing_is_planned_across_a_cut_and_each_shot_starts_from_its_own_prompts() -> None:
    plan = plan_track({1: Ground([2, 9])}, CLIP, cuts=(4, 7))

    assert sweep(plan, 1, backward=False) == [3, 10]
    assert sweep(plan, 1, backward=True) == [8, 7, 1]


def test_a_prompt_on_the_first_frame_of_a_shot_goes_on_in_its_shot_only() -> None:
    plan = plan_track({1: Ground([4])}, CLIP, cuts=(4,))

    assert sweep(plan, 1, backward=False) == [5, 6, 7, 8, 9, 10]
    assert sweep(plan, 1, backward=True) == []


def test_only_wanted_frames_are_planned_with_the_unknown_ones_on_the_way() -> None:
    ground = Ground([1], forward=[2, 3, 4])

    plan = plan_track({1: ground}, CLIP, only={1: {7, 8}})

    assert sweep(plan, 1, backward=False) == [5, 6, 7, 8]
    assert plan.prompted == ()


@pytest.mark.parametrize(("prompted", "reached"), [([5], range(1, 11)), ([2, 5, 9], range(3, 9))])
def test_a_correction_reaches_as_far_as_the_next_prompts(prompted: list[int], reached: range) -> None:
    assert affected_frames(5, prompted, CLIP, TrackOrder.NEAREST) == reached


def test_in_the_papers_order_a_correction_reaches_everything() -> None:
    assert affected_frames(5, [2, 5, 9], CLIP, TrackOrder.FIRST_PROMPT) == range(1, 11)
