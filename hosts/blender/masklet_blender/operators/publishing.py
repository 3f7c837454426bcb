"""Publish the plate's mattes: Blender's own dialog over the sheet that all hosts share.

What checks and publishes is imported when it is asked for, so that Blender starts without.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import bpy

from masklet.errors import MaskletError
from masklet.hosting.notices import Notice, notice_of
from masklet.phrases import phrase

from ..fields import BoolProperty, BoolVectorProperty, StringProperty
from ..plates import PlateBlock, find_plate, props
from ..runtime import runtime
from ..words import shown
from .running import ObjectOperator, failed, plate_of

if TYPE_CHECKING:
    from masklet.publish.sheet import PublishSheet

    from .running import Result

_WIDTH = 560
_CHARACTERS = 80
_MOST = 32
"""Problems that can be accepted one by one; more are looked at in several goes."""


class MASKLET_OT_publish(ObjectOperator, bpy.types.Operator):
    """Check the mattes of this plate and publish them as the next version"""

    bl_idname = "masklet.publish"
    bl_label = "Publish"
    # No undo step: nothing of the file changes.
    bl_options = {"REGISTER"}

    comment: StringProperty(name="Comment", description="For those who take the version")
    accept: BoolVectorProperty(
        name="Right So",
        description="I have looked at these frames: they are right so",
        size=_MOST,
        options={"SKIP_SAVE"},
    )
    rebuild: BoolProperty(
        name="Make the Mattes Again",
        description="Track and write them again from the prompts of their run, instead of publishing",
        options={"SKIP_SAVE"},
    )

    # Blender reads a class's annotations: one that names what is not imported takes all its properties away.
    _sheet: Any = None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Check, and ask what is to be asked."""
        try:
            self._sheet = _sheet_of(plate_of(context))
        except MaskletError as error:
            return failed(self, error)
        return context.window_manager.invoke_props_dialog(self, width=_WIDTH)

    def draw(self, context: bpy.types.Context) -> None:
        """Lay out the checks, what can be accepted, and the comment."""
        sheet: PublishSheet | None = self._sheet
        if sheet is None:
            return
        layout = self.layout
        layout.label(text=shown(sheet.title), translate=False)
        column = layout.column(align=True)
        acceptable = sheet.acceptable
        for line in sheet.lines:
            column.label(text=line.label, icon="ERROR" if line.problems else "CHECKMARK", translate=False)
            for problem in line.problems:
                for words in textwrap.wrap(problem.words, _CHARACTERS):
                    column.label(text=words, icon="BLANK1", translate=False)
                if problem in acceptable and acceptable.index(problem) < _MOST:
                    column.prop(self, "accept", index=acceptable.index(problem), text=shown(_RIGHT))
        if sheet.can_rebuild:
            layout.prop(self, "rebuild")
        layout.prop(self, "comment")

    def execute(self, context: bpy.types.Context) -> Result:
        """Accept what was ticked, and publish or make the mattes again."""
        from masklet.hosting.work.publishing import publish_job, rebuild_job
        from masklet.publish.sheet import accepting

        block, own = plate_of(context), runtime()
        uid = props(block).uid
        try:
            sheet: PublishSheet = self._sheet or _sheet_of(block)
            ticked = [problem for problem, is_on in zip(sheet.acceptable, self.accept) if is_on]
            sheet = accepting(sheet, ticked)
            if self.rebuild and sheet.can_rebuild:
                own.run(
                    rebuild_job(
                        sheet,
                        uid,
                        on_sheet=lambda made: _tell(
                            uid, Notice(_AGAIN if made.is_ready else made.text, is_alarm=not made.is_ready)
                        ),
                        on_end=lambda error: _failed(uid, error),
                    )
                )
            elif sheet.is_ready:
                own.run(
                    publish_job(
                        sheet,
                        uid,
                        comment=self.comment,
                        on_told=lambda told: _tell(uid, Notice(told, is_alarm=False)),
                        on_end=lambda error: _failed(uid, error),
                    )
                )
            else:
                return self.refuse(phrase("Nothing was published: {reason}", reason=sheet.problems[0].words))
        except MaskletError as error:
            return failed(self, error)
        return {"FINISHED"}


_RIGHT = phrase("I have looked: it is right so")
_AGAIN = phrase("The mattes were made again: publish them now")


def _sheet_of(block: PlateBlock) -> PublishSheet:
    from masklet.publish.sheet import open_sheet, shot_of

    from ..natives.mattes import find_matte

    images = [find_matte(item.uid) for item in props(block).objects]
    return open_sheet(shot_of(bpy.path.abspath(image.filepath) for image in images if image is not None))


def _failed(uid: str, error: MaskletError | None) -> None:
    if error is not None:
        _tell(uid, notice_of(error))


def _tell(uid: str, notice: Notice) -> None:
    runtime().tell(find_plate(uid), notice)


CLASSES = (MASKLET_OT_publish,)
