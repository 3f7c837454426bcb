"""Runs in Blender: collects what the pictures of the file lead to."""

from __future__ import annotations

import json
import sys
from importlib import import_module

import bpy

from masklet.publish import for_pyblish

packages, matte, plate = sys.argv[-3:]
sys.path.append(packages)
image = bpy.data.images.load(matte)
image.source = "SEQUENCE"
bpy.data.images.load(f"{plate}/plate.1001.exr")
bpy.data.movieclips.load(matte)
for_pyblish.register("blender")
context = import_module("pyblish.util").collect()
assert not [one for one in context.data["results"] if one["error"]], context.data["results"]
print(json.dumps({"folders": [str(one.data["masklet"].folder) for one in context]}))
