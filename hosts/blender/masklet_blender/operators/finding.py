"""Find an object again after an absence or a cut: look, see the places, take one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from masklet.errors import MaskletError
from masklet.hosting.found_places import accepted, found_sentence
from masklet.hosting.work import finding
from masklet.hosting.work.finding import FoundPlaces
from masklet.phrases import phrase

from ..fields import IntProperty
from ..plates import props, scene_frame
from ..runtime import runtime
from .running import LongOperator, ObjectOperator, active_of, failed, frame_of, plate_of, synchronised

if TYPE_CHECKING:
    from masklet.hosting.work.jobs import Job

    from ..plates import PlateBlock
    from .running import Result


class MASKLET_OT_find_again(LongOperator, bpy.types.Operator):
    """Look where the active object may be on this frame, after an absence or a cut; nothing is said yet"""

    bl_idname = "masklet.find_again"
    bl_label = "Find Again"
    # No undo step: what is found is no part of the file.
    bl_options = {"REGISTER"}

    def begin(self, context: bpy.types.Context, block: PlateBlock, *, wait: bool) -> Job:
        """Ask the server for places."""
        own = runtime()
        own.found = None
        uid, frame = active_of(block).uid, frame_of(context, block)
        return own.start(
            block,
            phrase("Finding again"),
            lambda plate, job, server: finding.find_again(plate, job, server, uid, frame),
            wait=wait,
            on_made=self.keep,
        )

    def finish(self, context: bpy.types.Context, block: PlateBlock, value: object) -> str:
        """Show the places, until one is taken."""
        if not isinstance(value, FoundPlaces):
            return ""
        runtime().found = value if value.places else None
        runtime().redraw()
        item = next((each for each in props(block).objects if each.uid == value.uid), None)
        name = "" if item is None else item.name
        return found_sentence(name, scene_frame(block, value.frame, context.space_data), value)


class MASKLET_OT_take_place(ObjectOperator, bpy.types.Operator):
    """Say that the object is at this place, with a click; track then, it goes both ways from there"""

    bl_idname = "masklet.take_place"
    bl_label = "Take Place"
    bl_options = {"REGISTER", "UNDO"}

    number: IntProperty(
        name="Number", description="Of the place, the likeliest is 1", default=1, min=1, options={"SKIP_SAVE"}
    )

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        reason = super().why_not(context)
        if reason is None and runtime().found is None:
            return phrase("Press Find Again first, on a frame that shows the object")
        return reason

    def execute(self, context: bpy.types.Context) -> Result:
        """Add the click of the place."""
        block, found = plate_of(context), runtime().found
        item = active_of(block)
        try:
            if found is not None:
                item.take(accepted(item.as_said(), found, self.number))
        except MaskletError as error:
            return failed(self, error)
        runtime().found = None
        runtime().dismiss(block)
        return synchronised(self, block)


class MASKLET_OT_drop_places(ObjectOperator, bpy.types.Operator):
    """Show the places that were found no longer"""

    bl_idname = "masklet.drop_places"
    bl_label = "None of Them"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Forget them."""
        runtime().found = None
        runtime().dismiss(plate_of(context))
        return {"FINISHED"}


CLASSES = (MASKLET_OT_find_again, MASKLET_OT_take_place, MASKLET_OT_drop_places)
