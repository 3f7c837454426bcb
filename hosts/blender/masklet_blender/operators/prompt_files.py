"""Prompt documents: what was said, for the command line, a farm or another host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from masklet.clip_files import find_files
from masklet.conversion import check_size, shifted
from masklet.errors import MaskletError
from masklet.hosting import kept_plate
from masklet.hosting.kept_plate import KeptPlate, Look
from masklet.hosting.notices import Notice
from masklet.hosting.ports import KeptSession
from masklet.names import clip_stem
from masklet.phrases import phrase
from masklet.prompts import PlateShape, Shot, read_shot
from masklet.said.documents import from_prompts, to_prompts
from masklet.types import FrameRange

from ..fields import StringProperty
from ..plates import adopt, props, size_px, source_of
from ..runtime import runtime
from .running import ObjectOperator, PlateOperator, failed, plate_of, synchronised

if TYPE_CHECKING:
    from masklet.hosting.plate_files import PlateSource

    from ..plates import PlateBlock
    from .running import Result

_SUFFIX = ".prompts.json"


class MASKLET_OT_export_prompts(ObjectOperator, bpy.types.Operator):
    """Write what was said about this plate to a file, from which masklet makes the same mattes anywhere"""

    bl_idname = "masklet.export_prompts"
    bl_label = "Export Prompts"
    bl_options = {"REGISTER"}

    filepath: StringProperty(
        name="File", description="The prompt document, a .prompts.json file", subtype="FILE_PATH"
    )
    filter_glob: StringProperty(
        name="Filter", description="What the file browser lists", default="*.json", options={"HIDDEN"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Ask for the file."""
        self.filepath = clip_stem(source_of(plate_of(context)).path) + _SUFFIX
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Write it."""
        block = plate_of(context)
        try:
            source = source_of(block)
            kept = kept_of(block, source)
            kept_plate.write(Path(bpy.path.abspath(self.filepath)), kept, None)
            runtime().openings.exported(kept.session.session_id)
        except MaskletError as error:
            return failed(self, error)
        self.tell(phrase("Prompts written to {name}", name=Path(self.filepath).name))
        return {"FINISHED"}


class MASKLET_OT_import_prompts(PlateOperator, bpy.types.Operator):
    """Add the objects of a prompt document to this plate"""

    bl_idname = "masklet.import_prompts"
    bl_label = "Import Prompts"
    bl_options = {"REGISTER", "UNDO"}

    filepath: StringProperty(
        name="File", description="The prompt document, a .prompts.json file", subtype="FILE_PATH"
    )
    filter_glob: StringProperty(
        name="Filter", description="What the file browser lists", default="*.json", options={"HIDDEN"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Ask for the file."""
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Add the objects; an object of a name that is here already takes what the file says.

        A plate without objects goes on with the file's session, so that masks come along from another host.
        """
        block = plate_of(context)
        adopt(block)
        own = props(block)
        is_new = not own.objects
        try:
            file = Path(bpy.path.abspath(self.filepath))
            shot, (kept, _) = read_shot(file), kept_plate.read(file)
            check_size(shot, block.name, *size_px(block))
            own.take_reading(shot.reading)
            shift = -(shot.reading.first_frame or 0)
            shot = _moved(block, shot, shift)
            uids = {said.name: said.uid for said in kept.document}
            uids.update({item.name: item.uid for item in own.objects})
            for said in from_prompts(shot.document, uids):
                item = own.object_of(said.uid)
                if item is None:
                    item = own.append(said)
                    look = kept.looks.get(said.uid)
                    if look is not None:
                        item.colour, item.is_shown = look.colour, look.is_shown
                else:
                    item.take(said)
            if is_new and not (shift and block.source == "MOVIE"):
                _go_on(block, kept)
        except MaskletError as error:
            return failed(self, error)
        ended = synchronised(self, block)
        if shot.notes:
            runtime().tell(block, Notice("; ".join(shot.notes), is_alarm=False))
        return ended


def kept_of(block: PlateBlock, source: PlateSource) -> KeptPlate:
    """All that another host has to know of the plate."""
    own = props(block)
    shape, shift = _shape_of(block, source), own.first_frame
    shot = Shot(Path(source.path).name, to_prompts(own.document()), plate=shape)
    shot = _moved(block, shot, shift)
    kept = KeptPlate(
        source.path,
        own.uid,
        own.reading(),
        shot.plate,
        from_prompts(shot.document, {item.name: item.uid for item in own.objects}),
        {item.uid: Look(tuple(item.colour), item.is_shown) for item in own.objects},
    )
    if shift and block.source == "MOVIE":
        # The session counts as Blender does, and the document does not.
        return kept
    session = KeptSession(own.session_id, own.fingerprint, own.session_path)
    return replace(kept, session=session, states={item.uid: item.states for item in own.objects})


def _go_on(block: PlateBlock, kept: KeptPlate) -> None:
    """Work with the document's session from now on, and know what it knew of frames."""
    own = props(block)
    session = kept.session
    own.session_id, own.fingerprint, own.session_path = session.session_id, session.fingerprint, session.path
    for item in own.objects:
        item.states = kept.states.get(item.uid, "")
    memory = runtime().memory(block)
    memory.session = None
    memory.recall(block)


def _moved(block: PlateBlock, shot: Shot, frames: int) -> Shot:
    """The shot of a movie by so many frames later: documents may count from 1001, Blender counts from 0."""
    return shifted(shot, frames) if block.source == "MOVIE" and frames else shot


def _shape_of(block: PlateBlock, source: PlateSource) -> PlateShape:
    """Size and range of the plate."""
    if block.source == "MOVIE":
        first, last = 0, max(1, int(block.frame_duration)) - 1
    else:
        frames = [file.frame or 0 for file in find_files(source.path)]
        first, last = frames[0], frames[-1]
    return PlateShape(source.width_px, source.height_px, FrameRange(first, last))


CLASSES = (MASKLET_OT_export_prompts, MASKLET_OT_import_prompts)
