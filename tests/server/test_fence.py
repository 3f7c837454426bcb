from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from generated_media import write_movie, write_picture
from masklet.errors import ClipError, FrameMissingError, PathNotAllowedError
from masklet_server.fence import Fence
from masklet_server.media import picture_formats
from masklet_server.media.limits import Limits
from masklet_server.media.source import open_clip
from platforms import make_link


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    for frame in (1, 2, 3, 4):
        write_picture(folder / f"plate.{frame:04d}.png", np.full((6, 8, 3), 10 * frame, np.uint8))
    write_picture(tmp_path / "secret.png", np.full((6, 8, 3), 255, np.uint8))
    return folder


def limits(root: Path) -> Limits:
    return Limits(fence=Fence.around([root]))


def swap(path: Path, target: Path) -> None:
    path.unlink()
    make_link(path, target)


def test_a_frame_that_becomes_a_link_after_opening_is_left_out_with_its_reason(root: Path) -> None:
    with open_clip(root / "plate.%04d.png", limits=limits(root)) as clip:
        swap(root / "plate.0002.png", root.parent / "secret.png")

        with pytest.raises(
            FrameMissingError, match=r"plate.0002.png is a link to a place this server may not"
        ):
            clip.read(2)
        assert clip.read(3)[0, 0, 0] == 30
        assert clip.info.missing_frames == (2,)


def test_a_folder_that_becomes_a_link_after_opening_is_left_alone(root: Path) -> None:
    (root / "shot").mkdir()
    for frame in (1, 2, 3, 4):
        (root / f"plate.{frame:04d}.png").rename(root / "shot" / f"plate.{frame:04d}.png")
    with open_clip(root / "shot", limits=limits(root)) as clip:
        (root / "shot").rename(root.parent / "moved")
        make_link(root / "shot", root.parent / "moved")

        with pytest.raises(FrameMissingError, match="may not read"):
            clip.read(3)


def test_links_that_stay_inside_are_read(root: Path) -> None:
    with open_clip(root / "plate.%04d.png", limits=limits(root)) as clip:
        swap(root / "plate.0002.png", root / "plate.0004.png")

        assert clip.read(2)[0, 0, 0] == 40


def test_a_frame_that_is_swapped_while_the_library_opens_it_is_not_shown(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = picture_formats.oiio.ImageInput.open

    class Swapping:
        @staticmethod
        def open(path: str, config: object) -> object:
            swap(Path(path), root.parent / "secret.png")
            return opening(path, config)

    with open_clip(root / "plate.%04d.png", limits=limits(root)) as clip:
        monkeypatch.setattr(picture_formats.oiio, "ImageInput", Swapping)
        with pytest.raises(FrameMissingError, match="may not read"):
            clip.read(2)


@pytest.mark.parametrize("make", [os.mkdir, getattr(os, "mkfifo", None)])
def test_what_is_no_file_is_refused_at_once(root: Path, make: Callable[[Path], None] | None) -> None:
    if make is None:
        pytest.skip("this system has no pipes with names")
    with open_clip(root / "plate.%04d.png", limits=limits(root)) as clip:
        (root / "plate.0002.png").unlink()
        make(root / "plate.0002.png")

        with pytest.raises(FrameMissingError, match=r"is not a file"):
            clip.read(2)


def test_a_movie_that_becomes_a_link_after_opening_is_not_read(root: Path) -> None:
    pictures = [np.zeros((16, 16, 3), np.uint8)] * 2
    movie, secret = (write_movie(folder / "plate.mov", pictures) for folder in (root, root.parent))
    with open_clip(movie, limits=limits(root)) as clip:
        clip.read(0)
        clip.close()
        swap(movie, secret)

        with pytest.raises(FrameMissingError, match="may not read"):
            clip.read(0)
    with pytest.raises(PathNotAllowedError, match="may not read"):
        open_clip(movie, limits=limits(root))


def test_without_a_fence_every_link_is_followed(root: Path) -> None:
    swap(root / "plate.0002.png", root.parent / "secret.png")
    with open_clip(root / "plate.%04d.png") as clip:
        assert clip.read(2)[0, 0, 0] == 255
    with pytest.raises(ClipError):
        open_clip(root / "none.mov")
