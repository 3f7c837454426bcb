from __future__ import annotations

import time
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace

from generated_media import number_in, numbered_picture, scene, write_movie, write_picture
from masklet.errors import FrameMissingError
from masklet_server.media.limits import Limits
from masklet_server.media.movie import MovieClip
from masklet_server.media.source import open_clip

# Long groups with B-frames: the hardest case for exact access.
LONG_GROUPS = {"g": "30", "bf": "3", "preset": "veryfast"}


@pytest.mark.parametrize(
    ("file_name", "codec", "pixel_format", "options"),
    [
        ("plate.mp4", "libx264", "yuv420p", LONG_GROUPS),
        ("plate.mkv", "libx264", "yuv420p", LONG_GROUPS),
        ("open_groups.mp4", "libx264", "yuv420p", {**LONG_GROUPS, "x264-params": "open-gop=1"}),
        ("plate.mov", "prores_ks", "yuv422p10le", {}),
        ("dnxhr.mov", "dnxhd", "yuv422p", {"profile": "dnxhr_sq"}),
        ("plate.mxf", "dnxhd", "yuv422p", {"profile": "dnxhr_sq"}),
        ("plate.webm", "libvpx-vp9", "yuv420p", {"cpu-used": "8", "deadline": "realtime", "g": "20"}),
        ("plate.avi", "mjpeg", "yuvj420p", {}),
    ],
)
def test_any_frame_is_exact_in_any_order(
    tmp_path: Path, file_name: str, codec: str, pixel_format: str, options: dict[str, str]
) -> None:
    size = (256, 128)  # DNxHR begins there
    pictures = [numbered_picture(number, *size) for number in range(70)]
    path = write_movie(
        tmp_path / file_name, pictures, codec=codec, pixel_format=pixel_format, options=options
    )

    with open_clip(path) as clip:
        assert (clip.info.first_frame, clip.info.last_frame) == (0, 69)
        assert (clip.info.width_px, clip.info.height_px) == size
        wanted = [0, 1, 2, 40, 41, 39, 38, 69, 3, 68, 30, 29, 31, 0, 12, 60]
        assert [number_in(clip.read(frame)) for frame in wanted] == wanted


def test_frames_of_a_variable_rate_count_in_the_order_they_are_shown(tmp_path: Path) -> None:
    times = [0, 10, 15, 90, 91, 200, 460, 470, 480, 900]
    pictures = [numbered_picture(number) for number in range(len(times))]
    path = write_movie(tmp_path / "phone.mp4", pictures, times=times, options={"bf": "2"})

    with open_clip(path) as clip:
        assert len(clip.info.frames) == len(times)
        assert [number_in(clip.read(frame)) for frame in (9, 3, 0, 6, 5, 4)] == [9, 3, 0, 6, 5, 4]


@pytest.mark.parametrize(("rotation", "turns"), [(90, 1), (180, 2), (-90, 3)])
def test_rotation_in_the_file_is_respected(tmp_path: Path, rotation: int, turns: int) -> None:
    picture = np.zeros((64, 128, 3), np.uint8)
    picture[:16, :32] = 230
    path = write_movie(tmp_path / "phone.mp4", [picture] * 3, rotation=rotation)

    with open_clip(path) as clip:
        shown = clip.read(1)
        size = (clip.info.height_px, clip.info.width_px)

    expected = np.rot90(picture, turns)
    assert shown.shape == expected.shape
    assert size == expected.shape[:2]
    assert np.abs(shown.astype(int) - expected).mean() < 6


def test_a_movie_can_begin_at_the_number_of_its_plate(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "plate.mp4", [numbered_picture(number) for number in range(4)])

    with open_clip(path, first_frame=1001) as clip:
        assert (clip.info.first_frame, clip.info.last_frame) == (1001, 1004)
        assert number_in(clip.read(1003)) == 2
        with pytest.raises(FrameMissingError, match="no frame 0: it runs from 1001 to 1004"):
            clip.read(0)


def test_the_rate_that_an_artist_gives_goes_before_the_files(tmp_path: Path) -> None:
    movie = write_movie(tmp_path / "plate.mp4", [numbered_picture(number) for number in range(4)])
    write_picture(tmp_path / "plate.1001.png", scene())

    with open_clip(movie, frame_rate=30) as clip:
        assert clip.info.frames_per_s == 30
        assert number_in(clip.read(2)) == 2
    with open_clip(tmp_path / "plate.%04d.png") as clip:
        assert clip.info.frames_per_s is None
    with open_clip(tmp_path / "plate.%04d.png", frame_rate=23.976) as clip:
        assert clip.info.frames_per_s == 23.976


def test_a_picture_without_a_number_can_have_one(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "sky.png", scene())

    with open_clip(path, first_frame=1001) as clip:
        assert (clip.info.first_frame, clip.info.last_frame) == (1001, 1001)
        clip.read(1001)


def test_frame_rate_and_pixel_aspect_come_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "anamorphic.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = 2
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number, 64, 64), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())

    with open_clip(path) as clip:
        assert clip.info.pixel_aspect == 2.0
        assert clip.info.frames_per_s == 25.0


@pytest.mark.parametrize(("height_px", "matrix"), [(720, Colorspace.ITU709), (480, Colorspace.ITU601)])
def test_untagged_video_has_the_colours_that_its_size_suggests(
    tmp_path: Path, height_px: int, matrix: Colorspace
) -> None:
    colour = (20, 200, 60)
    path = tmp_path / "plate.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"qp": "0", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 64, height_px, "yuv420p"
        picture = np.full((height_px, 64, 3), colour, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=matrix
        )
        container.mux(stream.encode(frame))
        container.mux(stream.encode())

    with open_clip(path) as clip:
        assert np.abs(clip.read(0)[5, 5].astype(int) - colour).max() <= 3


def test_a_closed_movie_opens_again_when_it_is_read(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "plate.mp4", [numbered_picture(number) for number in range(5)])
    clip = open_clip(path)

    clip.close()

    assert number_in(clip.read(3)) == 3
    clip.close()


def test_the_first_frames_of_a_long_movie_cost_no_more_than_of_a_short_one(tmp_path: Path) -> None:
    picture = numbered_picture(5, 64, 64)
    short = write_movie(tmp_path / "short.mp4", [picture] * 100, options=LONG_GROUPS)
    long = write_movie(tmp_path / "long.mp4", [picture] * 1500, options=LONG_GROUPS)

    def packets_read(path: Path) -> int:
        with MovieClip(path, limits=Limits()) as clip:
            clip.read(0)
            clip.read(1)
            return 0 if clip._index is None else len(clip._index.times)

    # Counted, not timed: without an index nothing but the first pictures was read.
    assert packets_read(short) == packets_read(long) == 0


def test_backward_reading_does_not_decode_a_group_for_every_frame(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "plate.mp4", [numbered_picture(n) for n in range(60)], options={"g": "60"})
    with open_clip(path) as clip:
        clip.read(59)
        started = time.process_time()
        assert [number_in(clip.read(frame)) for frame in range(58, -1, -1)] == list(range(58, -1, -1))
        backward_s = time.process_time() - started
    with open_clip(path) as clip:
        started = time.process_time()
        for frame in range(60):
            clip.read(frame)
        forward_s = time.process_time() - started

    # Decoding each time anew would cost about thirty times as much.
    assert backward_s < 8 * forward_s


def test_an_encoded_scene_keeps_its_colours(tmp_path: Path) -> None:
    picture = np.rint(scene(128, 96) * 255).astype(np.uint8)
    path = write_movie(tmp_path / "plate.mov", [picture] * 2, codec="prores_ks", pixel_format="yuv422p10le")

    with open_clip(path) as clip:
        assert np.abs(clip.read(1).astype(int) - picture).mean() < 2
