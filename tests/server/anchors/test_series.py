import numpy as np
import pytest

from masklet.anchors import Absence
from masklet_server.anchors import series

FRAMES = np.arange(30, dtype=np.float64)


def test_smoothing_keeps_an_accelerated_motion_and_lowers_noise() -> None:
    truth = np.stack([0.3 * FRAMES**2, 5.0 - 2.0 * FRAMES], axis=1)
    seen, faith = np.ones(30, bool), np.ones(30)
    np.testing.assert_allclose(series.smooth(FRAMES, truth, seen, faith, 2.0), truth, atol=1e-8)
    noisy = truth + np.random.default_rng(0).normal(0.0, 1.0, truth.shape)
    after = series.smooth(FRAMES, noisy, seen, faith, 2.0)
    assert np.abs(after - truth).mean() < 0.7 * np.abs(noisy - truth).mean()


def test_smoothing_does_not_reach_across_an_absence() -> None:
    values = np.where(FRAMES < 15, 0.0, 100.0)[:, None]
    seen = np.ones(30, bool)
    seen[13:17] = False
    after = series.smooth(FRAMES, values, seen, np.ones(30), 3.0)
    np.testing.assert_allclose(after, values, atol=1e-6)


@pytest.mark.parametrize("absence", list(Absence))
def test_no_rule_touches_what_was_seen(absence: Absence) -> None:
    values = np.random.default_rng(1).normal(size=(30, 2))
    seen = np.ones(30, bool)
    seen[[0, 1, 9, 10, 11, 29]] = False
    filled = series.fill(FRAMES, values, seen, absence)
    np.testing.assert_array_equal(filled[seen], values[seen])
    assert np.isfinite(filled).all()


def test_a_held_anchor_stays_and_an_extrapolated_one_goes_on_smoothly() -> None:
    values = np.stack([2.0 * FRAMES, 0.0 * FRAMES], axis=1)
    seen = (FRAMES < 10) | (FRAMES >= 16)
    unseen = values.copy()
    unseen[~seen] = 0.0
    held = series.fill(FRAMES, unseen, seen, Absence.HOLD)
    np.testing.assert_array_equal(held[10:16], np.repeat(values[9:10], 6, axis=0))
    gone_on = series.fill(FRAMES, unseen, seen, Absence.EXTRAPOLATE)
    np.testing.assert_allclose(gone_on, values, atol=1e-6)


def test_an_object_that_never_returns_slows_down() -> None:
    values = np.stack([2.0 * FRAMES], axis=1)
    seen = FRAMES < 10
    after = series.fill(FRAMES, values, seen, Absence.EXTRAPOLATE)[:, 0]
    steps = np.diff(after[9:])
    assert 1.0 < steps[0] < 2.0
    assert (np.diff(steps) < 0).all()
    assert after[-1] < 35.0


def test_fading_takes_some_frames_each_way_and_cutting_none() -> None:
    seen = (FRAMES < 10) | (FRAMES >= 20)
    fade = series.weights(FRAMES, seen, Absence.FADE)
    assert fade[9] == 1.0
    assert 0.0 < fade[10] < 1.0
    assert fade[19] == 0.0
    assert 0.0 < fade[20] < 1.0
    assert fade[-1] == 1.0
    cut = series.weights(FRAMES, seen, Absence.CUT)
    np.testing.assert_array_equal(cut, seen.astype(float))
    assert series.weights(FRAMES, seen, Absence.HOLD).min() == 1.0


def test_corrections_are_met_exactly_and_neighbours_follow_without_a_leap() -> None:
    values = np.stack([FRAMES, -FRAMES], axis=1)
    corrections = {10: np.array([15.0, -10.0]), 20: np.array([20.0, -24.0])}
    after = series.correct(FRAMES, values, corrections, 0)
    for row, vector in corrections.items():
        np.testing.assert_array_equal(after[row], vector)
    np.testing.assert_array_equal(after[0], values[0])
    np.testing.assert_allclose(after[-1] - values[-1], [0.0, -4.0])
    assert np.abs(np.diff(after - values, axis=0)).max() < 1.0
