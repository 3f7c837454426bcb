from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet_server.sessions.masks import pack_logits, unpack_logits

SIDE = 64


def planes(logits: NDArray[np.float16]) -> bytes:
    """High bytes, then low ones."""
    return logits.astype("<f2").view(np.uint8).reshape(-1, 2)[:, ::-1].T.tobytes()


def disc() -> NDArray[np.float16]:
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    return np.clip(np.hypot(rows - 30, columns - 20) - 12, -8, 8).astype(np.float16)


def noisy() -> NDArray[np.float16]:
    return (disc() + np.random.default_rng(3).normal(0, 0.3, (SIDE, SIDE))).astype(np.float16)


@given(
    hnp.arrays(np.uint16, hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=9)),
    st.sampled_from((1, 6)),
)
def test_logits_come_back_bit_for_bit_and_as_one_stream_that_any_masklet_reads(
    bits: NDArray[np.uint16], level: int
) -> None:
    logits = bits.view(np.float16)

    packed = pack_logits(logits, level=level)

    assert zlib.decompress(packed) == planes(logits)
    assert unpack_logits(packed, bits.shape).tobytes() == logits.tobytes()


@pytest.mark.parametrize("made", [disc, noisy])
def test_packed_logits_are_about_as_small_as_zlib_alone_makes_them(
    made: Callable[[], NDArray[np.float16]],
) -> None:
    logits = made()

    assert len(pack_logits(logits)) < 1.1 * len(zlib.compress(planes(logits), 1))


def test_a_flipped_bit_is_noticed() -> None:
    packed = bytearray(pack_logits(noisy()))
    packed[-700] ^= 4

    with pytest.raises(BadInputError, match="damaged"):
        unpack_logits(bytes(packed), (SIDE, SIDE))
