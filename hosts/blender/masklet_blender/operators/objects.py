"""Add, remove and rename objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from masklet.errors import MaskletError
from masklet.names import checked_object_name
from masklet.phrases import phrase

from ..fields import StringProperty
from ..plates import adopt, props
from .running import ObjectOperator, PlateOperator, active_of, failed, plate_of, synchronised

if TYPE_CHECKING:
    from .running import Result


class MASKLET_OT_object_add(PlateOperator, bpy.types.Operator):
    """Add an object to track on this plate"""

    bl_idname = "masklet.object_add"
    bl_label = "Add Object"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(
        name="Name", description="Name of the object, its layers and files; empty for object1, object2, …"
    )

    def execute(self, context: bpy.types.Context) -> Result:
        """Add it."""
        block = plate_of(context)
        adopt(block)
        try:
            props(block).add(self.name)
        except MaskletError as error:
            return failed(self, error)
        return synchronised(self, block)


class MASKLET_OT_object_remove(ObjectOperator, bpy.types.Operator):
    """Remove the active object with its prompts and masks; mattes, splines and anchors that were made stay"""

    bl_idname = "masklet.object_remove"
    bl_label = "Remove Object"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Remove it."""
        block = plate_of(context)
        props(block).remove(active_of(block).uid)
        return synchronised(self, block)


class MASKLET_OT_object_rename(ObjectOperator, bpy.types.Operator):
    """Give the active object another name: of layers and files that are made from now on"""

    bl_idname = "masklet.object_rename"
    bl_label = "Rename Object"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(name="Name", description="Name of the object, its layers and files")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Ask for the name."""
        self.name = active_of(plate_of(context)).name
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> Result:
        """Rename it."""
        block = plate_of(context)
        item = active_of(block)
        others = [other.name for other in props(block).objects if other.uid != item.uid]
        try:
            name = checked_object_name(self.name, others)
        except MaskletError as error:
            return failed(self, error)
        item.kept_name = name
        item.name = name
        return synchronised(self, block)


class MASKLET_OT_object_select(ObjectOperator, bpy.types.Operator):
    """Make this object the one that clicks go to"""

    bl_idname = "masklet.object_select"
    bl_label = "Select Object"
    bl_options = {"REGISTER", "UNDO"}

    name: StringProperty(name="Name", description="Name of the object to select")

    def execute(self, context: bpy.types.Context) -> Result:
        """Select it."""
        own = props(plate_of(context))
        for index, item in enumerate(own.objects):
            if item.name == self.name:
                own.active_index = index
                return {"FINISHED"}
        names = ", ".join(item.name for item in own.objects)
        return self.refuse(
            phrase("there is no object {name}: this plate has {names}", name=self.name, names=names)
        )


CLASSES = (
    MASKLET_OT_object_add,
    MASKLET_OT_object_remove,
    MASKLET_OT_object_rename,
    MASKLET_OT_object_select,
)
