"""Everything an add-on could leave behind in a Blender, as names that can be compared."""

import os
import threading
from pathlib import Path

import bpy
from bpy.app import handlers

_LISTS = [name for name in dir(handlers) if isinstance(getattr(handlers, name), list)]
_OWNERS = ("MovieClip", "Image", "Scene", "Object", "Mask", "WindowManager")


def present():
    """What of masklet there is in this Blender now."""
    found = {f"class {name}" for name in dir(bpy.types) if "masklet" in name.lower()}
    found |= {f"operator {name}" for name in dir(bpy.ops) if name == "masklet" and dir(bpy.ops.masklet)}
    for name in _LISTS:
        for handler in getattr(handlers, name):
            if "masklet" in str(getattr(handler, "__module__", "")):
                found.add(f"handler {name} {handler.__name__}")
    for owner in _OWNERS:
        for member in getattr(bpy.types, owner).bl_rna.properties:
            if "masklet" in member.identifier:
                found.add(f"property {owner}.{member.identifier}")
    found |= {f"thread {thread.name}" for thread in threading.enumerate() if "masklet" in thread.name.lower()}
    for configuration in bpy.context.window_manager.keyconfigs:
        for keymap in configuration.keymaps:
            for item in keymap.keymap_items:
                if item.idname.startswith("masklet"):
                    found.add(f"key {configuration.name} {keymap.name} {item.idname}")
    return sorted(found)


def children():
    """Ids of the processes that this Blender started and that still run; Linux only."""
    found = set()
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[1] == str(os.getpid()) and fields[0] != "Z":
            found.add(int(file.parent.name))
    return sorted(found)
