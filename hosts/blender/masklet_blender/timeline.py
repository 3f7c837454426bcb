"""Strips of states in the timeline, and under the picture in the viewers."""

from __future__ import annotations

import bpy
import gpu

from masklet.hosting.plate_memory import PlateMemory
from masklet.hosting.shown.strips import GROUND, rectangles

from .drawing import draw_rectangles, draw_sentence
from .plates import PlateBlock, all_plates, plate_in, props, scene_frame
from .preferences import preferences
from .runtime import runtime
from .words import shown

_ROW_REGION_PX = 5.0
_GAP_REGION_PX = 1.0
_RULER_REGION_PX = 23.0
_VIEWER_MARGIN_REGION_PX = 22.0
"""Leaves Blender's own strip of cached frames at the foot of the viewer free."""


def draw_timeline() -> None:
    """Draw into the region of the timeline that Blender draws now; called by Blender."""
    context = bpy.context
    chosen = preferences()
    block = _plate_to_show(context)
    memory = runtime().glimpse(block)
    region = context.region
    if block is None or memory is None or region is None or (chosen is not None and not chosen.show_strips):
        return
    low, high = region.view2d.region_to_view(0.0, 0.0), region.view2d.region_to_view(1000.0, 0.0)
    if high[0] == low[0]:
        return
    scale = 1000.0 / (high[0] - low[0])
    gpu.state.blend_set("ALPHA")
    try:
        # Hung from the ruler, which Blender draws last; a timeline that is only a ruler has no room.
        high_region = region.height - _RULER_REGION_PX * context.preferences.system.ui_scale
        _draw_rows(context, block, memory, left=-low[0] * scale, scale=scale, high=high_region)
    finally:
        gpu.state.blend_set("NONE")


def draw_under_picture(
    context: bpy.types.Context, block: PlateBlock, memory: PlateMemory[PlateBlock]
) -> None:
    """Draw over the foot of a viewer: the scene's range from edge to edge, as Blender's cache strip does."""
    region, scene = context.region, context.scene
    if region is None:
        return
    first, last = scene.frame_start, scene.frame_end
    if scene.use_preview_range:
        first, last = scene.frame_preview_start, scene.frame_preview_end
    unit = context.preferences.system.ui_scale
    low = _VIEWER_MARGIN_REGION_PX * unit
    notice = memory.notice
    if notice is not None and notice.is_alarm:
        # Said in the panel as well, which may be closed.
        width = region.width - 16.0 * unit
        draw_sentence(shown(notice.sentence), 8.0 * unit, low + 34.0 * unit, width, 12.0 * unit)
    scale = region.width / (last - first + 1)
    _draw_rows(
        context,
        block,
        memory,
        left=(0.5 - first) * scale,
        scale=scale,
        low=low,
    )


def _draw_rows(
    context: bpy.types.Context,
    block: PlateBlock,
    memory: PlateMemory[PlateBlock],
    *,
    left: float,
    scale: float,
    low: float | None = None,
    high: float | None = None,
) -> None:
    """A row for each object, the first on top, upwards from ``low`` or downwards from ``high``.

    ``left + frame * scale`` is the middle of a scene frame.
    """
    own = props(block)
    shown = [item for item in own.objects if memory.book.strips(item.uid)]
    if not shown:
        return
    unit = context.preferences.system.ui_scale
    shift = scene_frame(block, 0, context.space_data)
    row = _ROW_REGION_PX * unit
    width = float(context.region.width)
    height = len(shown) * (row + _GAP_REGION_PX) + _GAP_REGION_PX
    if low is None:
        low = (high or 0.0) - height
    drawn = [((0.0, low, width, low + height), GROUND)]
    for index, item in enumerate(reversed(shown)):
        foot = low + _GAP_REGION_PX + index * (row + _GAP_REGION_PX)
        for part in rectangles(memory.book.strips(item.uid)):
            x0 = max(0.0, left + (part.first + shift) * scale)
            x1 = min(width, left + (part.last + shift) * scale)
            if x1 <= x0:
                continue
            edges = (x0, foot + part.low * row, max(x1, x0 + 1.0), foot + part.high * row)
            drawn.append((edges, part.colour))
        drawn.append(((0.0, foot, 4.0 * unit, foot + row), (*item.colour, 1.0)))
    draw_rectangles(drawn)


def _plate_to_show(context: bpy.types.Context) -> PlateBlock | None:
    """The plate on screen, else the only one there is."""
    block = plate_in(context)
    if block is not None and props(block).uid:
        return block
    plates = list(all_plates())
    return plates[0] if len(plates) == 1 else None
