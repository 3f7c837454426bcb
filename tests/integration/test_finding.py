"""Found without a click: on the command line, with a real server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import cv2
import pytest

from masklet import cli
from masklet_server.demo.clip_writer import DemoClip

# Few clicks: how much is found is measured elsewhere.
FEW = ("--clicks", "8", "--limit", "3")


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """The exit code of ``masklet …``."""
    monkeypatch.setattr(sys, "argv", ["masklet", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def objects_in(document: Path) -> dict[str, list[dict[str, Any]]]:
    content = json.loads(document.read_text(encoding="utf-8"))
    return {each["name"]: each["frames"] for each in content["objects"]}


def test_things_are_listed_drawn_and_taken(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("find", clip.pattern, "--frame", "1002", *FEW)
    assert run(monkeypatch, *asked, "--prompts", "shot.json", "--take", "1", "--sheet", "look.png") == 0

    lines = capsys.readouterr().out.splitlines()
    assert 1 <= len(lines) <= 3
    number, score, place, share = lines[0].split("\t")
    assert (number, place.partition(":")[0]) == ("1", "1002")
    assert 0 < float(score) <= 1
    assert 0 < float(share.rstrip(" %")) < 100
    assert [frames[0]["frame"] for frames in objects_in(Path("shot.json")).values()] == [1002]
    sheet = cv2.imread("look.png")
    assert sheet is not None
    assert sheet.shape[1] > 100

    # What is an object already is not made one once more, and a number said twice is one thing.
    again = ("--clicks", "8", "--limit", "1", "--prompts", "shot.json", "--take", "1,1")
    assert run(monkeypatch, "find", clip.pattern, "--frame", "1002", *again) == 0
    assert "thing 1 is thing001 already" in capsys.readouterr().err
    assert list(objects_in(Path("shot.json"))) == ["thing001"]

    # The same again as JSON, and like what was taken, in another frame.
    assert run(monkeypatch, "find", clip.pattern, "--frame", "1004", "--prompts", "shot.json", "--json") == 0
    assert json.loads(capsys.readouterr().out)["frame"] == 1004
    like = ("--like", "thing001", "--limit", "2")
    assert run(monkeypatch, "find", clip.pattern, "--frame", "1004", "--prompts", "shot.json", *like) == 0


def test_a_shot_of_everything_takes_up_what_is_new_and_keeps_what_it_knows(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    every = ("find", clip.pattern, "--every", "2", *FEW, "--prompts", "all.json", "--json")
    assert run(monkeypatch, *every) == 0

    told = json.loads(capsys.readouterr().out)["keyframes"]
    assert [each["frame"] for each in told] == [1001, 1003, 1005]
    assert told[0]["fresh"]
    assert set(told[1]["known"]) <= set(told[0]["fresh"])
    names = [name for each in told for name in each["fresh"]]
    assert sorted(objects_in(Path("all.json"))) == sorted(names)
    roto = ("roto", clip.pattern, "--prompts", "all.json", "--out", "mattes", "--format", "cryptomatte")
    assert run(monkeypatch, *roto) == 0
    assert len(list(Path("mattes").glob("*.exr"))) == 5


def test_objects_are_carried_into_another_shot_as_proposals(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    click = ("--object", "duck", "--click", f"{frame}:{x_px},{y_px}", "--range", f"{frame}-{frame}")
    assert run(monkeypatch, "roto", clip.pattern, *click, "--prompts", "a.json", "--out", "mattes") == 0
    capsys.readouterr()

    carried = (
        "carry",
        clip.pattern,
        clip.pattern,
        "--prompts",
        "a.json",
        "--out",
        "b.json",
        "--frame",
        "1004",
    )
    assert run(monkeypatch, *carried, "--object", "dog") == 1
    assert "there is no object dog: the document has duck" in capsys.readouterr().err
    assert not Path("b.json").exists()
    assert run(monkeypatch, *carried) == 0

    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert lines
    assert lines[0][:2] == ["duck", "1"]
    assert [each["frame"] for each in objects_in(Path("b.json"))["duck"]] == [1004]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--take", "1"), "need a document"),
        (("--take", "one", "--prompts", "a.json"), "names no things"),
        (("--like", "hero", "--prompts", "a.json"), "no object hero"),
        (("--every", "2", "--take", "all", "--prompts", "a.json"), "leave --take"),
        (("--frame", "7"), "no frame 7"),
        (("--words", "duck"), "no model that finds things by words"),
    ],
)
def test_what_cannot_be_found_is_said_in_a_sentence(
    environment: Path,
    clip: DemoClip,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    assert run(monkeypatch, "find", clip.pattern, *arguments) == 1
    assert words in capsys.readouterr().err


def test_stills_have_nothing_to_do_with_each_other(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    folder = Path("stills")
    folder.mkdir()
    first = cv2.imread(str(clip.pattern) % frame)
    assert first is not None
    cv2.imwrite("stills/duck.png", first)
    # Of another size, and a third that cannot be read.
    cv2.imwrite("stills/small.jpg", cv2.resize(first, (320, 180)))
    Path("stills/torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    clicks = ("--object", "duck", "--click", f"1:{x_px},{y_px}", "--click", f"3:{x_px},{y_px}")

    read = ("--first-frame", "1501")
    assert run(monkeypatch, "roto", folder, "--stills", *clicks, *read, "--out", "mattes", "--json") == 1

    told = json.loads(capsys.readouterr().out)["stills"]
    assert "error" not in told[0], told[0]
    assert [(each["file"], each["objects"]) for each in told] == [("duck.png", 1), ("torn.png", 0)]
    assert "error" in told[1]
    (matte,) = Path("mattes").rglob("*.exr")
    assert matte.parent.name == "duck"
    assert "1501" in matte.name
    assert (
        run(monkeypatch, "roto", folder, "--stills", "--object", "a", "--click", "9:1,1", "--out", "b") == 1
    )
    assert "no picture 9" in capsys.readouterr().err


def test_what_stills_do_not_have_is_refused_and_not_left_out(
    environment: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--stills", "--out", "mattes", "--shapes", "--range", "1-2")
    assert run(monkeypatch, "roto", "stills", *asked) == 1
    assert "leave --range, --shapes away" in capsys.readouterr().err
    assert not Path("mattes").exists()
