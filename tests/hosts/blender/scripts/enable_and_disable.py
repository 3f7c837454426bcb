"""Enables the installed extension as Blender does at its start; says what that cost and what it leaves."""

import json
import sys
import time

import addon_utils
import bpy
import leftovers

module = sys.argv[1]
bpy.ops.preferences.addon_enable(module=module)
bpy.ops.preferences.addon_disable(module=module)
for name in [name for name in sys.modules if name.startswith((module, "masklet"))]:
    del sys.modules[name]

before = leftovers.present()
wall, cpu = time.perf_counter(), time.process_time()
enabled = addon_utils.enable(module, default_set=True)
cost = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
during = leftovers.present()
names = sorted(name for name in sys.modules if name.split(".")[0] in {"grpc", "google", "numpy", "torch"})
operators = sorted(name for name in dir(bpy.ops.masklet))
bpy.ops.preferences.addon_disable(module=module)
print(
    json.dumps(
        {
            "enabled": enabled is not None,
            "before": before,
            "during": during,
            "after": leftovers.present(),
            "operators": operators,
            "heavy": names,
            **cost,
        }
    )
)
