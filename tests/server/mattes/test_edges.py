"""Edges on rendered clips with true alpha, at a quarter of 4K."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from masklet_server.demo import edges
from masklet_server.mattes.alpha import render_alpha
from masklet_server.mattes.refine import refine_alpha

WIDTH_PX, HEIGHT_PX = 1280, 720
CASES = {case.name: case for case in edges.CASES}
Plane = NDArray[np.float32]


def mattes(name: str) -> tuple[list[edges.EdgePicture], list[Plane], list[Plane]]:
    """Pictures, plain upsampling of coarse logits, and refined coverage."""
    pictures = list(edges.render(CASES[name], width_px=WIDTH_PX, height_px=HEIGHT_PX, frame_count=3))
    plain, refined = [], []
    for picture in pictures:
        logits = edges.coarse_logits(picture.truth, seed=picture.frame)
        large = cv2.resize(logits.astype(np.float32), (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_LINEAR)
        plain.append((large > 0).astype(np.float32))
        alpha = render_alpha(logits, WIDTH_PX, HEIGHT_PX)
        refined.append(refine_alpha(alpha, picture.rgb, cell_px=WIDTH_PX / 256))
    return pictures, plain, refined


def error(alphas: list[Plane], pictures: list[edges.EdgePicture], *, late: int = 0) -> float:
    """Total difference to the truth of the same frame, or of so many frames before."""
    pairs = zip(alphas[late:], pictures, strict=False)
    return float(np.mean([np.abs(alpha - picture.truth).sum() for alpha, picture in pairs]))


def flicker(alphas: list[Plane], pictures: list[edges.EdgePicture]) -> float:
    """How much the difference to the truth changes at the same points of the object."""
    changes, before = [], None
    for alpha, picture in zip(alphas, pictures, strict=True):
        now = cv2.GaussianBlur(alpha - picture.truth, (0, 0), 1.0)
        if before is not None:
            flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
            changes.append(
                np.abs(now - cv2.warpAffine(before, picture.back, now.shape[::-1], flags=flags)).sum()
            )
        before = now
    return float(np.mean(changes))


def test_the_motion_of_a_clip_is_what_it_says() -> None:
    one, two = edges.render(CASES["hard"], width_px=640, height_px=360, frame_count=2)

    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(one.truth, two.back, (640, 360), flags=flags)

    assert np.abs(moved - two.truth).sum() < 0.15 * np.abs(one.truth - two.truth).sum()


@pytest.mark.parametrize(
    ("name", "flickers"), [("hard", 0.5), ("hair", 0.6), ("wire", 0.85), ("small", 0.6), ("border", 0.5)]
)
def test_refined_edges_err_less_and_flicker_less_and_do_not_lag(name: str, flickers: float) -> None:
    pictures, plain, refined = mattes(name)

    assert error(refined, pictures) < 0.6 * error(plain, pictures)
    assert flicker(refined, pictures) < flickers * flicker(plain, pictures)
    assert error(refined, pictures, late=1) > error(refined, pictures)


def scene(*, strand_px: int = 0, block: bool = False, lines: int = 0) -> tuple[Plane, NDArray[np.uint8]]:
    """A square and, of its colour, a strand that grows out of it, or a block or lines that stand apart."""
    truth = np.zeros((360, 640), np.float32)
    truth[120:240, 100:220] = 1.0
    generator = np.random.default_rng(5)
    picture = generator.normal((60, 90, 120), 3, (360, 640, 3))
    picture[truth > 0] = (200, 80, 40)
    picture[178:181, 220 : 220 + strand_px] = (200, 80, 40)
    if block:
        picture[150:210, 240:300] = (200, 80, 40)
    for line in range(lines):
        picture[60 + 20 * line : 63 + 20 * line, 245:420] = (200, 80, 40)
    soft = np.asarray(cv2.GaussianBlur(truth, (0, 0), 1.5), np.float32)
    return soft, np.clip(picture, 0, 255).astype(np.uint8)


def test_a_strand_is_followed_beyond_the_open_band() -> None:
    truth, picture = scene(strand_px=25)

    refined = refine_alpha(truth, picture, cell_px=8.0)

    assert refined[179, 236] > 0.8
    assert refined[170, 236] < 0.05


def test_a_strand_is_followed_for_a_tenth_of_the_plate() -> None:
    truth, picture = scene(strand_px=70)

    assert refine_alpha(truth, picture, cell_px=8.0)[179, 283] > 0.8


def test_where_the_ground_has_lines_of_the_objects_colour_none_is_followed() -> None:
    truth, picture = scene(strand_px=40, lines=12)

    refined = refine_alpha(truth, picture, cell_px=8.0)

    assert refined[:, 245:].max() < 0.05
    assert refined[179, 160] == 1.0


def test_a_block_of_the_objects_colour_that_stands_apart_is_left_out() -> None:
    truth, picture = scene(block=True)

    refined = refine_alpha(truth, picture, cell_px=8.0)

    assert refined[180, 242:300].max() < 0.05
