"""Headers of mattes, read without a library and compared with one that knows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.small_exr import write_exr
from masklet.errors import BadInputError
from masklet.publish.picture_headers import read_header


@pytest.mark.parametrize("compression", ["none", "rle", "zips", "zip", "piz", "dwaa"])
@pytest.mark.parametrize("height_px", [1, 16, 17, 300])
def test_an_exr_of_any_compression_is_whole_until_a_byte_is_missing(
    tmp_path: Path, compression: str, height_px: int
) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    path = tmp_path / "matte.exr"
    spec = oiio.ImageSpec(20, height_px, 2, "half")
    spec.channelnames = ("hero.A", "villain.A")
    spec.attribute("compression", compression)
    spec.attribute("PixelAspectRatio", 2.0)
    spec.attribute("masklet/promptsSha256", "abc")
    written = oiio.ImageOutput.create(str(path))
    assert written.open(str(path), spec)
    assert written.write_image(oiio.ImageBuf(spec).get_pixels())
    written.close()

    header = read_header(path)
    assert (header.width_px, header.height_px, header.pixel_aspect) == (20, height_px, 2.0)
    assert header.layers == ("hero", "villain")
    assert header.words["masklet/promptsSha256"] == "abc"
    assert header.is_whole

    path.write_bytes(path.read_bytes()[:-1])
    assert not read_header(path).is_whole


def test_a_png_tells_its_size_its_words_and_whether_it_is_whole(tmp_path: Path) -> None:
    oiio = pytest.importorskip("OpenImageIO")
    path = tmp_path / "matte.png"
    spec = oiio.ImageSpec(20, 10, 1, "uint16")
    spec.attribute("masklet/promptsSha256", "abc")
    written = oiio.ImageOutput.create(str(path))
    assert written.open(str(path), spec)
    assert written.write_image(oiio.ImageBuf(spec).get_pixels())
    written.close()

    header = read_header(path)
    assert (header.width_px, header.height_px, header.words["masklet/promptsSha256"]) == (20, 10, "abc")
    assert header.is_whole
    path.write_bytes(path.read_bytes()[:-1])
    assert not read_header(path).is_whole


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400))
def test_a_file_that_is_cut_off_anywhere_is_one_sentence_or_not_whole(tmp_path: Path, cut: int) -> None:
    assert not _is_taken_for_whole(tmp_path, lambda data: data[: min(cut, len(data) - 1)])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, 400), noise=st.binary(max_size=60))
def test_noise_in_a_file_is_one_sentence_at_most(tmp_path: Path, cut: int, noise: bytes) -> None:
    _is_taken_for_whole(tmp_path, lambda data: data[:cut] + noise + data[cut + len(noise) :])


def _is_taken_for_whole(folder: Path, damage: Callable[[bytes], bytes]) -> bool:
    path = folder / "matte.exr"
    write_exr(path, width_px=8, height_px=4, layers=["hero"], words={"masklet/settings": "{}"})
    path.write_bytes(damage(path.read_bytes()))
    try:
        return read_header(path).is_whole
    except BadInputError:
        return False
