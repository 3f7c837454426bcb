"""Clips give the same through a decoder as they do when they are read here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from generated_media import numbered_picture, scene, write_movie, write_picture
from masklet.clip_reading import ClipReading
from masklet.errors import BadInputError, ClipError, FrameMissingError, LimitError, PathNotAllowedError
from masklet.pictures import Grade
from masklet.types import FrameRange
from masklet_server.fence import Fence
from masklet_server.media.limits import Limits
from masklet_server.sandbox.decoders import Decoders
from masklet_server.sandbox.opener import MediaOpener

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="decoders are confined on Linux")


@pytest.fixture(scope="module")
def decoders() -> Iterator[Decoders]:
    found = Decoders()
    yield found
    found.close()


@pytest.fixture
def sandboxed(decoders: Decoders) -> MediaOpener:
    return MediaOpener(Limits(), decoders=decoders)


HERE = MediaOpener(Limits())
PICTURES = (
    *(("exr", "half"), ("exr", "float"), ("dpx", "uint16"), ("tif", "uint16"), ("tif", "float")),
    *(("png", "uint8"), ("png", "uint16"), ("jpg", "uint8"), ("hdr", "float")),
)
MOVIES = (
    *(("mov", "prores_ks", "yuv422p10le"), ("mp4", "libx264", "yuv420p"), ("mkv", "ffv1", "yuv444p")),
    *(("webm", "libvpx-vp9", "yuv420p"), ("avi", "mjpeg", "yuvj420p"), ("mov", "qtrle", "rgb24")),
    *(("mov", "dnxhd", "yuv422p"), ("mkv", "libx265", "yuv420p"), ("mp4", "mpeg4", "yuv420p")),
)


@pytest.mark.parametrize(("suffix", "samples"), PICTURES)
def test_pictures_are_the_same(tmp_path: Path, sandboxed: MediaOpener, suffix: str, samples: str) -> None:
    for frame in (1001, 1003):
        write_picture(tmp_path / f"plate.{frame}.{suffix}", scene(frame=frame), samples)
    given = tmp_path / f"plate.%04d.{suffix}"

    same(sandboxed, given, ClipReading(), Fence.around([tmp_path]), 1003)


@pytest.mark.parametrize(("suffix", "codec", "pixels"), MOVIES)
def test_movies_are_the_same(
    tmp_path: Path, sandboxed: MediaOpener, suffix: str, codec: str, pixels: str
) -> None:
    if codec == "dnxhd":
        pictures = [numbered_picture(number, 1280, 720) for number in range(3)]
        options = {"profile": "dnxhr_sq"}
    else:
        pictures, options = [numbered_picture(number) for number in range(12)], {}
    path = write_movie(
        tmp_path / f"plate.{suffix}", pictures, codec=codec, pixel_format=pixels, options=options
    )

    same(sandboxed, path, ClipReading(first_frame=7), Fence.around([tmp_path]), 7 + len(pictures) - 2)


def same(sandboxed: MediaOpener, path: Path, reading: ClipReading, fence: Fence, frame: int) -> None:
    brighter = Grade(1.5, 1.2)
    with (
        HERE.path(path, reading=reading, fence=fence) as here,
        sandboxed.path(path, reading=reading, fence=fence) as there,
    ):
        assert there.info == here.info
        assert there.marks(frame) == here.marks(frame)
        for at in (frame, here.info.first_frame, frame):
            picture = there.read(at)
            assert picture.dtype == np.uint8
            np.testing.assert_array_equal(picture, here.read(at))
        np.testing.assert_array_equal(there.read_shown(frame, brighter), here.read_shown(frame, brighter))


def test_uploads_and_their_readings_are_the_same(tmp_path: Path, sandboxed: MediaOpener) -> None:
    for frame in (5, 6):
        write_picture(tmp_path / f"f{frame}.exr", scene(frame=frame), "half")
    files = {5: "f5.exr", 6: "f6.exr"}
    reading = ClipReading("ACEScg", frame_rate=25.0, frames=FrameRange(5, 6))
    with (
        HERE.pictures(tmp_path, files, name="shot", reading=reading) as here,
        sandboxed.pictures(tmp_path, files, name="shot", reading=reading) as there,
    ):
        assert there.info == here.info
        np.testing.assert_array_equal(there.read(6), here.read(6))


def test_refusals_are_the_same(tmp_path: Path, sandboxed: MediaOpener) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    for folder in (outside, inside):
        folder.mkdir()
        write_picture(folder / "plate.0001.png", scene())
    (inside / "plate.0002.png").symlink_to(outside / "plate.0001.png")
    (inside / "broken.0001.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    fence = Fence.around([inside])
    cases = {
        "gone.%04d.png": (ClipReading(), ClipError),
        "broken.%04d.png": (ClipReading(), ClipError),
        "plate.0002.png": (ClipReading(), PathNotAllowedError),
        "plate.0001.png": (ClipReading(colour_space="nonsense"), BadInputError),
    }
    for name, (reading, kind) in cases.items():
        told = []
        for opener in (HERE, sandboxed):
            with pytest.raises(kind) as caught:
                opener.path(inside / name, reading=reading, fence=fence)
            assert type(caught.value) is kind
            told.append(str(caught.value))
        assert told[0] == told[1]


def test_limits_hold_in_decoders(tmp_path: Path, decoders: Decoders) -> None:
    write_picture(tmp_path / "plate.0001.png", scene())
    small = MediaOpener(Limits(max_side_px=80), decoders=decoders)

    with pytest.raises(LimitError, match="at most 80 on a side"):
        small.path(tmp_path / "plate.0001.png", reading=ClipReading(), fence=Fence.around([tmp_path]))


def test_a_frame_that_is_mended_is_read_again(tmp_path: Path, sandboxed: MediaOpener) -> None:
    for frame in (1, 2, 3):
        write_picture(tmp_path / f"plate.{frame:04d}.png", scene(frame=frame))
    whole = (tmp_path / "plate.0002.png").read_bytes()
    with sandboxed.path(
        tmp_path / "plate.%04d.png", reading=ClipReading(), fence=Fence.around([tmp_path])
    ) as clip:
        (tmp_path / "plate.0002.png").write_bytes(whole[:200])
        with pytest.raises(FrameMissingError, match=r"plate\.0002\.png is damaged or cut off"):
            clip.read(2)
        assert clip.info.missing_frames == (2,)
        assert clip.refresh() == frozenset()
        (tmp_path / "plate.0002.png").write_bytes(whole)
        assert clip.refresh() == {2}
        assert clip.read(2).shape == (64, 96, 3)


def test_a_picture_that_was_made_ready_is_read_again_where_its_file_has_changed(
    tmp_path: Path, sandboxed: MediaOpener
) -> None:
    for frame in range(1, 6):
        write_picture(tmp_path / f"plate.{frame:04d}.png", scene(frame=frame))
    fence, reading = Fence.around([tmp_path]), ClipReading()
    pattern = tmp_path / "plate.%04d.png"
    with (
        sandboxed.path(pattern, reading=reading, fence=fence) as clip,
        MediaOpener(Limits()).path(pattern, reading=reading, fence=fence) as plain,
    ):
        # Forward, backward, graded in between: what was made ready is given to nobody else.
        for frame in (1, 2, 3, 4, 3, 2):
            assert (clip.read(frame) == plain.read(frame)).all(), frame
            grade = Grade(exposure_stops=1.0)
            assert (clip.read_shown(frame, grade) == plain.read_shown(frame, grade)).all(), frame
        assert clip.marks(1) == plain.marks(1)
        # Frame 1 comes next.
        write_picture(tmp_path / "plate.0001.png", scene(frame=40))
        assert (clip.read(1) == plain.read(1)).all()


def test_clips_beyond_the_number_of_decoders_give_way_and_come_back(tmp_path: Path) -> None:
    write_picture(tmp_path / "plate.0001.png", scene())
    decoders = Decoders(most=2)
    opener = MediaOpener(Limits(), decoders=decoders)
    try:
        clips = [
            opener.path(tmp_path / "plate.0001.png", reading=ClipReading(), fence=Fence.around([tmp_path]))
            for _ in range(4)
        ]
        assert sum(clip._decoder is not None for clip in clips) == 2  # type: ignore[attr-defined]
        for clip in clips:
            assert clip.read(1).shape == (64, 96, 3)
        for clip in clips:
            clip.close()
    finally:
        decoders.close()
