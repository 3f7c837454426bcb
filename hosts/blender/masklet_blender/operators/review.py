"""Look at what needs a look, and hold on to what is good."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import bpy

from masklet.errors import MaskletError
from masklet.hosting.reviewing import (
    advised,
    bad_frame_sentence,
    lock_range,
    no_bad_frame_sentence,
    policy_taken_sentence,
    with_advised_policy,
)
from masklet.phrases import phrase
from masklet.said.documents import with_lock
from masklet.types import FrameRange

from ..fields import BoolProperty, IntProperty
from ..plates import go_to, plate_frame, plate_in, props, scene_frame
from ..runtime import runtime
from ..shown_notice import notice_in
from ..words import shown
from .running import ObjectOperator, PlateOperator, active_of, failed, frame_of, plate_of, synchronised

if TYPE_CHECKING:
    from .running import Result


_NOTICE_WIDTH = 420
_NOTICE_CHARACTERS = 60


class MASKLET_OT_next_bad(ObjectOperator, bpy.types.Operator):
    """Go to the next frame where an object is uncertain or its mask is out of date"""

    bl_idname = "masklet.next_bad"
    bl_label = "Next Bad Frame"
    bl_options = {"REGISTER", "UNDO"}

    backward: BoolProperty(name="Backward", description="Search before this frame", options={"SKIP_SAVE"})

    def execute(self, context: bpy.types.Context) -> Result:
        """Go there, and make the object active."""
        block = plate_of(context)
        own, memory = props(block), runtime().memory(block)
        uids = [item.uid for item in own.objects]
        found = memory.book.next_bad(uids, frame_of(context, block), backward=self.backward, clip=memory.clip)
        if found is None:
            self.tell(no_bad_frame_sentence(backward=self.backward))
            return {"CANCELLED"}
        uid, frame = found
        own.active_index = uids.index(uid)
        go_to(block, context, frame)
        name = own.objects[own.active_index].name
        self.tell(bad_frame_sentence(name, memory.book.at(uid, frame)))
        return {"FINISHED"}


class MASKLET_OT_try_policy(ObjectOperator, bpy.types.Operator):
    """Track the active object with the policy that may help it, from the next track on"""

    bl_idname = "masklet.try_policy"
    bl_label = "Try Policy"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        reason = super().why_not(context)
        block = plate_in(context)
        if reason is not None or block is None:
            return reason
        item, memory = active_of(block), runtime().glimpse(block)
        if memory is None or advised(item.prompts(), memory.book) is None:
            return phrase("nothing was seen of {name} that another policy may help with", name=item.name)
        return None

    def execute(self, context: bpy.types.Context) -> Result:
        """Say so; what was tracked is out of date then."""
        block = plate_of(context)
        item = active_of(block)
        try:
            changed = with_advised_policy(item.as_said(), runtime().memory(block).book)
        except MaskletError as error:
            return failed(self, error)
        item.take(changed)
        result = synchronised(self, block)
        self.tell(policy_taken_sentence(changed))
        return result


class MASKLET_OT_lock(ObjectOperator, bpy.types.Operator):
    """Keep tracking from changing frames of the active object, or let it"""

    bl_idname = "masklet.lock"
    bl_label = "Lock Frames"
    bl_options = {"REGISTER", "UNDO"}

    first: IntProperty(name="First", description="Scene frame at which the range begins")
    last: IntProperty(name="Last", description="Scene frame at which the range ends")
    locked: BoolProperty(name="Locked", description="Off to let tracking change the range", default=True)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Offer the preview range, or the run of equal frames around this one."""
        self.first, self.last = self._offer(context)
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> Result:
        """Lock or unlock it."""
        block = plate_of(context)
        item = active_of(block)
        first, last = sorted((self.first, self.last))
        frames = FrameRange(
            plate_frame(block, first, context.space_data), plate_frame(block, last, context.space_data)
        )
        try:
            item.take(with_lock(item.as_said(), frames, locked=self.locked))
        except MaskletError as error:
            return failed(self, error)
        return synchronised(self, block)

    def _offer(self, context: bpy.types.Context) -> tuple[int, int]:
        scene, block, space = context.scene, plate_of(context), context.space_data
        span = None
        if scene.use_preview_range:
            ends = (scene.frame_preview_start, scene.frame_preview_end)
            span = FrameRange(*sorted(plate_frame(block, end, space) for end in ends))
        frame = frame_of(context, block)
        offered = lock_range(frame, runtime().memory(block).book.at(active_of(block).uid, frame), span)
        return scene_frame(block, offered.first, space), scene_frame(block, offered.last, space)


class MASKLET_OT_read_notice(PlateOperator, bpy.types.Operator):
    """Show all of what masklet said last, however long it is"""

    bl_idname = "masklet.read_notice"
    bl_label = "Read All"
    bl_options = {"INTERNAL"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Open it."""
        return context.window_manager.invoke_popup(self, width=_NOTICE_WIDTH)

    def draw(self, context: bpy.types.Context) -> None:
        """Lay it out."""
        column, notice = self.layout.column(align=True), notice_in(context)
        for line in textwrap.wrap(shown(notice.sentence) if notice else "", _NOTICE_CHARACTERS):
            column.label(text=line, translate=False)

    def execute(self, context: bpy.types.Context) -> Result:
        """Nothing is left to do."""
        return {"FINISHED"}


CLASSES = (MASKLET_OT_next_bad, MASKLET_OT_try_policy, MASKLET_OT_lock, MASKLET_OT_read_notice)
