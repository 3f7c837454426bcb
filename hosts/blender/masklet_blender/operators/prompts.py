"""Say what the object is: clicks, a box, a stroke, nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from masklet.errors import BadInputError, MaskletError
from masklet.hosting.prompting import box_inside, check_inside, stroke, taken_back
from masklet.phrases import phrase
from masklet.said.documents import SaidObject, with_box, with_click, with_prompts, with_scribble
from masklet.types import Click

from ..fields import BoolProperty, FloatProperty, IntProperty, StringProperty
from ..plates import adopt, props, size_px
from ..runtime import BRUSH_PX, runtime
from ..viewer import main_region, point_in, view_map, why_not_true
from .running import ObjectOperator, PlateOperator, active_of, failed, frame_of, plate_of, synchronised

if TYPE_CHECKING:
    from .running import Result

NO_FRAME = -(2**31)
"""An operator's frame when none was given: the one that shows."""


def _frame_property() -> Any:
    make: Any = IntProperty
    return make(
        name="Frame",
        description="The plate's own frame number; left alone, the frame that shows",
        default=NO_FRAME,
        options={"SKIP_SAVE"},
    )


class _Prompting(ObjectOperator):
    """Changes what is said about the active object on one frame."""

    frame: int

    def said_now(self, context: bpy.types.Context) -> SaidObject:
        """What is said about the active object, before the change."""
        return active_of(plate_of(context)).as_said()

    def chosen_frame(self, context: bpy.types.Context) -> int:
        """The frame to change."""
        return frame_of(context, plate_of(context)) if self.frame == NO_FRAME else self.frame

    def keep(self, context: bpy.types.Context, changed: SaidObject) -> Result:
        """Keep the change and send it."""
        block = plate_of(context)
        active_of(block).take(changed)
        return synchronised(self, block)


class MASKLET_OT_click(PlateOperator, bpy.types.Operator):
    """Click on the object, or with Shift on what must not be part of it"""

    bl_idname = "masklet.click"
    bl_label = "Click Object"
    bl_options = {"REGISTER", "UNDO"}

    x_px: FloatProperty(
        name="X", description="From the plate's left edge, in pixels", subtype="PIXEL", options={"SKIP_SAVE"}
    )
    y_px: FloatProperty(
        name="Y", description="From the plate's top edge, in pixels", subtype="PIXEL", options={"SKIP_SAVE"}
    )
    positive: BoolProperty(
        name="Belongs to the Object",
        description="Off for what must not be part of it",
        default=True,
        options={"SKIP_SAVE"},
    )
    frame: _frame_property()

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Take the place under the mouse."""
        place = place_under(context, event)
        if isinstance(place, str):
            return self.refuse(place)
        self.x_px, self.y_px = place
        self.positive = not event.shift
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> Result:
        """Add the click; the first one makes an object where there is none."""
        block = plate_of(context)
        adopt(block)
        own = props(block)
        frame = frame_of(context, block) if self.frame == NO_FRAME else self.frame
        try:
            width_px, height_px = size_px(block)
            check_inside(self.x_px, self.y_px, width_px=width_px, height_px=height_px)
            found, memory = None, runtime().glimpse(block)
            if self.positive and memory is not None and memory.found is not None:
                found = memory.found.on(frame, self.x_px / width_px, self.y_px / height_px)
            if found is not None and memory is not None and memory.found is not None:
                item = own.add("")
                item.take(with_prompts(item.as_said(), found.prompts))
                memory.found = memory.found.without((found.number,))
                return synchronised(self, block)
            item = own.active() or own.add("")
            click = Click(self.x_px, self.y_px, positive=self.positive)
            item.take(with_click(item.as_said(), frame, click))
        except MaskletError as error:
            return failed(self, error)
        return synchronised(self, block)


class MASKLET_OT_box(PlateOperator, bpy.types.Operator):
    """Say that the object fills a rectangle"""

    bl_idname = "masklet.box"
    bl_label = "Box Around Object"
    bl_options = {"REGISTER", "UNDO"}

    left_px: FloatProperty(
        name="Left",
        description="Left edge of the box, in pixels of the plate",
        subtype="PIXEL",
        options={"SKIP_SAVE"},
    )
    top_px: FloatProperty(
        name="Top",
        description="Top edge of the box, in pixels of the plate",
        subtype="PIXEL",
        options={"SKIP_SAVE"},
    )
    right_px: FloatProperty(
        name="Right",
        description="Right edge of the box, in pixels of the plate",
        subtype="PIXEL",
        options={"SKIP_SAVE"},
    )
    bottom_px: FloatProperty(
        name="Bottom",
        description="Bottom edge of the box, in pixels of the plate",
        subtype="PIXEL",
        options={"SKIP_SAVE"},
    )
    frame: _frame_property()

    def execute(self, context: bpy.types.Context) -> Result:
        """Put the box; it takes the place of one that was there."""
        block = plate_of(context)
        adopt(block)
        own = props(block)
        frame = frame_of(context, block) if self.frame == NO_FRAME else self.frame
        width_px, height_px = size_px(block)
        try:
            box = box_inside(
                self.left_px,
                self.top_px,
                self.right_px,
                self.bottom_px,
                width_px=width_px,
                height_px=height_px,
            )
            item = own.active() or own.add("")
            item.take(with_box(item.as_said(), frame, box))
        except MaskletError as error:
            return failed(self, error)
        return synchronised(self, block)


class MASKLET_OT_scribble(PlateOperator, bpy.types.Operator):
    """Draw a stroke over the object, or over what must not be part of it"""

    bl_idname = "masklet.scribble"
    bl_label = "Scribble on Object"
    bl_options = {"REGISTER", "UNDO"}

    points: StringProperty(
        name="Points",
        description="Along the stroke, in pixels of the plate from its top left corner, as x,y/x,y/x,y",
        options={"SKIP_SAVE"},
    )
    width_px: FloatProperty(
        name="Width",
        description="Of the brush, in pixels of the plate",
        subtype="PIXEL",
        default=BRUSH_PX,
        min=0.5,
        options={"SKIP_SAVE"},
    )
    positive: BoolProperty(
        name="Belongs to the Object",
        description="Off for what must not be part of it",
        default=True,
        options={"SKIP_SAVE"},
    )
    frame: _frame_property()

    def execute(self, context: bpy.types.Context) -> Result:
        """Add the stroke; the first one makes an object where there is none."""
        block = plate_of(context)
        adopt(block)
        own = props(block)
        frame = frame_of(context, block) if self.frame == NO_FRAME else self.frame
        try:
            drawn = stroke(_points(self.points), self.width_px, positive=self.positive)
            width_px, height_px = size_px(block)
            check_inside(*drawn.points_px[0], width_px=width_px, height_px=height_px)
            item = own.active() or own.add("")
            item.take(with_scribble(item.as_said(), frame, drawn))
        except MaskletError as error:
            return failed(self, error)
        return synchronised(self, block)


def _points(text: str) -> list[tuple[float, float]]:
    try:
        places = [tuple(float(number) for number in place.split(",")) for place in text.split("/")]
        return [(x_px, y_px) for x_px, y_px in places]
    except ValueError:
        raise BadInputError(
            phrase("{text} is no stroke: write its points as x,y/x,y/x,y", text=text)
        ) from None


class MASKLET_OT_clear_prompts(_Prompting, bpy.types.Operator):
    """Take back all clicks, strokes and the box of the active object on this frame"""

    bl_idname = "masklet.clear_prompts"
    bl_label = "Clear Prompts on Frame"
    bl_options = {"REGISTER", "UNDO"}

    frame: _frame_property()

    def execute(self, context: bpy.types.Context) -> Result:
        """Take them back."""
        try:
            frame = self.chosen_frame(context)
            return self.keep(context, taken_back(self.said_now(context), frame))
        except MaskletError as error:
            return failed(self, error)


def place_under(context: bpy.types.Context, event: bpy.types.Event) -> tuple[float, float] | str:
    """Plate pixels under the mouse, or a sentence that says why there are none."""
    reason = why_not_true(context.space_data)
    if reason is not None:
        return reason
    region, point = main_region(context.area), point_in(context.area, event)
    mapped = None if region is None else view_map(region, plate_of(context))
    if point is None or mapped is None:
        return phrase("point at the picture in the Movie Clip Editor or the Image Editor")
    return mapped.to_plate(*point)


CLASSES = (MASKLET_OT_click, MASKLET_OT_box, MASKLET_OT_scribble, MASKLET_OT_clear_prompts)
