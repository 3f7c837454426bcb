"""All that Blender has to know of masklet, put in place and taken away again."""

from __future__ import annotations

from typing import Any

import bpy

from . import (
    handlers,
    listening,
    menus,
    operators,
    panels,
    plate_panel,
    preferences,
    properties,
    translations,
)
from .keymap import Keymap
from .runtime import close_runtime, runtime

_CLASSES = (
    preferences.MaskletPreferences,
    *operators.CLASSES,
    *menus.CLASSES,
    *panels.CLASSES,
    *plate_panel.CLASSES,
)


class Registration:
    """What was put in place, and what is needed to take it away."""

    def __init__(self) -> None:
        self._keymap = Keymap()
        self._draw_handlers: list[tuple[type[Any], Any]] = []
        self._overlay: Any = None

    def put(self) -> None:
        """Register classes, properties, menus, shortcuts, handlers and drawing."""
        translations.register()
        listening.listen(runtime)
        properties.register()
        for cls in _CLASSES:
            bpy.utils.register_class(cls)
        menus.append()
        self._keymap.add()
        handlers.add()
        if not bpy.app.background:
            self._draw()

    def take_away(self) -> None:
        """Undo :meth:`put`, in reverse; jobs end and the helper goes."""
        close_runtime()
        for space, handler in self._draw_handlers:
            space.draw_handler_remove(handler, "WINDOW")
        self._draw_handlers.clear()
        if self._overlay is not None:
            self._overlay.forget()
        handlers.remove()
        self._keymap.remove()
        menus.remove()
        for cls in reversed(_CLASSES):
            bpy.utils.unregister_class(cls)
        properties.unregister()
        translations.unregister()

    def _draw(self) -> None:
        # The gpu module cannot be imported without a screen in all versions.
        from .overlay import Overlay
        from .timeline import draw_timeline

        self._overlay = Overlay()
        for space, draw in (
            (bpy.types.SpaceClipEditor, self._overlay.draw),
            (bpy.types.SpaceImageEditor, self._overlay.draw),
            (bpy.types.SpaceDopeSheetEditor, draw_timeline),
        ):
            handler = space.draw_handler_add(draw, (), "WINDOW", "POST_PIXEL")
            self._draw_handlers.append((space, handler))
