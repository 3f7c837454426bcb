"""Take back what was said to masklet, whatever else was done in Blender since.

Blender's own undo takes prompts back as well; these go through what was said alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from masklet.errors import MaskletError
from masklet.hosting.work.jobs import Job
from masklet.phrases import phrase

from ..plates import PlateBlock, plate_in, props
from ..runtime import runtime
from .running import PlateOperator, failed, plate_of

if TYPE_CHECKING:
    from .running import Result


class _Step(PlateOperator):
    """One step through the history of prompts."""

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        reason = super().why_not(context)
        memory = runtime().glimpse(plate_in(context))
        if reason is None and (memory is None or memory.session is None):
            return phrase("Nothing was said since this file was opened")
        return reason

    def step(self, context: bpy.types.Context, *, undo: bool) -> Result:
        """Take the step on the server, then make the document follow."""
        block = plate_of(context)
        name = phrase("Undo") if undo else phrase("Redo")
        uid = props(block).uid

        def work(plate, job: Job, server):  # type: ignore[no-untyped-def]
            return plate.undo(server) if undo else plate.redo(server)

        def follow(error: MaskletError | None) -> None:
            from ..plates import find_plate

            again: PlateBlock | None = find_plate(uid)
            if error is None and again is not None:
                runtime().follow_server(again)
                if not bpy.app.background:
                    bpy.ops.ed.undo_push(message=f"masklet {name.lower()}")

        try:
            runtime().start(block, name, work, wait=bpy.app.background, is_long=False, on_end=follow)
        except MaskletError as error:
            return failed(self, error)
        return {"FINISHED"}


class MASKLET_OT_undo(_Step, bpy.types.Operator):
    """Take back the last thing that was said to masklet about this plate"""

    bl_idname = "masklet.undo"
    bl_label = "Undo Prompt"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Take it back."""
        return self.step(context, undo=True)


class MASKLET_OT_redo(_Step, bpy.types.Operator):
    """Say again what was taken back last"""

    bl_idname = "masklet.redo"
    bl_label = "Redo Prompt"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Say it again."""
        return self.step(context, undo=False)


CLASSES = (MASKLET_OT_undo, MASKLET_OT_redo)
