"""What each step does follows from the seed, the step and the progress alone."""

from __future__ import annotations

import dataclasses

import pytest

from masklet_server.training.config import load_config
from masklet_server.training.curriculum import plan_step, rate_share

CONFIG = load_config("embedded")


def test_equal_arguments_give_equal_plans() -> None:
    plans = [plan_step(CONFIG, step=step, progress=0.3) for step in range(50)]

    assert plans == [plan_step(CONFIG, step=step, progress=0.3) for step in range(50)]
    assert len(set(plans)) > 4


def test_shares_of_prompts_are_half_a_quarter_and_a_quarter() -> None:
    for step in range(50):
        plan = plan_step(CONFIG, step=step, progress=0.9)
        if plan.frames > 1:
            assert plan.mask_entries == 2 * plan.click_entries == 2 * plan.box_entries
        else:
            assert plan.mask_entries == 0
            assert plan.click_entries == plan.box_entries


def test_clips_grow_longer_with_progress() -> None:
    early = {plan_step(CONFIG, step=step, progress=0.01).frames for step in range(100)}
    late = {plan_step(CONFIG, step=step, progress=0.99).frames for step in range(100)}

    assert max(early) < 8
    assert late == {1, 8}


def test_steps_of_all_shapes_have_about_as_many_pixels() -> None:
    for step in range(100):
        plan = plan_step(CONFIG, step=step, progress=step / 100)
        megapixels = plan.clips * plan.frames * plan.side_px**2 / 1e6
        assert megapixels <= CONFIG.step_megapixels
        assert megapixels > 0.6 * CONFIG.step_megapixels or plan.clips == CONFIG.most_clips


def test_steps_that_share_clips_share_their_shape() -> None:
    config = dataclasses.replace(CONFIG, clip_uses=2)

    for step in range(0, 60, 2):
        one, other = (plan_step(config, step=step + use, progress=0.5) for use in (0, 1))
        assert (one.clips, one.frames, one.side_px) == (other.clips, other.frames, other.side_px)


def test_corrected_frames_lie_between_the_first_and_the_last() -> None:
    plans = [plan_step(CONFIG, step=step, progress=0.9) for step in range(200)]
    corrected = [plan for plan in plans if plan.corrected_frame is not None]

    assert corrected
    assert all(0 < (plan.corrected_frame or 0) < plan.frames - 1 for plan in corrected)
    assert all(plan.later_corrections > 0 for plan in corrected)


def test_rate_rises_with_the_steps_and_falls_with_progress() -> None:
    warm_up = CONFIG.optimiser.warm_up_steps

    assert rate_share(CONFIG.optimiser, step=0, progress=0.0) == pytest.approx(1 / warm_up)
    assert rate_share(CONFIG.optimiser, step=warm_up, progress=0.0) == pytest.approx(1.0)
    assert rate_share(CONFIG.optimiser, step=10**6, progress=0.5) == pytest.approx(0.505)
    assert rate_share(CONFIG.optimiser, step=10**6, progress=1.0) == pytest.approx(0.01)


def test_memory_may_be_read_as_tracking_reads_it() -> None:
    network = dataclasses.replace(CONFIG.network, memory_frames=4, recent_maps=2, recent_step=2)
    config = dataclasses.replace(CONFIG, network=network, memory_as_tracked=True)

    assert {plan_step(config, step=step, progress=0.9).recent_ages for step in range(20)} == {(1, 3)}


def test_otherwise_the_last_few_maps_are_read_sometimes_fewer_than_there_are_slots() -> None:
    ages = {plan_step(CONFIG, step=step, progress=0.9).recent_ages for step in range(100)}

    assert ages == {(1,), (1, 2), (1, 2, 3)}
