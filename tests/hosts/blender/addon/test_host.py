"""Blender keeps what the loop asks of every host; the same suite runs against the hand-written one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from real_blender import ROOT, blender_wheel


@pytest.mark.parametrize("version", ["4.2", "5.2"])
def test_blender_keeps_the_contract_of_hosts_with_clips_and_images(tmp_path: Path, version: str) -> None:
    for frame in range(1001, 1005):
        cv2.imwrite(str(tmp_path / f"plate.{frame}.png"), np.full((36, 64, 3), frame % 256, np.uint8))
    script = Path(__file__).parent / "scripts/host_contract_in_blender.py"

    answer = blender_wheel(version).run(script, tmp_path, ROOT, user_folder=tmp_path / "user")

    assert (answer["clip"], answer["image"]) == ({}, {})
    assert answer["checks"] > 8
    assert answer["has_interface"] is False
