"""What Blender tells masklet: files opened, edits undone, the end."""

from __future__ import annotations

import atexit
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .runtime import close_runtime, runtime


@persistent
def before_load(*_: Any) -> None:
    """Another file comes: end what runs for this one."""
    runtime().forget_plates()


@persistent
def after_history(*_: Any) -> None:
    """Blender took edits back, or made them again: the server follows."""
    runtime().after_history()


_HANDLERS = (("load_pre", before_load), ("undo_post", after_history), ("redo_post", after_history))


def add() -> None:
    """Begin to listen."""
    for name, handler in _HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)
    # Blender ends without unregistering add-ons; a helper that is told goes at once.
    atexit.register(close_runtime)


def remove() -> None:
    """Listen no more."""
    atexit.unregister(close_runtime)
    for name, handler in _HANDLERS:
        listeners = getattr(bpy.app.handlers, name)
        if handler in listeners:
            listeners.remove(handler)
