"""Bring results home as Blender's own data: mattes, splines, anchors."""

from __future__ import annotations

import bpy
from bpy.props import FloatProperty

from masklet.errors import BadInputError
from masklet.shapes import ObjectShapes

from ..jobs import Job
from ..natives.masks import write_mask
from ..plates import PlateBlock, frame_map
from ..runtime import runtime
from .running import LongOperator, active_of


class MASKLET_OT_splines(LongOperator, bpy.types.Operator):
    """Make animated splines of the active object: a Mask with a layer for each piece, brought up to date when there is one"""

    bl_idname = "masklet.splines"
    bl_label = "Make Splines"
    bl_options = {"REGISTER", "UNDO"}

    tolerance_px: FloatProperty(
        name="Tolerance",
        description="How far a spline may lie from the matte's edge, in pixels of the plate",
        default=1.0,
        min=0.1,
        soft_max=10.0,
    )

    def begin(self, context: bpy.types.Context, block: PlateBlock, *, wait: bool) -> Job:
        """Have the shapes fitted."""
        uid, tolerance_px = active_of(block).uid, self.tolerance_px
        self._uid = uid
        return runtime().start(
            block,
            "Making splines",
            lambda shot, job, server: shot.shapes(job, server, uid, tolerance_px=tolerance_px),
            wait=wait,
            on_made=self.keep,
        )

    def finish(self, context: bpy.types.Context, block: PlateBlock, value: object) -> str:
        """Write them into the mask."""
        if not isinstance(value, ObjectShapes):
            raise BadInputError("no splines came: try again")
        mask = write_mask(value, frame_map(block, context.space_data), owner=self._uid)
        space = context.space_data
        if isinstance(space, (bpy.types.SpaceClipEditor, bpy.types.SpaceImageEditor)):
            space.mask = mask
        report = value.report
        return f"Splines are in the mask {mask.name}: {len(value.pieces)} layers, {report}"


CLASSES = (MASKLET_OT_splines,)
