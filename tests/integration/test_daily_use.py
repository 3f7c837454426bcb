"""The command line used day after day: corrected, refused, converted, read by scripts."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import OpenImageIO as oiio
import pytest

from masklet import cli
from masklet.png import write_mask
from masklet.types import Mask
from masklet_server.demo.clip_writer import DemoClip

RANGE = ("--range", "1001-1002")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """The exit code of ``masklet …``."""
    monkeypatch.setattr(sys, "argv", ["masklet", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def coverage(file: Path) -> np.ndarray:
    return np.asarray(oiio.ImageBuf(str(file)).get_pixels(oiio.FLOAT))[..., 0]


def frames_of(document: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(document.read_text(encoding="utf-8"))["objects"][0]["frames"]
    return found


def click_of(clip: DemoClip) -> str:
    frame, x_px, y_px = clip.clicks[0]
    return f"{frame}:{x_px},{y_px}"


def test_what_is_refused_is_not_saved_and_what_was_made_stays(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ("roto", clip.pattern, "--prompts", "shot.json", "--out", "a", "--object", "duck", *RANGE)
    assert run(monkeypatch, *common, "--click", click_of(clip)) == 0
    document = (environment / "shot.json").read_bytes()
    mattes = {file: file.read_bytes() for file in (environment / "a").glob("*.exr")}

    assert run(monkeypatch, *common, "--replace", "--click", "1001:9999,20") == 1

    assert "lies outside the picture" in capsys.readouterr().err
    assert (environment / "shot.json").read_bytes() == document
    assert {file: file.read_bytes() for file in (environment / "a").glob("*.exr")} == mattes


def test_a_first_run_that_is_refused_leaves_no_document(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        run(monkeypatch, "roto", clip.pattern, "--prompts", "shot.json", "--out", "a", "--click", "7:1,1")
        == 1
    )

    assert not (environment / "shot.json").exists()
    # Nor an empty folder, nor one that had to be made around it.
    assert not (environment / "a").exists()


def test_a_run_that_is_refused_leaves_folders_that_were_there_and_no_new_version(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (environment / "there").mkdir()
    asked = ("roto", clip.pattern, "--click", click_of(clip), "--export", "nuke")

    assert run(monkeypatch, *asked, "--out", "there/%02d/b") == 1
    assert "Nuke would put a frame number or a view in place of %02d" in capsys.readouterr().err
    assert list((environment / "there").iterdir()) == []
    assert run(monkeypatch, *asked, "--out", "there/%v", "--version") == 1
    assert list((environment / "there").rglob("v0*")) == []


def test_a_further_click_adds_to_the_box_and_only_replaces(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    box = f"{frame}:{x_px - 90},{y_px - 90},{x_px + 90},{y_px + 90}"
    common = ("roto", clip.pattern, "--prompts", "shot.json", "--object", "duck", *RANGE)
    assert run(monkeypatch, *common, "--box", box, "--out", "a") == 0
    assert run(monkeypatch, *common, "--click", f"{frame}:5,5:-", "--out", "b") == 0

    (said,) = frames_of(environment / "shot.json")
    before, after = (coverage(next((environment / name).glob("*1001.exr"))) for name in "ab")
    assert "box" in said
    assert [click["positive"] for click in said["clicks"]] == [False]
    # Black before: the click off the object was all that was left.
    assert after.sum() > 0.5 * before.sum() > 0

    assert run(monkeypatch, *common, "--click", click_of(clip), "--only", "--out", "c") == 0
    (said,) = frames_of(environment / "shot.json")
    assert "box" not in said
    assert [click["positive"] for click in said["clicks"]] == [True]


def test_a_script_reads_what_was_made(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("roto", clip.pattern, "--object", "duck", "--click", click_of(clip), *RANGE)
    assert run(monkeypatch, *command, "--prompts", "shot.json", "--out", "a", "--json") == 0
    made = json.loads(capsys.readouterr().out)
    assert run(monkeypatch, "review", clip.pattern, "--prompts", "shot.json", "--json") == 0
    seen = json.loads(capsys.readouterr().out)

    assert made["ok"]
    assert made["objects"][0]["name"] == "duck"
    assert made["objects"][0]["frames_with_matte"] == 2
    assert [Path(file).is_file() for file in made["files"]["mattes"]] == [True, True]
    assert made["files"]["prompts"] == "shot.json"
    assert seen["frames"] == made["frames"] == [1001, 1002]
    assert "files" not in seen
    assert run(monkeypatch, "ping", "--json") == 0
    assert json.loads(capsys.readouterr().out)["model"]["name"] == "masklet_embedded"


def test_a_document_of_another_size_is_refused_and_converted_when_asked(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = environment / "shot 010 é"
    small.mkdir()
    for frame in (1001, 1002):
        picture = cv2.imread(str(clip.pattern) % frame)
        assert picture is not None
        cv2.imwrite(str(small / f"shot 010 é.{frame - 1000}.png"), cv2.resize(picture, (427, 240)))
    first = ("--object", "duck", "--click", click_of(clip), *RANGE)
    assert run(monkeypatch, "roto", clip.pattern, *first, "--prompts", "shot.json", "--out", "a") == 0
    document = (environment / "shot.json").read_bytes()
    again = ("roto", small, "--prompts", "shot.json", "--out", "b")

    assert run(monkeypatch, *again, "--offset", "fit") == 1
    assert "made on 854 x 480 pixels" in capsys.readouterr().err
    assert (environment / "shot.json").read_bytes() == document

    assert run(monkeypatch, *again, "--offset", "fit", "--scale", "fit") == 0
    assert "converted from 854 x 480 to 427 x 240" in capsys.readouterr().err
    content = json.loads((environment / "shot.json").read_text(encoding="utf-8"))
    assert content["plate"] == {"width_px": 427, "height_px": 240, "first": 1, "last": 2}
    assert frames_of(environment / "shot.json")[0]["frame"] == 1
    # Spaces and accents in the names of folder and files.
    large = coverage(next((environment / "a").glob("*1001.exr")))
    half = coverage(environment / "b" / "shot_010_e_mattes.0001.exr")
    overlap = np.minimum(cv2.resize(large, (427, 240), interpolation=cv2.INTER_AREA), half).sum()
    assert overlap / half.sum() > 0.9


def test_a_drawn_mask_is_the_matte_and_stays_when_something_else_is_clicked(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    y, x = np.mgrid[:480, :854]
    drawn = np.clip(255 * (0.5 + (80 - np.hypot(x - 300, y - 240)) / 20), 0, 255).astype(np.uint8)
    (environment / "duck.png").write_bytes(write_mask(Mask.from_array(drawn)))
    common = ("roto", clip.pattern, "--prompts", "shot.json", "--object", "duck", *RANGE)
    assert run(monkeypatch, *common, "--mask", "1001:duck.png", "--out", "a") == 0

    made = coverage(next((environment / "a").glob("*1001.exr")))
    assert np.array_equal(made, (drawn / np.float32(255)).astype(np.float16).astype(np.float32))
    capsys.readouterr()
    assert run(monkeypatch, *common, "--click", click_of(clip), "--out", "b") == 1
    assert "--only" in capsys.readouterr().err
    assert "mask" in frames_of(environment / "shot.json")[0]


def test_frames_that_are_locked_keep_the_mattes_of_the_run_before(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch
) -> None:
    common = ("roto", clip.pattern, "--prompts", "shot.json", "--object", "duck", "--range", "1001-1003")
    assert run(monkeypatch, *common, "--click", click_of(clip), "--out", "a") == 0
    # A box on a corner: another object altogether.
    moved = ("--only", "--box", f"{clip.clicks[0][0]}:2,2,60,60", "--lock", "1002")
    assert run(monkeypatch, *common, *moved, "--out", "b") == 0
    assert run(monkeypatch, *common, "--out", "c") == 0

    before, after, again = (
        [coverage(next((environment / name).glob(f"*{number}.exr"))) for number in (1001, 1002, 1003)]
        for name in "abc"
    )
    assert np.abs(before[0] - after[0]).max() > 0.5
    # What is calm in time reads its neighbours, and locked frames are not calmed: edges may differ a little.
    both = np.minimum(before[1], after[1]).sum() / np.maximum(before[1], after[1]).sum()
    assert both > 0.97
    assert np.abs(after[1] - again[1]).max() < 1e-3


def test_layers_are_merged_into_files_that_are_there_or_nothing_is_written(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("roto", clip.pattern, "--out", "a", *RANGE)
    duck = ("--object", "duck", "--click", click_of(clip))
    rest = ("--object", "rest", "--click", "1001:20,20")
    assert run(monkeypatch, *asked, *duck) == 0
    before = {file.name: layers_of(file) for file in (environment / "a").glob("*.exr")}

    assert run(monkeypatch, *asked, *rest) == 1
    assert "--merge makes the objects that are there again" in capsys.readouterr().err
    for flags in (("--raw-edges",), ("--range", "1001-1001"), ("--replace",)):
        assert run(monkeypatch, *asked, *rest, "--merge", *flags) == 1
    assert {file.name: layers_of(file) for file in (environment / "a").glob("*.exr")} == before

    assert run(monkeypatch, *asked[:4], *rest, "--merge") == 0
    after = {file.name: layers_of(file) for file in (environment / "a").glob("*.exr")}
    assert set(after) == set(before)
    for name, layers in after.items():
        assert {each.partition(".")[0] for each in layers} == {"duck", "rest"}
        # To the bit: the same prompts give the same mattes.
        assert {each: layers[each] for each in before[name]} == before[name]
    assert run(monkeypatch, "roto", clip.pattern, *rest, "--out", "nowhere", "--merge") == 1
    assert "holds no record" in capsys.readouterr().err


def layers_of(file: Path) -> dict[str, bytes]:
    picture = oiio.ImageBuf(str(file))
    pixels = np.asarray(picture.get_pixels(oiio.FLOAT))
    return {name: pixels[..., at].tobytes() for at, name in enumerate(picture.spec().channelnames)}
