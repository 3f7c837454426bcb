"""In a real Blender: the publish dialog shows its checks, makes mattes again, takes a tick, publishes."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from fakes.published_shot import FRAMES, UNCERTAIN, make_shot
from masklet.publish.shot_record import ObjectStates
from masklet_server.demo.clip_writer import DemoClip
from real_blender import blender_wheel

SCRIPT = Path(__file__).parent / "scripts/publishing.py"


@pytest.fixture(scope="module", params=["4.2", "5.2"], ids=lambda version: f"blender-{version}")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clip: DemoClip) -> Any:
    """What one version of Blender did, and where."""
    folder = tmp_path_factory.mktemp("publishing")
    other = make_shot(folder / "other", states=(ObjectStates("hero", FRAMES, UNCERTAIN),))
    frame, x_px, y_px = clip.clicks[0]
    answer = blender_wheel(request.param).run(
        SCRIPT,
        "masklet_blender",
        str(clip.pattern) % frame,
        folder,
        str(x_px),
        str(y_px),
        other.plate / "plate.1001.exr",
        other.matte(1001),
        user_folder=folder / "user",
        environment={"MASKLET_PYTHON": sys.executable, "MASKLET_SERVER": ""},
    )
    return {**answer, "folder": folder}


def test_a_plate_without_mattes_says_what_to_do_first(made: dict[str, Any]) -> None:
    assert made["no mattes"].startswith("there are no mattes of this plate to publish yet: get the mattes")


def test_the_dialog_shows_each_check_and_what_it_found(made: dict[str, Any]) -> None:
    checks = [icon for icon, _ in made["lacks"] if icon in ("ERROR", "CHECKMARK")]
    assert len(checks) == 9
    assert checks.count("ERROR") >= 1
    assert "no file on 1003" in " ".join(words for _, words in made["lacks"])
    assert ["box", "rebuild"] in made["lacks"]
    assert made["refused"].startswith("Nothing was published: ")
    assert "1003" in made["refused"]


def test_mattes_that_lack_a_frame_are_made_again(made: dict[str, Any]) -> None:
    assert made["again"] == "The mattes were made again: publish them now"
    assert made["is back"]
    assert [icon for icon, _ in made["ready"] if icon == "ERROR"] == []
    assert ["box", "rebuild"] not in made["ready"]


def test_what_is_ready_is_published_with_the_artists_comment(made: dict[str, Any]) -> None:
    versions = sorted(made["folder"].glob("published/*/v001"))
    assert len(versions) == 1
    assert made["published"] == f"version 1 is {versions[0]}"
    manifest = json.loads(next(versions[0].glob("*.version.json")).read_text(encoding="utf-8"))
    assert "hair fixed" in json.dumps(manifest)
    assert len(list(versions[0].rglob("*.100[1-5].*"))) == 5


def test_what_was_looked_at_is_ticked_and_then_published(made: dict[str, Any]) -> None:
    assert ["box", "accept 0"] in made["uncertain"]
    assert "hero may be lost on 1001-1005" in made["not looked at"]
    version = made["folder"] / "other/published/shot/v001"
    assert made["looked at"] == f"version 1 is {version}"
    assert version.is_dir()
