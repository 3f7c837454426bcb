"""Enables the installed extension as Blender does at its start; says what that imports and what it leaves.

Arguments: the add-on's module, and ``start`` to leave it enabled as Blender's end does.
"""

import json
import sys

import bpy
import leftovers

# isort: split
# Blender's own modules can be imported once bpy is.
import addon_utils

module = sys.argv[1]
before = leftovers.present()
# Blender's own part: it unpacks wheels where the list of enabled extensions has changed.
addon_utils.extensions_refresh(addon_modules_pending=[module])
known = set(sys.modules)
enabled = addon_utils.enable(module, default_set=True, refresh_handled=True)
imported = sorted(set(sys.modules) - known)
during = leftovers.present()
names = sorted(name for name in sys.modules if name.split(".")[0] in {"grpc", "google", "numpy", "torch"})
operators = sorted(name for name in dir(bpy.ops.masklet))
if sys.argv[2:] != ["start"]:
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
            "imported": imported,
        }
    )
)
