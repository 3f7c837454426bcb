"""Pictures are read in pieces, and no more of them than is shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from generated_media import write_picture
from masklet.errors import LimitError
from masklet_server.media import picture
from masklet_server.media.limits import Limits
from masklet_server.media.picture import OpenPicture
from masklet_server.media.source import open_clip

HEIGHT_PX, WIDTH_PX = 600, 24


def noise(channels: int = 3) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 255, (HEIGHT_PX, WIDTH_PX, channels)).astype(np.float32) / 255


def write(path: Path, pixels: np.ndarray, *, tile_px: int = 0, sample: str = "half") -> Path:
    height_px, width_px, channels = pixels.shape
    spec = oiio.ImageSpec(width_px, height_px, channels, sample)
    spec.tile_width = spec.tile_height = tile_px
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec)
    assert output.write_image(pixels)
    assert output.close()
    return path


def read(path: Path) -> np.ndarray:
    with OpenPicture(path, Limits()) as opened:
        return opened.pixels()


@pytest.mark.parametrize(
    ("name", "sample", "tile_px"),
    [
        ("plate.exr", "half", 0),
        ("plate.exr", "half", 32),
        ("plate.exr", "float", 64),
        ("plate.png", "uint8", 0),
        ("plate.jpg", "uint8", 0),
        ("plate.tif", "uint16", 0),
        ("plate.tif", "uint8", 16),
        ("plate.dpx", "uint16", 0),
    ],
)
def test_a_picture_in_pieces_is_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, sample: str, tile_px: int
) -> None:
    path = write(tmp_path / name, noise(), tile_px=tile_px, sample=sample)
    whole = np.asarray(oiio.ImageInput.open(str(path)).read_image(0, 0, 0, 3, sample))
    monkeypatch.setattr(picture, "_BAND_BYTES", 1)

    pixels = read(path)

    assert pixels.shape == (HEIGHT_PX, WIDTH_PX, 3)
    np.testing.assert_array_equal(pixels, whole.astype(pixels.dtype))


@pytest.mark.parametrize("sample", ["half", "float"])
def test_layers_between_the_colours_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sample: str
) -> None:
    pixels = noise(40)
    names = ["R", "G", "B", *(f"C{number:02d}.x" for number in range(37))]
    path = write_picture(tmp_path / "plate.exr", pixels, sample, channels=names)
    monkeypatch.setattr(picture, "_BAND_BYTES", 1)

    found = read(path)

    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, pixels[..., :3].astype(sample.replace("half", "float16")))


@pytest.mark.parametrize("tile_px", [0, 32])
def test_rows_beyond_the_picture_are_not_read(tmp_path: Path, tile_px: int) -> None:
    path = tmp_path / "plate.exr"
    pixels = noise()
    spec = oiio.ImageSpec(WIDTH_PX, HEIGHT_PX, 3, "half")
    spec.tile_width = spec.tile_height = tile_px
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = 4, 70, 16, 50
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec)
    assert output.write_image(pixels)
    assert output.close()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    np.testing.assert_array_equal(read(path), pixels[70:120, 4:20].astype(np.float16).astype(np.float32))


def test_a_data_window_beside_the_picture_is_black(tmp_path: Path) -> None:
    path = write_picture(
        tmp_path / "plate.exr", noise(), "half", data_window=(0, 1000), display_window=(0, 0, WIDTH_PX, 30)
    )

    pixels = read(path)

    assert pixels.shape == (30, WIDTH_PX, 3)
    assert not pixels.any()


def test_more_channels_than_the_server_takes_are_refused_by_the_header(tmp_path: Path) -> None:
    path = write(tmp_path / "plate.exr", np.zeros((4, 4, 12), np.float32))

    with pytest.raises(LimitError, match=r"plate.exr has 12 channels and this server takes at most 10"):
        open_clip(path, limits=Limits(max_channels=10))


def test_channels_that_are_large_together_are_refused_by_the_header(tmp_path: Path) -> None:
    """However few of them are asked for, all have to be decompressed."""
    path = write(tmp_path / "plate.exr", np.zeros((1024, 512, 6), np.float32))

    with pytest.raises(LimitError, match=r"has 6 channels of together 6 MB .* takes at most 3: write"):
        open_clip(path, limits=Limits(max_decoded_bytes=3 << 20))


def test_a_picture_larger_than_any_camera_makes_is_refused_by_its_header(tmp_path: Path) -> None:
    spec = oiio.ImageSpec(8192, 8192, 3, "half")
    output = oiio.ImageOutput.create("plate.exr")
    path = tmp_path / "plate.exr"
    assert output.open(str(path), spec)
    output.close()

    with pytest.raises(LimitError, match=r"67108864 pixels and this server takes at most 50000000"):
        open_clip(path)
    Limits().check_size(8640, 5760, what="the largest cinema camera's plate")
