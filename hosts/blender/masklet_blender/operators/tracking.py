"""Track objects through the plate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from masklet.hosting.reviewing import Extent, advised, suggestion_sentence, track_request, track_sentence
from masklet.hosting.work.jobs import Job
from masklet.hosting.work.plate_events import TrackRequest
from masklet.phrases import phrase
from masklet.types import Direction

from ..fields import BoolProperty, EnumProperty, IntProperty
from ..plates import PlateBlock, go_to, plate_frame, props, scene_frame
from ..runtime import runtime
from .running import LongOperator, MaskletOperator, active_of, frame_of

if TYPE_CHECKING:
    from .running import Result


class MASKLET_OT_track(LongOperator, bpy.types.Operator):
    """Follow the objects from their prompts; Esc stops and keeps what is done"""

    bl_idname = "masklet.track"
    bl_label = "Track Objects"
    # No undo step: a track changes nothing in the file that Ctrl Z could take back.
    bl_options = {"REGISTER"}

    direction: EnumProperty(
        name="Direction",
        description="Which way to follow the objects",
        items=(
            ("FORWARD", "Forward", "From this frame to later ones"),
            ("BACKWARD", "Backward", "From this frame to earlier ones"),
            ("BOTH", "Both", "From every prompt, both ways"),
        ),
        default="BOTH",
        options={"SKIP_SAVE"},
    )
    extent: EnumProperty(
        name="Extent",
        description="How far to follow the objects",
        items=(
            ("CLIP", "Clip", "To the ends of the plate"),
            ("ONE", "One Frame", "To the next frame, and the time cursor with it"),
            ("RANGE", "Range", "From the first to the last frame given here"),
        ),
        default="CLIP",
        options={"SKIP_SAVE"},
    )
    first: IntProperty(name="First", description="Scene frame at which a range begins", options={"SKIP_SAVE"})
    last: IntProperty(name="Last", description="Scene frame at which a range ends", options={"SKIP_SAVE"})
    only_active: BoolProperty(
        name="Only Active", description="Leave the other objects as they are", options={"SKIP_SAVE"}
    )
    stale_only: BoolProperty(
        name="Only Changed",
        description="Only frames that prompts have overtaken since they were tracked",
        options={"SKIP_SAVE"},
    )

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        from ..plates import plate_in

        reason = super().why_not(context)
        if reason is not None:
            return reason
        block = plate_in(context)
        if block is not None and not any('"frame"' in item.said for item in props(block).objects):
            return phrase("Nothing was said yet: click an object in the viewer first")
        return None

    def begin(self, context: bpy.types.Context, block: PlateBlock, *, wait: bool) -> Job:
        """Start tracking."""
        from masklet.hosting.work import plate_work

        request = self._request(context, block)
        runtime().memory(block).left_out = ()
        return runtime().start(
            block,
            phrase("Tracking"),
            lambda plate, job, server: plate_work.track(plate, job, server, request),
            wait=wait,
        )

    def finish(self, context: bpy.types.Context, block: PlateBlock, value: object) -> str:
        """Move the time cursor after a single frame; say how it went."""
        if self.extent == "ONE":
            step = -1 if self.direction == "BACKWARD" else 1
            go_to(block, context, frame_of(context, block) + step)
            return ""
        memory = runtime().memory(block)
        # Without a job's word the track counts as one that brought masks.
        done = 1 if self._job is None else self._job.done
        cuts = [scene_frame(block, cut, context.space_data) for cut in memory.cuts]
        sentence = track_sentence(memory, done=done, cuts=cuts)
        said = active_of(block).prompts()
        seen = advised(said, memory.book)
        if seen is None:
            return sentence
        advice = suggestion_sentence(
            said.name,
            seen,
            lambda frame: scene_frame(block, frame, context.space_data),
            key=phrase("Try Policy (Alt Shift .)"),
        )
        return phrase("{sentence}. {advice}", sentence=sentence, advice=advice)

    def _request(self, context: bpy.types.Context, block: PlateBlock) -> TrackRequest:
        space = context.space_data
        return track_request(
            Extent[self.extent],
            Direction[self.direction],
            frame_of(context, block),
            span=(plate_frame(block, self.first, space), plate_frame(block, self.last, space)),
            uids=(active_of(block).uid,) if self.only_active else (),
            stale_only=self.stale_only,
        )


class MASKLET_OT_cancel(MaskletOperator, bpy.types.Operator):
    """Stop what runs for this plate and keep what is done"""

    bl_idname = "masklet.cancel"
    bl_label = "Stop"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Stop it."""
        for job in runtime().board.jobs:
            if job.is_long or job.total:
                job.cancel()
        return {"FINISHED"}


CLASSES = (MASKLET_OT_track, MASKLET_OT_cancel)
