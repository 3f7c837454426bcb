from __future__ import annotations

from dataclasses import replace

import pytest

from masklet.errors import ClipError
from masklet.hosting.clip_match import HostClip, check_match, shown_pictures
from masklet.types import ClipInfo, Overscan

SEQUENCE = ClipInfo("plate.%04d.exr", 1920, 1080, 1001, 1010)
MOVIE = ClipInfo("walk.mov", 1920, 1080, 0, 59, frames_per_s=30.0)
STEPS_MS = [33] * 15 + [66] * 15 + [33] * 15 + [50] * 15
VARIABLE = replace(MOVIE, frame_times_us=tuple(1000 * sum(STEPS_MS[:picture]) for picture in range(60)))
SEEN = HostClip("walk", 1920, 1080, 60, 30.0)


def check(host: HostClip, clip: ClipInfo) -> None:
    check_match(host, clip, host_name="Blender")


def test_what_both_see_alike_is_taken() -> None:
    check(SEEN, MOVIE)
    check(HostClip("plate", 1920, 1080), SEQUENCE)


def test_overscan_that_was_asked_for_lies_around_what_the_host_shows() -> None:
    around = replace(SEQUENCE, width_px=2000, height_px=1120, overscan=Overscan(40, 20, 40, 20))
    check(HostClip("plate", 1920, 1080), around)
    with pytest.raises(ClipError, match="beyond its format of 1920 x 1080"):
        check(HostClip("plate", 2000, 1120), around)


def test_a_duration_that_holds_a_picture_more_moves_none_of_the_others() -> None:
    check(replace(SEEN, pictures=61), MOVIE)
    with pytest.raises(ClipError, match="on 62 frames, and it has 60 pictures, because they count"):
        check(replace(SEEN, pictures=62), MOVIE)


def test_a_movie_whose_rate_varies_is_refused_with_both_counts_and_a_way_out() -> None:
    with pytest.raises(
        ClipError, match=r"has 60 pictures, because its frame rate varies: .* to an image sequence"
    ):
        check(replace(SEEN, pictures=81), VARIABLE)


def test_times_decide_where_the_counts_happen_to_agree() -> None:
    late = [*range(30), *range(31, 61)]
    jump = replace(MOVIE, frame_times_us=tuple(round(1e6 * time / 30) for time in late))
    with pytest.raises(ClipError, match="frame rate varies"):
        check(SEEN, jump)


def test_a_rate_that_varies_by_less_than_a_picture_is_taken() -> None:
    jitter = tuple(round(1e6 * picture / 30) - (700 if picture % 3 == 1 else 0) for picture in range(60))
    check(SEEN, replace(MOVIE, frame_times_us=jitter))


def test_frames_show_the_pictures_that_blender_was_seen_to_show() -> None:
    # Read from renders of this very movie in 4.2 and 5.2, which showed the same.
    seen = [*range(16), 15, 16, 16, 17, 17, 18, 18, 19, 19, 20, 20, 21, 21, 22, 22, 23, 23, 24, 24, 25, 25]
    seen[15:17] = [15, 15]
    assert list(shown_pictures(replace(SEEN, pictures=81), VARIABLE))[: len(seen)] == seen
    assert shown_pictures(replace(SEEN, pictures=81), VARIABLE)[-1] == 58


@pytest.mark.parametrize(
    ("turns", "clip", "words"),
    [
        (False, replace(MOVIE, width_px=1080, height_px=1920, quarter_turns=1), "turned by 90 degrees"),
        (False, replace(MOVIE, quarter_turns=2), "turned by 180 degrees"),
        (True, replace(MOVIE, mirrored=True), "mirrored"),
    ],
)
def test_a_movie_that_blender_shows_another_way_up_is_refused(
    turns: bool, clip: ClipInfo, words: str
) -> None:
    with pytest.raises(ClipError, match=words):
        check(replace(SEEN, turns=turns), clip)


def test_a_phones_movie_is_taken_where_blender_turns_it() -> None:
    turned = replace(MOVIE, width_px=1080, height_px=1920, quarter_turns=1)
    check(replace(SEEN, width_px=1080, height_px=1920), turned)


def test_another_size_is_refused_unless_a_proxys_rounding_explains_it() -> None:
    with pytest.raises(ClipError, match="as 1918 x 1080, and the server reads it as 1920 x 1080"):
        check(replace(SEEN, width_px=1918), MOVIE)
    check(replace(SEEN, width_px=1918, is_proxy=True), MOVIE)
    with pytest.raises(ClipError):
        check(replace(SEEN, width_px=960, height_px=540, is_proxy=True), MOVIE)


def test_pictures_that_reach_beyond_their_format_are_no_movie_to_be_converted() -> None:
    with pytest.raises(ClipError, match=r"with what lies beyond its format of 1920 x 1080: .* --overscan"):
        check(HostClip("plate", 2000, 1120), SEQUENCE)
    with pytest.raises(ClipError, match="see that both have the same files"):
        check(HostClip("plate", 960, 540), SEQUENCE)
