"""Bring splines home as a Mask, and use it.

What makes them is imported when it is asked for, so that Blender starts without.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import bpy

from masklet.errors import MaskletError
from masklet.hosting.work.jobs import Job
from masklet.hosting.work.plate_events import ResultCame
from masklet.phrases import phrase

from ..fields import FloatProperty
from ..plates import PlateBlock, frame_map
from ..runtime import runtime
from .recording import with_record
from .running import AskingOperator, ObjectOperator, active_of, failed, plate_of, scene_of

if TYPE_CHECKING:
    from ..natives.masks import MaskWriter
    from .running import Result


class MASKLET_OT_splines(AskingOperator, bpy.types.Operator):
    """Make animated splines of the active object in a Mask, a layer for each piece"""

    bl_idname = "masklet.splines"
    bl_label = "Make Splines"
    bl_options = {"UNDO"}

    tolerance_px: FloatProperty(
        name="Tolerance",
        description="How far a spline may lie from the matte's edge, in pixels of the plate",
        default=1.0,
        min=0.1,
        soft_max=10.0,
        subtype="PIXEL",
    )

    def begin(self, context: bpy.types.Context, block: PlateBlock, *, wait: bool) -> Job:
        """Have the shapes fitted, and worked out in Blender's numbers away from the main thread."""
        from masklet.hosting.work import plate_work
        from masklet.shapes import ObjectShapes

        from ..natives.mask_drawing import drawing_of
        from ..natives.masks import mask_raster

        uid, tolerance_px = active_of(block).uid, self.tolerance_px
        assert context.scene is not None
        frames, raster = frame_map(block, context.space_data), mask_raster(scene_of(context))
        self._uid = uid

        def work(plate, job, server) -> Iterator[object]:  # type: ignore[no-untyped-def]
            for event in plate_work.shapes(plate, job, server, uid, tolerance_px=tolerance_px):
                if isinstance(event, ResultCame) and isinstance(event.value, ObjectShapes):
                    yield ResultCame((event.value, drawing_of(event.value, frames, raster=raster)))
                else:
                    yield event

        return runtime().start(block, phrase("Making splines"), work, wait=wait, on_made=self.keep)

    def slices(self, context: bpy.types.Context, value: object) -> MaskWriter | None:
        """Write them into the mask."""
        from ..natives.masks import MaskWriter

        if self._value is None:
            return None
        _, drawing = self._value
        self._writer = MaskWriter(drawing, owner=self._uid)
        return self._writer

    def finish(self, context: bpy.types.Context, block: PlateBlock, value: object) -> str:
        """Show the mask."""
        shapes, _ = self._value
        report, mask = shapes.report, self._writer.mask
        space = context.space_data
        if isinstance(space, (bpy.types.SpaceClipEditor, bpy.types.SpaceImageEditor)):
            space.mask = mask
        sentence = phrase(
            "Splines are in the mask {name}: {points} points, {keys} keyframes, within {distance_px} pixels "
            "of the matte",
            name=mask.name,
            points=report.vertices,
            keys=report.keyframes,
            distance_px=f"{report.largest_distance_px:.1f}",
        )
        return with_record(block, sentence, shapes, owner=self._uid)


class MASKLET_OT_mask_strip(ObjectOperator, bpy.types.Operator):
    """Let the active strip of the Video Sequencer be seen through the splines of the active object only"""

    bl_idname = "masklet.mask_strip"
    bl_label = "Mask Active Strip"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        from ..natives.masks import find_mask

        reason = super().why_not(context)
        if reason is not None:
            return reason
        editor = context.scene.sequence_editor
        if editor is None or editor.active_strip is None:
            return phrase("Select a strip in the Video Sequencer first")
        return None if find_mask(active_of(plate_of(context)).uid) else phrase("Make splines first")

    def execute(self, context: bpy.types.Context) -> Result:
        """Give the strip the mask."""
        from ..natives.masks import find_mask
        from ..natives.sequencer import mask_strip

        mask = find_mask(active_of(plate_of(context)).uid)
        strip = context.scene.sequence_editor.active_strip
        if mask is None:
            return {"CANCELLED"}
        try:
            mask_strip(strip, mask)
        except MaskletError as error:
            return failed(self, error)
        self.tell(phrase("{strip} is seen through {mask}", strip=strip.name, mask=mask.name))
        return {"FINISHED"}


CLASSES = (MASKLET_OT_splines, MASKLET_OT_mask_strip)
