"""The command line against a real server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest

from masklet import cli
from masklet_server.demo.clip_writer import DemoClip
from platforms import make_link


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """The exit code of ``masklet …``."""
    monkeypatch.setattr(sys, "argv", ["masklet", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    code = ended.value.code
    return code if isinstance(code, int) else 0


def pixels(file: Path) -> np.ndarray:
    picture = oiio.ImageInput.open(str(file))
    assert picture is not None
    values = picture.read_image()
    picture.close()
    return np.asarray(values)


def test_roto_writes_mattes_and_the_same_ones_from_the_document(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    click = f"{frame}:{x_px},{y_px}"
    first = ["roto", clip.pattern, "--object", "duck", "--click", click, "--range", "1001-1003"]

    assert run(monkeypatch, *first, "--prompts", "shot.json", "--out", "a", "--name", "sh") == 0
    assert run(monkeypatch, "roto", clip.pattern, "--prompts", "shot.json", "--out", "b", "--name", "sh") == 0

    made, again = (sorted((environment / name).glob("*.exr")) for name in "ab")
    assert [file.name for file in made] == [file.name for file in again]
    assert len(made) == 3
    for one, other in zip(made, again, strict=True):
        # A processor's vector units add in an order of their own; what half floats hold is the same.
        assert np.abs(pixels(one) - pixels(other)).max() < 1e-3
    document = json.loads((environment / "shot.json").read_text())
    assert document["objects"][0]["name"] == "duck"


def test_roto_writes_a_movie_and_a_sheet_to_look_at(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, x_px, y_px = clip.clicks[0]

    code = run(
        monkeypatch,
        *("roto", clip.pattern, "--click", f"{frame}:{x_px},{y_px}", "--range", "1001-1002"),
        *("--out", "out", "--format", "png8", "--overlay"),
    )

    assert code == 0
    suffixes = sorted(file.suffix for file in (environment / "out").rglob("*") if file.is_file())
    assert suffixes == [".json", ".json", ".mp4", ".png", ".png", ".png"]


def test_a_second_run_never_replaces_the_first_in_silence(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    first = ["roto", clip.pattern, "--object", "duck", "--click", f"{frame}:{x_px},{y_px}", "--name", "sh"]
    first += ["--range", "1001-1001", "--out", "a", "--raw-edges", "--export", "nuke"]
    other = [word if word != "duck" else "drake" for word in first]

    assert run(monkeypatch, *first) == 0
    approved = {file.name: file.read_bytes() for file in (environment / "a").iterdir()}
    assert run(monkeypatch, *first) == 0
    assert sorted(file.name for file in (environment / "a").iterdir()) == sorted(approved)
    capfd.readouterr()
    assert run(monkeypatch, *other) != 0
    said = " ".join(capfd.readouterr().err.split())
    assert "the layer duck would be gone" in said
    assert "made from other prompts" in said
    assert "tracking" not in said
    assert (environment / "a" / "sh_mattes.1001.exr").read_bytes() == approved["sh_mattes.1001.exr"]

    assert run(monkeypatch, *other, "--prompts", "shot.json") != 0
    assert not (environment / "shot.json").exists()

    assert run(monkeypatch, *other, "--version", "--replace") != 0
    assert run(monkeypatch, *other, "--version") == 0
    assert (environment / "a" / "v001" / "sh_mattes.1001.exr").exists()
    assert run(monkeypatch, *other, "--replace") == 0
    note = json.loads((environment / "a" / "sh.masklet.json").read_text())
    assert note["files"]["sh_mattes.%04d.exr"]["layers"] == ["drake"]


def test_click_shows_one_frame(environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch) -> None:
    frame, x_px, y_px = clip.clicks[0]

    code = run(
        monkeypatch,
        *(
            "click",
            clip.pattern,
            "--click",
            f"{frame}:{x_px},{y_px}",
            "--out",
            "look.png",
            "--matte",
            "matte.png",
        ),
    )

    assert code == 0
    look, matte = cv2.imread("look.png"), cv2.imread("matte.png", cv2.IMREAD_UNCHANGED)
    assert look is not None
    assert matte is not None
    assert matte.shape == (480, 854)


def test_ping_names_server_and_model(
    environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "ping") == 0

    assert "masklet_embedded on" in capsys.readouterr().out


def test_nothing_to_cut_out_is_said_before_a_server_is_bothered(
    environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MASKLET_SERVER", "127.0.0.1:1")

    assert run(monkeypatch, "roto", "plate.%04d.exr", "--out", "out") == 1

    assert "masklet: nothing says what to cut out" in capsys.readouterr().err


def test_a_wrong_token_has_an_exit_code_of_its_own(
    environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MASKLET_TOKEN", "not the token at all")

    assert run(monkeypatch, "ping") == 3

    error = capsys.readouterr().err
    assert "token" in error
    assert "Traceback" not in error


def test_a_missing_clip_is_said_in_a_sentence(
    environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "roto", "gone.mov", "--click", "0:1,1", "--out", "out") == 1

    assert "gone.mov" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="needs signals")
def test_ctrl_c_keeps_finished_frames(environment: Path, clip: DemoClip) -> None:
    long_clip = environment / "long"
    long_clip.mkdir()
    for frame in range(1001, 1201):
        make_link(long_clip / f"a.{frame}.png", str(clip.pattern) % (1001 + frame % 5))
    frame, x_px, y_px = clip.clicks[0]
    # A test run in the background of a shell starts its children with Ctrl-C switched off.
    launch = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    launch += "from masklet.cli import main; main()"
    command = [sys.executable, "-c", launch, "roto", str(long_clip), "--out", "out"]
    command += ["--click", f"{frame}:{x_px},{y_px}"]

    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        while "tracking" not in running.stderr.readline():
            assert running.poll() is None
        time.sleep(2)
        running.send_signal(signal.SIGINT)
        rest = running.stderr.read()
    files = list((environment / "out").glob("*.exr"))

    assert running.returncode == 130
    assert "writing what is finished" in rest
    assert 0 < len(files) < 200


def test_the_demo_measures_itself(
    environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "demo", "--out", "demo", "--frames", "3") == 0

    assert "mattes as written: mean" in capsys.readouterr().out
    assert len(list((environment / "demo" / "mattes").glob("*.exr"))) == 3
