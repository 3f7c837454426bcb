"""Put an object's cut-out into the compositor.

What makes it is imported when it is asked for, so that Blender starts without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import bpy

from masklet.errors import MaskletError
from masklet.phrases import phrase

from ..fields import EnumProperty
from ..matte_places import matte_files_of
from ..natives.coordinates import PlateSpace
from ..plates import PlateBlock, frame_map, plate_in, size_px
from ..properties import MaskletObject
from .running import ObjectOperator, active_of, failed, plate_of, scene_of

if TYPE_CHECKING:
    from ..natives.compositor import ImageMatte, MaskMatte
    from .running import Result


class MASKLET_OT_compositor(ObjectOperator, bpy.types.Operator):
    """Add a node group that cuts the active object out of the plate, or give it the newest matte"""

    bl_idname = "masklet.compositor"
    bl_label = "Add to Compositor"
    bl_options = {"REGISTER", "UNDO"}

    source: EnumProperty(
        name="Matte",
        description="What cuts the object out",
        items=(
            ("AUTO", "Best There Is", "Mattes if they are here, else splines"),
            ("MATTES", "Mattes", "The image sequence"),
            ("SPLINES", "Splines", "The mask"),
        ),
    )

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        from ..natives.masks import find_mask
        from ..natives.mattes import find_matte

        reason = super().why_not(context)
        if reason is not None:
            return reason
        if not isinstance(plate_in(context), bpy.types.MovieClip):
            return phrase("The compositor takes clips: open the plate in the Movie Clip Editor")
        uid = active_of(plate_of(context)).uid
        if find_matte(uid) is None and find_mask(uid) is None:
            return phrase("Get mattes or make splines first")
        return None

    def execute(self, context: bpy.types.Context) -> Result:
        """Add it."""
        from ..natives.compositor import add_to_scene, write_group

        block = plate_of(context)
        item = active_of(block)
        try:
            matte = self._matte(context, block, item)
            if matte is None or not isinstance(block, bpy.types.MovieClip):
                return self.refuse(
                    phrase("{name} has no such matte yet: get mattes or make splines first", name=item.name)
                )
            group = write_group(matte, name=f"{item.name} cut out", owner=item.uid)
            add_to_scene(scene_of(context), group, block)
        except MaskletError as error:
            return failed(self, error)
        self.tell(phrase("{name} is in the compositor", name=group.name))
        return {"FINISHED"}

    def _matte(
        self, context: bpy.types.Context, block: PlateBlock, item: MaskletObject
    ) -> ImageMatte | MaskMatte | None:
        from ..natives.compositor import ImageMatte, MaskMatte
        from ..natives.masks import find_mask
        from ..natives.mattes import find_matte, shown_frames

        image, mask = find_matte(item.uid), find_mask(item.uid)
        if image is not None and self.source != "SPLINES":
            return ImageMatte(image, shown_frames(matte_files_of(item), frame_map(block, context.space_data)))
        if mask is not None and self.source != "MATTES":
            return MaskMatte(mask, PlateSpace(*size_px(block)))
        return None


CLASSES = (MASKLET_OT_compositor,)
