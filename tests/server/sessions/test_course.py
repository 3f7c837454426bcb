from __future__ import annotations

from itertools import pairwise

from masklet.types import ClipInfo, Direction
from masklet_server.sessions.course import NEAR_FRAMES, Course
from masklet_server.sessions.plan import Ground, Plan, Step, TrackOrder, plan_track

CLIP = ClipInfo("shot.####.exr", 64, 48, 1, 400)


def gone_through(plan: Plan, looked_at: int | None) -> list[Step]:
    course, steps = Course(plan), []
    while course.left:
        steps.append(course.next(looked_at))
    return steps


def test_nobody_looks_and_the_sweeps_come_one_after_the_other() -> None:
    plan = plan_track({1: Ground((100, 300)), 2: Ground((200,))}, CLIP)

    assert gone_through(plan, None) == list(plan.steps)


def test_what_is_looked_at_comes_first() -> None:
    plan = plan_track({1: Ground((10, 300))}, CLIP)

    steps = gone_through(plan, 310)

    assert [step.frame for step in steps[:10]] == list(range(301, 311))


def test_both_sides_of_what_is_looked_at_come_before_the_rest() -> None:
    plan = plan_track({1: Ground((200,))}, CLIP)

    first = [step.frame for step in gone_through(plan, 200)[: 2 * NEAR_FRAMES]]

    assert set(first) == {*range(200 - NEAR_FRAMES + 1, 200), *range(201, 200 + NEAR_FRAMES)} | set(first)
    assert min(first) <= 200 - NEAR_FRAMES + 1
    assert max(first) >= 200 + NEAR_FRAMES - 1


def test_a_run_keeps_its_order_wherever_somebody_looks() -> None:
    plan = plan_track({1: Ground((100, 300)), 2: Ground((120,)), 3: Ground((399,))}, CLIP)
    for looked_at in (1, 110, 250, 400):
        steps = gone_through(plan, looked_at)
        assert sorted(map(repr, steps)) == sorted(map(repr, plan.steps))
        for run in plan.runs:
            places = [steps.index(step) for step in run]
            assert all(one < other for one, other in pairwise(places))


def test_runs_are_apart_only_where_no_leg_goes_on() -> None:
    plan = plan_track({1: Ground((10, 300)), 2: Ground((150,))}, CLIP, direction=Direction.FORWARD)

    assert [(run[0].frame, run[-1].frame) for run in plan.runs] == [(11, 400)]

    alone = plan_track({1: Ground((10, 300))}, CLIP, direction=Direction.FORWARD)

    assert [(run[0].frame, run[-1].frame) for run in alone.runs] == [(11, 299), (301, 400)]


def test_the_published_order_is_one_run() -> None:
    plan = plan_track({1: Ground((100, 300))}, CLIP, order=TrackOrder.FIRST_PROMPT)

    assert len(plan.runs) == 1
    assert gone_through(plan, 50) == list(plan.steps)


def test_the_way_to_what_is_looked_at_is_watched_and_what_lies_behind_is_not() -> None:
    course = Course(plan_track({1: Ground((10,))}, CLIP))
    watched = []
    while course.left:
        step = course.next(200)
        if course.is_watched(step, 200):
            watched.append(step.frame)

    assert watched == list(range(11, 200 + NEAR_FRAMES + 1))


def test_who_looks_elsewhere_is_followed_at_once() -> None:
    course = Course(plan_track({1: Ground((10, 300))}, CLIP))
    before = [course.next(20).frame for _ in range(5)]
    after = [course.next(290).frame for _ in range(10)]

    assert before == [11, 12, 13, 14, 15]
    assert after == list(range(299, 289, -1))
