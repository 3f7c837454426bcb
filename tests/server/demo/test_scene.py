"""The demo's clip: the same on every run, with true masks that belong to its pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from masklet_server.demo import scene
from masklet_server.demo.clip_writer import write_clip
from masklet_server.demo.ellipsoids import Part, Pose, cast


@pytest.fixture(scope="module")
def pictures() -> list[scene.Picture]:
    return list(scene.render(3))


def test_the_clip_is_the_same_every_time(pictures: list[scene.Picture]) -> None:
    again = list(scene.render(3))

    for first, second in zip(pictures, again, strict=True):
        assert np.array_equal(first.rgb, second.rgb)
        assert np.array_equal(first.truth, second.truth)


def test_a_shorter_clip_is_the_beginning_of_a_longer_one(pictures: list[scene.Picture]) -> None:
    (alone,) = scene.render(1)

    assert np.array_equal(alone.rgb, pictures[0].rgb)


def test_pictures_have_the_size_and_numbers_of_a_plate(pictures: list[scene.Picture]) -> None:
    assert [picture.frame for picture in pictures] == [1001, 1002, 1003]
    assert all(picture.rgb.shape == (480, 854, 3) for picture in pictures)
    assert all(picture.truth.shape == (480, 854) for picture in pictures)


def test_the_first_click_lies_well_inside_the_true_mask(pictures: list[scene.Picture]) -> None:
    inside = (pictures[0].truth > 0.5).astype(np.uint8)
    depth_px = cv2.distanceTransform(inside, cv2.DIST_L2, 5)

    for click in scene.first_clicks():
        assert depth_px[int(click.y_px), int(click.x_px)] > 15


def test_what_is_in_the_true_mask_is_teal(pictures: list[scene.Picture]) -> None:
    picture = pictures[0]
    red, green, blue = (picture.rgb[picture.truth > 0.99].mean(axis=0)).tolist()

    assert blue > 1.3 * red
    assert green > 1.3 * red


def test_a_sphere_covers_the_area_of_a_disc() -> None:
    ball = (Part((0, 0, 0), (1, 1, 1), (1, 1, 1)),)

    _, coverage = cast(ball, Pose(50.2, 40.7, 30), width_px=100, height_px=90)

    assert coverage.sum() == pytest.approx(np.pi * 30**2, rel=5e-3)


def test_a_figure_outside_the_picture_covers_nothing() -> None:
    ball = (Part((0, 0, 0), (1, 1, 1), (1, 1, 1)),)

    _, coverage = cast(ball, Pose(500, 40, 30), width_px=100, height_px=90)

    assert coverage.sum() == 0


def test_the_written_clip_holds_pictures_and_their_true_masks(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip", frame_count=2)

    picture = cv2.imread(str(clip.pattern) % 1002)
    assert picture is not None
    assert picture.shape == (480, 854, 3)
    with np.load(clip.truth) as truth:
        assert sorted(truth.files) == ["1001", "1002"]
        assert truth["1001"].dtype == bool
    assert clip.clicks[0][0] == 1001
