from __future__ import annotations

import time

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from masklet_server.mattes.alpha import EdgeSettings, render_alpha, render_inside, render_preview

GRID = 128
CENTRE = (60.0, 66.0)


def disc(
    radius: float, *, steepness: float = 2.0, centre: tuple[float, float] = CENTRE
) -> NDArray[np.float16]:
    """Logits of a disc on the network's grid, growing by ``steepness`` per cell."""
    y, x = np.mgrid[0:GRID, 0:GRID] + 0.5
    return ((radius - np.hypot(x - centre[0], y - centre[1])) * steepness).astype(np.float16)


def true_disc(
    radius: float, width_px: int, height_px: int, centre: tuple[float, float] = CENTRE
) -> NDArray[np.float32]:
    """Its exact coverage, from sixteen samples a pixel."""
    y, x = (np.mgrid[0 : 4 * height_px, 0 : 4 * width_px] + 0.5) / 4
    inside = np.hypot(x * GRID / width_px - centre[0], y * GRID / height_px - centre[1]) < radius
    return cv2.resize(inside.astype(np.float32), (width_px, height_px), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("steepness", [0.8, 2.0, 8.0])
def test_an_edge_is_where_the_logits_are_zero_and_as_wide_as_asked(steepness: float) -> None:
    alpha = render_alpha(disc(30, steepness=steepness), 960, 540, edge=EdgeSettings(width_px=2.0))
    exact = true_disc(30, 960, 540)

    # The disc is an ellipse of some 850 edge pixels among half a million.
    assert alpha.sum() == pytest.approx(exact.sum(), rel=2e-3)
    assert np.abs(alpha - exact).mean() < 4e-3
    row = alpha[round(66 / GRID * 540)]
    assert ((row > 0.1) & (row < 0.9)).sum() == pytest.approx(2 * 2, abs=2)


def test_the_same_logits_give_the_same_matte_wherever_they_lie_in_memory() -> None:
    logits = np.random.default_rng(0).normal(0, 4, (61, 61)).astype(np.float32)
    mattes, between = [], []
    for number in range(64):
        # Blocks in the way move what is computed next to other addresses.
        sizes = [logits.nbytes - 16 * (number % 5) + 64 * each for each in range(3)]
        between.append([np.empty(size, np.uint8) for size in sizes])
        mattes.append(render_alpha(logits, 61, 61))

    assert {matte.tobytes() for matte in mattes} == {mattes[0].tobytes()}


def test_black_is_black_and_white_is_white() -> None:
    alpha = render_alpha(disc(30), 640, 360)

    assert alpha.dtype == np.float32
    assert (alpha[:40] == 0.0).all()
    assert (alpha[170:200, 280:320] == 1.0).all()


def test_coverage_has_more_steps_than_eight_bits_hold() -> None:
    alpha = render_alpha(disc(30, steepness=0.2), 1280, 720, edge=EdgeSettings(width_px=40))

    assert len(np.unique(alpha[(alpha > 0.2) & (alpha < 0.3)])) > 2000


def test_a_wide_ramp_of_an_unsure_network_stays_a_ramp() -> None:
    soft = render_alpha(disc(30, steepness=0.02), 640, 360)
    crisp = render_alpha(disc(30, steepness=2.0), 640, 360)

    def unsure(alpha: NDArray[np.float32]) -> int:
        return int(((alpha > 0.1) & (alpha < 0.9)).sum())

    assert unsure(soft) > 4 * unsure(crisp)


@pytest.mark.parametrize("value", [-1024.0, -30.0])
def test_an_absent_object_covers_nothing(value: float) -> None:
    logits = np.full((64, 64), value, np.float16)

    assert not render_alpha(logits, 320, 180).any()
    assert not render_preview(logits, 320, 180).any()


def test_an_object_that_fills_the_frame_covers_all_of_it() -> None:
    assert (render_alpha(np.full((64, 64), 12.0, np.float16), 320, 180) == 1.0).all()


def test_an_object_cut_by_the_border_stays_straight_there() -> None:
    logits = np.full((64, 64), -9.0, np.float16)
    logits[:, :20] = 9.0
    alpha = render_alpha(logits, 640, 360)

    assert np.allclose(alpha, alpha[180], atol=1e-4)


def test_logits_that_are_not_numbers_cover_nothing() -> None:
    logits = disc(30)
    logits[:8] = np.nan

    alpha = render_alpha(logits, 320, 180)

    assert np.isfinite(alpha).all()
    assert not alpha[:15].any()


def test_the_preview_is_the_matte_in_eight_bits() -> None:
    logits = disc(30, steepness=1.0)

    alpha, preview = render_alpha(logits, 640, 360), render_preview(logits, 640, 360)

    assert preview.dtype == np.uint8
    assert np.abs(alpha * 255 - preview).max() < 3
    assert (preview.min(), preview.max()) == (0, 255)


@pytest.mark.parametrize("size", [(256, 144), (640, 360), (37, 91)])
def test_what_is_inside_is_what_the_matte_covers_by_half(size: tuple[int, int]) -> None:
    logits = disc(20.3)
    logits[3, 5] = np.nan

    inside, alpha = render_inside(logits, *size), render_alpha(logits, *size)

    assert set(np.unique(inside)) == {0, 255}
    # A pixel that is covered by half to the last bit may be either.
    assert ((inside == 255) == (alpha >= 0.5))[abs(alpha - 0.5) > 1e-4].all()


def test_a_preview_of_full_hd_is_ready_between_two_frames() -> None:
    logits = disc(30)
    render_preview(logits, 1920, 1080)
    taken_s = []
    for _ in range(12):
        started = time.perf_counter()
        render_preview(logits, 1920, 1080)
        taken_s.append(time.perf_counter() - started)

    # 4 ms on an idle core; the rest is for machines that are not idle.
    assert min(taken_s) < 0.04
