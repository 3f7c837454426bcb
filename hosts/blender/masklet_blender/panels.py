"""The masklet tab in the sidebars of the Movie Clip Editor and the Image Editor."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import bpy

from masklet.errors import MaskletError

from .notices import Remedy
from .operators.running import progress_text
from .plates import PlateBlock, plate_in, props, shown_frame, why_not_usable
from .runtime import runtime
from .viewer import why_not_true

if TYPE_CHECKING:
    from .properties import MaskletObject

_CATEGORY = "masklet"
_REGION_PX_PER_CHARACTER = 7.0


class MASKLET_UL_objects(bpy.types.UIList):
    """Objects of a plate: colour, name, what is said on this frame, whether the mask shows."""

    bl_idname = "MASKLET_UL_objects"

    def draw_item(
        self,
        context: bpy.types.Context,
        layout: bpy.types.UILayout,
        data: Any,
        item: Any,
        icon: Any,
        active_data: Any,
        active_propname: Any,
        index: Any = 0,
        flt_flag: Any = 0,
    ) -> None:
        """Lay out one row."""
        row = layout.row(align=True)
        colour = row.row()
        colour.ui_units_x = 1.0
        colour.prop(item, "colour", text="")
        row.prop(item, "name", text="", emboss=False)
        block = plate_in(context)
        memory = runtime().glimpse(block)
        if block is not None and memory is not None:
            frame = shown_frame(block, context)
            strip = memory.book.at(item.uid, frame)
            if strip is not None and strip.locked:
                row.label(text="", icon="LOCKED")
        row.prop(item, "is_shown", text="", icon="HIDE_OFF" if item.is_shown else "HIDE_ON", emboss=False)


class _Panel:
    """A panel of both viewers; :func:`_for_both` makes one class for each."""

    bl_region_type = "UI"
    bl_category = _CATEGORY


class _Objects(_Panel):
    bl_label = "masklet"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout  # type: ignore[attr-defined]
        block = plate_in(context)
        reason = why_not_usable(block)
        if block is None or reason is not None:
            sentence(layout, context, reason or "", icon="INFO")
            return
        own = props(block)
        _draw_notice(layout, context, block)
        row = layout.row()
        row.template_list("MASKLET_UL_objects", "", own, "objects", own, "active_index", rows=3)
        column = row.column(align=True)
        column.operator("masklet.object_add", text="", icon="ADD")
        column.operator("masklet.object_remove", text="", icon="REMOVE")
        column.separator()
        column.menu("MASKLET_MT_objects", text="", icon="DOWNARROW_HLT")
        misled = why_not_true(context.space_data)
        if misled is not None:
            sentence(layout, context, misled, icon="ERROR")
        column = layout.column(align=True)
        if runtime().pointing:
            column.operator("masklet.stop_pointing", icon="CHECKMARK", depress=True)
        else:
            column.operator("masklet.point", icon="RESTRICT_SELECT_OFF")
        row = column.row(align=True)
        row.operator("masklet.undo", text="Undo", icon="LOOP_BACK")
        row.operator("masklet.redo", text="Redo", icon="LOOP_FORWARDS")
        row.operator("masklet.clear_prompts", text="Clear", icon="X")
        item = own.active()
        if item is not None:
            sentence(layout, context, _state_text(context, block, item), icon="NONE")


class _Track(_Panel):
    bl_label = "Track"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_objects(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout  # type: ignore[attr-defined]
        job = runtime().job_of(plate_in(context))
        if job is not None:
            column = layout.column(align=True)
            if bpy.app.version >= (4, 0, 0):
                column.progress(factor=job.done / job.total if job.total else 0.0, text=progress_text(job))
            else:
                column.label(text=progress_text(job))
            column.operator("masklet.cancel", icon="CANCEL")
            return
        row = layout.row(align=True)
        row.scale_x = 1.5
        for text, icon, direction, extent in (
            ("", "TRACKING_BACKWARDS", "BACKWARD", "CLIP"),
            ("", "TRACKING_BACKWARDS_SINGLE", "BACKWARD", "ONE"),
            ("Both", "NONE", "BOTH", "CLIP"),
            ("", "TRACKING_FORWARDS_SINGLE", "FORWARD", "ONE"),
            ("", "TRACKING_FORWARDS", "FORWARD", "CLIP"),
        ):
            operator = row.operator("masklet.track", text=text, icon=icon)
            operator.direction, operator.extent = direction, extent
        column = layout.column(align=True)
        scene = context.scene
        operator = column.operator("masklet.track", text="Scene Range", icon="PREVIEW_RANGE")
        operator.extent = "RANGE"
        preview = scene.use_preview_range
        operator.first = scene.frame_preview_start if preview else scene.frame_start
        operator.last = scene.frame_preview_end if preview else scene.frame_end
        operator = column.operator("masklet.track", text="What Changed", icon="FILE_REFRESH")
        operator.stale_only = True
        row = layout.row(align=True)
        row.operator("masklet.next_bad", text="Bad Frame", icon="TRIA_LEFT").backward = True
        row.operator("masklet.next_bad", text="Bad Frame", icon="TRIA_RIGHT")
        row = layout.row(align=True)
        row.operator("masklet.lock", text="Lock", icon="LOCKED").locked = True
        row.operator("masklet.lock", text="Unlock", icon="UNLOCKED").locked = False


class _Matte(_Panel):
    bl_label = "Matte"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_objects(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout  # type: ignore[attr-defined]
        block = plate_in(context)
        item = None if block is None else props(block).active()
        if item is None:
            return
        layout.use_property_split = True
        layout.use_property_decorate = False
        for group in (
            ("grow_px", "feather_px"),
            ("fill_holes_px", "drop_specks_px"),
            ("calm",),
            ("black", "white", "gamma"),
            ("exclusive", "invert"),
        ):
            column = layout.column(align=True)
            for name in group:
                column.prop(item, name)


class _Results(_Panel):
    bl_label = "Results"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return _has_objects(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout  # type: ignore[attr-defined]
        column = layout.column(align=True)
        column.operator("masklet.mattes", icon="IMAGE_ALPHA")
        column.operator("masklet.splines", icon="MOD_MASK")
        column.operator("masklet.anchor", icon="TRACKER")
        column = layout.column(align=True)
        column.operator("masklet.attach", icon="LINKED")
        column.operator("masklet.compositor", icon="NODETREE")
        column.operator("masklet.mask_strip", icon="SEQUENCE")
        if isinstance(context.space_data, bpy.types.SpaceImageEditor):
            column.operator("masklet.view_matte", icon="IMAGE")
        layout.operator("masklet.export_prompts", icon="EXPORT")


def sentence(layout: Any, context: bpy.types.Context, text: str, *, icon: str) -> None:
    """A sentence in as many lines as the panel needs."""
    scale = context.preferences.system.ui_scale
    width = 200.0 if context.region is None else float(context.region.width)
    characters = max(16, int(width / (_REGION_PX_PER_CHARACTER * scale)) - 8)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for index, line in enumerate(textwrap.wrap(text, characters)):
        column.label(text=line, icon=icon if index == 0 or icon == "NONE" else "BLANK1")


def _draw_notice(layout: bpy.types.UILayout, context: bpy.types.Context, block: PlateBlock) -> None:
    memory = runtime().glimpse(block)
    notice = None if memory is None else memory.notice
    if notice is None:
        return
    box = layout.box()
    sentence(box, context, notice.sentence, icon="ERROR" if notice.is_alarm else "INFO")
    if notice.remedy is Remedy.RECONNECT:
        box.row().operator("masklet.reconnect", icon="FILE_REFRESH")
    elif notice.remedy is Remedy.ACCEPT_PLATE:
        box.row().operator("masklet.accept_plate")
    elif notice.remedy is Remedy.TRACK:
        row = box.row(align=True)
        row.operator("masklet.track", text="Track Again", icon="FILE_REFRESH").stale_only = True
        row.operator("masklet.accept_loss")


def _state_text(context: bpy.types.Context, block: PlateBlock, item: MaskletObject) -> str:
    memory = runtime().glimpse(block)
    frame = shown_frame(block, context)
    try:
        prompts = item.prompts().at(frame)
    except MaskletError as error:
        return str(error)
    parts = []
    if prompts.clicks:
        parts.append("1 click" if len(prompts.clicks) == 1 else f"{len(prompts.clicks)} clicks")
    if prompts.box is not None:
        parts.append("a box")
    if prompts.mask is not None:
        parts.append("a mask drawn by hand")
    strip = None if memory is None else memory.book.at(item.uid, frame)
    if strip is None:
        parts.append("not tracked")
    else:
        parts.append("out of date" if strip.stale else strip.presence.value)
        if strip.locked:
            parts.append("locked")
    return f"Frame {frame} of the plate: {', '.join(parts)}"


def _has_objects(context: bpy.types.Context) -> bool:
    block = plate_in(context)
    return block is not None and why_not_usable(block) is None and len(props(block).objects) > 0


def _for_both(base: type) -> list[type]:
    """The panel for each of the two editors."""
    name = base.__name__.strip("_").lower()
    return [
        type(
            f"MASKLET_PT_{name}_{suffix}",
            (base, bpy.types.Panel),
            {"bl_idname": f"MASKLET_PT_{name}_{suffix}", "bl_space_type": space, "__doc__": base.__doc__},
        )
        for suffix, space in (("clip", "CLIP_EDITOR"), ("image", "IMAGE_EDITOR"))
    ]


CLASSES = (
    MASKLET_UL_objects,
    *_for_both(_Objects),
    *_for_both(_Track),
    *_for_both(_Matte),
    *_for_both(_Results),
)
