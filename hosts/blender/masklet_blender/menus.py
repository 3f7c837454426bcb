"""Menu entries, so that everything can be found without the sidebar and given a shortcut."""

from __future__ import annotations

import bpy


class MASKLET_MT_objects(bpy.types.Menu):
    """What can be done with the objects of a plate."""

    bl_idname = "MASKLET_MT_objects"
    bl_label = "Objects"

    def draw(self, context: bpy.types.Context) -> None:
        """Lay out the menu."""
        layout = self.layout
        layout.operator("masklet.object_rename")
        layout.separator()
        layout.operator("masklet.export_prompts")
        layout.operator("masklet.import_prompts")
        layout.separator()
        layout.operator("masklet.close_session")
        layout.operator("masklet.reconnect")
        layout.operator("masklet.test_connection")


class MASKLET_MT_masklet(bpy.types.Menu):
    """Everything masklet does with the plate in this editor."""

    bl_idname = "MASKLET_MT_masklet"
    bl_label = "masklet"

    def draw(self, context: bpy.types.Context) -> None:
        """Lay out the menu."""
        layout = self.layout
        layout.operator_context = "INVOKE_DEFAULT"
        layout.operator("masklet.object_add")
        layout.operator("masklet.point")
        layout.operator("masklet.clear_prompts")
        layout.operator("masklet.undo")
        layout.operator("masklet.redo")
        layout.separator()
        for text, direction in (
            ("Track Both Ways", "BOTH"),
            ("Track Forward", "FORWARD"),
            ("Track Backward", "BACKWARD"),
        ):
            layout.operator("masklet.track", text=text).direction = direction
        layout.operator("masklet.track", text="Track What Changed").stale_only = True
        layout.separator()
        layout.operator("masklet.next_bad", text="Next Bad Frame")
        layout.operator("masklet.next_bad", text="Previous Bad Frame").backward = True
        layout.operator("masklet.lock", text="Lock Range").locked = True
        layout.operator("masklet.lock", text="Unlock Range").locked = False
        layout.separator()
        layout.operator("masklet.mattes")
        layout.operator("masklet.splines")
        layout.operator("masklet.anchor")
        layout.operator("masklet.attach")
        layout.operator("masklet.compositor")
        layout.operator("masklet.mask_strip")
        layout.separator()
        layout.menu("MASKLET_MT_objects")


CLASSES = (MASKLET_MT_objects, MASKLET_MT_masklet)


def _draw_entry(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.menu("MASKLET_MT_masklet")


_PARENTS = ("CLIP_MT_editor_menus", "CLIP_MT_tracking_editor_menus", "IMAGE_MT_editor_menus")
"""The menu bars of the two editors; the first became the second at some point."""


def append() -> None:
    """Add masklet to the menu bars."""
    for name in _PARENTS:
        parent = getattr(bpy.types, name, None)
        if parent is not None:
            parent.append(_draw_entry)


def remove() -> None:
    """Take it away again."""
    for name in _PARENTS:
        parent = getattr(bpy.types, name, None)
        if parent is not None:
            parent.remove(_draw_entry)
