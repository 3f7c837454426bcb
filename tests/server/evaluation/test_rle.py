from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from masklet.errors import BadInputError
from masklet_server.evaluation.rle import decode_rle, encode_rle

SA_V = Path(__file__).resolve().parents[4] / "shared" / "data" / "sa_v_format" / "sav_000001_manual.json"


def test_a_small_mask_has_the_code_that_follows_from_the_format() -> None:
    # Column by column: 4 outside, 2 inside, 3 outside, 2 inside, 1 outside. From the fourth run on,
    # differences to the run two before: 2 - 2 = 0, and 1 - 3 = -2, whose five bits are 30: an "N".
    mask = np.array([[0, 0, 0, 1], [0, 1, 0, 1], [0, 1, 0, 0]], np.bool_)

    assert encode_rle(mask) == "4230N"
    assert np.array_equal(decode_rle("4230N", width_px=4, height_px=3), mask)


def test_runs_over_fifteen_take_two_characters() -> None:
    mask = np.zeros((40, 1), np.bool_)
    mask[33:] = True

    # 33 = 1 + 32: group 1 with the flag for more (49 - 48 = 33), then group 1. 7 is one group.
    assert encode_rle(mask) == "Q17"


def test_a_mask_that_starts_inside_has_an_empty_first_run() -> None:
    assert encode_rle(np.ones((2, 2), np.bool_)) == "04"
    assert decode_rle("04", width_px=2, height_px=2).all()


@given(arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_every_mask_survives_the_round_trip(mask: np.ndarray) -> None:
    height_px, width_px = mask.shape

    assert np.array_equal(decode_rle(encode_rle(mask), width_px=width_px, height_px=height_px), mask)


@given(st.integers(1, 2000), st.integers(0, 2**32 - 1))
def test_long_runs_survive_the_round_trip(height_px: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = np.repeat(rng.random((1, 7)) < 0.5, height_px, axis=0)

    assert np.array_equal(decode_rle(encode_rle(mask), width_px=7, height_px=height_px), mask)


@pytest.mark.skipif(not SA_V.is_file(), reason="the shared SA-V annotation is not here")
def test_every_code_of_a_published_annotation_is_written_back_as_it_was() -> None:
    frames = json.loads(SA_V.read_text())["masklet"]
    codes = [code for frame in frames for code in frame]

    for code in codes:
        height_px, width_px = code["size"]
        mask = decode_rle(code["counts"], width_px=width_px, height_px=height_px)
        assert encode_rle(mask) == code["counts"]
    assert len(codes) > 100


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ("42", "does not fill"),
        ("4 2", "has no meaning"),
        ("423N1Q", "cut off"),
        ("é", "has no meaning"),
        ("0N5", "fill"),
    ],
)
def test_a_damaged_code_is_told_in_words(counts: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        decode_rle(counts, width_px=4, height_px=3)
