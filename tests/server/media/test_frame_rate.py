from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generated_media import numbered_picture, write_movie
from masklet_server.media.frame_rate import timing_of
from masklet_server.media.source import open_clip

MS = Fraction(1, 1000)
NTSC = Fraction(30000, 1001)


@given(
    st.sampled_from([Fraction(24000, 1001), Fraction(24), Fraction(25), NTSC, Fraction(50), Fraction(60)]),
    st.integers(2, 3000),
    st.integers(-5000, 5000),
    st.sampled_from([Fraction(1, 90000), Fraction(1, 12800), MS]),
)
def test_even_times_are_a_rate_however_the_container_rounds_them(
    rate: Fraction, count: int, start: int, time_base: Fraction
) -> None:
    times = [start + round(place / rate / time_base) for place in range(count)]

    timing = timing_of(times, time_base, rate)

    assert timing.frames_per_s == rate
    assert timing.frame_times_us == ()


def test_a_rate_that_the_last_pictures_length_spoils_is_found_again() -> None:
    times = [round(place / NTSC / MS) for place in range(2000)]

    # What FFmpeg calls the average, of a movie whose last picture stays for a second.
    assert timing_of(times, MS, Fraction(2000, 68)).frames_per_s == NTSC


def test_uneven_times_are_kept_and_the_rate_is_their_average() -> None:
    timing = timing_of([900, 933, 967, 1200, 1233], MS, Fraction(30), Fraction(1000))

    assert timing.frames_per_s == Fraction(4, 1) / Fraction(333, 1000)
    assert timing.frame_times_us == (0, 33_000, 67_000, 300_000, 333_000)


def test_a_rate_is_never_invented() -> None:
    assert timing_of([7], MS, None, Fraction(1000)).frames_per_s is None
    assert timing_of(None, MS, None, Fraction(25)).frames_per_s is None
    assert timing_of([7], MS, Fraction(25)).frames_per_s == 25


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts"])
def test_a_movie_of_a_varying_rate_says_when_each_picture_is_shown(tmp_path: Path, suffix: str) -> None:
    # In units of 1/240 s; MKV rounds them to milliseconds.
    times = [0, 10, 15, 90, 91, 200, 460, 470, 480, 900]
    pictures = [numbered_picture(number) for number in range(len(times))]
    path = write_movie(tmp_path / f"phone.{suffix}", pictures, times=times, options={"bf": "2"})

    with open_clip(path, first_frame=1001) as clip:
        info = clip.info
    with open_clip(path, frame_rate=24) as clip:
        conformed = clip.info

    assert info.is_variable_rate
    assert [round(info.time_s(frame) or 0, 2) for frame in range(1001, 1011)] == [
        round(time / 240, 2) for time in times
    ]
    assert info.frames_per_s == pytest.approx(9 / (900 / 240), rel=1e-3)
    assert not conformed.is_variable_rate
    assert conformed.frames_per_s == 24


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "ts", "mxf", "avi"])
def test_a_movie_of_an_even_rate_has_no_times_of_its_own(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"plate.{suffix}"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg2video", rate=NTSC)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for number in range(30):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())

    with open_clip(path) as clip:
        assert clip.info.frames_per_s == pytest.approx(float(NTSC))
        assert clip.info.frame_times_us == ()
