"""What an artist can see and press of the enabled add-on, for tests to look at.

Arguments: none. The checkout's add-on is enabled.
"""

import importlib.util
import json
import sys
from pathlib import Path

import bpy

ADDON = "masklet_blender"
# What acts on the picture of either editor, whatever its mode: editors' own maps and those above them.
EVERYWHERE = (
    "Window",
    "Screen",
    "Screen Editing",
    "Frames",
    "View2D",
    "User Interface",
    "Region Context Menu",
)
MAPS = {
    "Clip": (
        *EVERYWHERE,
        "Clip",
        "Clip Editor",
        "Clip Graph Editor",
        "Clip Dopesheet Editor",
        "Mask Editing",
    ),
    "Image": (
        *EVERYWHERE,
        *("Image", "Image Generic", "Image Paint", "Paint Curve", "UV Editor", "Mask Editing"),
    ),
}
TOOLS = {"Clip": "Clip Editor Tool", "Image": "Image Editor Tool"}
PROPERTIES = ("direction", "backward")
HELD = ("shift", "ctrl", "alt", "oskey")


def load(file):
    specification = importlib.util.spec_from_file_location(file.stem, file)
    module = importlib.util.module_from_spec(specification)
    sys.modules[file.stem] = module
    specification.loader.exec_module(module)
    return module


def shipped():
    """Blender's key maps as it ships them: for either button to select, old ones, and those of others."""
    folder = next(Path(path) / "keymap_data" for path in bpy.utils.preset_paths("keyconfig"))
    own, other = load(folder / "blender_default.py"), load(folder / "industry_compatible_data.py")
    yield "default", own.generate_keymaps()
    yield "right", own.generate_keymaps(own.Params(select_mouse="RIGHT", use_mouse_emulate_3_button=False))
    yield (
        "2.7x",
        own.generate_keymaps(own.Params(select_mouse="RIGHT", use_mouse_emulate_3_button=False, legacy=True)),
    )
    yield "industry compatible", other.generate_keymaps()


def strokes(keymaps, editor):
    for name, _, content in keymaps:
        if name in MAPS[editor] or name.startswith(TOOLS[editor]):
            for operator, event, _ in content["items"]:
                held = ["any"] if event.get("any") else [key for key in HELD if event.get(key)]
                yield {"map": name, "operator": operator, "key": event["type"], "held": held}


def added():
    """The add-on's own."""
    for keymap in bpy.context.window_manager.keyconfigs.addon.keymaps:
        for item in keymap.keymap_items:
            if item.idname.startswith("masklet."):
                held = [key for key in HELD if getattr(item, key)]
                values = {
                    name: getattr(item.properties, name) for name in PROPERTIES if name in item.properties
                }
                yield {
                    "editor": keymap.name,
                    "operator": item.idname,
                    "key": item.type,
                    "held": held,
                    "values": values,
                }


def words_of(owner, structure):
    """Every label and description of a class's own."""
    # A property of one's own may stand before one that every group has.
    for prop in {prop.identifier: prop for prop in structure.properties}.values():
        if prop.identifier in ("rna_type", "bl_idname") or prop.identifier not in owner.__annotations__:
            continue
        yield {
            "owner": owner.__name__,
            "name": prop.identifier,
            "label": prop.name,
            "description": prop.description,
            "context": prop.translation_context,
            "hidden": prop.is_hidden,
            "subtype": prop.subtype,
            "items": [[item.name, item.description] for item in getattr(prop, "enum_items", ())],
        }


def classes():
    from masklet_blender import operators, panels, plate_panel, preferences, properties
    from masklet_blender.menus import CLASSES as MENUS

    for cls in (*operators.CLASSES, *panels.CLASSES, *plate_panel.CLASSES, *MENUS):
        label = getattr(cls, "bl_label", "")
        described = cls.__doc__ if issubclass(cls, bpy.types.Operator) else ""
        yield cls, label, described, getattr(cls, "bl_translation_context", "")
    for cls in (preferences.MaskletPreferences, *properties.CLASSES):
        yield cls, "", "", ""


bpy.ops.preferences.addon_enable(module=ADDON)
owners, properties = [], []
counted, missing = 0, []
for cls, label, described, context in classes():
    owners.append({"name": cls.__name__, "label": label, "description": described, "context": context})
    if "__annotations__" not in cls.__dict__:
        continue
    structure = cls.bl_rna
    declared = [name for name, value in cls.__annotations__.items() if "Property(" in str(value)]
    if issubclass(cls, bpy.types.Operator):
        module, _, name = cls.bl_idname.partition(".")
        structure = getattr(getattr(bpy.ops, module), name).get_rna_type()
    missing += [f"{cls.__name__}.{name}" for name in declared if name not in structure.properties]
    counted += len(declared)
    properties.extend(words_of(cls, structure))
drawn = {
    name: any(
        "masklet" in getattr(draw, "__module__", "") for draw in getattr(bpy.types, name).draw._draw_funcs
    )
    for name in ("CLIP_MT_tracking_editor_menus", "CLIP_MT_masking_editor_menus", "IMAGE_MT_editor_menus")
}
print(
    json.dumps(
        {
            "added": list(added()),
            "shipped": [
                {"preset": preset, "editor": editor, **stroke}
                for preset, keymaps in shipped()
                for editor in MAPS
                for stroke in strokes(keymaps, editor)
            ],
            "owners": owners,
            "properties": properties,
            "counted": counted,
            "missing": missing,
            "menus": drawn,
        }
    )
)
