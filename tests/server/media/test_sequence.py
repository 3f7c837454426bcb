from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from generated_media import scene, write_picture
from masklet.errors import FrameMissingError
from masklet_server.media.source import open_clip

PICTURE = scene()
FINE_JPEG = {"Compression": "jpeg:98", "jpeg__subsampling": "4:4:4"}


@pytest.mark.parametrize(
    ("extension", "sample", "bits", "tolerance"),
    [
        ("png", "uint8", None, 0),
        ("png", "uint16", None, 1),
        ("tif", "uint8", None, 0),
        ("tif", "uint16", None, 1),
        ("tif", "float", None, 1),
        ("jpg", "uint8", None, 12),
        ("dpx", "uint16", 10, 1),
        ("dpx", "uint16", 16, 1),
        ("dpx", "uint8", None, 1),
        ("exr", "half", None, 1),
        ("exr", "float", None, 1),
    ],
)
def test_every_format_gives_the_same_picture(
    tmp_path: Path, extension: str, sample: str, bits: int | None, tolerance: int
) -> None:
    path = tmp_path / f"plate.1001.{extension}"
    write_picture(path, PICTURE, sample, bits=bits, **(FINE_JPEG if extension == "jpg" else {}))

    with open_clip(tmp_path / f"plate.%04d.{extension}", colour="sRGB") as clip:
        shown = clip.read(1001)

    assert shown.dtype == np.uint8
    assert np.abs(shown.astype(int) - np.rint(PICTURE * 255)).max() <= tolerance


@pytest.mark.parametrize("spelling", ["plate.%04d.png", "plate.####.png", "plate.@@@@.png", "."])
def test_a_sequence_keeps_the_numbers_of_its_plate(tmp_path: Path, spelling: str) -> None:
    for frame in (1001, 1002, 1004):
        write_picture(tmp_path / f"plate.{frame}.png", scene(frame=frame - 1001))

    with open_clip(tmp_path / spelling) as clip:
        info = clip.info
        third = clip.read(1004)

    assert (info.name, info.first_frame, info.last_frame) == ("plate.%04d.png", 1001, 1004)
    assert info.missing_frames == (1003,)
    assert (info.width_px, info.height_px) == (96, 64)
    assert np.array_equal(third, np.rint(scene(frame=3) * 255))


def test_a_missing_frame_is_named_and_not_invented(tmp_path: Path) -> None:
    for frame in (1001, 1003):
        write_picture(tmp_path / f"plate.{frame}.png", PICTURE)

    with open_clip(tmp_path / "plate.%04d.png") as clip:
        with pytest.raises(FrameMissingError, match=r"frame 1002 of plate.%04d.png is missing on disk"):
            clip.read(1002)
        with pytest.raises(FrameMissingError, match="no frame 1004: it runs from 1001 to 1003"):
            clip.read(1004)


def test_negative_frame_numbers_are_frame_numbers(tmp_path: Path) -> None:
    for frame in (-2, -1, 0, 1):
        write_picture(tmp_path / f"plate.{frame:04d}.png", scene(frame=frame + 2))

    for spelling in (tmp_path, tmp_path / "plate.####.png"):
        with open_clip(spelling) as clip:
            assert (clip.info.first_frame, clip.info.last_frame) == (-2, 1)
            assert clip.info.missing_frames == ()
            assert np.array_equal(clip.read(-1), np.rint(scene(frame=1) * 255))


def test_a_single_picture_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    numbered = write_picture(tmp_path / "plate.1042.png", PICTURE)
    write_picture(tmp_path / "plate.1043.png", PICTURE)
    plain = write_picture(tmp_path / "still.png", PICTURE)

    with open_clip(numbered) as one, open_clip(plain) as other:
        assert (one.info.first_frame, one.info.last_frame) == (1042, 1042)
        assert (other.info.first_frame, other.info.last_frame, other.info.name) == (0, 0, "still.png")


def test_the_data_window_is_placed_in_the_display_window(tmp_path: Path) -> None:
    path = write_picture(
        tmp_path / "plate.1.exr",
        np.ones((10, 20, 3), np.float32),
        "half",
        data_window=(5, -4),
        display_window=(0, 0, 64, 48),
    )

    with open_clip(path, colour="sRGB") as clip:
        shown = clip.read(1)

    expected = np.zeros((48, 64, 3), np.uint8)
    expected[0:6, 5:25] = 255
    assert (clip.info.width_px, clip.info.height_px) == (64, 48)
    assert np.array_equal(shown, expected)


def test_a_display_window_away_from_zero_becomes_the_frame(tmp_path: Path) -> None:
    picture = scene(40, 40)
    path = write_picture(tmp_path / "plate.exr", picture, "float", display_window=(10, 4, 20, 30))

    with open_clip(path, colour="sRGB") as clip:
        shown = clip.read(0)

    assert np.abs(shown.astype(int) - np.rint(picture[4:34, 10:30] * 255)).max() <= 1


def test_pixel_aspect_and_frame_rate_come_from_the_header(tmp_path: Path) -> None:
    path = write_picture(
        tmp_path / "plate.exr", PICTURE, "half", PixelAspectRatio=2.0, FramesPerSecond=Fraction(24000, 1001)
    )

    with open_clip(path) as clip:
        assert clip.info.pixel_aspect == 2.0
        assert clip.info.frames_per_s == pytest.approx(23.976, abs=1e-3)


def test_grey_pictures_and_extra_channels_are_read(tmp_path: Path) -> None:
    grey = write_picture(tmp_path / "grey.png", PICTURE[..., :1])
    channels = ["A", "B", "G", "R", "Z", "normal.X"]
    rgb = np.concatenate(
        [np.ones((64, 96, 1), np.float32), PICTURE[..., ::-1], np.zeros((64, 96, 2), np.float32)], axis=-1
    )
    extra = write_picture(tmp_path / "extra.exr", rgb, "float", channels=channels)

    with open_clip(grey) as clip:
        assert np.array_equal(clip.read(0), np.repeat(np.rint(PICTURE[..., :1] * 255), 3, axis=-1))
    with open_clip(extra, colour="sRGB") as clip:
        assert np.abs(clip.read(0).astype(int) - np.rint(PICTURE * 255)).max() <= 1


def test_a_layer_serves_where_there_is_no_main_picture(tmp_path: Path) -> None:
    channels = ["ViewLayer.Combined.R", "ViewLayer.Combined.G", "ViewLayer.Combined.B", "ViewLayer.Depth.Z"]
    pixels = np.concatenate([PICTURE, np.full((64, 96, 1), 9.0, np.float32)], axis=-1)
    path = write_picture(tmp_path / "render.exr", pixels, "float", channels=channels)

    with open_clip(path, colour="sRGB") as clip:
        assert np.abs(clip.read(0).astype(int) - np.rint(PICTURE * 255)).max() <= 1


def test_nan_and_infinity_become_finite(tmp_path: Path) -> None:
    pixels = np.full((8, 8, 3), 0.5, np.float32)
    pixels[0, 0], pixels[0, 1], pixels[0, 2] = np.nan, np.inf, -np.inf
    path = write_picture(tmp_path / "plate.exr", pixels, "half")

    with open_clip(path, colour="ACEScg") as clip:
        shown = clip.read(0)

    assert shown[0, 0].tolist() == [0, 0, 0]
    assert shown[0, 1].tolist() == [255, 255, 255]
    assert shown[0, 2].tolist() == [0, 0, 0]
    assert np.array_equal(shown[1:], np.full((7, 8, 3), shown[1, 1, 0]))


def test_a_photograph_is_turned_as_its_header_says(tmp_path: Path) -> None:
    upright = np.zeros((64, 32, 3), np.float32)
    upright[:16, :16] = 1.0
    # 6: the camera was turned; its picture has to be turned clockwise to stand upright.
    path = write_picture(tmp_path / "photo.jpg", np.rot90(upright, 1), Orientation=6)

    with open_clip(path) as clip:
        shown = clip.read(0)

    assert (clip.info.width_px, clip.info.height_px) == (32, 64)
    assert np.abs(shown.astype(int) - upright * 255).mean() < 4


def test_a_wrong_extension_does_not_matter(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "plate.png", PICTURE).rename(tmp_path / "plate.exr")

    with open_clip(path, colour="sRGB") as clip:
        assert np.array_equal(clip.read(0), np.rint(PICTURE * 255))


@pytest.mark.parametrize("extension", ["png", "tif", "exr"])
def test_an_alpha_channel_does_not_darken_the_plate(tmp_path: Path, extension: str) -> None:
    pixels = np.concatenate([PICTURE, np.zeros((64, 96, 1), np.float32)], axis=-1)
    sample = "half" if extension == "exr" else "uint8"
    attributes = {} if extension == "exr" else {"oiio__UnassociatedAlpha": 1}
    path = write_picture(tmp_path / f"plate.{extension}", pixels, sample, **attributes)

    with open_clip(path, colour="sRGB") as clip:
        assert np.abs(clip.read(0).astype(int) - np.rint(PICTURE * 255)).max() <= 1
