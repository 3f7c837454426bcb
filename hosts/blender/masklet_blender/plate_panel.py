"""The panel of what a plate's files do not say, or say of several pictures; closed at first."""

from __future__ import annotations

import bpy

from .panels import Panel, for_both, has_plate
from .plates import plate_in, props


class _Plate(Panel):
    bl_label = "Plate"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_plate(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout  # type: ignore[attr-defined]
        layout.use_property_split = True
        layout.use_property_decorate = False
        block = plate_in(context)
        if block is not None:
            column = layout.column()
            for name in ("colour_space", "layer", "view"):
                column.prop(props(block), name)


CLASSES = tuple(for_both(_Plate))
