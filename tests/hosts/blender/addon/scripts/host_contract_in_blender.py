"""The contract of hosts, kept by Blender. Arguments: a folder with plate.png, the checkout."""

import json
import sys
from pathlib import Path

import bpy

folder, root = Path(sys.argv[1]), Path(sys.argv[2])
sys.path[:0] = [str(root / "tests")]

import masklet_blender  # noqa: E402

masklet_blender.register()

from host_contract import CHECKS, failures  # noqa: E402
from masklet_blender.runtime import runtime  # noqa: E402


def new_plate():
    return bpy.data.movieclips.load(str(folder / "plate.1001.png"))


def new_image():
    return bpy.data.images.load(str(folder / "plate.1001.png"))


host = runtime().host
print(
    json.dumps(
        {
            "checks": len(CHECKS),
            "clip": failures(host, new_plate),
            "image": failures(host, new_image),
            "has_interface": host.has_interface,
        }
    )
)
