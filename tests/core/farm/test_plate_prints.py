"""A job never tracks another plate than it was submitted with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fakes.farm_shots import write_plate
from masklet.clip_files import find_clip
from masklet.errors import ClipError
from masklet.farm.plate_prints import check_same_plate, plate_prints


def test_the_same_files_under_another_date_are_the_same_plate(tmp_path: Path) -> None:
    clip = write_plate(tmp_path)
    then = plate_prints(find_clip(clip))
    for path in tmp_path.iterdir():
        os.utime(path, (1.0, 1.0))
    check_same_plate("plate", then, plate_prints(find_clip(clip)))


def test_pictures_that_were_written_again_are_named(tmp_path: Path) -> None:
    clip = write_plate(tmp_path)
    then = plate_prints(find_clip(clip))
    for frame in (1003, 1004, 1009):
        path = tmp_path / f"plate.{frame}.png"
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ClipError, match="plate was written again on 1003-1004, 1009 since"):
        check_same_plate("plate", then, plate_prints(find_clip(clip)))


def test_pictures_that_are_gone_are_named_and_more_do_no_harm(tmp_path: Path) -> None:
    clip = write_plate(tmp_path)
    then = plate_prints(find_clip(clip))
    write_plate(tmp_path, 1013, 1014)
    check_same_plate("plate", then, plate_prints(find_clip(clip)))
    (tmp_path / "plate.1005.png").unlink()
    with pytest.raises(ClipError, match="no picture on 1005, where it had some"):
        check_same_plate("plate", then, plate_prints(find_clip(clip)))


def test_a_long_file_is_told_apart_by_its_end(tmp_path: Path) -> None:
    path = tmp_path / "plate.1001.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(1 << 20))
    then = plate_prints(find_clip(path))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes((1 << 20) - 1) + b"x")
    assert plate_prints(find_clip(path)) != then
