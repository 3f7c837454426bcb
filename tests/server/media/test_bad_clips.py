from __future__ import annotations

import os
import shutil
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from generated_media import (
    number_in,
    numbered_picture,
    scene,
    write_empty_png,
    write_movie,
    write_picture,
    write_sound,
)
from masklet.errors import BadInputError, ClipError, FrameMissingError, LimitError
from masklet_server.media.limits import Limits
from masklet_server.media.movie_file import MovieFile
from masklet_server.media.source import open_clip
from platforms import needs_rights, peak_memory_bytes

PICTURE = scene()
SAMPLES = {"exr": "half", "dpx": "uint16", "tif": "uint8", "png": "uint8", "jpg": "uint8", "hdr": "float"}


def test_a_missing_clip_is_named(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match=r"^there is no clip plate.mov: check the path"):
        open_clip(tmp_path / "plate.mov")
    with pytest.raises(ClipError, match=r"no file matches plate.%04d.exr: check the folder"):
        open_clip(tmp_path / "plate.%04d.exr")
    with pytest.raises(ClipError, match=r"there is no clip"):
        open_clip(tmp_path / "nowhere" / "plate.####.exr")


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "shot").mkdir()
    (tmp_path / "shot" / "notes.txt").write_text("no pictures here")

    with pytest.raises(ClipError, match="the folder shot holds no pictures"):
        open_clip(tmp_path / "shot")


def test_a_folder_of_several_clips_names_them(tmp_path: Path) -> None:
    for name in ("a.1001.png", "a.1002.png", "b.1001.png"):
        write_picture(tmp_path / name, PICTURE)

    with pytest.raises(BadInputError, match=r"holds several clips \(a.%04d.png, b.%04d.png\): name one"):
        open_clip(tmp_path)


@pytest.mark.parametrize("name", ["plate.exr", "plate.mov"])
def test_an_empty_file_is_called_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()

    with pytest.raises(ClipError, match=rf"{name} is empty \(0 bytes\)"):
        open_clip(tmp_path / name)


@pytest.mark.parametrize("extension", sorted(SAMPLES))
@pytest.mark.parametrize("part", [0.02, 0.5, 0.9])
def test_a_picture_that_breaks_off_is_never_read_in_part(tmp_path: Path, extension: str, part: float) -> None:
    for frame in (1, 2):
        write_picture(tmp_path / f"plate.{frame}.{extension}", PICTURE, SAMPLES[extension])
    whole = (tmp_path / f"plate.2.{extension}").read_bytes()
    (tmp_path / f"plate.2.{extension}").write_bytes(whole[: max(16, int(len(whole) * part))])

    with open_clip(tmp_path / f"plate.%d.{extension}") as clip:
        clip.read(1)
        with pytest.raises(ClipError, match=rf"plate.2.{extension} is damaged or cut off"):
            clip.read(2)


def test_a_text_file_is_neither_picture_nor_movie(tmp_path: Path) -> None:
    path = tmp_path / "plate.exr"
    path.write_text("this is not an EXR")

    with pytest.raises(ClipError, match=r"plate.exr is not a picture this server reads"):
        open_clip(path)
    with pytest.raises(ClipError, match=r"notes.txt is neither a picture nor a movie this server reads"):
        open_clip(shutil.copy(path, tmp_path / "notes.txt"))
    write_picture(tmp_path / "other.1.exr", PICTURE, "half")
    path.rename(tmp_path / "other.2.exr")
    with (
        open_clip(tmp_path / "other.%d.exr") as clip,
        pytest.raises(ClipError, match=r"other.2.exr is not a picture this server reads"),
    ):
        clip.read(2)


def test_a_frame_that_changes_size_is_named_with_both_sizes(tmp_path: Path) -> None:
    write_picture(tmp_path / "plate.1001.png", PICTURE)
    write_picture(tmp_path / "plate.1002.png", PICTURE[:40, :50])

    with (
        open_clip(tmp_path / "plate.%04d.png") as clip,
        pytest.raises(ClipError, match=r"frame 1002 of plate.%04d.png is 50 x 40 and the plate is 96 x 64"),
    ):
        clip.read(1002)


def test_a_file_with_sound_only_has_no_video(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "plate.mp4")

    with pytest.raises(
        ClipError, match=r"plate.mp4 has no video in it: choose the file that holds the picture"
    ):
        open_clip(path)


@pytest.mark.parametrize("part", [0.3, 0.95])
def test_a_movie_without_its_table_of_contents_is_damaged(tmp_path: Path, part: float) -> None:
    path = write_movie(tmp_path / "plate.mp4", [numbered_picture(number) for number in range(20)])
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])

    with pytest.raises(ClipError, match=r"plate.mp4 .* it is damaged or cut off"):
        open_clip(path)


@pytest.mark.parametrize(("codec", "pixel_format"), [("prores_ks", "yuv422p10le"), ("libx264", "yuv420p")])
def test_a_movie_that_breaks_off_has_the_frames_that_are_there(
    tmp_path: Path, codec: str, pixel_format: str
) -> None:
    rng = np.random.default_rng(5)
    pictures = [rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(30)]
    options = {"movflags": "faststart"}
    path = write_movie(
        tmp_path / "plate.mov", pictures, codec=codec, pixel_format=pixel_format, container_options=options
    )
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])

    with open_clip(path) as clip:
        count = len(clip.info.frames)
        assert 10 < count < 30
        said = f"plate.mov breaks off: its header promises {30 - count} pictures more than are in the file"
        assert any(notice.startswith(said) for notice in clip.info.notices)
        # The last packet is there in part.
        for frame in (count - 6, 0, count // 2):
            clip.read(frame)


@pytest.mark.parametrize("suffix", ["mkv", "ts"])
def test_a_movie_without_a_list_that_breaks_off_ends_there(tmp_path: Path, suffix: str) -> None:
    path = write_movie(
        tmp_path / f"plate.{suffix}", [numbered_picture(number) for number in range(40)], options={"g": "8"}
    )
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])

    with open_clip(path) as clip:
        count = len(clip.info.frames)
        assert 10 < count < 40
        assert [number_in(clip.read(frame)) for frame in range(count - 1)] == list(range(count - 1))


def test_a_movie_of_too_many_frames_is_refused_while_it_is_counted(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "plate.mkv", [numbered_picture(number) for number in range(40)])

    with pytest.raises(LimitError, match=r"plate.mkv spans 31 frame numbers .* at most 30"):
        open_clip(path, limits=Limits(max_frames=30))


def test_a_long_movie_is_not_decoded_whole_to_be_counted(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "plate.avi", [numbered_picture(number) for number in range(40)])

    with pytest.raises(LimitError, match=r"its 40 pictures are shown, and this server decodes at most 30"):
        open_clip(path, limits=Limits(max_counted_by_decoding=30))


def test_a_movie_that_breaks_off_says_where(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    pictures = [rng.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(30)]
    path = write_movie(tmp_path / "plate.mov", pictures, codec="prores_ks", pixel_format="yuv422p10le")
    data = path.read_bytes()
    # The index of a MOV stands at its end; cut out pictures before it.
    moov = data.rindex(b"moov") - 4
    path.write_bytes(data[: moov // 2] + bytes(moov - moov // 2) + data[moov:])

    with open_clip(path) as clip:
        clip.read(3)
        with pytest.raises(
            ClipError, match=r"frame 25 of plate.mov cannot be decoded|breaks off before frame 25"
        ):
            clip.read(25)
        clip.read(4)


@pytest.mark.parametrize(
    ("file_name", "codec", "pixel_format"),
    [("plate.mp4", "libx264", "yuv420p"), ("plate.mov", "prores_ks", "yuv422p10le")],
)
def test_a_damaged_spot_costs_only_the_frames_around_it(
    tmp_path: Path, file_name: str, codec: str, pixel_format: str
) -> None:
    generator = np.random.default_rng(1)
    noise = (generator.integers(0, 255, (144, 256, 3), np.uint8) for _ in range(60))
    pictures = [np.asarray(cv2.GaussianBlur(each, (0, 0), 2), np.uint8) for each in noise]
    options = {"g": "12"} if codec == "libx264" else {}
    path = write_movie(
        tmp_path / file_name, pictures, codec=codec, pixel_format=pixel_format, options=options
    )
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(3000)
    path.write_bytes(data)

    unreadable = {}
    with open_clip(path) as clip:
        for frame in range(60):
            try:
                clip.read(frame)
            except ClipError as error:
                unreadable[frame] = str(error)

    assert 1 <= len(unreadable) <= 12
    assert min(unreadable) > 15
    assert max(unreadable) < 45
    assert all(
        f"frame {frame} of {file_name} cannot be decoded" in said for frame, said in unreadable.items()
    )


def test_a_picture_without_pixels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="damaged or cut off"):
        open_clip(write_empty_png(tmp_path / "plate.png", 0, 0))
    with pytest.raises(ClipError, match=r"plate has no pixels \(0 x 5\)"):
        Limits().check_size(0, 5, what="plate")


@pytest.mark.parametrize(("width_px", "height_px"), [(20_000, 20_000), (20_000, 8), (65_535, 65_535)])
def test_a_huge_picture_is_refused_before_it_is_decoded(
    tmp_path: Path, width_px: int, height_px: int
) -> None:
    path = write_empty_png(tmp_path / "plate.png", width_px, height_px)
    before_bytes = peak_memory_bytes()
    started = time.perf_counter()

    with pytest.raises(
        LimitError, match=rf"plate.png is {width_px} x {height_px} pixels .* at most 16384 on a side"
    ):
        open_clip(path)

    assert time.perf_counter() - started < 1.0
    assert peak_memory_bytes() - before_bytes < 100_000_000


def test_a_compressed_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    path = write_empty_png(tmp_path / "plate.png", 16_000, 16_000)

    with pytest.raises(LimitError, match=r"16000 x 16000 = 256000000 pixels"):
        open_clip(path)


def test_a_large_movie_is_refused_by_its_header(tmp_path: Path) -> None:
    path = write_movie(tmp_path / "plate.mp4", [numbered_picture(1, 128, 96)])

    with pytest.raises(LimitError, match=r"plate.mp4 is 128 x 96 pixels .* at most 100 on a side"):
        open_clip(path, limits=Limits(max_side_px=100))


@pytest.mark.parametrize("told_px", [9_000, 64])
def test_a_movie_of_one_huge_picture_is_refused_before_it_is_decoded(tmp_path: Path, told_px: int) -> None:
    movie = tmp_path / "plate.mov"
    with av.open(str(movie), "w") as container:
        stream = container.add_stream("png", rate=24)
        stream.width = stream.height = told_px
        stream.pix_fmt = "rgb24"
        packet = av.Packet(_black_png(9_000))
        packet.stream, packet.pts, packet.dts = stream, 0, 0
        container.mux(packet)
    before_bytes = peak_memory_bytes()

    with pytest.raises(LimitError, match=r"plate.mov .*, or they have more than the 50000000 pixels that"):
        open_clip(movie)

    # 243 MB once it is decoded.
    assert peak_memory_bytes() - before_bytes < 100_000_000


def _black_png(side_px: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, row = zlib.compressobj(1), bytes(1 + 3 * side_px)
    rows = b"".join(packer.compress(row) for _ in range(side_px)) + packer.flush()
    header = struct.pack(">IIBBBBB", side_px, side_px, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("encoder", "suffix", "pixel_format", "kind"),
    [
        ("gif", ".mov", "rgb8", "GIF"),
        ("flashsv", ".avi", "bgr24", "Flash Screen Video v1"),
        ("zmbv", ".avi", "bgr0", "Zip Motion Blocks Video"),
        ("cinepak", ".mov", "rgb24", "Cinepak"),
        ("asv1", ".avi", "yuv420p", "ASUS V1"),
        ("jpeg2000", ".mxf", "rgb24", "JPEG 2000"),
    ],
)
def test_video_of_a_kind_that_no_plate_has_is_named_and_never_decoded(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    encoder: str,
    suffix: str,
    pixel_format: str,
    kind: str,
) -> None:
    movie = write_movie(
        tmp_path / f"plate{suffix}", [numbered_picture(1)] * 2, codec=encoder, pixel_format=pixel_format
    )

    def decode(*_: object) -> None:
        raise AssertionError("it reached the decoder")

    monkeypatch.setattr(MovieFile, "decode", decode)
    with pytest.raises(ClipError, match=rf"plate{suffix} holds video of the kind {kind}.*: export it as"):
        open_clip(movie)


@pytest.mark.parametrize(
    ("encoder", "suffix", "pixel_format"),
    [
        ("cfhd", ".mov", "yuv422p10le"),
        ("mjpeg", ".avi", "yuvj420p"),
        ("png", ".mov", "rgb24"),
        ("qtrle", ".mov", "rgb24"),
        ("v210", ".mov", "yuv422p10le"),
        ("r210", ".mov", "gbrp10le"),
        ("rawvideo", ".avi", "yuv420p"),
        ("ffv1", ".mkv", "yuv420p"),
        ("huffyuv", ".avi", "yuv422p"),
        ("utvideo", ".avi", "yuv422p"),
        ("mpeg4", ".mp4", "yuv420p"),
    ],
)
def test_video_of_every_kind_that_plates_have_is_read(
    tmp_path: Path, encoder: str, suffix: str, pixel_format: str
) -> None:
    pictures = [numbered_picture(number) for number in range(3)]
    movie = write_movie(tmp_path / f"plate{suffix}", pictures, codec=encoder, pixel_format=pixel_format)

    with open_clip(movie) as clip:
        assert [number_in(clip.read(frame)) for frame in (2, 0, 1)] == [2, 0, 1]


def test_a_stray_file_with_a_far_off_number_is_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "plate.1.png", PICTURE)
    write_picture(tmp_path / "plate.99999999.png", PICTURE)

    with pytest.raises(LimitError, match="a stray file with a far-off number"):
        open_clip(tmp_path / "plate.%d.png")


def test_a_deep_picture_is_refused(tmp_path: Path) -> None:
    import OpenImageIO as oiio

    path = tmp_path / "plate.exr"
    spec = oiio.ImageSpec(4, 4, 4, "float")
    spec.channelnames = ("R", "G", "B", "A")
    spec.deep = True
    data = oiio.DeepData()
    data.init(16, 4, ["float"] * 4, ["R", "G", "B", "A"])
    output = oiio.ImageOutput.create(str(path))
    assert output.open(str(path), spec)
    assert output.write_deep_image(data)
    output.close()

    with pytest.raises(ClipError, match=r"plate.exr is a deep EXR: flatten it"):
        open_clip(path)


@needs_rights
def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "plate.png", PICTURE)
    path.chmod(0)

    with pytest.raises(ClipError, match=r"plate.png may not be read by the server"):
        open_clip(path)


def test_a_folder_where_a_frame_should_be_is_unreadable(tmp_path: Path) -> None:
    write_picture(tmp_path / "plate.1.png", PICTURE)
    (tmp_path / "plate.2.png").mkdir()

    with (
        open_clip(tmp_path / "plate.%d.png") as clip,
        pytest.raises(ClipError, match=r"plate.2.png is not a file"),
    ):
        clip.read(2)


def test_a_sequence_takes_no_other_first_frame(tmp_path: Path) -> None:
    write_picture(tmp_path / "plate.1001.png", PICTURE)

    with pytest.raises(BadInputError, match="starts at frame 1001, as its file names say"):
        open_clip(tmp_path / "plate.%04d.png", first_frame=1)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("plate\0.exr", "zero byte"),
        ("plate\ud800.exr", "not valid Unicode"),
        ("p" * 300 + ".exr", "a part of 304 bytes"),
    ],
)
def test_a_path_that_no_file_can_have_is_refused(path: str, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        open_clip(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plate.2.png")
    with pytest.raises(ClipError, match=r"plate.2.png is not a file"):
        open_clip(tmp_path / "plate.2.png")

    write_picture(tmp_path / "plate.1.png", PICTURE)
    with (
        open_clip(tmp_path / "plate.%d.png") as clip,
        pytest.raises(ClipError, match=r"plate.2.png is not a file"),
    ):
        clip.read(2)


def test_a_damaged_picture_costs_those_that_are_made_from_it_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(1)
    pictures = [generator.integers(0, 255, (64, 64, 3), np.uint8) for _ in range(48)]
    path = write_movie(
        tmp_path / "plate.mp4", pictures, options={"g": "12", "bf": "0", "sc_threshold": "0", "refs": "1"}
    )
    with av.open(str(path)) as container:
        packet = [(packet.pos, packet.size) for packet in container.demux(video=0)][30]
    data = bytearray(path.read_bytes())
    data[packet[0] : packet[0] + packet[1]] = bytes(packet[1])
    path.write_bytes(data)
    opened = MovieFile.open

    def with_many_threads(file: MovieFile, **how: Any) -> Any:
        container, stream = opened(file, **how)
        stream.codec_context.thread_count = 8
        return container, stream

    monkeypatch.setattr(MovieFile, "open", with_many_threads)

    for way in (range(48), reversed(range(48))):
        unreadable = []
        with open_clip(path) as clip:
            assert len(clip.info.frames) == 48
            for frame in way:
                try:
                    clip.read(frame)
                except FrameMissingError:
                    unreadable.append(frame)
        assert sorted(unreadable) == list(range(30, 36))


def test_a_name_does_not_choose_a_reader_that_no_plate_needs(tmp_path: Path) -> None:
    path = write_picture(tmp_path / "plate.tif", PICTURE)
    for suffix in (".tga", ".psd", ".dds", ".sgi", ".GIF", ".null"):
        with pytest.raises(ClipError, match=r"give it the suffix of its kind"):
            open_clip(shutil.copy(path, tmp_path / f"copy{suffix}"))


def test_ink_in_few_bits_is_refused_by_its_header(tmp_path: Path) -> None:
    side, bits = 16, 4
    pixels = bytes(side * side * 4 * bits // 8)
    # Size, bits, compression, ink, samples, planes, size of tiles; then where the tile is and its bytes.
    values = {256: side, 257: side, 258: 146, 259: 1, 262: 5, 277: 4, 284: 1, 322: side, 323: side}
    entries = [struct.pack("<HHII", tag, 3, 4 if tag == 258 else 1, value) for tag, value in values.items()]
    entries += [struct.pack("<HHII", 324, 4, 1, 154), struct.pack("<HHII", 325, 4, 1, len(pixels))]
    header = struct.pack("<4sIH", b"II*\0", 8, len(entries)) + b"".join(entries) + bytes(4)
    assert len(header) == 146
    (tmp_path / "ink.tif").write_bytes(header + struct.pack("<4H", *[bits] * 4) + pixels)

    with pytest.raises(ClipError, match=r"ink.tif is of a kind that this server does not read"):
        open_clip(tmp_path / "ink.tif")
