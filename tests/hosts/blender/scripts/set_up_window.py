"""Runs in a Blender with a window, by remote_control.py: a clip in the viewer, and what a test asks with.

``PLATE`` and ``FRAMES`` were set by the test.
"""

import time

import bpy

from masklet_blender import overlay, timeline
from masklet_blender import runtime as runtime_module
from masklet_blender.operators import running

slices_s = []


def timed(function):
    """What a call takes of the main thread's own time, which neither drawing nor other programs lengthen."""

    def call(*arguments, **named):
        started_s = time.thread_time()
        try:
            return function(*arguments, **named)
        finally:
            slices_s.append(time.thread_time() - started_s)

    return call


# Everything of masklet's that Blender calls while a track runs.
runtime_module.Runtime._tick = timed(runtime_module.Runtime._tick)
overlay.Overlay.draw = timed(overlay.Overlay.draw)
timeline.draw_timeline = timed(timeline.draw_timeline)
modal = timed(running.LongOperator.modal)
# Blender counts the parameters.
running.LongOperator.modal = lambda self, context, event: modal(self, context, event)
bpy.ops.preferences.addon_enable(module="masklet_blender")
runtime = runtime_module.runtime

window = bpy.context.window_manager.windows[0]
area = next(area for area in window.screen.areas if area.type == "CLIP_EDITOR")
clip = bpy.data.movieclips.load(PLATE)  # noqa: F821
bpy.context.scene.frame_end = FRAMES  # noqa: F821
area.spaces.active.clip = clip
area.spaces.active.show_region_toolbar = False
area.spaces.active.show_region_ui = True


def main_region():
    """Looked up each time: an editor that shows something else for a while has others."""
    return next(region for region in area.regions if region.type == "WINDOW")


def in_viewer():
    return bpy.context.temp_override(window=window, area=area, region=main_region())


def show_all():
    with in_viewer():
        bpy.ops.clip.view_all(fit_view=True)


def place_on_screen(x_px, y_px):
    """Pixels of the screen, y down, of a place on the plate: by Blender's own view, not by the add-on."""
    region = main_region()
    # The other direction, view_to_region, knows whole pixels only.
    left, bottom = region.view2d.region_to_view(0, 0)
    right, top = region.view2d.region_to_view(1000, 1000)
    x = 1000 * (x_px / clip.size[0] - left) / (right - left)
    y = 1000 * (1.0 - y_px / clip.size[1] - bottom) / (top - bottom)
    return region.x + x, window.height - (region.y + y)


def objects():
    return [(item.name, item.said, item.states) for item in clip.masklet_plate.objects]


def has_mask(frame, index=0):
    memory = runtime().glimpse(clip)
    items = clip.masklet_plate.objects
    if memory is None or len(items) <= index:
        return False
    mask = memory.masks.get(items[index].uid, frame)
    return mask is not None and not mask.is_empty


def done():
    return max((job.done for job in runtime().board.jobs if job.is_long), default=0)


def playing():
    return any(window.screen.is_animation_playing for window in bpy.context.window_manager.windows)


def idle():
    return not runtime().board.jobs


def show_preferences():
    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "masklet"
