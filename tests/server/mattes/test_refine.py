from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from masklet.types import ClipInfo, Presence
from masklet_server.mattes.alpha import render_alpha
from masklet_server.mattes.refine import RefineSettings, refine_alpha
from masklet_server.mattes.refined_alpha import RefinedAlpha
from masklet_server.tracking import ObjectFrame

WIDTH_PX, HEIGHT_PX, GRID = 480, 270, 64
CELL_PX = WIDTH_PX / GRID


def rendered(seed: int, *, fringe: bool) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """A frame with its true alpha: a blob, with fine strands or a soft edge, over a patchy ground."""
    generator = np.random.default_rng(seed)
    large = np.zeros((4 * HEIGHT_PX, 4 * WIDTH_PX), np.uint8)
    angle = np.linspace(0, 2 * np.pi, 240)
    radius = 280 * (1 + 0.25 * np.sin(3 * angle) + 0.1 * np.sin(7 * angle))
    outline = np.stack([960 + 1.3 * radius * np.cos(angle), 540 + radius * np.sin(angle)], axis=-1)
    cv2.fillPoly(large, [outline.astype(np.int32)], 255)
    if fringe:
        for place in generator.integers(0, 240, 160):
            outward = (outline[place] - (960, 540)) / 300
            end = outline[place] + outward * generator.uniform(30, 90) + generator.normal(0, 14, 2)
            cv2.line(
                large, outline[place].astype(int).tolist(), end.astype(int).tolist(), 255, 7, cv2.LINE_AA
            )
    else:
        large = cv2.GaussianBlur(large, (0, 0), 5)
    alpha = cv2.resize(large.astype(np.float32) / 255, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_AREA)

    def patches(base: tuple[float, float, float]) -> NDArray[np.float32]:
        coarse = generator.normal(0, 0.10, (9, 16, 3)) + base
        fine = generator.normal(0, 0.015, (HEIGHT_PX, WIDTH_PX, 3))
        return (cv2.resize(coarse, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_CUBIC) + fine).astype(
            np.float32
        )

    weight = alpha[..., None]
    picture = weight * patches((0.62, 0.40, 0.25)) + (1 - weight) * patches((0.25, 0.45, 0.40))
    return np.clip(np.rint(picture * 255), 0, 255).astype(np.uint8), np.asarray(alpha, np.float32)


def network_logits(alpha: NDArray[np.float32], seed: int) -> NDArray[np.float16]:
    """What a coarse network makes of it: a smooth outline that wanders by half a cell."""
    generator = np.random.default_rng(seed)
    y, x = np.mgrid[0:GRID, 0:GRID].astype(np.float32)
    wander = cv2.GaussianBlur(
        generator.normal(0, 1, (2, GRID, GRID)).astype(np.float32).transpose(1, 2, 0), (0, 0), 3
    )
    wander *= 0.5 / wander.std()
    low = cv2.resize(alpha, (GRID, GRID), interpolation=cv2.INTER_AREA)
    low = cv2.GaussianBlur(
        cv2.remap(low, x + wander[..., 0], y + wander[..., 1], cv2.INTER_LINEAR), (0, 0), 0.7
    )
    return np.clip(1.5 * np.log((low + 1e-4) / (1 - low + 1e-4)), -12, 12).astype(np.float16)


def error(alpha: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Mean absolute error near the true edge."""
    edge = cv2.dilate(((truth > 0.01) & (truth < 0.99)).astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    return float(np.abs(alpha - truth)[edge].mean())


@pytest.mark.parametrize(
    ("fringe", "reach_cells", "at_most"), [(False, 1.0, 0.6), (True, 1.0, 0.8), (True, 2.0, 0.75)]
)
def test_refined_edges_are_nearer_to_the_true_alpha(fringe: bool, reach_cells: float, at_most: float) -> None:
    before, after = [], []
    for seed in range(3):
        picture, truth = rendered(seed, fringe=fringe)
        alpha = render_alpha(network_logits(truth, seed), WIDTH_PX, HEIGHT_PX)
        refined = refine_alpha(alpha, picture, cell_px=CELL_PX, settings=RefineSettings(reach_cells))
        before.append(error(alpha, truth))
        after.append(error(refined, truth))

    assert np.mean(after) < at_most * np.mean(before)


def test_what_is_far_from_the_edge_stays_as_it_is() -> None:
    picture, truth = rendered(1, fringe=False)
    alpha = render_alpha(network_logits(truth, 1), WIDTH_PX, HEIGHT_PX)

    refined = refine_alpha(alpha, picture, cell_px=CELL_PX, settings=RefineSettings(strand_reach=0))

    edge = ((alpha > 0.02) & (alpha < 0.98)).astype(np.uint8)
    reach = np.ones((2 * round(CELL_PX) + 5,) * 2, np.uint8)
    far = cv2.dilate(edge, reach) == 0
    assert np.array_equal(refined[far], alpha[far])
    assert refined.min() >= 0
    assert refined.max() <= 1


def test_a_picture_without_an_edge_does_not_move_the_outline() -> None:
    _, truth = rendered(2, fringe=False)
    flat = np.full((HEIGHT_PX, WIDTH_PX, 3), 128, np.uint8)

    refined = refine_alpha(truth, flat, cell_px=CELL_PX)

    inside, still_inside = truth > 0.5, refined > 0.5
    assert (inside & still_inside).sum() > 0.97 * (inside | still_inside).sum()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_matte_without_edges_needs_no_refinement(value: float) -> None:
    alpha = np.full((40, 60), value, np.float32)

    assert np.array_equal(refine_alpha(alpha, np.zeros((40, 60, 3), np.uint8), cell_px=4.0), alpha)


class Plate:
    """Gives the same picture on every frame, as floats, and remembers what was asked for."""

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        self._picture = picture
        self.reads: list[int] = []

    @property
    def info(self) -> ClipInfo:
        return ClipInfo("plate", WIDTH_PX, HEIGHT_PX, 1, 9)

    def read(self, frame: int) -> NDArray[np.float32]:
        self.reads.append(frame)
        return (self._picture / 255).astype(np.float32)


def test_all_objects_of_a_frame_share_one_reading_of_the_plate() -> None:
    picture, truth = rendered(3, fringe=False)
    plate = Plate(picture)
    source = RefinedAlpha(plate)
    logits = network_logits(truth, 3)
    for object_id, frame in ((1, 5), (2, 5), (1, 6)):
        result = ObjectFrame(object_id, frame, logits, 4.0, 0.9, Presence.PRESENT, np.zeros(2, np.float16))
        expected = refine_alpha(render_alpha(logits, WIDTH_PX, HEIGHT_PX), picture, cell_px=CELL_PX)
        # The last digits depend on where arrays lie in memory.
        assert np.allclose(source(result), expected, rtol=0, atol=1e-4)

    assert plate.reads == [5, 6]
