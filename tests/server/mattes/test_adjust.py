from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from masklet.matte_settings import MatteSettings
from masklet_server.mattes.adjust import adjust, adjust_all


def disc(
    radius: float, *, centre: tuple[float, float] = (100.0, 80.0), softness: float = 1.0
) -> NDArray[np.float32]:
    """A disc on 200 x 160 pixels with an edge ``softness`` pixels wide."""
    y, x = np.mgrid[0:160, 0:200] + 0.5
    distance = radius - np.hypot(x - centre[0], y - centre[1])
    return np.clip(0.5 + distance / softness, 0, 1).astype(np.float32)


def test_plain_settings_change_nothing() -> None:
    alpha = disc(40, softness=6)

    assert np.array_equal(adjust(alpha, MatteSettings()), alpha)


@pytest.mark.parametrize("grow_px", [0.5, 1.0, 3.3, 12.0, 30.0, -0.5, -3.3, -12.0])
@pytest.mark.parametrize("softness", [1.0, 5.0])
def test_a_matte_grows_by_what_was_asked(grow_px: float, softness: float) -> None:
    grown = adjust(disc(40, softness=softness), MatteSettings(grow_px=grow_px))

    radius = np.sqrt(grown.sum() / np.pi)
    assert radius == pytest.approx(40 + grow_px, abs=0.35)


def test_a_soft_edge_stays_as_soft_when_it_grows() -> None:
    def edge_px(alpha: NDArray[np.float32]) -> int:
        row = alpha[80, 100:]
        return int(((row > 0.1) & (row < 0.9)).sum())

    soft = disc(40, softness=12)

    assert abs(edge_px(adjust(soft, MatteSettings(grow_px=10))) - edge_px(soft)) <= 2


def test_a_matte_at_the_border_does_not_shrink_away_from_it() -> None:
    alpha = np.zeros((60, 80), np.float32)
    alpha[:, :40] = 1.0

    shrunk = adjust(alpha, MatteSettings(grow_px=-5))

    assert np.allclose(shrunk[:, :35], 1.0)
    assert not shrunk[:, 35:].any()


@pytest.mark.parametrize("feather_px", [1.0, 2.5, 7.0, 40.0])
def test_a_feather_reaches_as_far_as_asked_to_both_sides(feather_px: float) -> None:
    alpha = np.zeros((64, 200), np.float32)
    alpha[:, :100] = 1.0

    row = adjust(alpha, MatteSettings(feather_px=feather_px))[32]

    reach = int(np.ceil(feather_px)) + 1
    assert np.allclose(row[: 100 - reach], 1.0, atol=1e-5)
    assert np.allclose(row[100 + reach :], 0.0, atol=1e-5)
    assert 0.4 < row[99:101].mean() < 0.6
    assert ((row > 0.02) & (row < 0.98)).sum() >= feather_px


def test_levels_clip_and_stretch() -> None:
    ramp = np.linspace(0, 1, 101, dtype=np.float32)[None, :]

    levelled = adjust(ramp, MatteSettings(black=0.2, white=0.7))[0]
    denser = adjust(ramp, MatteSettings(gamma=2.0))[0]

    assert levelled[20] == 0
    assert levelled[70] == 1
    assert levelled[45] == pytest.approx(0.5, abs=1e-5)
    assert denser[25] == pytest.approx(0.5, abs=1e-5)


def pierced() -> NDArray[np.float32]:
    """A disc with a hole of some 28 pixels, a larger one of 113, and a speck beside it; soft edges."""
    alpha = disc(50)
    for radius, centre in ((3, (90.0, 80.0)), (6, (115.0, 80.0))):
        alpha = np.minimum(alpha, 1 - disc(radius, centre=centre))
    alpha = np.maximum(alpha, disc(3, centre=(180.0, 20.0)))
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.7), np.float32)


def test_holes_up_to_an_area_are_filled_with_their_soft_rim() -> None:
    filled = adjust(pierced(), MatteSettings(fill_holes_px=60))

    assert (filled[74:87, 84:97] == 1.0).all()
    assert filled[80, 115] < 0.1
    assert filled[20, 180] > 0.9


def test_specks_up_to_an_area_are_dropped_with_their_soft_rim() -> None:
    alpha = pierced()
    dropped = adjust(alpha, MatteSettings(drop_specks_px=60))

    assert not dropped[:40, 165:].any()
    assert np.allclose(dropped[:, :160], alpha[:, :160], atol=1e-6)


def test_what_is_open_to_the_border_is_no_hole() -> None:
    alpha = np.ones((40, 40), np.float32)
    alpha[:5, 10:15] = 0.0

    assert np.array_equal(adjust(alpha, MatteSettings(fill_holes_px=1000)), alpha)


def test_inversion_comes_last() -> None:
    alpha = disc(40)

    inverted = adjust(alpha, MatteSettings(grow_px=5, invert=True))

    assert np.array_equal(inverted, 1 - adjust(alpha, MatteSettings(grow_px=5)))


def test_a_preview_is_the_adjusted_matte_made_small() -> None:
    settings_ = MatteSettings(grow_px=8, feather_px=6)
    small = np.asarray(cv2.resize(disc(40), (100, 80), interpolation=cv2.INTER_AREA), np.float32)

    large = adjust(disc(40), settings_)
    preview = adjust(small, settings_, scale=0.5)

    assert np.abs(cv2.resize(large, (100, 80), interpolation=cv2.INTER_AREA) - preview).max() < 0.2


def test_exclusive_objects_share_pixels_out() -> None:
    left = np.repeat(np.array([[1.0, 1.0, 0.5, 0.9, 0.0]], np.float32), 2, axis=0)
    right = np.repeat(np.array([[0.0, 1.0, 0.5, 0.8, 1.0]], np.float32), 2, axis=0)
    exclusive = MatteSettings(exclusive=True)

    parted = adjust_all({1: left, 2: right}, {1: exclusive, 2: exclusive})
    free = adjust_all({1: left, 2: right}, {1: exclusive})

    assert np.allclose(parted[1][0], [1.0, 1.0, 0.5, 0.9, 0.0])
    assert np.allclose(parted[2][0], [0.0, 0.0, 0.5, 0.1, 1.0])
    assert np.array_equal(free[2], right)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(2, 5))
def test_exclusive_objects_never_cover_more_than_a_pixel(seed: int, count: int) -> None:
    generator = np.random.default_rng(seed)
    alphas = {each: generator.choice([0, 0.3, 0.5, 1.0], (6, 7)).astype(np.float32) for each in range(count)}

    parted = adjust_all(alphas, dict.fromkeys(alphas, MatteSettings(exclusive=True)))

    together = sum(parted.values())
    before = sum(alphas.values())
    assert np.allclose(together, np.minimum(before, 1.0), atol=1e-6)
    assert all((parted[each] <= alphas[each]).all() for each in alphas)


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize(
    "asked",
    [
        MatteSettings(grow_px=20),
        MatteSettings(grow_px=-20),
        MatteSettings(feather_px=500),
        MatteSettings(fill_holes_px=99),
        MatteSettings(drop_specks_px=99),
    ],
)
def test_nothing_and_everything_stay_what_they_are(value: float, asked: MatteSettings) -> None:
    alpha = np.full((30, 40), value, np.float32)

    assert np.allclose(adjust(alpha, asked), alpha, atol=1e-5)
