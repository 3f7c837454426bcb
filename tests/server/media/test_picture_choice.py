"""The right picture out of a file: layers, windows, slates and frames that cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from generated_media import scene, write_parts, write_picture
from masklet.errors import BadInputError, ClipError, FrameMissingError
from masklet.types import FrameRange, Overscan
from masklet_server.media.source import open_clip

PICTURE = scene()
CODES = np.rint(PICTURE * 255)
DEPTH = np.linspace(0, 1, 96 * 64, dtype=np.float32).reshape(64, 96, 1)


def _near(shown: np.ndarray, wanted: np.ndarray) -> bool:
    return bool(np.abs(shown.astype(int) - wanted).max() <= 1)


def test_the_part_with_colours_is_the_plate_though_depth_comes_first(tmp_path: Path) -> None:
    alpha = np.ones((64, 96, 1), np.float32)
    path = write_parts(
        tmp_path / "render.1001.exr",
        [("depth_main", ["depth.Z"], DEPTH), ("rgba_main", [*"RGBA"], np.dstack([PICTURE, alpha]))],
    )

    with open_clip(path, colour="sRGB") as clip:
        assert _near(clip.read(1001), CODES)
        assert clip.info.notices == ("took the layer rgba_main; others: depth_main",)


def test_a_layer_is_chosen_and_stays_chosen_where_parts_change_places(tmp_path: Path) -> None:
    parts = [
        ("beauty", [*"RGB"], PICTURE),
        ("diffuse", [*"RGB"], PICTURE[:, ::-1]),
        ("depth", ["Z"], DEPTH),
    ]
    write_parts(tmp_path / "render.1.exr", parts)
    write_parts(tmp_path / "render.2.exr", parts[::-1])

    with open_clip(tmp_path / "render.#.exr", colour="sRGB") as clip:
        assert _near(clip.read(1), CODES)
        assert _near(clip.read(2), CODES)
    with open_clip(tmp_path / "render.#.exr", colour="sRGB", layer="Diffuse") as clip:
        assert _near(clip.read(2), CODES[:, ::-1])
        assert clip.info.notices == ()
    with pytest.raises(BadInputError, match="called 'specular': there are beauty, diffuse, depth"):
        open_clip(tmp_path / "render.#.exr", layer="specular")


def test_a_frame_without_the_layer_is_left_out_by_name(tmp_path: Path) -> None:
    both = [("beauty", [*"RGB"], PICTURE), ("diffuse", [*"RGB"], PICTURE)]
    for frame, parts in ((1, both), (2, both[:1]), (3, both)):
        write_parts(tmp_path / f"render.{frame}.exr", parts)

    with open_clip(tmp_path / "render.#.exr", layer="diffuse") as clip:
        assert clip.info.missing_frames == (2,)
        assert "no layer is called 'diffuse'" in clip.info.unreadable[0].reason


def test_layers_far_apart_in_one_part_are_read_channel_by_channel(tmp_path: Path) -> None:
    filler = np.zeros((64, 96, 30), np.float32)
    names = [*[f"x{number:02}.Z" for number in range(15)], *[f"z{number:02}.Z" for number in range(15)]]
    red, green, blue = np.split(PICTURE, 3, axis=2)
    planes = np.dstack([blue, filler[..., :15], green, filler[..., 15:], red])
    channels = ["beauty.blue", *names[:15], "beauty.green", *names[15:], "beauty.red"]
    path = write_picture(tmp_path / "render.exr", planes, "half", channels=channels)

    with open_clip(path, colour="sRGB") as clip:
        assert _near(clip.read(0), CODES)


def test_a_stereo_file_gives_the_eye_that_was_asked_for(tmp_path: Path) -> None:
    both = np.dstack([PICTURE, PICTURE[:, ::-1]])
    channels = [f"{eye}.{base}" for eye in ("left", "right") for base in "RGB"]
    path = write_picture(tmp_path / "stereo.exr", both, "half", channels=channels)

    with open_clip(path, colour="sRGB") as clip:
        assert _near(clip.read(0), CODES)
        assert clip.info.notices == ("took the view left; others: right",)
    with open_clip(path, colour="sRGB", view="right") as clip:
        assert _near(clip.read(0), CODES[:, ::-1])


def test_the_display_window_begins_where_the_file_says(tmp_path: Path) -> None:
    window = (-48, -32, 96, 64)
    path = write_picture(
        tmp_path / "plate.exr", PICTURE, "half", data_window=window[:2], display_window=window
    )

    with open_clip(path, colour="sRGB") as clip:
        assert _near(clip.read(0), CODES)
        assert clip.info.display_origin_px == (-48, -32)
        assert (clip.info.width_px, clip.info.height_px) == (96, 64)


def test_what_lies_beyond_the_format_is_told_and_read_when_asked(tmp_path: Path) -> None:
    for frame, left_px in ((1, -8), (2, -8), (3, -12)):
        write_picture(
            tmp_path / f"plate.{frame}.exr",
            PICTURE,
            "half",
            data_window=(left_px, -4),
            display_window=(0, 0, 80, 56),
        )

    with open_clip(tmp_path / "plate.#.exr", colour="sRGB") as clip:
        assert (clip.info.width_px, clip.info.height_px) == (80, 56)
        (notice,) = clip.info.notices
        assert "12 pixels on the left, 4 pixels at the top" in notice
        assert _near(clip.read(1), CODES[4:60, 8:88])
    with open_clip(tmp_path / "plate.#.exr", colour="sRGB", overscan=True) as clip:
        info = clip.info
        # The widest of all frames: a picture of one size.
        assert info.overscan == Overscan(12, 4, 8, 4)
        assert (info.display_width_px, info.display_height_px) == (80, 56)
        assert (info.width_px, info.height_px) == (100, 64)
        assert info.notices == ()
        assert _near(clip.read(1)[:, 4:], CODES)
        assert _near(clip.read(3)[:, :96], CODES)


def test_a_slate_does_not_decide_about_the_clip(tmp_path: Path) -> None:
    write_picture(tmp_path / "plate.1000.exr", scene(192, 128), "half", PixelAspectRatio=2.0)
    for frame in (1001, 1002, 1003):
        write_picture(tmp_path / f"plate.{frame}.exr", PICTURE, "half")

    with open_clip(tmp_path / "plate.%04d.exr", colour="sRGB") as clip:
        info = clip.info
        assert (info.width_px, info.height_px, info.pixel_aspect) == (96, 64, 1.0)
        assert info.missing_frames == (1000,)
        (slate,) = info.unreadable
        assert slate.reason.startswith("frame 1000 of plate.%04d.exr is 192 x 128 and the plate is 96 x 64")
        assert _near(clip.read(1001), CODES)
    with open_clip(tmp_path / "plate.%04d.exr", frames=FrameRange(1001, 1002)) as clip:
        assert (clip.info.width_px, clip.info.missing_frames, clip.info.unreadable) == (96, (), ())
        with pytest.raises(FrameMissingError, match="192 x 128"):
            clip.read(1000)


def test_two_frames_that_differ_are_decided_by_what_is_used(tmp_path: Path) -> None:
    write_picture(tmp_path / "plate.1000.exr", scene(192, 128), "half")
    write_picture(tmp_path / "plate.1001.exr", PICTURE, "half")

    with open_clip(tmp_path / "plate.%04d.exr", frames=FrameRange(1001, 1001)) as clip:
        assert clip.info.width_px == 96


def test_a_stray_number_far_off_does_not_matter_to_a_range(tmp_path: Path) -> None:
    for frame in (1001, 1002, 99_999_999):
        write_picture(tmp_path / f"plate.{frame}.exr", PICTURE, "half")

    with open_clip(tmp_path / "plate.%04d.exr", frames=FrameRange(1001, 1010)) as clip:
        assert (clip.info.first_frame, clip.info.last_frame) == (1001, 1002)


@pytest.mark.parametrize("broken", [1001, 1002, 1003, 1004])
def test_a_frame_that_breaks_off_is_like_a_missing_one(tmp_path: Path, broken: int) -> None:
    for frame in (1001, 1002, 1003, 1004):
        path = write_picture(tmp_path / f"plate.{frame}.exr", PICTURE, "half")
        if frame == broken:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with open_clip(tmp_path / "plate.%04d.exr", colour="sRGB") as clip:
        with pytest.raises(FrameMissingError, match=rf"plate.{broken}.exr is damaged or cut off"):
            clip.read(broken)
        assert clip.info.missing_frames == (broken,)
        assert [each.frame for each in clip.info.unreadable] == [broken]
        for frame in {1001, 1002, 1003, 1004} - {broken}:
            assert _near(clip.read(frame), CODES)


def test_a_header_that_is_damaged_at_the_first_frame_does_not_close_the_clip(tmp_path: Path) -> None:
    for frame in (1001, 1002, 1003):
        write_picture(tmp_path / f"plate.{frame}.exr", PICTURE, "half")
    (tmp_path / "plate.1001.exr").write_bytes(b"v/1\x01" + bytes(100))

    with open_clip(tmp_path / "plate.%04d.exr") as clip:
        assert clip.info.width_px == 96
        assert [each.frame for each in clip.info.unreadable] == [1001]


def test_luminance_and_chroma_are_not_called_damaged(tmp_path: Path) -> None:
    path = tmp_path / "yc.exr"
    path.write_bytes(_subsampled_exr())

    with pytest.raises(ClipError, match=r"luminance and chroma .* does not read: render it as RGB") as told:
        open_clip(path)
    assert "damaged" not in str(told.value)


def _subsampled_exr() -> bytes:
    """The header of an EXR with Y at full and RY, BY at half size, and no pixels."""

    def attribute(name: str, kind: str, value: bytes) -> bytes:
        return name.encode() + b"\0" + kind.encode() + b"\0" + len(value).to_bytes(4, "little") + value

    def integers(*values: int) -> bytes:
        return b"".join(value.to_bytes(4, "little", signed=True) for value in values)

    channels = b"".join(
        name + b"\0" + integers(1) + bytes(4) + integers(step, step)
        for name, step in ((b"BY", 2), (b"RY", 2), (b"Y", 1))
    )
    window = integers(0, 0, 15, 15)
    one = np.float32(1).tobytes()
    return (
        b"v/1\x01"
        + integers(2)
        + attribute("channels", "chlist", channels + b"\0")
        + attribute("compression", "compression", b"\0")
        + attribute("dataWindow", "box2i", window)
        + attribute("displayWindow", "box2i", window)
        + attribute("lineOrder", "lineOrder", b"\0")
        + attribute("pixelAspectRatio", "float", one)
        + attribute("screenWindowCenter", "v2f", bytes(8))
        + attribute("screenWindowWidth", "float", one)
        + b"\0"
        + bytes(8 * 16)
        + bytes(4096)
    )
