"""Point at the object in the viewer: click, Shift-click, drag a box, draw a stroke, until Esc."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import bpy

from masklet.phrases import phrase

from ..plates import plate_in
from ..runtime import Drag, Stroke, runtime
from ..viewer import VIEWERS, main_region, point_in, view_map, why_not_true
from ..words import shown
from .running import MaskletOperator, PlateOperator, is_playing, plate_of

if TYPE_CHECKING:
    from masklet.hosting.shown.view_maps import ViewMap

    from .running import Result

_DRAG_REGION_PX = 6.0
"""A mouse that moved further while pressed draws a box."""
_HELP = phrase(
    "Click: part of the object.  Shift: not.  Drag: box.  Ctrl-drag: stroke, [ ] its width.  "
    "X: clear frame.  Ctrl Z: undo.  Esc: done"
)
_WIDER = 1.25
_BRUSHES_PX = (1.0, 512.0)


class MASKLET_OT_point(PlateOperator, bpy.types.Operator):
    """Click what belongs to the object, with Shift what does not; drag a box, Ctrl-drag a stroke"""

    bl_idname = "masklet.point"
    bl_label = "Point at Object"
    bl_options = {"REGISTER"}

    _area: bpy.types.Area | None = None
    _pressed: tuple[float, float] | None = None
    _negative = False
    _line: list[tuple[float, float]] | None = None

    @classmethod
    def why_not(cls, context: bpy.types.Context) -> str | None:
        """Why it cannot run, in a sentence; None where it can."""
        reason = super().why_not(context)
        if reason is not None:
            return reason
        if context.area is None or context.area.type not in VIEWERS:
            return phrase("Point in the Movie Clip Editor or the Image Editor")
        return why_not_true(context.space_data)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Begin to listen to the mouse."""
        self._area = context.area
        runtime().pointing = True
        context.window.cursor_modal_set("CROSSHAIR")
        context.workspace.status_text_set(shown(_HELP))
        context.window_manager.modal_handler_add(self)
        runtime().redraw()
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Result:
        """Turn what the mouse does in the picture into prompts; let everything else pass."""
        area = self._area
        if not runtime().pointing or area is None or main_region(area) is None or plate_in(context) is None:
            return self._done(context)
        if event.type == "ESC" and event.value == "PRESS":
            if self._pressed is None and is_playing(context):
                # Blender's own Esc stops the playback; the next one is for the tool.
                return {"PASS_THROUGH"}
            if self._pressed is None:
                return self._done(context)
            self._drop_drag()
            return {"RUNNING_MODAL"}
        point = point_in(area, event)
        if event.type == "LEFTMOUSE":
            return self._mouse(context, event, point)
        if event.type == "MOUSEMOVE":
            if self._pressed is not None:
                self._show_drag(area, event)
            return {"PASS_THROUGH"}
        if point is not None and event.value == "PRESS":
            if event.type == "X" and not (event.ctrl or event.alt or event.shift):
                if _ops().clear_prompts.poll():
                    _call(_ops().clear_prompts, self)
                return {"RUNNING_MODAL"}
            if event.type in ("LEFT_BRACKET", "RIGHT_BRACKET"):
                return self._set_brush(context, wider=event.type == "RIGHT_BRACKET")
            if event.type == "RIGHTMOUSE":
                return self._done(context)
        return {"PASS_THROUGH"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends the operator: its window or file goes away."""
        self._done(context)

    def _mouse(
        self, context: bpy.types.Context, event: bpy.types.Event, point: tuple[float, float] | None
    ) -> Result:
        if event.value == "PRESS":
            if point is None:
                return {"PASS_THROUGH"}
            self._pressed, self._negative = point, bool(event.shift)
            self._line = [point] if event.ctrl else None
            return {"RUNNING_MODAL"}
        if event.value != "RELEASE" or self._pressed is None:
            return {"PASS_THROUGH"}
        start, line = self._pressed, self._line
        self._drop_drag()
        end = _region_point(self._area, event)
        region, reason = main_region(self._area), why_not_true(context.space_data)
        mapped = None if region is None else view_map(region, plate_of(context))
        if reason is not None or mapped is None:
            self.refuse(reason or phrase("the picture cannot be seen: load the clip first"))
            return {"RUNNING_MODAL"}
        if line is not None:
            places = [mapped.to_plate(*point) for point in (*line, end)]
            _call(
                _ops().scribble,
                self,
                points="/".join(f"{x_px:.2f},{y_px:.2f}" for x_px, y_px in places),
                width_px=runtime().brush_px,
                positive=not self._negative,
            )
        elif max(abs(end[0] - start[0]), abs(end[1] - start[1])) <= _DRAG_REGION_PX:
            x_px, y_px = mapped.to_plate(*start)
            _call(_ops().click, self, x_px=x_px, y_px=y_px, positive=not self._negative)
        else:
            (x0, y0), (x1, y1) = mapped.to_plate(*start), mapped.to_plate(*end)
            edges = {
                "left_px": min(x0, x1),
                "top_px": min(y0, y1),
                "right_px": max(x0, x1),
                "bottom_px": max(y0, y1),
            }
            _call(_ops().box, self, **edges)
        return {"RUNNING_MODAL"}

    def _show_drag(self, area: bpy.types.Area, event: bpy.types.Event) -> None:
        if self._pressed is None:
            return
        x, y = _region_point(area, event)
        if self._line is not None:
            self._line.append((x, y))
            region = main_region(area)
            mapped = None if region is None else view_map(region, plate_of(bpy.context))
            width = 0.0 if mapped is None else _width_in_region(mapped, runtime().brush_px)
            runtime().stroke = Stroke(area.as_pointer(), tuple(self._line), width, not self._negative)
            area.tag_redraw()
            return
        runtime().drag = Drag(area.as_pointer(), self._pressed[0], self._pressed[1], x, y)
        area.tag_redraw()

    def _set_brush(self, context: bpy.types.Context, *, wider: bool) -> Result:
        own = runtime()
        low_px, high_px = _BRUSHES_PX
        own.brush_px = min(high_px, max(low_px, own.brush_px * (_WIDER if wider else 1 / _WIDER)))
        width = phrase("Strokes are {width} pixels wide", width=f"{own.brush_px:.0f}")
        context.workspace.status_text_set(shown(width))
        return {"RUNNING_MODAL"}

    def _drop_drag(self) -> None:
        self._pressed = self._line = None
        runtime().drag = runtime().stroke = None
        runtime().redraw()

    def _done(self, context: bpy.types.Context) -> Result:
        self._drop_drag()
        runtime().pointing = False
        if context.window is not None:
            context.window.cursor_modal_restore()
        if context.workspace is not None:
            context.workspace.status_text_set(None)
        runtime().redraw()
        return {"FINISHED"}


class MASKLET_OT_stop_pointing(MaskletOperator, bpy.types.Operator):
    """Give the mouse back to Blender"""

    bl_idname = "masklet.stop_pointing"
    bl_label = "Done Pointing"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> Result:
        """Ask the tool to end at its next event."""
        runtime().pointing = False
        runtime().redraw()
        return {"FINISHED"}


def _ops() -> Any:
    return bpy.ops.masklet  # type: ignore[attr-defined]


def _region_point(area: bpy.types.Area | None, event: bpy.types.Event) -> tuple[float, float]:
    region = main_region(area)
    if region is None:
        return 0.0, 0.0
    return event.mouse_x - region.x + 0.5, event.mouse_y - region.y + 0.5


def _width_in_region(mapped: ViewMap, width_px: float) -> float:
    (left, _), (right, _) = mapped.to_region(0.0, 0.0), mapped.to_region(width_px, 0.0)
    return abs(right - left)


def _call(operator: Any, listener: bpy.types.Operator, **values: object) -> None:
    """Run an operator with an undo step of its own; what it refuses becomes this one's sentence."""
    try:
        operator("EXEC_DEFAULT", True, **values)
    except RuntimeError as error:
        # Blender wraps the report of an operator that was called from Python into this.
        listener.report({"ERROR"}, str(error).removeprefix("Error: ").strip())


CLASSES = (MASKLET_OT_point, MASKLET_OT_stop_pointing)
