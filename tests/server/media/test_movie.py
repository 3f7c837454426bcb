from __future__ import annotations

import time
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import Colorspace

from generated_media import number_in, numbered_picture, scene, write_movie, write_picture
from masklet.errors import ClipError, FrameMissingError
from masklet_server.media.limits import Limits
from masklet_server.media.movie import MovieClip
from masklet_server.media.movie_file import MovieFile
from masklet_server.media.orientation import Orientation, orientation_from
from masklet_server.media.source import open_clip

COLOUR = (20, 200, 60)
# Long groups with B-frames: the hardest case for exact access.
LONG_GROUPS = {"g": "30", "bf": "3", "preset": "veryfast"}


def write_plain(path: Path, size_px: tuple[int, int], matrix: int, **tags: int) -> Path:
    """A movie of one plain picture, coded with a matrix and tagged as asked."""
    width_px, height_px = size_px
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"qp": "0", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        for tag, value in tags.items():
            setattr(stream.codec_context, tag, value)
        picture = np.full((height_px, width_px, 3), COLOUR, np.uint8)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format="yuv420p", dst_colorspace=matrix
        )
        frame.colorspace = tags.get("colorspace", 2)
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


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


# Entries a, b, c, d: a stored point (x, y), y downwards, is shown at (a x + c y, b x + d y).
UPRIGHT_WAYS = [
    ((1, 0, 0, 1), False, 0),
    ((0, 1, -1, 0), False, 1),
    ((-1, 0, 0, -1), False, 2),
    ((0, -1, 1, 0), False, 3),
    ((-1, 0, 0, 1), True, 0),
    ((0, -1, -1, 0), True, 1),
    ((1, 0, 0, -1), True, 2),
    ((0, 1, 1, 0), True, 3),
]


def display_matrix(a: float, b: float, c: float, d: float, u: float = 0) -> list[int]:
    one, perspective_one = 1 << 16, 1 << 30
    return [round(n) for n in (a * one, b * one, u * one, c * one, d * one, 0, 0, 0, perspective_one)]


@pytest.mark.parametrize(("entries", "mirrored", "quarter_turns"), UPRIGHT_WAYS)
@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv"])
def test_a_movie_is_shown_as_its_display_matrix_asks(
    tmp_path: Path, suffix: str, entries: tuple[int, int, int, int], mirrored: bool, quarter_turns: int
) -> None:
    picture = np.zeros((64, 128, 3), np.uint8)
    picture[:16, :32] = 230
    picture[48:, 64:80] = 120
    path = write_movie(tmp_path / f"phone.{suffix}", [picture] * 3, matrix=display_matrix(*entries))
    a, b, c, d = entries
    y, x = np.mgrid[:64, :128]
    to_x, to_y = a * x + c * y, b * x + d * y
    to_x, to_y = to_x - to_x.min(), to_y - to_y.min()
    expected = np.zeros((to_y.max() + 1, to_x.max() + 1, 3), np.uint8)
    expected[to_y, to_x] = picture

    with open_clip(path) as clip:
        shown = clip.read(1)
        info = clip.info

    assert shown.shape == expected.shape
    assert (info.height_px, info.width_px) == expected.shape[:2]
    assert (info.mirrored, info.quarter_turns) == (mirrored, quarter_turns)
    assert np.abs(shown.astype(int) - expected).mean() < 6


@pytest.mark.parametrize(
    "entries",
    [(0.866, 0.5, -0.5, 0.866), (1, 0.4, 0, 1), (1, 0, 0, 0), (1, 0, 0, 1, 0.5)],
    ids=["30 degrees", "shear", "flat", "perspective"],
)
def test_a_display_matrix_that_is_askew_is_refused(entries: tuple[float, ...]) -> None:
    with pytest.raises(ClipError, match=r"phone.mp4 asks to be shown askew .* render it upright"):
        orientation_from(tuple(display_matrix(*entries)), name="phone.mp4")


def test_a_display_matrix_that_stretches_keeps_its_turn() -> None:
    assert orientation_from(tuple(display_matrix(0, 2, -1, 0)), name="a.mov") == Orientation(quarter_turns=1)


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


@pytest.mark.parametrize(
    ("size_px", "matrix", "said"),
    [
        ((64, 720), Colorspace.ITU709, "Rec.709, as for HD"),
        ((1280, 534), Colorspace.ITU709, "Rec.709, as for HD"),
        ((720, 576), Colorspace.ITU601, "Rec.601, as for SD"),
        ((64, 480), Colorspace.ITU601, "Rec.601, as for SD"),
    ],
)
def test_untagged_video_has_the_colours_that_its_size_suggests(
    tmp_path: Path, size_px: tuple[int, int], matrix: Colorspace, said: str
) -> None:
    path = write_plain(tmp_path / "plate.mp4", size_px, matrix)

    with open_clip(path) as clip:
        assert np.abs(clip.read(0)[5, 5].astype(int) - COLOUR).max() <= 3
        assert clip.info.notices == (f"plate.mp4 does not say its YCbCr matrix: taken as {said}.",)


@pytest.mark.parametrize(
    ("tag", "matrix"), [(1, Colorspace.ITU709), (6, Colorspace.ITU601), (7, Colorspace.SMPTE240M), (9, 9)]
)
def test_tagged_video_has_the_colours_that_it_says(tmp_path: Path, tag: int, matrix: int) -> None:
    path = write_plain(tmp_path / "plate.mp4", (64, 720 if tag == 6 else 48), matrix, colorspace=tag)

    with open_clip(path) as clip:
        assert np.abs(clip.read(0)[5, 5].astype(int) - COLOUR).max() <= 4
        assert clip.info.notices == ()


def test_primaries_say_the_matrix_where_only_they_are_tagged(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "plate.mp4", (64, 48), Colorspace.ITU709, color_primaries=1)

    with open_clip(path) as clip:
        assert np.abs(clip.read(0)[5, 5].astype(int) - COLOUR).max() <= 3
        assert clip.info.notices == ()


@pytest.mark.parametrize("full_range", [False, True])
def test_ycgco_is_read_as_its_standard_says(tmp_path: Path, full_range: bool) -> None:
    red, green, blue = (value / 255 for value in COLOUR)
    luma, chroma = (
        0.25 * red + 0.5 * green + 0.25 * blue,
        (
            -0.25 * red + 0.5 * green - 0.25 * blue,
            0.5 * red - 0.5 * blue,
        ),
    )
    planes = np.empty((3, 48, 64), np.uint8)
    planes[0] = round(255 * luma if full_range else 16 + 219 * luma)
    for plane, value in zip(planes[1:], chroma, strict=True):
        plane[:] = round(128 + (255 if full_range else 224) * value)
    path = tmp_path / "plate.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv444p"
        stream.codec_context.colorspace = 8
        stream.codec_context.color_range = 2 if full_range else 1
        container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv444p")))
        container.mux(stream.encode())

    for colour in (None, "ARRI LogC4"):
        with open_clip(path, colour=colour) as clip:
            assert "tagged YCgCo and read so" in clip.info.notices[0]
            picture = clip.read(0)
            if colour is None:
                assert np.abs(picture[5, 5].astype(int) - COLOUR).max() <= 3


def test_a_matrix_that_is_not_read_is_named(tmp_path: Path) -> None:
    path = write_plain(tmp_path / "plate.mp4", (64, 48), Colorspace.ITU709, colorspace=14)

    with pytest.raises(
        ClipError, match=r"plate.mp4 has its colours as ICtCp, which this server does not read"
    ):
        open_clip(path)


def test_a_closed_movie_opens_again_when_it_is_read(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "plate.mp4", [numbered_picture(number) for number in range(5)])
    clip = open_clip(path)

    clip.close()

    assert number_in(clip.read(3)) == 3
    clip.close()


def test_opening_decodes_a_few_pictures_however_long_the_movie_is(tmp_path: Path) -> None:
    picture = numbered_picture(5, 64, 64)
    short = write_movie(tmp_path / "short.mp4", [picture] * 100, options=LONG_GROUPS)
    long = write_movie(tmp_path / "long.mp4", [picture] * 1500, options=LONG_GROUPS)

    def pictures_decoded(path: Path) -> int:
        with MovieClip(path, limits=Limits()) as clip:
            clip.read(0)
            return len(clip._reader._decoded)

    assert pictures_decoded(short) == pictures_decoded(long) < 10


def test_a_movie_of_whole_pictures_is_not_read_through_to_count_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = [numbered_picture(number, 64, 64) for number in range(30)]
    path = write_movie(tmp_path / "plate.mov", pictures, codec="prores_ks", pixel_format="yuv422p10le")

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the whole file was read")

    monkeypatch.setattr("masklet_server.media.movie_counting.packets_by_demuxing", never)
    with open_clip(path) as clip:
        assert len(clip.info.frames) == 30
        assert [number_in(clip.read(frame)) for frame in (29, 3, 17)] == [29, 3, 17]


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


def test_a_movie_that_was_just_opened_is_read_on_without_going_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_movie(
        tmp_path / "plate.mp4", [numbered_picture(number) for number in range(20)], options=LONG_GROUPS
    )
    with open_clip(path) as clip:

        def went_back(self: MovieFile, *args: object, **words: object) -> bool:
            raise AssertionError("what was decoded to count the pictures is decoded again")

        monkeypatch.setattr(MovieFile, "seek", went_back)
        monkeypatch.setattr(MovieFile, "open", went_back)
        assert [number_in(clip.read(frame)) for frame in range(20)] == list(range(20))
