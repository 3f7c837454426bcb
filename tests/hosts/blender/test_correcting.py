"""The .blend file holds all it takes to make the approved mattes again, on a server that knows nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from masklet_server.demo.clip_writer import DemoClip
from real_blender import blender_wheel

SCRIPT = Path(__file__).parent / "scripts/correcting.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, clip: DemoClip) -> dict[str, Any]:
    """What one version of Blender made; what is kept does not depend on the version."""
    folder = tmp_path_factory.mktemp("correcting")
    frame, x_px, y_px = clip.clicks[0]
    answer = blender_wheel("5.2").run(
        SCRIPT,
        "masklet_blender",
        str(clip.pattern) % frame,
        folder,
        str(x_px),
        str(y_px),
        user_folder=folder / "user",
        environment={"MASKLET_PYTHON": sys.executable, "MASKLET_SERVER": ""},
    )
    return {**answer, "folder": folder}


def test_what_a_correction_corrects_and_locked_masks_are_in_the_file(made: dict[str, Any]) -> None:
    assert made["based"]
    assert made["locked"] == [1004, 1005]
    assert made["the file says the same"]


@pytest.mark.parametrize("frame", range(1001, 1006))
def test_a_server_that_starts_anew_gives_the_mattes_that_were_approved(
    made: dict[str, Any], frame: int
) -> None:
    before, after = (
        cv2.imread(str(made["folder"] / run / "object1" / f"duck_object1.{frame}.png"), cv2.IMREAD_UNCHANGED)
        for run in ("before", "after")
    )
    assert before is not None
    assert after is not None
    inside, again = before > 32767, after > 32767
    assert inside.any()
    assert (inside & again).sum() / (inside | again).sum() >= 0.999
    assert np.abs(before / 65535.0 - after / 65535.0).max() < 0.05
