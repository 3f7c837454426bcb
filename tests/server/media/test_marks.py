"""Timecode, reel and owner come out of every kind of plate."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import OpenImageIO as oiio
import pytest

from generated_media import scene, write_picture
from masklet.plate_marks import NO_MARKS, PlateMarks, timecode_text
from masklet_server.media.source import open_clip


def marked(path: Path, sample: str, timecode: int, **attributes: str) -> Path:
    pixels = scene()
    spec = oiio.ImageSpec(pixels.shape[1], pixels.shape[0], 3, sample)
    spec.attribute("smpte:TimeCode", oiio.TypeDesc("timecode"), (timecode, 7))
    for name, value in attributes.items():
        spec[name.replace("__", ":")] = value
    output = oiio.ImageOutput.create(str(path))
    assert output is not None
    assert output.open(str(path), spec)
    assert output.write_image(pixels)
    output.close()
    return path


def test_an_exr_tells_timecode_reel_and_owner_of_each_frame(tmp_path: Path) -> None:
    for frame in (1001, 1002):
        marked(
            tmp_path / f"p.{frame}.exr",
            "half",
            0x10203000 + frame % 10,
            reelName="A003C012",
            Copyright="the studio",
        )

    with open_clip(tmp_path / "p.%04d.exr") as clip:
        assert clip.marks(1002) == PlateMarks((0x10203002, 7), "A003C012", "the studio")
        assert clip.marks(1001).timecode == (0x10203001, 7)
        assert clip.marks(1003) == NO_MARKS


def test_a_dpx_tells_timecode_and_its_input_device_as_the_reel(tmp_path: Path) -> None:
    marked(tmp_path / "p.1001.dpx", "uint16", 0x01020304, dpx__InputDevice="B002", Copyright="the studio")

    with open_clip(tmp_path / "p.%04d.dpx") as clip:
        assert clip.marks(1001) == PlateMarks((0x01020304, 7), "B002", "the studio")


def test_a_plate_that_says_nothing_has_no_marks(tmp_path: Path) -> None:
    write_picture(tmp_path / "p.1001.png", scene())

    with open_clip(tmp_path / "p.%04d.png") as clip:
        assert clip.marks(1001) == NO_MARKS


@pytest.mark.parametrize(("suffix", "rate"), [("mov", Fraction(24)), ("mp4", Fraction(30000, 1001))])
def test_a_movie_counts_its_timecode_on(tmp_path: Path, suffix: str, rate: Fraction) -> None:
    path = tmp_path / f"m.{suffix}"
    start = "01:00:59;28" if rate.denominator > 1 else "01:00:00:22"
    with av.open(str(path), "w") as container:
        container.metadata["copyright"] = "the studio"
        stream = container.add_stream("libx264", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        stream.metadata["timecode"] = start
        for _ in range(6):
            frame = av.VideoFrame.from_ndarray(np.full((64, 96, 3), 90, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())

    with open_clip(path) as clip:
        marks = [clip.marks(frame) for frame in range(6)]

    told = [timecode_text(each.timecode[0]) for each in marks if each.timecode]
    expected = {
        Fraction(24): ["01:00:00:22", "01:00:00:23", "01:00:01:00"],
        Fraction(30000, 1001): ["01:00:59;28", "01:00:59;29", "01:01:00;02"],
    }[rate]
    assert told[:3] == expected
    assert len(told) == 6
