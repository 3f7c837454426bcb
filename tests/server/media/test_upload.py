from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generated_media import scene, write_picture
from masklet.errors import BadInputError, ClipError
from masklet_server.media.limits import Limits
from masklet_server.media.upload import open_upload


def stored_frames(folder: Path) -> dict[int, str]:
    """Three frames as a server stores them: under digests, without extensions."""
    files = {}
    for place, frame in enumerate((1001, 1002, 1004)):
        written = write_picture(folder / f"{place}.png", scene(frame=place))
        files[frame] = written.rename(folder / f"{place:064x}").name
    return files


def test_uploaded_frames_are_a_clip_with_the_plates_numbers(tmp_path: Path) -> None:
    files = stored_frames(tmp_path)

    with open_upload(tmp_path, files, name="plate.%04d.png", limits=Limits()) as clip:
        assert (clip.info.name, clip.info.first_frame, clip.info.last_frame) == ("plate.%04d.png", 1001, 1004)
        assert clip.info.missing_frames == (1003,)
        assert np.array_equal(clip.read(1004), np.rint(scene(frame=2) * 255))


@pytest.mark.parametrize("stored", ["../secret", "/etc/passwd", "", "..", "a\0b", "a\\b"])
def test_a_stored_name_is_never_a_path(tmp_path: Path, stored: str) -> None:
    with pytest.raises(BadInputError, match="frame 7 of the upload has an unusable file name"):
        open_upload(tmp_path, {7: stored}, name="plate", limits=Limits())


def test_a_frame_that_did_not_arrive_is_named(tmp_path: Path) -> None:
    files = stored_frames(tmp_path) | {1003: "gone"}

    with pytest.raises(ClipError, match=r"frame 1003 of plate did not arrive: send the clip again"):
        open_upload(tmp_path, files, name="plate", limits=Limits())


def test_an_upload_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="plate has no frames"):
        open_upload(tmp_path, {}, name="plate", limits=Limits())


def test_a_damaged_frame_is_named_as_the_sender_knows_it(tmp_path: Path) -> None:
    files = stored_frames(tmp_path)
    (tmp_path / files[1002]).write_bytes(b"\x89PNG\r\n\x1a\n")

    with (
        open_upload(tmp_path, files, name="plate.%04d.png", limits=Limits()) as clip,
        pytest.raises(ClipError, match=r"^frame 1002 of plate.%04d.png is damaged or cut off"),
    ):
        clip.read(1002)
