"""Masks as PNG with the standard library, compared with files that OpenCV wrote."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from masklet.errors import BadInputError
from masklet.png import read_mask, write_mask
from masklet.types import Mask

masks = arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40)))


@given(masks)
def test_a_mask_survives_being_written_and_read(alpha: np.ndarray) -> None:
    mask = Mask.from_array(alpha)

    assert read_mask(write_mask(mask)) == mask


@given(masks)
def test_opencv_reads_what_is_written(alpha: np.ndarray) -> None:
    content = np.frombuffer(write_mask(Mask.from_array(alpha)), np.uint8)

    assert np.array_equal(cv2.imdecode(content, cv2.IMREAD_UNCHANGED), alpha)


def test_deeper_masks_are_written_with_sixteen_bits() -> None:
    alpha = np.array([[0, 1, 256], [40000, 65534, 65535]], np.uint16)
    for drawn in (alpha, (alpha / 65535).astype(np.float32)):
        content = np.frombuffer(write_mask(Mask.from_array(drawn)), np.uint8)
        read = cv2.imdecode(content, cv2.IMREAD_UNCHANGED)

        assert read is not None
        assert read.dtype == np.uint16
        # Half floats are a hundredth of a per cent apart near white.
        assert np.abs(read.astype(int) - alpha).max() <= (0 if drawn is alpha else 16)


def photograph() -> np.ndarray:
    generator = np.random.default_rng(1)
    smooth = cv2.GaussianBlur(generator.uniform(0, 255, (61, 47, 3)), (0, 0), 4)
    return np.clip((smooth - smooth.min()) * 3, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("prediction", range(5))
def test_every_prediction_of_the_standard_is_undone(prediction: int) -> None:
    picture = photograph()
    flags = [cv2.IMWRITE_PNG_FILTER, 8 << prediction]

    mask = read_mask(cv2.imencode(".png", picture, flags)[1].tobytes())

    assert np.array_equal(mask.as_array(), picture.max(axis=2))


def test_a_varying_alpha_channel_is_the_mask() -> None:
    picture = np.full((2, 2, 4), 200, np.uint8)
    picture[..., 3] = [[0, 255], [7, 255]]

    mask = read_mask(cv2.imencode(".png", picture)[1].tobytes())

    assert mask.as_array().tolist() == [[0, 255], [7, 255]]


def test_one_bit_black_and_white_is_read() -> None:
    alpha = (photograph()[..., 0] > 90).astype(np.uint8) * 255

    mask = read_mask(cv2.imencode(".png", alpha, [cv2.IMWRITE_PNG_BILEVEL, 1])[1].tobytes())

    assert np.array_equal(mask.as_array(), alpha)


def test_what_is_no_png_is_refused() -> None:
    with pytest.raises(BadInputError, match="no PNG file"):
        read_mask(b"\xff\xd8\xff\xe0 a photograph")


@pytest.mark.parametrize("cut", [9, 30, 60, -5])
def test_a_png_that_was_cut_short_is_refused(cut: int) -> None:
    content = write_mask(Mask.from_array(photograph()[..., 0]))

    with pytest.raises(BadInputError, match="damaged"):
        read_mask(content[:cut])


@pytest.mark.parametrize(("depth", "kind"), [(0, 0), (3, 0), (16, 3), (4, 2), (255, 6)])
def test_a_header_of_samples_that_no_picture_has_is_damage(depth: int, kind: int) -> None:
    content = bytearray(write_mask(Mask(4, 2, bytes(range(8)))))
    content[24:26] = depth, kind

    with pytest.raises(BadInputError, match="damaged"):
        read_mask(bytes(content))
