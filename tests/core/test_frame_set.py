from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from masklet.frame_set import FrameSet

FRAMES = st.frozensets(st.integers(-30, 30))


@given(FRAMES, st.integers(-40, 40), st.sampled_from([1, -1]))
def test_a_set_of_frames_answers_as_a_plain_set_does(frames: frozenset[int], frame: int, step: int) -> None:
    kept = FrameSet(frames)

    assert (frame in kept) == (frame in frames)
    assert [each for run in kept.runs for each in run] == sorted(frames)
    past = frame
    while past in frames:
        past += step
    assert kept.past(frame, step) == past


@given(FRAMES, st.integers(-40, 40), st.integers(-40, 40), st.sampled_from([1, -1]))
def test_what_a_set_leaves_of_a_range_comes_in_the_order_of_the_range(
    frames: frozenset[int], start: int, stop: int, step: int
) -> None:
    asked = range(start, stop, step)

    assert list(FrameSet(frames).without(asked)) == [frame for frame in asked if frame not in frames]


def test_a_gap_of_a_million_frames_is_stepped_over_at_once() -> None:
    gap = FrameSet(range(1, 1_000_000))
    started_s = time.perf_counter()

    for _ in range(1000):
        assert list(gap.without(range(1_000_001))) == [0, 1_000_000]
        assert gap.past(1, 1) == 1_000_000

    assert time.perf_counter() - started_s < 1.0
