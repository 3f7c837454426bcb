"""In a real Blender: an object is found again on a frame and taken, and a stroke says what an object is."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from masklet_server.demo.clip_writer import DemoClip
from real_blender import blender_wheel

SCRIPT = Path(__file__).parent / "scripts/finding.py"


@pytest.fixture(scope="module", params=["4.2", "5.2"], ids=lambda version: f"blender-{version}")
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clip: DemoClip) -> Any:
    """What one version of Blender did."""
    frame, x_px, y_px = clip.clicks[0]
    return blender_wheel(request.param).run(
        SCRIPT,
        "masklet_blender",
        str(clip.pattern) % frame,
        str(x_px),
        str(y_px),
        user_folder=tmp_path_factory.mktemp("finding"),
        environment={"MASKLET_PYTHON": sys.executable, "MASKLET_SERVER": ""},
    )


def test_the_likeliest_place_lies_on_the_object_and_is_taken_with_one_click(
    made: dict[str, Any], clip: DemoClip
) -> None:
    assert made["can take before"] is False
    assert 1 <= len(made["places"]) <= 3
    assert f"frame 5 look{'s' if len(made['places']) == 1 else ''} like object1" in made["notice"]
    x_px, y_px, likeness = made["places"][0]
    with np.load(clip.truth) as truth:
        assert truth["1005"][int(y_px), int(x_px)]
    assert 0.5 < likeness <= 1.0
    assert made["taken"] == [[x_px, y_px, True]]
    assert made["found after"] is False
    assert made["notice after"] is None
    assert "something is said about object1 on frame 1005 already" in made["refused"]


def test_a_policy_that_may_help_is_taken_with_one_press_and_only_where_there_is_one(
    made: dict[str, Any],
) -> None:
    assert made["can try"] == [False, True, False]
    assert made["tried"] == "gated"


def test_strokes_are_kept_with_their_width_and_side_and_give_a_mask(made: dict[str, Any]) -> None:
    assert made["strokes"] == [[3, 8.0, True], [2, 6.0, False]]
    assert "3;3 is no stroke" in made["wrong"]
    assert made["empty"] == [False, False]
