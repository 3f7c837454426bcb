from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from masklet.errors import ClipError
from masklet.hosting.plate_files import PlateSource, clip_of, fingerprint_of, is_plate_of, sequence_pattern


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    folder = tmp_path / "plate"
    folder.mkdir()
    for frame in range(1001, 1004):
        (folder / f"shot_v002.{frame}.png").write_bytes(b"picture %d" % frame)
    return folder


def source(folder: Path) -> PlateSource:
    return PlateSource("shot", sequence_pattern(str(folder / "shot_v002.1001.png")), 64, 36)


def test_a_sequence_is_named_by_its_pattern(plate: Path) -> None:
    assert source(plate).path == str(plate / "shot_v002.%04d.png")


def test_a_picture_stands_for_its_sequence_and_a_movie_for_itself_whatever_its_numbers(
    plate: Path, tmp_path: Path
) -> None:
    movie = tmp_path / "shot_01_v2.mp4"
    movie.write_bytes(b"a movie")
    assert clip_of(str(plate / "shot_v002.1002.png")) == str(plate / "shot_v002.%04d.png")
    assert clip_of(str(plate / "shot_v002.%04d.png")) == str(plate / "shot_v002.%04d.png")
    assert clip_of(str(plate)) == str(plate)
    assert clip_of(str(movie)) == str(movie)
    with pytest.raises(ClipError):
        clip_of(str(tmp_path / "gone.mp4"))


def test_a_plate_that_was_moved_is_the_same_and_one_with_other_pictures_is_not(
    plate: Path, tmp_path: Path
) -> None:
    before = fingerprint_of(source(plate))
    moved = plate.rename(tmp_path / "elsewhere")
    assert fingerprint_of(source(moved)) == before
    (moved / "shot_v002.1004.png").write_bytes(b"picture 1004")
    assert fingerprint_of(source(moved)) == before
    (moved / "shot_v002.1001.png").write_bytes(b"another grade")
    assert fingerprint_of(source(moved)) != before


def test_missing_pictures_are_told_with_the_way_on(plate: Path) -> None:
    known = source(plate)
    for file in plate.iterdir():
        file.unlink()
    with pytest.raises(
        ClipError,
        match=r"the pictures of shot are no longer at .*: bring them back, or choose",
    ):
        fingerprint_of(known)


def test_a_plate_is_the_same_in_a_host_that_does_not_know_its_size_yet(plate: Path) -> None:
    unread = PlateSource("shot", source(plate).path, 0, 0)
    assert fingerprint_of(unread) == fingerprint_of(source(plate))


def test_a_fingerprint_that_an_earlier_version_kept_is_still_known(plate: Path) -> None:
    # sha256 of the size, the first frame and the first file, as it was written until this version.
    earlier = hashlib.sha256(b"64x36 1001" + b"picture 1001").hexdigest()[:16]
    assert is_plate_of(earlier, source(plate))
    assert not is_plate_of(earlier, PlateSource("shot", source(plate).path, 128, 72))
