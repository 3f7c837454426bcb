"""Every rule hits its keys, keeps what is straight, and is what its tool was measured to draw."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from masklet.interpolation import (
    Interpolation,
    after_effects_eased,
    nuke_slopes,
    timed_bezier,
    value_at,
    weights,
)

_RULES = st.sampled_from(Interpolation)
_TIMES = st.lists(st.integers(-50, 200), min_size=1, max_size=8, unique=True).map(sorted)
_NUMBERS = st.floats(-4000, 4000, allow_nan=False, width=32)


@given(_RULES, _TIMES, st.data())
def test_keys_are_hit_exactly_and_the_ends_hold(
    rule: Interpolation, times: list[int], data: st.DataObject
) -> None:
    values = data.draw(st.lists(_NUMBERS, min_size=len(times), max_size=len(times)))

    assert [value_at(times, values, time, rule) for time in times] == values
    assert value_at(times, values, times[0] - 3.5, rule) == values[0]
    assert value_at(times, values, times[-1] + 9, rule) == values[-1]


@given(_RULES, _TIMES, _NUMBERS, st.floats(-40, 40), st.floats(0, 1))
def test_what_moves_straight_stays_straight_under_every_rule(
    rule: Interpolation, times: list[int], start: float, speed: float, share: float
) -> None:
    time = times[0] + share * (times[-1] - times[0])
    values = [start + speed * at for at in times]

    assert value_at(times, values, time, rule) == pytest.approx(start + speed * time, abs=1e-6)


@given(_RULES, _TIMES, st.floats(-60, 210))
def test_the_weights_sum_to_one_so_that_what_stands_still_stands_still(
    rule: Interpolation, times: list[int], time: float
) -> None:
    assert sum(weights(times, time, rule).values()) == pytest.approx(1.0)


def test_nukes_slopes_are_the_ones_that_were_derived_from_its_values() -> None:
    """Hermite; inside (v[i+1] - v[i-1]) / (t[i+1] - t[i-1]); at an end half of three chords less the next."""
    times, values = [1, 4, 6, 11], [10.0, 40.0, 20.0, 25.0]

    inside = [(20.0 - 10.0) / 5, (25.0 - 40.0) / 7]
    wanted = [(3 * 10.0 - inside[0]) / 2, *inside, (3 * 1.0 - inside[1]) / 2]

    assert nuke_slopes(times, values) == pytest.approx(wanted)


@given(_TIMES, st.data())
def test_nukes_curve_has_these_slopes_on_both_sides_of_a_key(times: list[int], data: st.DataObject) -> None:
    assume(len(times) > 1)
    values = data.draw(st.lists(_NUMBERS, min_size=len(times), max_size=len(times)))
    index = data.draw(st.integers(0, len(times) - 1))
    step = 1e-4

    for side in (-step, step):
        if times[0] <= times[index] + side <= times[-1]:
            near = value_at(times, values, times[index] + side, Interpolation.NUKE_SMOOTH)
            assert (near - values[index]) / side == pytest.approx(nuke_slopes(times, values)[index], abs=2.0)


def test_nukes_curve_leaves_the_straight_way_where_the_motion_bends() -> None:
    values = [0.0, 16.0, 0.0]

    assert value_at([0, 8, 16], values, 4, Interpolation.LINEAR) == 8.0
    assert value_at([0, 8, 16], values, 4, Interpolation.NUKE_SMOOTH) == pytest.approx(11.0)


@given(_NUMBERS, _NUMBERS, st.floats(0.1, 90), st.floats(0, 1))
def test_fusions_handles_a_third_of_the_way_along_the_chord_are_straight(
    start: float, end: float, length: float, share: float
) -> None:
    third = (end - start) / 3
    handles = ((length / 3, start + third), (2 * length / 3, end - third))

    found = timed_bezier((0, start), *handles, (length, end), share * length)

    assert found == pytest.approx(start + share * (end - start), abs=1e-3)


@given(_NUMBERS, _NUMBERS, st.floats(0.1, 100), st.floats(0.1, 100))
def test_an_ease_of_after_effects_hits_both_keys(
    start: float, end: float, first_influence: float, second_influence: float
) -> None:
    eases = ((0.0, first_influence), (0.0, second_influence))

    assert after_effects_eased((5, start), *eases, (9, end), 5) == start
    assert after_effects_eased((5, start), *eases, (9, end), 9) == end
    # Nothing leaves the two values where both speeds are 0.
    middle = after_effects_eased((5, start), *eases, (9, end), 7.3)
    assert min(start, end) - 1e-6 <= middle <= max(start, end) + 1e-6


def test_an_ease_of_after_effects_at_the_chords_speed_is_straight() -> None:
    eases = ((2.5, 33.0), (2.5, 33.0))

    assert after_effects_eased((0, 10), *eases, (4, 20), 1) == pytest.approx(12.5)
