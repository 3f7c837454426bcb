"""Find what is in the picture: everything, or all that looks like the object. A click then takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from masklet.errors import BadInputError
from masklet.hosting.shown.found_things import FoundThings
from masklet.hosting.work.jobs import Job
from masklet.phrases import phrase

from ..fields import BoolProperty
from ..plates import PlateBlock, adopt, plate_in, props, why_not_usable
from ..runtime import runtime
from .running import LongOperator, PlateOperator, active_of, frame_of, plate_of

if TYPE_CHECKING:
    from .running import Result


class MASKLET_OT_find(LongOperator, bpy.types.Operator):
    """Find everything on this frame; then point at objects and click those you want"""

    bl_idname = "masklet.find"
    bl_label = "Find Things"
    # Nothing is said by it that Ctrl Z could take back.
    bl_options = {"REGISTER"}

    alike: BoolProperty(
        name="Like the Active Object", description="Only what looks like it", options={"SKIP_SAVE"}
    )

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        block = plate_in(context)
        if block is not None and runtime().job_of(block) is not None:
            return phrase("Something is still running for this plate: wait for it, or cancel it with Esc")
        # Objects are what it is to find.
        return why_not_usable(block)

    def begin(self, context: bpy.types.Context, block: PlateBlock, *, wait: bool) -> Job:
        """Start to look."""
        from masklet.hosting.work import view_work

        adopt(block)
        # What may be pressed is asked without knowing whether it is alike.
        if self.alike and props(block).active() is None:
            raise BadInputError(phrase("Add an object first"))
        like, frame = (active_of(block).uid if self.alike else ""), frame_of(context, block)
        runtime().memory(block).found = None
        self._value = None
        return runtime().start(
            block,
            phrase("Finding"),
            lambda plate, job, server: view_work.find(plate, job, server, frame, like=like),
            wait=wait,
            on_made=self.keep,
        )

    def finish(self, context: bpy.types.Context, block: PlateBlock, value: object) -> str:
        """Show what was found."""
        if not isinstance(value, FoundThings):
            return ""
        runtime().memory(block).found = value
        runtime().redraw()
        if not value.things:
            return phrase("nothing was found on this frame: click what you want instead")
        if len(value.things) == 1:
            return phrase("One thing was found: point at objects and click it, if you want it")
        return phrase(
            "{count} things were found: point at objects and click those you want", count=len(value.things)
        )


class MASKLET_OT_clear_found(PlateOperator, bpy.types.Operator):
    """Show what was found no longer"""

    bl_idname = "masklet.clear_found"
    bl_label = "Clear Found Things"
    bl_options = {"REGISTER"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Forget it."""
        block = plate_of(context)
        if props(block).uid:
            runtime().memory(block).found = None
            runtime().dismiss(block)
        return {"FINISHED"}


CLASSES = (MASKLET_OT_find, MASKLET_OT_clear_found)
