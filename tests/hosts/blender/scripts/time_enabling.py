"""Processor time in which Blender enables the add-on, as at its own start."""

import json
import time

import bpy  # noqa: F401 - Blender's own modules can be imported once it is

# isort: split
import addon_utils

started_s = time.process_time()
addon_utils.enable("masklet_blender", default_set=True)
print(json.dumps({"cpu_s": time.process_time() - started_s}))
