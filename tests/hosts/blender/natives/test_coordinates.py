"""Positions and frames between the plate and Blender, by hand-made numbers; no Blender is needed."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from masklet_blender.natives.coordinates import (
    FrameMap,
    MaskRaster,
    MaskSpace,
    PlateSpace,
    frames_of_clip,
    frames_of_image,
    number_in,
)


@dataclass
class Clip:
    filepath: str
    source: str
    frame_start: int = 1
    frame_offset: int = 0


@dataclass
class Image:
    source: str


@dataclass
class ImageUser:
    frame_start: int
    frame_offset: int


@pytest.mark.parametrize(
    ("space", "position", "expected"),
    [
        (MaskSpace(1920, 1080), (960, 540), (0.5, 0.5)),
        (MaskSpace(1920, 1080), (0, 0), (0.0, 0.5 + 540 / 1920)),
        (MaskSpace(1080, 1920), (1080, 1920), (0.5 + 540 / 1920, 0.0)),
        (MaskSpace(720, 576, MaskRaster(1.5)), (720, 0), (1.0, 0.5 + 288 / 1.5 / 720)),
        (MaskSpace(720, 576, MaskRaster(1.5, 0.25)), (360, 288), (0.5, 0.5 + 0.25 / 1.5 / 720)),
    ],
)
def test_masks_count_in_the_longer_side_from_the_middle(space, position, expected) -> None:
    assert space.point(*position) == pytest.approx(expected)


def test_markers_count_in_shares_from_the_bottom_left() -> None:
    space = PlateSpace(200, 100)

    assert space.marker_point(50, 25) == (0.25, 0.75)
    assert space.plate_point_of_marker(0.25, 0.75) == (50, 25)


def test_frames_go_there_and_back() -> None:
    frames = FrameMap(plate_frame_at_start=1001, scene_start=11)

    assert frames.scene_frame(1005) == 15
    assert frames.plate_frame(15) == 1005
    assert frames.marker_frame(1001) == 1


@pytest.mark.parametrize(
    ("clip", "at_start"),
    [
        (Clip("/shot/plate.1001.exr", "SEQUENCE"), 1001),
        (Clip("C:\\shot.5\\plate_v002.0998.exr", "SEQUENCE", frame_offset=3), 1001),
        (Clip("/shot/take2.mov", "MOVIE"), 0),
        (Clip("/shot/take2.mov", "MOVIE", frame_offset=7), 7),
    ],
)
def test_a_clip_shows_its_own_numbers_from_its_start(clip: Clip, at_start: int) -> None:
    clip.frame_start = 21

    assert frames_of_clip(clip) == FrameMap(at_start, 21)


@pytest.mark.parametrize(("source", "at_start"), [("SEQUENCE", 1001), ("MOVIE", 1000)])
def test_an_image_counts_files_from_the_number_after_its_offset(source: str, at_start: int) -> None:
    assert frames_of_image(Image(source), ImageUser(5, 1000)) == FrameMap(at_start, 5)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("plate.1001.exr", 1001),
        ("v2_plate_0007_left.png", 7),
        ("plate-5.png", 5),
        ("plate.png", 0),
        ("0042", 42),
    ],
)
def test_the_last_digits_of_a_name_are_the_frame(name: str, number: int) -> None:
    assert number_in(f"/some/where.9/{name}") == number
