"""The script in docs/blender.md is run as it stands, with a clip that is there."""

from __future__ import annotations

import sys
from pathlib import Path

from documentation import python_of
from masklet.transport.local_server import LocalServer
from masklet_server.demo.clip_writer import DemoClip
from real_blender import Blender

PREAMBLE = """
import json
import bpy
bpy.ops.preferences.addon_enable(module="masklet_blender")
bpy.ops.wm.save_as_mainfile(filepath={blend!r})
"""
REPORT = """
print(json.dumps({"masks": [mask.name for mask in bpy.data.masks]}))
"""


def test_the_script_of_the_guide_makes_mattes_and_splines(
    blender: Blender, user_folder: Path, tmp_path: Path, clip: DemoClip, process: LocalServer
) -> None:
    (code,) = python_of("docs/blender.md")
    frame, x_px, y_px = clip.clicks[0]
    code = code.replace("/shots/duck.1001.png", (clip.pattern.parent / f"duck.{frame:04d}.png").as_posix())
    code = code.replace("x_px=640, y_px=360", f"x_px={x_px}, y_px={y_px}")
    script = tmp_path / "guide.py"
    script.write_text(PREAMBLE.format(blend=str(tmp_path / "shot.blend")) + code + REPORT, encoding="utf-8")

    answer = blender.run(
        script,
        user_folder=user_folder,
        environment={
            "MASKLET_SERVER": process.address,
            "MASKLET_TOKEN": process.token,
            "MASKLET_PYTHON": sys.executable,
        },
    )

    assert answer["masks"] == ["duck"]
    assert len(list(tmp_path.rglob("*.exr"))) == 5
