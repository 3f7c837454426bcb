"""From clicks to a version, and from its manifest to the same mattes: a real server, the embedded model."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from masklet import cli
from masklet.publish.manifest import read_manifest
from masklet_server.demo.clip_writer import DemoClip


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


def test_the_manifest_of_a_version_is_enough_to_make_the_same_mattes(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    common = ("roto", clip.pattern, "--prompts", "shot.json", "--object", "duck", "--name", "sh")
    grow = ("--matte", "grow=1", "--format", "exr")
    assert run(monkeypatch, *common, "--click", f"{frame}:{x_px},{y_px}", *grow, "--out", "first") == 0
    # A correction of what was tracked, a locked stretch: all that a document can hold.
    more = ("--click", "1004:240,345", "--lock", "1002-1003", "--shapes", "--export", "nuke")
    assert run(monkeypatch, *common, *more, *grow, "--out", "mattes") == 0
    capsys.readouterr()

    assert run(monkeypatch, "publish", "mattes", "--prompts", "shot.json", "--json") == 0
    version = Path(json.loads(capsys.readouterr().out)["folder"])
    manifest = read_manifest(version)
    assert manifest.record.run.prompts_sha256

    # Nothing but the manifest and the plate is left.
    alone = environment / "alone.version.json"
    shutil.copy(version / "sh.version.json", alone)
    shutil.rmtree("mattes")
    (environment / "shot.json").unlink()
    assert run(monkeypatch, "rebuild", alone, "--out", "again", "--json") == 0

    made, again = (sorted(folder.glob("*.exr")) for folder in (version, environment / "again"))
    assert [file.name for file in made] == [file.name for file in again]
    assert len(made) == 5
    for one, other in zip(made, again, strict=True):
        assert np.array_equal(pixels(one), pixels(other))
    assert "all 5 mattes are the same bytes" in capsys.readouterr().err


def test_a_lost_matte_is_refused_and_made_again_by_the_command_that_is_told(
    environment: Path, clip: DemoClip, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frame, x_px, y_px = clip.clicks[0]
    click = f"{frame}:{x_px},{y_px}"
    made = ("roto", clip.pattern, "--object", "duck", "--click", click, "--name", "sh")
    assert run(monkeypatch, *made, "--range", "1001-1002", "--out", "mattes") == 0
    (environment / "mattes/sh_mattes.1002.exr").unlink()
    capsys.readouterr()

    assert run(monkeypatch, "publish", "mattes") == 1
    told = capsys.readouterr().err
    assert "has no file on 1002" in told
    (command,) = {line.split("[masklet ")[1].rstrip("]") for line in told.splitlines() if "[masklet " in line}

    assert run(monkeypatch, *command.split()) == 0
    assert run(monkeypatch, "publish", "mattes") == 0
