"""Movies by the command line and the library, against a real server."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

import masklet
from generated_media import scene, write_movie
from masklet import cli
from masklet.errors import BadInputError
from masklet_server.demo.clip_writer import DemoClip

# Of a varying rate, in units of 1/240 s.
TIMES = [0, 10, 20, 70, 80]


def write_plate(path: Path) -> Path:
    """Five pictures of a bright square that moves."""
    pictures = [np.rint(scene(frame=frame) * 255).astype(np.uint8) for frame in range(len(TIMES))]
    return write_movie(path, pictures, times=TIMES)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    monkeypatch.setattr(sys, "argv", ["masklet", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code if isinstance(ended.value.code, int) else 0


def test_a_movie_that_belongs_at_1001_is_clicked_tracked_and_written_there(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    movie = write_plate(environment / "shot 010.mov")
    asked = ["roto", movie, "--first-frame", "1001", "--fps", "24000/1001", "--object", "square"]

    code = run(
        monkeypatch, *asked, "--click", "1002:18,28", "--prompts", "shot.json", "--out", "a", "--name", "sh"
    )

    assert code == 0
    written = sorted(file.name for file in (environment / "a").glob("*.exr"))
    assert written == [f"sh_mattes.{frame}.exr" for frame in range(1001, 1006)]
    document = json.loads((environment / "shot.json").read_text())
    assert (document["first_frame"], document["frame_rate"]) == (1001, 24000 / 1001)
    picture = oiio.ImageInput.open(str(environment / "a" / written[0]))
    assert picture.spec()["framesPerSecond"] == (24000, 1001)
    picture.close()

    # What the document says need not be said again, by any command that opens the clip.
    assert run(monkeypatch, "roto", movie, "--prompts", "shot.json", "--out", "b", "--name", "sh") == 0
    assert sorted(file.name for file in (environment / "b").glob("*.exr")) == written
    assert run(monkeypatch, "review", movie, "--prompts", "shot.json") == 0
    one = ["click", movie, "--first-frame", "1001", "--click", "1003:22,28", "--out", "look.png"]
    assert run(monkeypatch, *one) == 0


@pytest.mark.parametrize("upload", [False, True])
def test_a_movie_of_a_varying_rate_tells_its_times_on_the_wire(
    server: masklet.Server, tmp_path: Path, upload: bool
) -> None:
    movie = write_plate(tmp_path / "phone.mov")

    with server.open(movie, first_frame=1001, upload=upload) as session:
        clip = session.clip
        assert session.info().clip == clip
    with server.open(movie, frame_rate=24, upload=upload) as session:
        conformed = session.clip

    assert clip.name == "phone.mov"
    assert (clip.first_frame, clip.last_frame) == (1001, 1005)
    assert [clip.time_s(frame) for frame in range(1001, 1006)] == [
        pytest.approx(time / 240, abs=1e-6) for time in TIMES
    ]
    assert clip.frames_per_s == pytest.approx(12.0)
    assert (conformed.is_variable_rate, conformed.frames_per_s) == (False, 24.0)


@pytest.mark.parametrize("upload", [False, True])
def test_a_sequence_is_not_numbered_anew(server: masklet.Server, clip: DemoClip, upload: bool) -> None:
    with pytest.raises(BadInputError, match="starts at frame 1001, as its file names say"):
        server.open(clip.pattern, first_frame=1, upload=upload)
