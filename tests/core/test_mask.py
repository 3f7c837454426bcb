"""Masks keep the depth in which they were drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.mask import Mask, MaskDepth

halves = st.lists(st.integers(0, 0x3C00), min_size=6, max_size=6).map(
    lambda bits: Mask(3, 2, np.array(bits, "<u2").tobytes(), MaskDepth.HALF)
)
words = st.binary(min_size=12, max_size=12).map(lambda alpha: Mask(3, 2, alpha, MaskDepth.BITS_16))
octets = st.binary(min_size=6, max_size=6).map(lambda alpha: Mask(3, 2, alpha))


def test_every_step_of_every_depth_comes_back_from_its_coverage() -> None:
    for kind, codes in (("uint8", np.arange(256)), ("uint16", np.arange(65536))):
        drawn = codes.astype(kind)[None]
        coverage = Mask.from_array(drawn).coverage()

        assert coverage.dtype == np.float32
        assert (coverage[0, 0], coverage[0, -1]) == (0.0, 1.0)
        assert np.array_equal(np.rint(coverage * np.iinfo(kind).max).astype(kind), drawn)
    halves = np.arange(0x3C01, dtype="<u2").view("<f2")[None]
    assert np.array_equal(Mask.from_array(halves).coverage(), halves.astype(np.float32))


@given(st.one_of(halves, words, octets))
def test_fewer_steps_are_the_nearest_ones(mask: Mask) -> None:
    eight, sixteen = mask.in_8_bits(), mask.in_16_bits()

    assert (eight.depth, sixteen.depth) == (MaskDepth.BITS_8, MaskDepth.BITS_16)
    assert np.abs(eight.coverage() - mask.coverage()).max() <= 0.5 / 255 + 1e-6
    assert np.abs(sixteen.coverage() - mask.coverage()).max() <= 0.5 / 65535 + 1e-6
    assert np.array_equal(mask.as_array(), eight.as_array())


def test_floats_are_kept_as_half_floats_and_clipped() -> None:
    drawn = np.array([[-0.0, 0.25, 1.5, -2.0, 1e-4]], np.float32)

    mask = Mask.from_array(drawn)

    assert mask.depth is MaskDepth.HALF
    assert mask.coverage().tolist() == [[0.0, 0.25, 1.0, 0.0, float(np.float16(1e-4))]]


@pytest.mark.parametrize(
    ("alpha", "depth", "message"),
    [
        (bytes(5), MaskDepth.BITS_8, "needs 6 bytes"),
        (bytes(6), MaskDepth.BITS_16, "needs 12 bytes"),
        (np.array([0, 0, 0, 0, 0, 1.001], "<f2").tobytes(), MaskDepth.HALF, "between 0 and 1"),
        (np.array([0, 0, 0, 0, 0, np.nan], "<f2").tobytes(), MaskDepth.HALF, "between 0 and 1"),
        (np.array([0, 0, 0, 0, 0, -0.5], "<f2").tobytes(), MaskDepth.HALF, "between 0 and 1"),
    ],
)
def test_what_is_no_coverage_is_no_mask(alpha: bytes, depth: MaskDepth, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Mask(3, 2, alpha, depth)


@pytest.mark.parametrize("alpha", [np.zeros((2, 2, 1), np.uint8), np.zeros((2, 2), np.int32)])
def test_other_arrays_are_no_mask(alpha: np.ndarray) -> None:
    with pytest.raises(ValueError, match="must be"):
        Mask.from_array(alpha)


def test_a_pixel_that_is_not_a_number_is_no_coverage() -> None:
    with pytest.raises(ValueError, match="not a number"):
        Mask.from_array(np.array([[0.5, np.nan]], np.float32))
