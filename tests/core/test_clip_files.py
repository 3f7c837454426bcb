"""The files of a clip are found the way people write clips."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from masklet.clip_files import find_files, is_here, is_pattern
from masklet.errors import BadInputError, ClipError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).touch()


@pytest.mark.parametrize("pattern", ["plate.%04d.exr", "plate.####.exr", "plate.@@@@.exr", "plate.%d.exr"])
def test_a_pattern_finds_its_frames_in_order(tmp_path: Path, pattern: str) -> None:
    touch(tmp_path, "plate.1002.exr", "plate.1001.exr", "plate.10000.exr", "plate.exr", "other.1001.exr")

    found = find_files(str(tmp_path / pattern))

    assert [(file.path.name, file.frame) for file in found] == [
        ("plate.1001.exr", 1001),
        ("plate.1002.exr", 1002),
        ("plate.10000.exr", 10000),
    ]


def test_a_pattern_finds_negative_frames(tmp_path: Path) -> None:
    touch(tmp_path, "p.-0001.png", "p.0000.png", "p.0001.png")

    assert [file.frame for file in find_files(str(tmp_path / "p.%04d.png"))] == [-1, 0, 1]


def test_a_pattern_leaves_out_numbers_with_too_few_digits(tmp_path: Path) -> None:
    touch(tmp_path, "p.7.png", "p.0008.png")

    assert [file.frame for file in find_files(str(tmp_path / "p.%04d.png"))] == [8]


def test_a_folder_with_one_sequence_is_that_sequence(tmp_path: Path) -> None:
    touch(tmp_path, "a.0001.jpg", "a.0002.jpg", "notes.txt", "thumbs.0001.db")

    assert [file.frame for file in find_files(str(tmp_path))] == [1, 2]


def test_a_folder_with_two_sequences_is_refused(tmp_path: Path) -> None:
    touch(tmp_path, "a.0001.jpg", "b.0001.jpg")

    with pytest.raises(BadInputError, match=r"holds several clips \(a.%04d.jpg, b.%04d.jpg\): name one"):
        find_files(str(tmp_path))


def test_a_movie_is_one_file_without_a_number(tmp_path: Path) -> None:
    touch(tmp_path, "take2.MOV")

    assert [(file.path.name, file.frame) for file in find_files(str(tmp_path / "take2.MOV"))] == [
        ("take2.MOV", None)
    ]


def test_a_single_picture_keeps_the_number_in_its_name(tmp_path: Path) -> None:
    touch(tmp_path, "plate.1010.exr", "still.png")

    assert find_files(str(tmp_path / "plate.1010.exr"))[0].frame == 1010
    assert find_files(str(tmp_path / "still.png"))[0].frame == 0


@pytest.mark.parametrize("clip", ["missing.mov", "plate.%04d.exr", "nowhere/plate.####.exr"])
def test_what_is_not_there_is_refused(tmp_path: Path, clip: str) -> None:
    with pytest.raises(ClipError, match=r"no clip|no file matches"):
        find_files(str(tmp_path / clip))


def test_here_means_the_file_or_the_folder_of_the_pattern(tmp_path: Path) -> None:
    assert is_here(str(tmp_path / "plate.%04d.exr"))
    assert not is_here(str(tmp_path / "nowhere" / "plate.%04d.exr"))
    assert not is_here(str(tmp_path / "plate.mov"))
    assert not is_pattern(str(tmp_path / "a%04d" / "plate.mov"))


@pytest.mark.parametrize("folder", ["shot#1", "50%d", "shot%04d", "take@2", "a ####b"])
def test_signs_of_patterns_in_a_folders_name_are_just_signs(tmp_path: Path, folder: str) -> None:
    inside = tmp_path / folder
    inside.mkdir()
    touch(inside, "a.0001.exr", "a.0002.exr")

    for clip in (inside, inside / "a.%04d.exr", inside / "a.####.exr"):
        assert is_here(str(clip))
        assert [file.frame for file in find_files(str(clip))] == [1, 2]


@pytest.mark.parametrize("name", ["take#2.mov", "50%d.mts", "a@b.mxf"])
def test_a_file_that_exists_is_itself_whatever_signs_its_name_holds(tmp_path: Path, name: str) -> None:
    touch(tmp_path, name)

    assert is_here(str(tmp_path / name))
    assert find_files(str(tmp_path / name)) == ((tmp_path / name, None),)


def test_what_macos_leaves_beside_pictures_is_not_taken_for_some(tmp_path: Path) -> None:
    touch(tmp_path, "a.0001.exr", "a.0002.exr", "._a.0001.exr", "._a.0002.exr", ".a.0003.exr")

    assert [file.path.name for file in find_files(str(tmp_path))] == ["a.0001.exr", "a.0002.exr"]


def test_a_picture_is_known_by_its_first_bytes_and_a_movie_may_be_called_anything(tmp_path: Path) -> None:
    (tmp_path / "still.0007.dat").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    (tmp_path / "camera.mts").write_bytes(bytes(200))

    assert [file.frame for file in find_files(str(tmp_path / "still.0007.dat"))] == [7]
    assert [file.frame for file in find_files(str(tmp_path / "camera.mts"))] == [None]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_no_text_are_refused_before_they_travel(tmp_path: Path) -> None:
    for number in (1, 2):
        open(os.fsencode(tmp_path) + b"/pl\xe9te.000%d.exr" % number, "wb").close()

    with pytest.raises(BadInputError, match="not valid Unicode: rename the files"):
        find_files(str(tmp_path))
