"""Widths of edges, and bands that follow them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from masklet_server.mattes.refine import RefineSettings, refine_alpha
from masklet_server.mattes.softness import edge_width

Plane = NDArray[np.float32]
WIDTH_PX, HEIGHT_PX, CELL_PX = 640, 400, 8.0
REACH_PX = 40.0


def blob(*, smear_px: int = 0) -> Plane:
    """True alpha of a rounded square of 260 by 220 pixels, smeared along x."""
    alpha = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    cv2.rectangle(alpha, (190, 90), (449, 309), 1.0, -1)
    alpha = np.asarray(cv2.GaussianBlur(alpha, (0, 0), 0.8), np.float32)
    return np.asarray(cv2.blur(alpha, (smear_px, 1)), np.float32) if smear_px else alpha


def light_of(alpha: Plane, *, ground: float = 1.0) -> tuple[Plane, Plane, Plane]:
    """Linear light of a reddish object on a bluish ground so many times as bright, with patches and grain."""
    generator = np.random.default_rng(5)

    def textured(base: float) -> Plane:
        coarse = generator.normal(base, 0.03, (HEIGHT_PX // 25, WIDTH_PX // 25)).astype(np.float32)
        return np.asarray(
            cv2.resize(coarse, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC), np.float32
        )

    def channel(of_object: float, of_ground: float) -> Plane:
        mixed = alpha * textured(of_object) + (1 - alpha) * ground * textured(of_ground)
        return np.clip(mixed + generator.normal(0, 0.01, alpha.shape), 0.0, 1.0).astype(np.float32)

    return channel(0.55, 0.15), channel(0.25, 0.25), channel(0.10, 0.35)


def picture_of(light: tuple[Plane, Plane, Plane]) -> NDArray[np.uint8]:
    return np.rint(255 * np.power(np.stack(light, axis=-1), 1 / 2.2)).astype(np.uint8)


@pytest.mark.parametrize("smear_px", [25, 35])
def test_the_width_of_motion_blur_is_measured_across_the_motion_and_not_along_it(smear_px: int) -> None:
    alpha = blob(smear_px=smear_px)

    width_px = edge_width((alpha > 0.5).astype(np.float32), light_of(alpha), reach_px=REACH_PX)

    across = [width_px[200, 190], width_px[200, 449]]
    along = [width_px[90, 320], width_px[309, 320]]
    assert across == pytest.approx([smear_px, smear_px], rel=0.3)
    assert along == [0.0, 0.0]


def test_an_outline_that_is_off_does_not_make_an_edge_wide_or_sharp() -> None:
    off = np.roll(blob(), 6, axis=1)
    assert edge_width(off, light_of(blob()), reach_px=REACH_PX).max() == 0

    off = np.roll(blob(), 6, axis=1)
    width_px = edge_width(off, light_of(blob(smear_px=31)), reach_px=REACH_PX)
    assert width_px[200, 196] == pytest.approx(31, rel=0.3)


def test_where_the_plate_shows_no_edge_hardly_anything_is_measured() -> None:
    ground = light_of(np.zeros((HEIGHT_PX, WIDTH_PX), np.float32))

    width_px = edge_width(blob(), ground, reach_px=REACH_PX)

    rim = cv2.morphologyEx((blob() > 0.5).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    assert (width_px[rim] > 0).mean() < 0.15


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_without_an_outline_there_is_no_width(value: float) -> None:
    alpha = np.full((60, 80), value, np.float32)

    assert edge_width(alpha, (alpha, alpha, alpha), reach_px=10.0).max() == 0


def test_motion_blur_wider_than_the_band_becomes_a_ramp_as_wide() -> None:
    truth = blob(smear_px=41)
    network = (cv2.GaussianBlur((truth >= 0.5).astype(np.float32), (0, 0), 2.0)).astype(np.float32)
    picture = picture_of(light_of(truth))

    def error(settings: RefineSettings) -> float:
        return float(np.abs(refine_alpha(network, picture, cell_px=CELL_PX, settings=settings) - truth).sum())

    followed = error(RefineSettings(blur_reach=0.05))
    assert followed < 0.6 * error(RefineSettings(blur_reach=0.0))
    assert followed < 0.35 * float(np.abs(network - truth).sum())


def test_motion_blur_about_as_wide_as_half_the_band_becomes_a_ramp_too() -> None:
    truth = blob(smear_px=13)
    network = (cv2.GaussianBlur((truth >= 0.5).astype(np.float32), (0, 0), 2.0)).astype(np.float32)
    picture = picture_of(light_of(truth))

    followed, not_followed = (
        float(np.abs(refine_alpha(network, picture, cell_px=CELL_PX, settings=settings) - truth).sum())
        for settings in (RefineSettings(blur_reach=0.05), RefineSettings(blur_reach=0.0))
    )

    assert followed < 0.72 * not_followed


def test_the_outline_of_motion_blur_is_where_light_is_half_way_and_not_its_codes() -> None:
    truth = blob(smear_px=41)
    network = (cv2.GaussianBlur((truth >= 0.5).astype(np.float32), (0, 0), 2.0)).astype(np.float32)
    # Against a ground this bright half-way between the codes is at three fifths of coverage.
    picture = picture_of(light_of(truth, ground=2.5))

    refined = refine_alpha(network, picture, cell_px=CELL_PX, settings=RefineSettings(blur_reach=0.05))

    sides = slice(130, 270)
    covered_px = (refined[sides] > 0.5).sum(axis=1) - (truth[sides] > 0.5).sum(axis=1)
    assert abs(covered_px.mean()) < 2.0


def test_looking_for_blur_changes_nothing_about_a_sharp_edge() -> None:
    truth = blob()
    network = np.asarray(cv2.GaussianBlur(truth, (0, 0), 2.0), np.float32)
    picture = picture_of(light_of(truth))

    looked, not_looked = (
        refine_alpha(network, picture, cell_px=CELL_PX, settings=RefineSettings(blur_reach=reach))
        for reach in (0.05, 0.0)
    )

    assert np.allclose(looked, not_looked, rtol=0, atol=2e-3)
