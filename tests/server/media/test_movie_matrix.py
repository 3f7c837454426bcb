"""Every container with every codec it can hold: any way to a frame gives what a player shows."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from generated_media import cut_movie, number_in, numbered_picture, write_movie
from masklet_server.media.movie_index import MovieIndex, Start
from masklet_server.media.source import open_clip

SIZE_PX = (256, 128)  # DNxHR begins there
COUNT = 26


@dataclass(frozen=True)
class Kind:
    """How a codec is asked for, and which containers can hold it."""

    encoder: str
    suffixes: str
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)


H264 = {"preset": "veryfast", "g": "8", "bf": "3", "sc_threshold": "0"}
HEVC = "log-level=error:keyint=8:min-keyint=8:bframes=3:scenecut=0:pools=none:frame-threads=1"
MPEG2 = {"g": "8", "bf": "2", "sc_threshold": "1000000000"}
# Pictures that are never shown lie between the others.
VPX = {"cpu-used": "8", "deadline": "good", "g": "8", "lag-in-frames": "8", "auto-alt-ref": "1"}
KINDS = {
    "h264 closed": Kind("libx264", "mp4 mov mkv mxf avi ts mts", options={**H264, "flags": "+cgop"}),
    "h264 open": Kind("libx264", "mp4 mov mkv mxf avi ts mts", options={**H264, "x264-params": "open-gop=1"}),
    "h264 interlaced": Kind("libx264", "mp4 mov mkv mxf ts mts", options={**H264, "flags": "+ildct+ilme"}),
    "hevc closed": Kind("libx265", "mp4 mov mkv ts mts", options={"x265-params": HEVC + ":open-gop=0"}),
    "hevc open": Kind("libx265", "mp4 mov mkv ts mts", options={"x265-params": HEVC + ":open-gop=1"}),
    "prores": Kind("prores_ks", "mov mkv mxf", "yuv422p10le"),
    "dnxhr": Kind("dnxhd", "mov mxf", "yuv422p", {"profile": "dnxhr_sq"}),
    "mpeg2 closed": Kind("mpeg2video", "mp4 mov mkv mxf avi ts mts", options={**MPEG2, "flags": "+cgop"}),
    "mpeg2 open": Kind("mpeg2video", "mp4 mov mkv mxf avi ts mts", options=MPEG2),
    "mpeg4": Kind("mpeg4", "mp4 mov mkv avi ts", options={"g": "8", "bf": "2"}),
    "vp8": Kind("libvpx", "webm mkv avi", options=VPX),
    "vp9": Kind("libvpx-vp9", "mp4 mkv webm", options=VPX),
}
PAIRS = [(name, suffix) for name, kind in KINDS.items() for suffix in kind.suffixes.split()]


def as_played(path: Path) -> list[NDArray[np.uint8]]:
    """Every picture that FFmpeg puts out, in order, read once from the start."""
    shown = []
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            # What cannot be decoded is passed over: players begin where there is a picture.
            with suppress(av.error.InvalidDataError):
                shown += [frame.to_ndarray(format="rgb24") for frame in packet.decode()]
    return shown


def write_kind(path: Path, name: str, count: int = COUNT) -> Path:
    """A movie of this codec whose pictures carry their numbers."""
    kind = KINDS[name]
    if kind.encoder not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no {kind.encoder}")
    pictures = [numbered_picture(number, *SIZE_PX) for number in range(count)]
    return write_movie(
        path, pictures, codec=kind.encoder, pixel_format=kind.pixel_format, options=kind.options
    )


def assert_played_any_way(path: Path) -> list[int]:
    """In order, backward and at random: what decoding from the start gives. Returns the pictures' numbers."""
    played = as_played(path)
    count = len(played)
    at_random = list(range(count)) * 2
    random.Random(path.name).shuffle(at_random)
    for way in (list(range(count)), list(range(count))[::-1], at_random):
        with open_clip(path) as clip:
            assert len(clip.info.frames) == count
            read = []
            for frame in way:
                # Nothing at hand: each frame finds its own way.
                clip._reader._decoded.clear()
                read.append(clip.read(frame))
        numbers = [number_in(played[frame]) for frame in way]
        assert [number_in(picture) for picture in read] == numbers
        assert [
            frame
            for frame, picture in zip(way, read, strict=True)
            if not np.array_equal(picture, played[frame])
        ] == []
    return [number_in(picture) for picture in played]


@pytest.mark.parametrize(("name", "suffix"), PAIRS)
def test_any_way_to_a_frame_gives_what_a_player_shows(tmp_path: Path, name: str, suffix: str) -> None:
    path = write_kind(tmp_path / f"plate.{suffix}", name)

    assert assert_played_any_way(path) == list(range(COUNT))


@pytest.mark.parametrize("packets", [3, 13])
@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        *((name, suffix) for name in ("h264 closed", "h264 open") for suffix in ("mp4", "mov", "mkv", "ts")),
        *(("hevc open", suffix) for suffix in ("mov", "mkv", "mts")),
        *(("mpeg2 open", suffix) for suffix in ("mkv", "ts")),
        ("vp9", "webm"),
        ("prores", "mov"),
    ],
)
def test_a_stream_that_was_cut_begins_where_a_player_begins(
    tmp_path: Path, name: str, suffix: str, packets: int
) -> None:
    whole = write_kind(tmp_path / f"whole.{suffix}", name)
    path = cut_movie(whole, tmp_path / f"cut.{suffix}", packets=packets)

    shown = assert_played_any_way(path)

    assert shown[-1] == COUNT - 1


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        *((name, suffix) for name in ("h264 open", "hevc open", "mpeg2 open") for suffix in ("mp4", "mov")),
        ("prores", "mov"),
    ],
)
def test_what_an_edit_list_hides_has_no_frame(tmp_path: Path, name: str, suffix: str) -> None:
    whole = write_kind(tmp_path / f"whole.{suffix}", name)
    path = cut_movie(whole, tmp_path / f"cut.{suffix}", packets=0, shift_s=Fraction(-11, 24))

    shown = assert_played_any_way(path)

    assert shown == list(range(11, COUNT))


def without_times(data: bytes, every: int, after: int) -> bytes:
    """A transport stream in which, after some, one of so many PES packets of video has no time stamps."""
    stream, seen = bytearray(data), 0
    at = stream.find(b"\x00\x00\x01\xe0")
    while at >= 0:
        seen += 1
        if stream[at + 7] & 0xC0 and seen % every == 0 and seen > after:
            stamps = 10 if stream[at + 7] & 0x40 else 5
            stream[at + 7] &= 0x3F
            stream[at + 9 : at + 9 + stamps] = b"\xff" * stamps
        at = stream.find(b"\x00\x00\x01\xe0", at + 9)
    return bytes(stream)


@pytest.mark.parametrize(("every", "after"), [(2, 0), (3, 12)])
@pytest.mark.parametrize("name", ["h264 open", "mpeg2 open", "hevc closed"])
@pytest.mark.parametrize("suffix", ["ts", "mts"])
def test_a_transport_stream_may_leave_out_times(
    tmp_path: Path, suffix: str, name: str, every: int, after: int
) -> None:
    path = write_kind(tmp_path / f"plate.{suffix}", name)
    path.write_bytes(without_times(path.read_bytes(), every, after))

    assert assert_played_any_way(path) == list(range(COUNT))


@pytest.mark.parametrize("name", ["h264 open", "mpeg2 open"])
def test_two_recordings_that_were_joined_are_played_one_after_the_other(tmp_path: Path, name: str) -> None:
    first = write_kind(tmp_path / "first.ts", name)
    second = cut_movie(first, tmp_path / "second.ts", packets=13, shift_s=Fraction(-1, 5))
    path = tmp_path / "joined.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())

    shown = assert_played_any_way(path)

    # Around the joint it is the decoder's affair.
    assert shown[: COUNT - 4] == list(range(COUNT - 4))
    assert shown[-1] == COUNT - 1
    assert len(shown) > COUNT


@pytest.mark.parametrize("lands", ["nowhere", "late"])
@pytest.mark.parametrize("suffix", ["mov", "mts"])
def test_a_seek_that_lands_late_costs_time_only(
    tmp_path: Path, suffix: str, lands: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_kind(tmp_path / f"plate.{suffix}", "h264 open")

    def stamps_before(index: MovieIndex, start: Start) -> list[int]:
        return [] if lands == "nowhere" else list(index.starts[-1].stamps)

    monkeypatch.setattr(MovieIndex, "stamps_before", stamps_before)

    assert assert_played_any_way(path) == list(range(COUNT))
