"""Client and server find the same files under the same names."""

from __future__ import annotations

from pathlib import Path

import pytest

from generated_media import numbered_picture, scene, write_movie, write_picture
from masklet.clip_files import find_files
from masklet.errors import MaskletError
from masklet_server.media.source import open_clip


@pytest.mark.parametrize(
    "clip",
    [
        "seq/a.%04d.png",
        "seq/a.####.png",
        "seq",
        "hash#1/a.@@@@.png",
        "50%d",
        "single.0012.png",
        "unnumbered.png",
        "misnamed.mov",
        "camera.mts",
        "one",
        "nothing.%d.png",
        "several",
        "empty",
    ],
)
def test_a_clip_is_the_same_frames_for_both(tmp_path: Path, clip: str) -> None:
    for folder in ("seq", "hash#1", "50%d"):
        (tmp_path / folder).mkdir()
        for frame in (1001, 1002, 1004):
            write_picture(tmp_path / folder / f"a.{frame}.png", scene(16, 16))
        (tmp_path / folder / "._a.1001.png").write_bytes(b"of another disk")
    for folder in ("one", "several", "empty"):
        (tmp_path / folder).mkdir()
    write_picture(tmp_path / "one" / "only.png", scene(16, 16))
    write_picture(tmp_path / "several" / "a.1.png", scene(16, 16))
    write_picture(tmp_path / "several" / "b.1.png", scene(16, 16))
    write_picture(tmp_path / "single.0012.png", scene(16, 16))
    write_picture(tmp_path / "unnumbered.png", scene(16, 16)).rename(tmp_path / "misnamed.mov")
    write_picture(tmp_path / "unnumbered.png", scene(16, 16))
    write_movie(tmp_path / "camera.mts", [numbered_picture(number) for number in range(12)])
    path = tmp_path / clip

    def by_client() -> list[int] | str:
        try:
            return [-1 if file.frame is None else file.frame for file in find_files(str(path))]
        except MaskletError as error:
            return str(error)

    def by_server() -> list[int] | str:
        try:
            with open_clip(path) as opened:
                info = opened.info
                if path.suffix == ".mts":
                    assert len(info.frames) == 12
                    return [-1]
                frames = range(info.first_frame, info.last_frame + 1)
                return [frame for frame in frames if frame not in info.missing_frames]
        except MaskletError as error:
            return str(error)

    assert by_client() == by_server()
