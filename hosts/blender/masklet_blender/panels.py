"""The masklet tab in the sidebars of the Movie Clip Editor and the Image Editor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from masklet.errors import MaskletError
from masklet.hosting.notices import Remedy
from masklet.hosting.reviewing import advised, suggestion_sentence
from masklet.hosting.sentences import short_progress_text, state_parts
from masklet.phrases import phrase, text_of

from .plates import PlateBlock, plate_in, props, scene_frame, shown_frame, why_not_usable
from .runtime import runtime
from .shown_notice import notice_in
from .words import CONTEXT, shown
from .wrapped_text import sentence

if TYPE_CHECKING:
    from .properties import MaskletObject

_CATEGORY = "masklet"
_NOTICE_LINES = 3
_STATE_LINES = 2
"""Kept free in the panel whatever there is to say, so that no button moves away from under the mouse."""


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


class Panel:
    """A panel of both viewers; :func:`for_both` makes one class for each."""

    bl_region_type = "UI"
    bl_category = _CATEGORY
    bl_translation_context = CONTEXT


class _Objects(Panel):
    bl_label = "masklet"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout  # type: ignore[attr-defined]
        block = plate_in(context)
        reason = why_not_usable(block)
        if block is None or reason is not None:
            sentence(layout, context, reason or "", icon="INFO")
            return
        own = props(block)
        row = layout.row()
        row.template_list("MASKLET_UL_objects", "", own, "objects", own, "active_index", rows=3)
        column = row.column(align=True)
        column.operator("masklet.object_add", text="", icon="ADD")
        column.operator("masklet.object_remove", text="", icon="REMOVE")
        column.separator()
        column.menu("MASKLET_MT_objects", text="", icon="DOWNARROW_HLT")
        column = layout.column(align=True)
        if runtime().pointing:
            column.operator("masklet.stop_pointing", icon="CHECKMARK", depress=True)
        else:
            column.operator("masklet.point", icon="RESTRICT_SELECT_OFF")
        row = column.row(align=True)
        _button(row, "masklet.find", "Find Things", "VIEWZOOM")
        _button(row, "masklet.find", "Find Alike", "DUPLICATE").alike = True
        if _has_found(block):
            _button(row, "masklet.clear_found", "", "X")
        row = column.row(align=True)
        _button(row, "masklet.undo", "Undo", "LOOP_BACK")
        _button(row, "masklet.redo", "Redo", "LOOP_FORWARDS")
        _button(row, "masklet.clear_prompts", "Clear", "X")
        item = own.active()
        state = "" if item is None else _state_text(context, block, item)
        sentence(layout, context, state, icon="NONE", lines=_STATE_LINES)
        _draw_notice(layout, context, block)


class _Track(Panel):
    bl_label = "Track"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_objects(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout  # type: ignore[attr-defined]
        job = runtime().job_of(plate_in(context))
        column = layout.column(align=True)
        if job is not None:
            # As high as what it stands for: nothing below moves when work begins or ends.
            text = shown(short_progress_text(job))
            if bpy.app.version >= (4, 0, 0):
                column.progress(factor=job.done / job.total if job.total else 0.0, text=text, translate=False)
            else:
                column.label(text=text, translate=False)
            column.operator("masklet.cancel", icon="CANCEL")
        else:
            row = column.row(align=True)
            for text, icon, direction, extent in (
                ("", "TRACKING_BACKWARDS", "BACKWARD", "CLIP"),
                ("", "TRACKING_BACKWARDS_SINGLE", "BACKWARD", "ONE"),
                ("Both Ways", "NONE", "BOTH", "CLIP"),
                ("", "TRACKING_FORWARDS_SINGLE", "FORWARD", "ONE"),
                ("", "TRACKING_FORWARDS", "FORWARD", "CLIP"),
            ):
                operator = _button(row, "masklet.track", text, icon)
                operator.direction, operator.extent = direction, extent
            operator = _button(column, "masklet.track", "Track Scene Range", "PREVIEW_RANGE")
            operator.extent = "RANGE"
            scene = context.scene
            preview = scene.use_preview_range
            operator.first = scene.frame_preview_start if preview else scene.frame_start
            operator.last = scene.frame_preview_end if preview else scene.frame_end
        column = layout.column(align=True)
        _button(column, "masklet.track", "Retrack Changed", "FILE_REFRESH").stale_only = True
        row = layout.row(align=True)
        _button(row, "masklet.next_bad", "Bad Frame", "TRIA_LEFT").backward = True
        _button(row, "masklet.next_bad", "Bad Frame", "TRIA_RIGHT").backward = False
        row = layout.row(align=True)
        found = runtime().found
        row.operator("masklet.find_again", icon="VIEWZOOM")
        for number in range(1, 1 + (0 if found is None else len(found.places))):
            _button(row, "masklet.take_place", str(number), "NONE").number = number
        if found is not None:
            row.operator("masklet.drop_places", text="", icon="X")
        row = layout.row(align=True)
        _button(row, "masklet.lock", "Lock", "LOCKED").locked = True
        _button(row, "masklet.lock", "Unlock", "UNLOCKED").locked = False
        # Last: nothing below moves when there is something to say.
        advice = _advice(context)
        if advice:
            sentence(layout, context, advice, icon="INFO")
            layout.operator("masklet.try_policy", icon="CHECKMARK")


def _advice(context: bpy.types.Context) -> str:
    """What was seen of the active object that another policy may help with; empty for nothing."""
    block = plate_in(context)
    memory = runtime().glimpse(block)
    item = None if block is None else props(block).active()
    if block is None or memory is None or item is None:
        return ""
    try:
        said = item.prompts()
    except MaskletError:
        return ""
    seen = advised(said, memory.book)
    if seen is None:
        return ""
    space = context.space_data
    return suggestion_sentence(said.name, seen, lambda frame: scene_frame(block, frame, space))


class _Matte(Panel):
    bl_label = "Matte"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_objects(context)

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout  # type: ignore[attr-defined]
        block = plate_in(context)
        item = None if block is None else props(block).active()
        if block is None or item is None:
            return
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(props(block), "show_finished", toggle=True, icon="IMAGE_ALPHA")
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


class _Results(Panel):
    bl_label = "Results"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return has_objects(context)

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
        column = layout.column(align=True)
        column.operator("masklet.publish", icon="PACKAGE")
        column.operator("masklet.submit_to_farm", icon="NETWORK_DRIVE")
        column.operator("masklet.export_prompts", icon="EXPORT")


def _button(layout: bpy.types.UILayout, operator: str, text: str, icon: Any) -> Any:
    """A button that says something else than its operator's name."""
    return layout.operator(operator, text=text, text_ctxt=CONTEXT, icon=icon)


def _has_found(block: PlateBlock) -> bool:
    memory = runtime().glimpse(block)
    return memory is not None and memory.found is not None


def _draw_notice(layout: bpy.types.UILayout, context: bpy.types.Context, block: PlateBlock) -> None:
    """What was told last, in a place as high as without it; a button tells all of it."""
    notice = notice_in(context)
    box = layout.box()
    if notice is None:
        sentence(box, context, _next_step(block), icon="NONE", lines=_NOTICE_LINES)
    else:
        icon = "ERROR" if notice.is_alarm else "INFO"
        sentence(box, context, notice.sentence, icon=icon, lines=_NOTICE_LINES)
    row = box.row(align=True)
    row.enabled = notice is not None
    row.operator("masklet.read_notice", icon="TEXT")
    remedy = Remedy.NONE if notice is None else notice.remedy
    if remedy is Remedy.RECONNECT:
        row.operator("masklet.reconnect", icon="FILE_REFRESH")
    elif remedy is Remedy.ACCEPT_PLATE:
        row.operator("masklet.accept_plate")
    elif remedy is Remedy.TRACK:
        _button(row, "masklet.track", "Track Again", "FILE_REFRESH").stale_only = True
        row.operator("masklet.accept_loss")


def _next_step(block: PlateBlock) -> str:
    """What an artist does next, where there is nothing else to say; empty once a track is there."""
    item, memory = props(block).active(), runtime().glimpse(block)
    if item is None or '"frame"' not in item.said:
        return phrase("Point at Object, then click it in the picture")
    if memory is None or memory.book.frames_with_masks(item.uid) < 2:
        return phrase("Track, to follow the object through the plate")
    return ""


def _state_text(context: bpy.types.Context, block: PlateBlock, item: MaskletObject) -> str:
    memory = runtime().glimpse(block)
    frame = shown_frame(block, context)
    try:
        prompts = item.prompts().at(frame)
    except MaskletError as error:
        return text_of(error)
    strip = None if memory is None else memory.book.at(item.uid, frame)
    state = ", ".join(shown(part) for part in state_parts(prompts, strip))
    current = context.scene.frame_current
    if current == frame:
        return phrase("Frame {frame}: {state}", frame=frame, state=state)
    return phrase("Frame {current}, {frame} on the plate: {state}", current=current, frame=frame, state=state)


def has_plate(context: bpy.types.Context) -> bool:
    """True where the editor shows a plate that can be worked on."""
    block = plate_in(context)
    return block is not None and why_not_usable(block) is None


def has_objects(context: bpy.types.Context) -> bool:
    """True where such a plate has objects."""
    block = plate_in(context)
    return block is not None and has_plate(context) and len(props(block).objects) > 0


def for_both(base: type) -> list[type]:
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
    *for_both(_Objects),
    *for_both(_Track),
    *for_both(_Matte),
    *for_both(_Results),
)
