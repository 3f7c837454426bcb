"""Shortcuts in the two editors; Blender lists them under its own, where they can be changed."""

from __future__ import annotations

from typing import Any

import bpy

_EDITORS = (("Clip", "CLIP_EDITOR"), ("Image", "IMAGE_EDITOR"))
_ITEMS: tuple[tuple[str, str, dict[str, bool], dict[str, Any]], ...] = (
    ("masklet.point", "Q", {"alt": True}, {}),
    ("masklet.track", "Q", {"alt": True, "shift": True}, {"direction": "BOTH"}),
    ("masklet.next_bad", "PERIOD", {"alt": True}, {"backward": False}),
    ("masklet.next_bad", "COMMA", {"alt": True}, {"backward": True}),
    ("masklet.try_policy", "PERIOD", {"alt": True, "shift": True}, {}),
)
"""Keys that Blender's own key maps leave free in both editors and all their modes: a test looks."""


class Keymap:
    """The shortcuts of this Blender."""

    def __init__(self) -> None:
        self._added: list[tuple[bpy.types.KeyMap, bpy.types.KeyMapItem]] = []

    def add(self) -> None:
        """Add them; a Blender without windows has no place for them."""
        keyconfig: Any = bpy.context.window_manager.keyconfigs.addon
        if keyconfig is None:
            return
        for name, space in _EDITORS:
            keymap = keyconfig.keymaps.new(name=name, space_type=space)
            for operator, key, held, values in _ITEMS:
                item = keymap.keymap_items.new(operator, key, "PRESS", **held)
                for field, value in values.items():
                    setattr(item.properties, field, value)
                self._added.append((keymap, item))

    def remove(self) -> None:
        """Take them away again."""
        for keymap, item in self._added:
            keymap.keymap_items.remove(item)
        self._added.clear()
