"""Timecodes as plates carry them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.plate_marks import packed_timecode, timecode_text


def later(text: str, frames: int, rate: float) -> str:
    packed = packed_timecode(text, frames, rate)
    assert packed is not None
    return timecode_text(packed)


@pytest.mark.parametrize(
    ("start", "frames", "rate", "expected"),
    [
        ("01:00:00:00", 0, 24.0, "01:00:00:00"),
        ("01:00:00:00", 25, 24.0, "01:00:01:01"),
        ("09:59:59:23", 1, 23.976, "10:00:00:00"),
        ("23:59:59:24", 1, 25.0, "00:00:00:00"),
        # Drop frame leaves out two numbers a minute, but not at each tenth.
        ("00:00:59;29", 1, 29.97, "00:01:00;02"),
        ("00:09:59;29", 1, 29.97, "00:10:00;00"),
        ("00:00:00;00", 17982, 29.97, "00:10:00;00"),
        ("00:00:00;00", 107892, 29.97, "01:00:00;00"),
        ("00:01:00;02", 0, 29.97, "00:01:00;02"),
    ],
)
def test_a_timecode_is_counted_on(start: str, frames: int, rate: float, expected: str) -> None:
    assert later(start, frames, rate) == expected


@given(st.integers(0, 107_000), st.integers(0, 5_000))
def test_counting_on_twice_is_counting_on_once(one: int, two: int) -> None:
    assert later(later("00:00:00;00", one, 29.97), two, 29.97) == later("00:00:00;00", one + two, 29.97)


@pytest.mark.parametrize("text", ["", "1:2:3:4", "01:02:03", "01:02:03:04:05", "ab:cd:ef:gh"])
def test_what_is_no_timecode_gives_none(text: str) -> None:
    assert packed_timecode(text) is None


def test_without_a_rate_only_the_first_frame_has_a_timecode() -> None:
    assert packed_timecode("01:00:00:00") == 0x01000000
    assert packed_timecode("01:00:00:00", 3, None) is None
    # Frames from 40 on have no place in the packed bits.
    assert packed_timecode("01:00:00:00", 45, 60.0) is None
