from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.errors import BadInputError
from masklet.patterns import FramePattern, frame_in, frames_matching, group_sequences

NAME_PARTS = st.text(alphabet="abcXYZ_-. 09é", max_size=12)


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("plate.%04d.exr", "plate.%04d.exr"),
        ("plate.####.exr", "plate.%04d.exr"),
        ("plate.@@@.exr", "plate.%03d.exr"),
        ("plate_%d.png", "plate_%d.png"),
        ("plate_#.png", "plate_%d.png"),
        ("%06d.jpg", "%06d.jpg"),
    ],
)
def test_every_spelling_means_the_same_place(name: str, spelled: str) -> None:
    pattern = FramePattern.parse(name)

    assert pattern is not None
    assert str(pattern) == spelled


def test_a_plain_name_is_no_pattern() -> None:
    assert FramePattern.parse("plate.1001.exr") is None


def test_two_places_for_the_number_are_refused() -> None:
    with pytest.raises(BadInputError, match="2 places for the frame number"):
        FramePattern.parse("plate.%04d.####.exr")


def test_an_absurd_number_of_digits_is_refused() -> None:
    with pytest.raises(BadInputError, match="at most 32"):
        FramePattern.parse("plate.%0999999999d.exr")


@given(
    prefix=NAME_PARTS, suffix=NAME_PARTS, padding=st.integers(1, 8), frame=st.integers(-99_999, 99_999_999)
)
def test_a_name_made_from_a_frame_gives_the_frame_back(
    prefix: str, suffix: str, padding: int, frame: int
) -> None:
    pattern = FramePattern(prefix, padding, suffix)

    assert pattern.frame_of(pattern.name_of(frame)) == frame


@given(prefix=NAME_PARTS, padding=st.integers(1, 8), text=st.text(max_size=12))
def test_only_padded_whole_numbers_fit(prefix: str, padding: int, text: str) -> None:
    pattern = FramePattern(prefix, padding, ".exr")

    frame = pattern.frame_of(f"{prefix}{text}.exr")

    if frame is not None:
        assert int(text) == frame
        assert len(text) >= padding


def test_negative_numbers_fit_with_and_without_the_sign_in_the_width() -> None:
    pattern = FramePattern("plate.", 4, ".exr")

    assert pattern.frame_of("plate.-005.exr") == -5
    assert pattern.frame_of("plate.-0005.exr") == -5
    assert pattern.frame_of("plate.-5.exr") is None
    assert pattern.frame_of("plate.-000.exr") is None


def test_a_pattern_picks_only_its_own_files() -> None:
    names = ["plate.1001.exr", "plate.1003.exr", "plate.01004.exr", "plate.1002.png", "other.1005.exr"]

    assert frames_matching(FramePattern("plate.", 4, ".exr"), names) == {
        1001: "plate.1001.exr",
        1003: "plate.1003.exr",
    }


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("plate.1001.exr", 1001),
        ("v002_shot010.0987.dpx", 987),
        ("plate.-12.exr", -12),
        ("plate-12.exr", 12),
        ("-12.exr", -12),
        ("00007.jpg", 7),
        ("plate.exr", None),
        ("render.1001_left.exr", 1001),
        ("plate.2147483647.exr", 2147483647),
        ("IMG_20261130123456.jpg", None),
    ],
)
def test_the_last_number_of_a_name_is_its_frame(name: str, frame: int | None) -> None:
    assert frame_in(name) == frame


def test_a_sequence_numbered_by_the_clock_is_refused_with_a_repair() -> None:
    with pytest.raises(BadInputError, match=r"20261130123456\.exr is larger .* rename the files"):
        frames_matching(FramePattern("plate.", 1, ".exr"), ["plate.20261130123456.exr"])


def test_a_folder_is_sorted_into_its_sequences() -> None:
    names = ["a.1002.exr", "a.1001.exr", "b_1.png", "b_10.png", "still.png"]

    sequences, loose = group_sequences(names)

    assert {name: list(frames) for name, frames in sequences.items()} == {
        "a.%04d.exr": [1001, 1002],
        "b_%d.png": [1, 10],
    }
    assert loose == ("still.png",)
