"""Submit the plate's shot to a farm: Blender's own dialog over the sheet that all hosts share.

What submits is imported when it is asked for, so that Blender starts without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from masklet.errors import MaskletError, OutputError
from masklet.hosting import kept_plate
from masklet.hosting.notices import Notice, notice_of
from masklet.phrases import phrase

from ..farm_documents import document_of
from ..fields import BoolProperty, StringProperty
from ..plates import PlateBlock, find_plate, props, source_of
from ..preferences import connection_settings
from ..runtime import runtime
from .prompt_files import kept_of
from .running import ObjectOperator, failed, plate_of

if TYPE_CHECKING:
    from pathlib import Path

    from masklet.farm.sheet import FarmSheet

    from .running import Result

_WIDTH = 480
_TOOL = "json"


class MASKLET_OT_submit_to_farm(ObjectOperator, bpy.types.Operator):
    """Make a job of this shot, for the farm or the night"""

    bl_idname = "masklet.submit_to_farm"
    bl_label = "Submit to Farm"
    # No undo step: nothing of the file changes.
    bl_options = {"REGISTER"}

    job: StringProperty(
        name="Job Folder",
        description="A new folder on a disk that all workers of the farm see",
        options={"SKIP_SAVE"},
    )
    shapes: BoolProperty(name="Shapes", description="Also Bezier shapes of every object")
    anchors: BoolProperty(name="Anchors", description="Also a transform that follows every object")
    tool: StringProperty(
        name="For", description="The tool that shapes and anchors are written for", default=_TOOL
    )
    publish: BoolProperty(
        name="Publish", description="The shot becomes a version if it passes the check", default=True
    )
    reviewed: BoolProperty(
        name="Uncertain Frames Are Right",
        description="Frames on which an object may be lost do not hold it up",
    )
    weights: StringProperty(
        name="Model", description="Name or file of the model, as workers have it; empty for theirs"
    )
    quality: StringProperty(
        name="Quality", description="How closely pictures are looked at: closer takes longer"
    )
    comment: StringProperty(name="Comment", description="For those who take the version")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Propose a folder, and ask what is to be asked."""
        try:
            sheet = _proposed(document_of(plate_of(context)))
            self.job, self.weights, self.quality = sheet.job, sheet.weights, sheet.quality
        except MaskletError as error:
            return failed(self, error)
        return context.window_manager.invoke_props_dialog(self, width=_WIDTH)

    def execute(self, context: bpy.types.Context) -> Result:
        """Write the document, and make the job of it."""
        from masklet.hosting.work.farming import submit_job

        block, own = plate_of(context), runtime()
        uid = props(block).uid
        try:
            file = document_of(block)
            _write(file, block)
            own.run(
                submit_job(
                    self._sheet(file),
                    uid,
                    on_told=lambda told: _tell(uid, Notice(told, is_alarm=False)),
                    on_end=lambda error: _failed(uid, error),
                )
            )
        except MaskletError as error:
            return failed(self, error)
        return {"FINISHED"}

    def _sheet(self, file: Path) -> FarmSheet:
        from masklet.farm.sheet import FIELDS

        sheet = _proposed(file)
        for field in FIELDS:
            value = getattr(self, field.name)
            # A text that was cleared counts; one that a script did not name is as proposed. What a dialog
            # remembers of the last time is shown, so it was named.
            is_named = not field.choices and self.properties.is_property_set(field.name, ghost=False)
            if value or isinstance(value, bool) or is_named:
                sheet = sheet.with_value(field.name, value)
        return sheet


def _proposed(file: Path) -> FarmSheet:
    from masklet.hosting.work.farming import proposed

    return proposed(file, connection_settings(), _TOOL)


def _write(file: Path, block: PlateBlock) -> None:
    kept = kept_of(block, source_of(block))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            phrase("{folder} cannot be made ({fault})", folder=file.parent, fault=error.strerror)
        ) from error
    kept_plate.write(file, kept, None)


def _failed(uid: str, error: MaskletError | None) -> None:
    if error is not None:
        _tell(uid, notice_of(error))


def _tell(uid: str, notice: Notice) -> None:
    runtime().tell(find_plate(uid), notice)


CLASSES = (MASKLET_OT_submit_to_farm,)
