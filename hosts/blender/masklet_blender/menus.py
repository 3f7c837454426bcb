"""Menu entries, so that everything can be found without the sidebar and given a shortcut."""

from __future__ import annotations

from typing import Any

import bpy

from .words import CONTEXT


class MASKLET_MT_objects(bpy.types.Menu):
    """What can be done with the objects of a plate."""

    bl_idname = "MASKLET_MT_objects"
    bl_label = "Objects"
    bl_translation_context = CONTEXT

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
    bl_translation_context = CONTEXT

    def draw(self, context: bpy.types.Context) -> None:
        """Lay out the menu."""
        layout = self.layout
        # The shortcuts belong to the picture's region: looked for in the header's, they would not be shown.
        layout.operator_context = "INVOKE_REGION_WIN"
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
            _entry(layout, "masklet.track", text).direction = direction
        _entry(layout, "masklet.track", "Retrack Changed").stale_only = True
        layout.separator()
        _entry(layout, "masklet.next_bad", "Next Bad Frame").backward = False
        _entry(layout, "masklet.next_bad", "Previous Bad Frame").backward = True
        layout.operator("masklet.find_again")
        layout.operator("masklet.try_policy")
        _entry(layout, "masklet.lock", "Lock Frames").locked = True
        _entry(layout, "masklet.lock", "Unlock Frames").locked = False
        layout.separator()
        layout.operator("masklet.mattes")
        layout.operator("masklet.splines")
        layout.operator("masklet.anchor")
        layout.operator("masklet.attach")
        layout.operator("masklet.compositor")
        layout.operator("masklet.mask_strip")
        layout.operator("masklet.publish")
        layout.operator("masklet.submit_to_farm")
        layout.separator()
        layout.menu("MASKLET_MT_objects")


CLASSES = (MASKLET_MT_objects, MASKLET_MT_masklet)


def _entry(layout: Any, operator: str, text: str) -> Any:
    return layout.operator(operator, text=text, text_ctxt=CONTEXT)


def _draw_entry(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    self.layout.menu("MASKLET_MT_masklet")


_PARENTS = (
    "CLIP_MT_tracking_editor_menus",
    "CLIP_MT_masking_editor_menus",
    "CLIP_MT_editor_menus",
    "IMAGE_MT_editor_menus",
)
"""The menu bars of the two editors; that of the Movie Clip Editor is another in each mode and version."""


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
