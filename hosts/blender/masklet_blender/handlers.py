"""What Blender tells masklet: files opened, edits undone, the end."""

from __future__ import annotations

import atexit
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .runtime import close_runtime, runtime


def before_load(*_: Any) -> None:
    """Another file comes: end what runs for this one."""
    runtime().forget_plates()


def after_load(*_: Any) -> None:
    """Another file is here: bring back what it knows, say what it misses."""
    runtime().openings.opened()


def before_save(*_: Any) -> None:
    """The file will keep what it says now."""
    runtime().openings.before_saving()


def after_save(*_: Any) -> None:
    """From here it can be opened again."""
    runtime().openings.saved()


def after_history(*_: Any) -> None:
    """Blender took edits back, or made them again: the server follows."""
    runtime().after_history()


# Not as decorators, which take the functions' types away.
_HANDLERS: tuple[tuple[str, Any], ...] = (
    ("load_pre", persistent(before_load)),
    ("load_post", persistent(after_load)),
    ("save_pre", persistent(before_save)),
    ("save_post", persistent(after_save)),
    ("undo_post", persistent(after_history)),
    ("redo_post", persistent(after_history)),
)


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
