"""Masks and prompts over the picture, drawn by the graphics card in the editors that show the plate."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import bpy
import gpu
from gpu_extras.batch import batch_for_shader

from masklet.errors import MaskletError
from masklet.hosting.found_places import place_label
from masklet.hosting.plate_memory import PlateMemory
from masklet.hosting.shown.overlay_masks import PackedMask, as_floats
from masklet.hosting.shown.view_maps import ViewMap

from .drawing import Edges, draw_rectangles, draw_sentence, draw_stroke, frame_of_box, sign
from .plates import PlateBlock, plate_in, props, shown_frame, size_px
from .preferences import preferences
from .runtime import runtime
from .timeline import draw_under_picture
from .viewer import view_map

if TYPE_CHECKING:
    from masklet.hosting.work.finding import FoundPlaces

    from .properties import MaskletObject

_types: Any = gpu.types
"""Its stubs know no constructors."""

_TEXTURES_KEPT = 96
_FOUND_OPACITY = 0.35
_STROKE_SIGNS = 16
_CLICK_REGION_PX = 6.0
_POSITIVE, _NEGATIVE = (0.25, 0.95, 0.35, 1.0), (1.0, 0.25, 0.2, 1.0)
_DRAG = (1.0, 1.0, 1.0, 0.9)
_PLACE = (1.0, 0.85, 0.2, 1.0)
_NUMBER_REGION_PX = 12.0

_VERTEX = """
void main()
{
  uv = texture_at;
  gl_Position = ModelViewProjectionMatrix * vec4(position, 0.0, 1.0);
}
"""
# The edge is where coverage crosses a half, found from its slope on screen: one line wide at any zoom.
_FRAGMENT = """
void main()
{
  float coverage = texture(mask, uv).r;
  float slope = max(fwidth(coverage), 0.0001);
  float edge = 1.0 - clamp(abs(coverage - 0.5) / (slope * 1.5), 0.0, 1.0);
  float alpha = max(coverage * colour.a, edge * rim * step(0.0005, fwidth(coverage)));
  painted = vec4(mix(colour.rgb, vec3(1.0), edge * 0.35), alpha);
}
"""


class Overlay:
    """What is drawn into viewers; holds the shader and the textures of the masks seen last."""

    def __init__(self) -> None:
        self._shader: Any = None
        self._textures: OrderedDict[int, tuple[weakref.ref[PackedMask], Any]] = OrderedDict()

    def draw(self) -> None:
        """Draw into the region that Blender draws now; called by Blender."""
        context = bpy.context
        block = plate_in(context)
        memory = runtime().glimpse(block)
        region = context.region
        if block is None or region is None or memory is None:
            return
        mapped = view_map(region, block)
        if mapped is None:
            return
        frame = shown_frame(block, context)
        gpu.state.blend_set("ALPHA")
        try:
            self._draw_masks(block, memory, mapped, frame)
            self._draw_found(block, memory, mapped, frame)
            active = props(block).active()
            parts = [] if active is None else _prompt_signs(active, mapped, frame)
            found = runtime().found
            if found is not None and active is not None and (found.uid, found.frame) == (active.uid, frame):
                self._draw_places(found, mapped, block)
            stroke = runtime().stroke
            if stroke is not None and context.area is not None and stroke.area == context.area.as_pointer():
                draw_stroke(stroke.points, stroke.width, _colour_of(stroke.positive))
            drag = runtime().drag
            if drag is not None and context.area is not None and drag.area == context.area.as_pointer():
                parts.extend(frame_of_box((drag.x0, drag.y0, drag.x1, drag.y1), _DRAG))
            draw_rectangles(parts)
            draw_under_picture(context, block, memory)
        finally:
            gpu.state.blend_set("NONE")

    def forget(self) -> None:
        """Give the textures back."""
        self._textures.clear()

    def _draw_masks(
        self, block: PlateBlock, memory: PlateMemory[PlateBlock], mapped: ViewMap, frame: int
    ) -> None:
        own = props(block)
        chosen = preferences()
        opacity = 0.45 if chosen is None else chosen.opacity
        active = own.active()
        runtime().fetching.look(block, frame)
        if own.show_finished:
            runtime().fetching.want_finished(block, frame)
        for item in own.objects:
            if not item.is_shown:
                continue
            finished = memory.finished.get(item.uid, frame) if own.show_finished else None
            packed = memory.masks.get(item.uid, frame) if finished is None else finished
            if packed is None:
                strip = memory.book.at(item.uid, frame)
                if strip is not None and strip.held:
                    runtime().fetching.want_mask(block, item.uid, frame)
                continue
            if packed.is_empty:
                continue
            rim = 1.0 if active is not None and item.uid == active.uid else 0.5
            if finished is not None:
                # A line along the middle of a soft edge would hide how soft it is.
                rim = 0.0
            self._draw_mask(packed, mapped, (*item.colour, opacity), rim, block)

    def _draw_places(self, found: FoundPlaces, mapped: ViewMap, block: PlateBlock) -> None:
        size = _NUMBER_REGION_PX * bpy.context.preferences.system.ui_scale
        for place in found.places:
            if place.mask is not None and not place.mask.is_empty:
                self._draw_mask(place.mask, mapped, (*_PLACE[:3], 0.35), 1.0, block)
        for number, place in enumerate(found.places, 1):
            x, y = mapped.to_region(place.click.x_px, place.click.y_px)
            draw_sentence(str(place_label(found, number)), x, y, 200.0, size)

    def _draw_found(
        self, block: PlateBlock, memory: PlateMemory[PlateBlock], mapped: ViewMap, frame: int
    ) -> None:
        """Things that may be taken, the largest behind."""
        if memory.found is None or memory.found.frame != frame:
            return
        for thing in sorted(memory.found.things, key=lambda each: -each.share):
            self._draw_mask(thing.mask, mapped, (*thing.colour, _FOUND_OPACITY), 1.0, block)

    def _draw_mask(
        self,
        packed: PackedMask,
        mapped: ViewMap,
        colour: tuple[float, ...],
        rim: float,
        block: PlateBlock,
    ) -> None:
        width_px, height_px = size_px(block)
        x0, y0 = mapped.to_region(0.0, 0.0)
        x1, y1 = mapped.to_region(width_px * packed.covers_x, height_px * packed.covers_y)
        shader = self._shader = self._shader or _make_shader()
        batch = batch_for_shader(
            shader,
            "TRI_FAN",
            {
                "position": ((x0, y1), (x1, y1), (x1, y0), (x0, y0)),
                "texture_at": ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
            },
        )
        shader.bind()
        shader.uniform_float("ModelViewProjectionMatrix", _projection())
        shader.uniform_float("colour", colour)
        shader.uniform_float("rim", rim)
        shader.uniform_sampler("mask", self._texture(packed))
        batch.draw(shader)

    def _texture(self, packed: PackedMask) -> Any:
        key = id(packed)
        kept = self._textures.get(key)
        if kept is None or kept[0]() is not packed:
            size = packed.width_px, packed.height_px
            pixels = _types.Buffer("FLOAT", size[0] * size[1], memoryview(as_floats(packed)).cast("f"))
            # A mask that is dropped, with its session for instance, takes its texture along.
            gone = weakref.ref(packed, lambda _: self._textures.pop(key, None))
            kept = gone, _types.GPUTexture(size, format="R8", data=pixels)
            self._textures[key] = kept
            while len(self._textures) > _TEXTURES_KEPT:
                self._textures.popitem(last=False)
        self._textures.move_to_end(key)
        return kept[1]


def _make_shader() -> Any:
    described = _types.GPUShaderCreateInfo()
    between = _types.GPUStageInterfaceInfo("masklet_overlay")
    between.smooth("VEC2", "uv")
    described.push_constant("MAT4", "ModelViewProjectionMatrix")
    described.push_constant("VEC4", "colour")
    described.push_constant("FLOAT", "rim")
    described.sampler(0, "FLOAT_2D", "mask")
    described.vertex_in(0, "VEC2", "position")
    described.vertex_in(1, "VEC2", "texture_at")
    described.vertex_out(between)
    described.fragment_out(0, "VEC4", "painted")
    described.vertex_source(_VERTEX)
    described.fragment_source(_FRAGMENT)
    return gpu.shader.create_from_info(described)


def _projection() -> Any:
    return gpu.matrix.get_projection_matrix() @ gpu.matrix.get_model_view_matrix()


def _colour_of(positive: bool) -> tuple[float, ...]:
    return _POSITIVE if positive else _NEGATIVE


def _prompt_signs(item: MaskletObject, mapped: ViewMap, frame: int) -> list[tuple[Edges, tuple[float, ...]]]:
    try:
        prompts = item.prompts().at(frame)
    except MaskletError:
        # The panel says it; a viewer that cannot be drawn would say it less well.
        return []
    parts: list[tuple[Edges, tuple[float, ...]]] = []
    if prompts.box is not None:
        corner = mapped.to_region(prompts.box.left_px, prompts.box.top_px)
        opposite = mapped.to_region(prompts.box.right_px, prompts.box.bottom_px)
        parts.extend(frame_of_box((*corner, *opposite), (*item.colour, 1.0)))
    arm = _CLICK_REGION_PX * bpy.context.preferences.system.ui_scale
    # Small signs along a stroke tell which side of the object it is on.
    for scribble in prompts.scribbles:
        for x_px, y_px in scribble.sampled(_STROKE_SIGNS):
            colour = _colour_of(scribble.positive)
            parts.extend(sign(*mapped.to_region(x_px, y_px), arm / 2, colour, plus=scribble.positive))
    for click in prompts.clicks:
        x, y = mapped.to_region(click.x_px, click.y_px)
        colour = _colour_of(click.positive)
        parts.extend(sign(x, y, arm, colour, plus=click.positive))
    return parts
