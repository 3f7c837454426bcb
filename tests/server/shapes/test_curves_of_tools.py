"""Splines keep the tolerance under the curve that a tool draws between keys, seen from the text it reads."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fakes.exchange_scenes import draw_paths, iou, sampled
from fakes.nuke_text import read_nodes, read_paths
from masklet.exchange.nuke import write_nk
from masklet.exchange.scene import ExchangeScene
from masklet.interpolation import Interpolation
from masklet.shapes import ObjectShapes
from masklet.types import ClipInfo
from masklet_server.shapes.fitting import fit_shapes
from masklet_server.shapes.raster import coverage

Points = NDArray[np.float64]
WIDTH_PX, HEIGHT_PX = 320, 240
FRAMES = 60
ROUNDING_PX = 0.15
"""By how much a matte of 32-bit coverage, traced, may miss the outline it was drawn from."""


def _outline(frame: int) -> Points:
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    radius_px = (54 + 8 * np.sin(frame / 9)) * (1 + 0.2 * np.cos(3 * angle))
    turned = angle + np.radians(1.2 * frame)
    shift = np.array([90 + 2.2 * frame, 120 + 26 * np.sin(frame / 10)])
    return radius_px[:, None] * np.stack([np.cos(turned), np.sin(turned)], axis=-1) + shift


def _matte(frame: int) -> NDArray[np.float32]:
    matte = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    (top, left), covered = coverage(_outline(frame), WIDTH_PX, HEIGHT_PX)
    matte[top : top + covered.shape[0], left : left + covered.shape[1]] = covered
    return matte


@pytest.fixture(scope="module")
def fits() -> dict[Interpolation, ObjectShapes]:
    mattes = {frame: _matte(frame) for frame in range(FRAMES)}
    return {rule: fit_shapes(mattes, name="blob", interpolation=rule) for rule in Interpolation}


def _worst_px(nuke_text: str, frames: list[int]) -> float:
    """The farthest that Nuke would draw any point of the path from the true outline, on any frame."""
    nodes = read_nodes(nuke_text)
    worst_px = 0.0
    for frame in frames:
        ((hole, path),) = read_paths(nodes, frame, HEIGHT_PX)
        assert not hole
        drawn = draw_paths([(hole, path)], width_px=WIDTH_PX, height_px=HEIGHT_PX)
        # A pixel all around a blob of this size is four per cent of it.
        assert iou(drawn, _matte(frame) >= 0.5) > 0.95
        line = _outline(frame).astype(np.float32)[:, None]
        worst_px = max(
            worst_px,
            *(abs(cv2.pointPolygonTest(line, (float(x), float(y)), True)) for x, y in sampled(path, 8)),
        )
    return worst_px


@pytest.mark.parametrize("rule", Interpolation)
def test_nuke_draws_every_frame_within_the_tolerance_whatever_the_shapes_were_fitted_under(
    fits: dict[Interpolation, ObjectShapes], rule: Interpolation
) -> None:
    text = write_nk(ExchangeScene(ClipInfo("shot", WIDTH_PX, HEIGHT_PX, 0, FRAMES - 1), shapes=(fits[rule],)))

    assert _worst_px(text, list(range(FRAMES))) <= 1.0 + 0.05 + ROUNDING_PX


def test_smooth_motion_needs_a_third_fewer_keys_under_the_smooth_curve(
    fits: dict[Interpolation, ObjectShapes],
) -> None:
    smooth, straight = (
        fits[rule].report.keyframes for rule in (Interpolation.NUKE_SMOOTH, Interpolation.LINEAR)
    )

    assert smooth <= 0.7 * straight


def test_the_report_names_the_curve_and_its_worst_frame_between_keys(
    fits: dict[Interpolation, ObjectShapes],
) -> None:
    for rule, shapes in fits.items():
        report = shapes.report
        assert report.interpolation is rule
        assert 0 < report.largest_between_keys_px <= report.largest_distance_px <= 1.0
        assert {piece.interpolation for piece in shapes.pieces} == {rule}


def test_drawn_by_the_wrong_curve_the_splines_would_leave_the_tolerance(
    fits: dict[Interpolation, ObjectShapes],
) -> None:
    """What the fit's knowledge is for: the same keys, drawn straight, are too far off."""
    shapes = fits[Interpolation.NUKE_SMOOTH]
    (piece,) = shapes.pieces
    keys = [key.frame for key in piece.keys]
    worst_px = 0.0
    for before, after in pairwise(keys):
        middle = (before + after) // 2
        ends = [np.array([one.as_tuple()[:2] for one in piece.path_at(frame)]) for frame in (before, after)]
        share = (middle - before) / (after - before)
        line = _outline(middle).astype(np.float32)[:, None]
        for x, y in ends[0] * (1 - share) + ends[1] * share:
            worst_px = max(worst_px, abs(cv2.pointPolygonTest(line, (float(x), float(y)), True)))

    assert worst_px > 1.3


def test_a_range_without_mattes_parts_the_smooth_curve_as_it_parts_nukes() -> None:
    frames = [*range(12), *range(20, 34)]

    shapes = fit_shapes(
        {frame: _matte(frame) for frame in frames},
        name="blob",
        interpolation=Interpolation.NUKE_SMOOTH,
    )

    (piece,) = shapes.pieces
    assert {0, 11, 20, 33} <= {key.frame for key in piece.keys}
    text = write_nk(ExchangeScene(ClipInfo("shot", WIDTH_PX, HEIGHT_PX, 0, 33), shapes=(shapes,)))
    assert _worst_px(text, frames) <= 1.0 + ROUNDING_PX
