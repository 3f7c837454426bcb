"""masklet for Blender: click an object in a clip, track it, get mattes, splines and anchors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .registration import Registration

bl_info = {
    "name": "masklet",
    "author": "The masklet authors",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "Movie Clip Editor and Image Editor, sidebar, masklet",
    "description": "Click an object in a clip, track it, get mattes, splines and anchors",
    "category": "Tracking",
}

_registration: Registration | None = None


def register() -> None:
    """Called by Blender when the add-on is enabled."""
    global _registration
    from .registration import Registration

    _registration = Registration()
    _registration.put()


def unregister() -> None:
    """Called by Blender when the add-on is disabled."""
    global _registration
    ended, _registration = _registration, None
    if ended is not None:
        ended.take_away()
