"""Bring mattes home as image sequences.

What makes them is imported when it is asked for, so that Blender starts without.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from masklet.errors import BadInputError, MaskletError
from masklet.names import clip_stem

from ..jobs import Job
from ..plates import PlateBlock, frame_map, props, source_of
from ..preferences import matte_folder
from ..runtime import runtime
from .running import AskingOperator, ObjectOperator, active_of, failed, plate_of

if TYPE_CHECKING:
    from masklet.matte_files import Exported

    from ..natives.mattes import MatteFiles
    from ..properties import MaskletObject
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

        from .. import shot_work

        own = props(block)
        items = list(own.objects) if self.every_object else [active_of(block)]
        base_name = clip_stem(source_of(block).path)
        folder = Path(bpy.path.abspath(self.folder)) if self.folder else matte_folder() / base_name
        uids = [item.uid for item in items]
        matte_format = MatteFormat(_FORMATS[self.file_format][2])
        self._value = []
        return runtime().start(
            block,
            "Getting mattes",
            lambda shot, job, server: shot_work.export(
                shot, job, server, folder, uids=uids, matte_format=matte_format, base_name=base_name
            ),
            wait=wait,
            on_made=self.keep,
        )

    def keep(self, block: PlateBlock, value: object) -> None:
        """Hold the mattes of one object more."""
        self._value.append(value)

    def finish(self, context: bpy.types.Context, block: PlateBlock, value: object) -> str:
        """Load them."""
        from ..natives.mattes import MatteFiles, load_matte

        own, names, files = props(block), [], 0
        for uid, exported in self._value:
            item = own.object_of(uid)
            if item is None:
                continue
            if not exported.files:
                raise BadInputError(f"{item.name} has no mask yet: track it, then get its mattes")
            where = MatteFiles.of_file(exported.files[0])
            if (item.matte_folder, item.matte_pattern) == (str(where.folder), where.pattern):
                _drop_others(where, exported)
            image = load_matte(where, name=f"{item.name} matte", owner=uid)
            item.matte_folder, item.matte_pattern = str(where.folder), where.pattern
            names.append(image.name)
            files += len(exported.files)
        return f"Mattes of {files} frames are in the image {' and '.join(names)}" if names else ""


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
            return "Mattes are shown in the Image Editor"
        return None if find_matte(active_of(plate_of(context)).uid) else "Get the mattes first"

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


def matte_files_of(item: MaskletObject) -> MatteFiles:
    """Where the mattes of an object lie.

    Raises:
        BadInputError: It has none yet.
    """
    from ..natives.mattes import MatteFiles

    if not item.matte_folder:
        raise BadInputError(f"{item.name} has no mattes yet: get them first")
    return MatteFiles(Path(bpy.path.abspath(item.matte_folder)), item.matte_pattern)


def _drop_others(where: MatteFiles, exported: Exported) -> None:
    """Delete mattes that this object had before on frames on which it has none any more."""
    written = set(exported.files)
    for file in where.by_frame().values():
        if file not in written:
            with suppress(OSError):
                file.unlink()


CLASSES = (MASKLET_OT_mattes, MASKLET_OT_view_matte)
