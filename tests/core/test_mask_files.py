"""What is covered in a picture that somebody drew, whatever it was saved as."""

from __future__ import annotations

import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from generated_media import write_picture
from masklet.errors import BadInputError
from masklet.mask_files import read_mask_file
from masklet.png import read_mask_picture
from masklet.types import MaskDepth

RAMP = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)


def png(samples: NDArray[np.uint8 | np.uint16], kind: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of ``(h, w, C)`` samples in colour type ``kind``, with further chunks before the pixels."""
    height, width = samples.shape[:2]
    bits = samples.dtype.itemsize * 8
    rows = samples.astype(samples.dtype.newbyteorder(">")).reshape(height, -1)
    packed = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    every = ((b"IHDR", header), *chunks, (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in every
    )


def codes(values: NDArray[np.float32], bits: int = 8) -> NDArray[np.uint8 | np.uint16]:
    return np.rint(values * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)[..., None]


def test_sixteen_bits_stay_sixteen_bits() -> None:
    mask = read_mask_picture(png(codes(RAMP, 16), 0)).mask

    assert mask.depth is MaskDepth.BITS_16
    assert np.array_equal(mask.coverage(), codes(RAMP, 16)[..., 0] / np.float32(65535))


def test_transparency_is_coverage_at_its_own_depth_and_needs_no_gamma() -> None:
    colour = np.repeat(codes(RAMP[::-1], 16), 3, axis=2)
    picture = png(np.dstack([colour, codes(RAMP, 16)]), 6, (b"gAMA", struct.pack(">I", 45455)))

    found = read_mask_picture(picture)

    assert np.array_equal(found.mask.coverage(), codes(RAMP, 16)[..., 0] / np.float32(65535))
    assert found.notice == "its transparency is the mask, not what it shows in colour"


def test_the_transparent_entries_of_a_palette_are_outside() -> None:
    palette, alphas = bytes([255, 0, 0, 0, 0, 255, 9, 9, 9]), bytes([0, 128])
    indices = np.array([[0, 1, 2]], np.uint8)[..., None]

    mask = read_mask_picture(png(indices, 3, (b"PLTE", palette), (b"tRNS", alphas))).mask

    assert mask.as_array().tolist() == [[0, 128, 255]]


@pytest.mark.parametrize("kind", [0, 2])
def test_a_colour_that_stands_for_transparent_is_outside(kind: int) -> None:
    grey = np.array([[10, 20, 255]], np.uint8)[..., None]
    samples = grey if kind == 0 else np.repeat(grey, 3, axis=2)
    key = struct.pack(f">{samples.shape[2]}H", *[20] * samples.shape[2])

    mask = read_mask_picture(png(samples, kind, (b"tRNS", key))).mask

    assert mask.as_array().tolist() == [[255, 0, 255]]


@pytest.mark.parametrize(
    ("chunk", "encoded"),
    [
        ((b"gAMA", struct.pack(">I", 45455)), RAMP ** (1 / 2.2)),
        ((b"gAMA", struct.pack(">I", 100000)), RAMP),
        ((b"gAMA", struct.pack(">I", 55556)), RAMP ** (1 / 1.8)),
        (
            (b"sRGB", b"\0"),
            np.where(RAMP <= 0.0031308, RAMP * 12.92, 1.055 * RAMP ** (1 / 2.4) - 0.055),
        ),
        (
            (b"iCCP", b"sRGB IEC61966-2.1\0\0" + zlib.compress(b"profile")),
            np.where(RAMP <= 0.0031308, RAMP * 12.92, 1.055 * RAMP ** (1 / 2.4) - 0.055),
        ),
        ((b"pHYs", struct.pack(">IIB", 1, 1, 0)), RAMP),
    ],
)
@pytest.mark.parametrize("bits", [8, 16])
def test_greys_become_linear_coverage_where_the_file_says_how_they_are_encoded(
    chunk: tuple[bytes, bytes], encoded: NDArray[np.float32], bits: int
) -> None:
    found = read_mask_picture(png(codes(encoded, bits), 0, chunk))

    assert np.abs(found.mask.coverage() - RAMP).max() < (0.012 if bits == 8 else 1e-4)
    assert ("made linear" in found.notice) == (not np.array_equal(encoded, RAMP))


def test_black_and_white_need_no_word_about_gamma() -> None:
    hard = (RAMP > 0.5).astype(np.float32)

    found = read_mask_picture(png(codes(hard), 0, (b"sRGB", b"\0")))

    assert np.array_equal(found.mask.coverage(), hard)
    assert found.mask.depth is MaskDepth.BITS_8
    assert found.notice == ""


def test_a_profile_that_is_not_known_is_named_and_values_stand() -> None:
    profile = b"Dot Gain 20%\0\0" + zlib.compress(b"profile")

    found = read_mask_picture(png(codes(RAMP), 0, (b"iCCP", profile)))

    assert np.array_equal(found.mask.as_array(), codes(RAMP)[..., 0])
    assert "(Dot Gain 20%) is not evaluated" in found.notice


@pytest.mark.parametrize("sample", ["half", "float"])
def test_an_exr_keeps_its_depth(tmp_path: Path, sample: str) -> None:
    path = write_picture(tmp_path / "mask.exr", RAMP[..., None], sample, channels=["A"])

    mask = read_mask_file(path).mask

    assert mask.depth is MaskDepth.HALF
    assert np.array_equal(mask.coverage(), RAMP.astype(np.float16))


def test_an_exr_of_colour_and_alpha_gives_its_alpha_and_a_plain_one_its_brightness(tmp_path: Path) -> None:
    colour = np.repeat(RAMP[::-1, :, None], 3, axis=2)
    both = write_picture(tmp_path / "both.exr", np.dstack([colour, RAMP]), "half", channels=[*"RGBA"])
    plain = write_picture(tmp_path / "plain.exr", colour, "half", channels=[*"RGB"])

    assert np.array_equal(read_mask_file(both).mask.coverage(), RAMP.astype(np.float16))
    assert np.array_equal(read_mask_file(plain).mask.coverage(), RAMP[::-1].astype(np.float16))


def test_of_an_exr_with_a_layer_for_each_object_the_objects_own_is_taken(tmp_path: Path) -> None:
    layers = np.dstack([RAMP[::-1], RAMP])
    path = write_picture(tmp_path / "mattes.exr", layers, "half", channels=["duck.A", "hero.A"])

    found = read_mask_file(path, object_name="Hero")

    assert np.array_equal(found.mask.coverage(), RAMP.astype(np.float16))
    assert found.notice == "its layer hero is the mask"
    with pytest.raises(BadInputError, match=r"holds several masks \(duck, hero\): call the object like one"):
        read_mask_file(path, object_name="ball")


def test_a_data_window_is_put_into_the_display_window(tmp_path: Path) -> None:
    path = write_picture(
        tmp_path / "mask.exr",
        RAMP[..., None],
        "half",
        channels=["A"],
        data_window=(-10 + 2, 5 + 1),
        display_window=(-10, 5, 8, 6),
    )

    mask = read_mask_file(path).mask

    assert (mask.width_px, mask.height_px) == (8, 6)
    assert np.array_equal(mask.coverage()[1:4, 2:6], RAMP.astype(np.float16))
    assert mask.coverage().sum() == pytest.approx(RAMP.sum(), rel=1e-3)


def test_a_tiff_of_sixteen_bits_is_read(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "mask.tif", RAMP[..., None], "uint16")

    mask = read_mask_file(path).mask

    assert mask.depth is MaskDepth.BITS_16
    assert np.abs(mask.coverage() - RAMP).max() < 1e-4


def test_without_the_library_a_png_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_picture(tmp_path / "mask.exr", RAMP[..., None], "half", channels=["A"])
    monkeypatch.setitem(sys.modules, "OpenImageIO", None)

    with pytest.raises(BadInputError, match=r"need OpenImageIO: install masklet\[server\], or save"):
        read_mask_file(path)


@pytest.mark.parametrize("content", [b"", b"no picture", b"v/1\x01 and no more", b"\x89PNG\r\n\x1a\n cut"])
def test_what_is_no_mask_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mask.exr"
    path.write_bytes(content)

    with pytest.raises(BadInputError):
        read_mask_file(path)
    with pytest.raises(BadInputError, match="cannot be read"):
        read_mask_file(tmp_path / "nowhere.png")
