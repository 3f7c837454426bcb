"""Movies that Blender and the server could see differently are taken or refused, never masked beside."""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from masklet.transport.local_server import LocalServer
from real_blender import blender_wheel

SCRIPT = Path(__file__).parent / "scripts/movies.py"
WIDTH_PX, HEIGHT_PX = 96, 64
ONE = 1 << 16
TURNED = (0, ONE, 0, -ONE, 0, 0, HEIGHT_PX * ONE, 0, 1 << 30)
UPSIDE_DOWN = (-ONE, 0, 0, 0, -ONE, 0, WIDTH_PX * ONE, HEIGHT_PX * ONE, 1 << 30)
MIRRORED = (-ONE, 0, 0, 0, ONE, 0, WIDTH_PX * ONE, 0, 1 << 30)
VERSIONS = ("4.2", "5.2")
TURNS = {"4.2": False, "5.2": True}


def write_movie(file: Path, times_ms: Sequence[int]) -> Path:
    """A movie whose pictures are shown at these times."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream("mpeg4", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.time_base = Fraction(1, 1000)
        stream.codec_context.gop_size, stream.codec_context.max_b_frames = 6, 0
        for number, time_ms in enumerate(times_ms):
            picture = np.full((HEIGHT_PX, WIDTH_PX, 3), number * 4, np.uint8)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file


def with_matrix(file: Path, name: str, matrix: tuple[int, ...]) -> Path:
    """The movie with another display matrix in its track header, as a phone writes it."""
    content = bytearray(file.read_bytes())
    header = content.index(b"tkhd")
    # Version and flags, times and duration in 4 or 8 bytes each, 16 bytes of layer and volume.
    start = header + 8 + (32 if content[header + 4] == 1 else 20) + 16
    content[start : start + 36] = struct.pack(">9i", *matrix)
    written = file.with_name(name)
    written.write_bytes(content)
    return written


@pytest.fixture(scope="module", params=VERSIONS, ids=lambda version: f"blender-{version}")
def met(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, process: LocalServer
) -> dict[str, Any]:
    """What one version of Blender says to each movie."""
    folder = tmp_path_factory.mktemp("movies")
    even = write_movie(folder / "even [v1].mp4", range(0, 1200, 40))
    steps = [33] * 15 + [66] * 15 + [33] * 15 + [50] * 15
    movies = (
        even,
        write_movie(folder / "phone.mp4", list(accumulate(steps, initial=0))[:-1]),
        with_matrix(even, "turned.mp4", TURNED),
        with_matrix(even, "upside down.mp4", UPSIDE_DOWN),
        with_matrix(even, "mirrored.mp4", MIRRORED),
    )
    environment = {
        "MASKLET_SERVER": process.address,
        "MASKLET_TOKEN": process.token,
        "MASKLET_PYTHON": sys.executable,
    }
    answer = blender_wheel(request.param).run(
        SCRIPT, "masklet_blender", *movies, user_folder=folder / "user", environment=environment
    )
    return {**answer, "turns": TURNS[request.param]}


def test_an_even_movie_is_taken_whatever_it_is_called(met: dict[str, Any]) -> None:
    assert met["even [v1].mp4"] == ["", 1]


def test_a_movie_whose_rate_varies_is_refused_with_both_counts(met: dict[str, Any]) -> None:
    sentence, _ = met["phone.mp4"]
    assert "on 81 frames, and it has 60 pictures" in sentence
    assert "its frame rate varies" in sentence
    assert "convert the movie to an image sequence" in sentence


@pytest.mark.parametrize("movie", ["turned.mp4", "upside down.mp4"])
def test_a_turned_movie_is_taken_where_blender_turns_it_and_refused_where_not(
    met: dict[str, Any], movie: str
) -> None:
    sentence, _ = met[movie]
    if met["turns"]:
        assert sentence == ""
    else:
        assert "turned by" in sentence


def test_a_mirrored_movie_is_refused_as_no_blender_mirrors_it(met: dict[str, Any]) -> None:
    assert "mirrored" in met["mirrored.mp4"][0]
