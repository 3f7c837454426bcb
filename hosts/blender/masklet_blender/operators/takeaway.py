"""Bring results home as Blender's own data: mattes and splines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, StringProperty
from masklet.errors import BadInputError
from masklet.events import MatteFormat
from masklet.matte_files import Exported

from ..jobs import Job
from ..natives.mask_drawing import MaskDrawing, drawing_of
from ..natives.masks import write_mask
from ..natives.mattes import MatteFiles, load_matte
from ..plate_files import plate_word
from ..plates import PlateBlock, frame_map, props, source_of
from ..preferences import matte_folder
from ..runtime import runtime
from ..shots import Made
from .running import LongOperator, active_of

_FORMATS = {
    "EXR": ("EXR", "16-bit float OpenEXR, the full range of coverage", MatteFormat.EXR_PER_OBJECT),
    "PNG": ("PNG", "16-bit PNG, for tools that read no OpenEXR", MatteFormat.PNG16),
}


class MASKLET_OT_mattes(LongOperator, bpy.types.Operator):
    """Write the mattes at the plate's size and load them as an image sequence; mattes that were here before are replaced"""

    bl_idname = "masklet.mattes"
    bl_label = "Get Mattes"
    bl_options = {"REGISTER", "UNDO"}

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
        own = props(block)
        items = list(own.objects) if self.every_object else [active_of(block)]
        base_name = plate_word(source_of(block))
        folder = Path(bpy.path.abspath(self.folder)) if self.folder else matte_folder() / base_name
        uids = [item.uid for item in items]
        matte_format = _FORMATS[self.file_format][2]
        self._value = []
        return runtime().start(
            block,
            "Getting mattes",
            lambda shot, job, server: shot.export(
                job, server, folder, uids=uids, matte_format=matte_format, base_name=base_name
            ),
            wait=wait,
            on_made=self.keep,
        )

    def keep(self, block: PlateBlock, value: object) -> None:
        """Hold the mattes of one object more."""
        self._value.append(value)

    def finish(self, context: bpy.types.Context, block: PlateBlock, value: object) -> str:
        """Load them."""
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


class MASKLET_OT_splines(LongOperator, bpy.types.Operator):
    """Make animated splines of the active object in a Mask, a layer for each piece; splines made before are replaced"""

    bl_idname = "masklet.splines"
    bl_label = "Make Splines"
    bl_options = {"REGISTER", "UNDO"}

    tolerance_px: FloatProperty(
        name="Tolerance",
        description="How far a spline may lie from the matte's edge, in pixels of the plate",
        default=1.0,
        min=0.1,
        soft_max=10.0,
    )

    def begin(self, context: bpy.types.Context, block: PlateBlock, *, wait: bool) -> Job:
        """Have the shapes fitted, and worked out in Blender's numbers away from the main thread."""
        uid, tolerance_px = active_of(block).uid, self.tolerance_px
        frames = frame_map(block, context.space_data)
        self._uid = uid

        def work(shot, job, server) -> Iterator[object]:  # type: ignore[no-untyped-def]
            for event in shot.shapes(job, server, uid, tolerance_px=tolerance_px):
                if isinstance(event, Made):
                    yield Made((event.value.report, drawing_of(event.value, frames)))
                else:
                    yield event

        return runtime().start(block, "Making splines", work, wait=wait, on_made=self.keep)

    def finish(self, context: bpy.types.Context, block: PlateBlock, value: object) -> str:
        """Write them into the mask."""
        report, drawing = value  # type: ignore[misc]
        mask = write_mask(drawing, owner=self._uid)
        space = context.space_data
        if isinstance(space, (bpy.types.SpaceClipEditor, bpy.types.SpaceImageEditor)):
            space.mask = mask
        return (
            f"Splines are in the mask {mask.name}: {report.vertices} points, {report.keyframes} keyframes, "
            f"within {report.largest_distance_px:.1f} pixels of the matte"
        )


def _drop_others(where: MatteFiles, exported: Exported) -> None:
    """Delete mattes that this object had before on frames on which it has none any more."""
    written = set(exported.files)
    for file in where.by_frame().values():
        if file not in written:
            with suppress(OSError):
                file.unlink()


CLASSES = (MASKLET_OT_mattes, MASKLET_OT_splines)
