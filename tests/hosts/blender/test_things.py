"""In a real Blender: things on a frame are found, one is taken with a click, then all that looks like it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from masklet_server.demo.clip_writer import DemoClip
from real_blender import blender_wheel

SCRIPT = Path(__file__).parent / "scripts/things.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, clip: DemoClip) -> dict[str, Any]:
    """What one version of Blender did: to find takes long, and is the same in others."""
    frame, x_px, y_px = clip.clicks[0]
    return blender_wheel("5.2").run(
        SCRIPT,
        "masklet_blender",
        str(clip.pattern) % frame,
        str(x_px),
        str(y_px),
        user_folder=tmp_path_factory.mktemp("things"),
        environment={"MASKLET_PYTHON": sys.executable, "MASKLET_SERVER": ""},
    )


def test_without_an_object_there_is_nothing_that_others_could_look_like(made: dict[str, Any]) -> None:
    assert made["alike what"] == "Add an object first"
    assert made["objects before"] == 0


def test_a_click_on_a_found_thing_makes_an_object_of_it(made: dict[str, Any]) -> None:
    found = made["found"]
    assert len(found) > 5
    assert made["told"] == f"{len(found)} things were found: point at objects and click those you want"
    assert made["under the mouse"] in found
    assert made["left"] == [number for number in found if number != made["under the mouse"]]
    assert made["said about it"] == [True]
    assert made["covers"]


def test_what_looks_like_the_object_is_found_and_cleared(made: dict[str, Any]) -> None:
    assert 1 <= len(made["alike"]) < len(made["found"])
    one = len(made["alike"]) == 1
    assert made["alike told"].startswith("One thing was" if one else f"{len(made['alike'])} things were")
    assert made["cleared"]
    assert not made["told when cleared"]
