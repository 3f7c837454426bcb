"""What was delivered stays: after the server is gone, in the next version, with two clips of one name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from masklet_server.demo.clip_writer import DemoClip
from real_blender import blender_wheel

SCRIPT = Path(__file__).parent / "scripts/reopening.py"


@pytest.fixture(scope="module", params=["4.2", "5.2"], ids=lambda version: f"blender-{version}")
def found(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, clip: DemoClip
) -> dict[str, Any]:
    """What the script saw, once for each Blender; the server is Blender's own."""
    blender = blender_wheel(request.param)
    folder = tmp_path_factory.mktemp("reopening")
    plate = folder / "plate"
    plate.mkdir()
    for picture in clip.pattern.parent.glob("*.png"):
        (plate / picture.name).write_bytes(picture.read_bytes())
    frame, x_px, y_px = clip.clicks[0]
    answer = blender.run(
        SCRIPT,
        "masklet_blender",
        plate / f"duck.{frame:04d}.png",
        folder,
        str(x_px),
        str(y_px),
        user_folder=folder / "user",
        environment={"MASKLET_PYTHON": sys.executable, "MASKLET_SERVER": ""},
    )
    return {**answer, "folder": folder}


def test_mattes_lie_in_a_folder_of_file_and_plate_and_their_path_is_relative(found: dict[str, Any]) -> None:
    assert found["mattes"] == found["splines"] == ""
    assert found["delivered"] == [
        f"masklet/shot_v001/duck/object1/duck_object1.{frame}.exr" for frame in range(1001, 1006)
    ]
    assert found["path"] == "//masklet/shot_v001/duck/object1/duck_object1.1001.exr"


def test_the_finished_matte_that_is_shown_is_the_one_that_is_written(found: dict[str, Any]) -> None:
    width_px, height_px = found["shown size"]
    assert (width_px, height_px) == (854, 480)
    shown = np.fromfile(found["folder"] / "shown.bin", np.uint8).reshape(height_px, width_px)
    written = cv2.imread(str(found["folder"] / "png/object1/duck_object1.1003.png"), cv2.IMREAD_UNCHANGED)
    assert written is not None
    assert shown.max() > 200
    assert np.abs(shown / 255.0 - written / 65535.0).max() <= 1 / 255.0


def test_a_file_that_is_opened_shows_its_states_and_says_that_masks_are_gone(
    found: dict[str, Any],
) -> None:
    assert found["strips"][0][0] == 1001
    assert found["strips"][-1][1] == 1005
    assert not any(held for _, _, held in found["strips"])
    sentence, remedy = found["notice"]
    assert "no longer on the server: track again" in sentence
    assert remedy == "track"


def test_a_session_that_holds_less_than_the_file_replaces_nothing(found: dict[str, Any]) -> None:
    for sentence in found["refused"]:
        assert "no longer holds masks of object1 on 4 frames" in sentence
    assert found["kept"]


def test_what_the_server_lost_is_tracked_again_and_results_follow(found: dict[str, Any]) -> None:
    assert found["what changed"] == ""
    assert all(held for _, _, held in found["strips then"])
    assert found["nothing changed"][1][0] == "Every frame is up to date: there was nothing to track"
    assert found["again"] == ""
    assert found["same files"]


def test_the_next_version_of_the_file_leaves_the_first_ones_mattes_alone(found: dict[str, Any]) -> None:
    assert "shot_v001" in found["of v001 still"]
    assert found["next version"] == ""
    assert found["of v002"] == "//masklet/shot_v002/duck/object1/duck_object1.1001.exr"
    assert found["v001 untouched"]


def test_two_clips_of_one_name_do_not_share_a_folder(found: dict[str, Any]) -> None:
    assert found["one name"] == ""
    assert found["untouched"]
    assert "They lie in duck-2, because duck holds mattes of another plate or file" in found["told"]


def test_mattes_are_found_after_the_project_has_moved(found: dict[str, Any]) -> None:
    assert found["moved"]
