"""Bring mattes home as image sequences.

What makes them is imported when it is asked for, so that Blender starts without.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import bpy

from masklet.errors import BadInputError, MaskletError
from masklet.hosting.work.jobs import Job
from masklet.names import clip_stem
from masklet.phrases import phrase

from ..fields import BoolProperty, EnumProperty, StringProperty
from ..matte_places import kept_path, known_mattes, matte_files_of
from ..plates import PlateBlock, adopt, frame_map, props, source_of
from ..preferences import matte_folder
from ..runtime import runtime
from .running import AskingOperator, ObjectOperator, active_of, failed, plate_of

if TYPE_CHECKING:
    from .running import Result

_FORMATS = {
    "EXR": ("EXR", "16-bit float OpenEXR, the full range of coverage", "exr-per-object"),
    "PNG": ("PNG", "16-bit PNG, for tools that read no OpenEXR", "png16"),
}


class MASKLET_OT_mattes(AskingOperator, bpy.types.Operator):
    """Write the mattes at the plate's size and load them as an image sequence"""

    bl_idname = "masklet.mattes"
    bl_label = "Get Mattes"
    bl_options = {"UNDO"}

    folder: StringProperty(
        name="Folder",
        description="Where the mattes go, a folder for each object; empty for the folder in the preferences",
        subtype="DIR_PATH",
        options={"SKIP_SAVE"},
    )
    file_format: EnumProperty(
        name="Format",
        description="What files hold the mattes",
        items=[(key, label, text) for key, (label, text, _) in _FORMATS.items()],
    )
    every_object: BoolProperty(name="All Objects", description="Not only the active one", default=False)

    def begin(self, context: bpy.types.Context, block: PlateBlock, *, wait: bool) -> Job:
        """Have the mattes written."""
        from masklet.events import MatteFormat
        from masklet.hosting.matte_folders import Owner
        from masklet.hosting.work import plate_work

        adopt(block)
        own = props(block)
        items = list(own.objects) if self.every_object else [active_of(block)]
        base_name = clip_stem(source_of(block).path)
        folder = Path(bpy.path.abspath(self.folder)) if self.folder else matte_folder(own.uid) / base_name
        uids = [item.uid for item in items]
        owner = Owner(own.uid, own.fingerprint, bpy.data.filepath)
        earlier = [(files.folder, files.pattern) for item in own.objects for files in known_mattes(item)]
        matte_format = MatteFormat(_FORMATS[self.file_format][2])
        self._value = None
        return runtime().start(
            block,
            phrase("Getting mattes"),
            lambda plate, job, server: plate_work.export(
                plate,
                job,
                server,
                folder,
                owner=owner,
                earlier=earlier,
                uids=uids,
                matte_format=matte_format,
                base_name=base_name,
            ),
            wait=wait,
            on_made=self.keep,
        )

    def finish(self, context: bpy.types.Context, block: PlateBlock, value: object) -> str:
        """Load them."""
        from masklet.hosting.matte_folders import Delivered

        from ..natives.mattes import MatteFiles, load_matte

        if not isinstance(value, Delivered):
            return ""
        own, names, count = props(block), [], 0
        for uid, files in value.files.items():
            item = own.object_of(uid)
            if item is None:
                continue
            where = MatteFiles.of_file(files[0])
            image = load_matte(where, name=f"{item.name} matte", owner=uid)
            item.matte_folder, item.matte_pattern = kept_path(where.folder), where.pattern
            names.append(image.name)
            count += len(files)
        if not names:
            raise BadInputError(
                phrase("{name} has no mask yet: track it, then get its mattes", name=active_of(block).name)
            )
        told = phrase(
            "Mattes of {count} frames are in the image {names}", count=count, names=", ".join(names)
        )
        if value.reason:
            told = phrase(
                "{before}. They lie in {folder}, because {reason}",
                before=told,
                folder=value.folder.name,
                reason=value.reason,
            )
        if not bpy.data.filepath:
            told = phrase(
                "{before}. This file was never saved, so they lie in {folder}: save it, then get them again "
                "to have them beside it",
                before=told,
                folder=value.folder,
            )
        return told


class MASKLET_OT_view_matte(ObjectOperator, bpy.types.Operator):
    """Show the matte of the active object in this Image Editor, on the frames of the plate"""

    bl_idname = "masklet.view_matte"
    bl_label = "View Matte"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        from ..natives.mattes import find_matte

        reason = super().why_not(context)
        if reason is not None:
            return reason
        if not isinstance(context.space_data, bpy.types.SpaceImageEditor):
            return phrase("Mattes are shown in the Image Editor")
        return None if find_matte(active_of(plate_of(context)).uid) else phrase("Get the mattes first")

    def execute(self, context: bpy.types.Context) -> Result:
        """Show it."""
        from ..natives.mattes import find_matte, shown_frames

        block, space = plate_of(context), context.space_data
        assert isinstance(space, bpy.types.SpaceImageEditor)
        item = active_of(block)
        try:
            shown = shown_frames(matte_files_of(item), frame_map(block, space))
        except MaskletError as error:
            return failed(self, error)
        space.image = find_matte(item.uid)
        shown.apply(space.image_user)
        return {"FINISHED"}


CLASSES = (MASKLET_OT_mattes, MASKLET_OT_view_matte)
