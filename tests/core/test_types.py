from __future__ import annotations

import pytest

from masklet.frame_runs import counted
from masklet.types import ClipInfo, FrameRange


def test_the_time_of_a_frame_follows_from_the_rate() -> None:
    clip = ClipInfo("a.mov", 16, 9, 1001, 1100, frames_per_s=25.0)

    assert not clip.is_variable_rate
    assert [clip.time_s(frame) for frame in (1001, 1002, 1026)] == [0.0, 0.04, 1.0]


def test_the_time_of_a_frame_is_its_own_where_the_rate_varies() -> None:
    clip = ClipInfo("a.mov", 16, 9, 1001, 1003, frames_per_s=10.0, frame_times_us=(0, 50_000, 200_000))

    assert clip.is_variable_rate
    assert [clip.time_s(frame) for frame in (1001, 1002, 1003)] == [0.0, 0.05, 0.2]
    assert [clip.time_s(frame) for frame in (999, 1005)] == [-0.2, pytest.approx(0.4)]


def test_no_rate_means_no_time() -> None:
    assert ClipInfo("a.%04d.exr", 16, 9, 1001, 1003).time_s(1002) is None


def test_one_frame_is_called_a_frame_and_several_frames() -> None:
    assert (FrameRange(1, 1).worded, FrameRange(-2, 5).worded) == ("frame 1", "frames -2-5")
    assert (counted(1), counted(12)) == ("1 frame", "12 frames")
