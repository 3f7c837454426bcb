"""Video mattes from clicks: the client library of the masklet server.

``masklet.connect()`` is the way in; see :mod:`masklet.client` for ten lines that do everything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from masklet.version import VERSION

if TYPE_CHECKING:
    from masklet.anchors import Absence, AnchorKind
    from masklet.client import Server, connect
    from masklet.errors import MaskletError
    from masklet.events import MatteFormat, OverlayKind
    from masklet.matte_settings import MatteSettings
    from masklet.session import Session
    from masklet.track import Track
    from masklet.tracked_object import TrackedObject
    from masklet.types import (
        Box,
        Click,
        ClipInfo,
        CutPolicy,
        Direction,
        FramePrompts,
        FrameRange,
        FrameState,
        Mask,
        MaskDepth,
        MaskFormat,
        MaskUpdate,
        Presence,
        Scribble,
    )

__version__ = VERSION

__all__ = [
    "Absence",
    "AnchorKind",
    "Box",
    "Click",
    "ClipInfo",
    "CutPolicy",
    "Direction",
    "FramePrompts",
    "FrameRange",
    "FrameState",
    "Mask",
    "MaskDepth",
    "MaskFormat",
    "MaskUpdate",
    "MaskletError",
    "MatteFormat",
    "MatteSettings",
    "OverlayKind",
    "Presence",
    "Scribble",
    "Server",
    "Session",
    "Track",
    "TrackedObject",
    "__version__",
    "connect",
]

_HOMES = {
    "Absence": "masklet.anchors",
    "AnchorKind": "masklet.anchors",
    "MatteSettings": "masklet.matte_settings",
    "Server": "masklet.client",
    "connect": "masklet.client",
    "MaskletError": "masklet.errors",
    "MatteFormat": "masklet.events",
    "OverlayKind": "masklet.events",
    "Session": "masklet.session",
    "Track": "masklet.track",
    "TrackedObject": "masklet.tracked_object",
}


def __getattr__(name: str) -> Any:
    # On first use: a host application imports the package at start and may never need all of it.
    if name not in __all__:
        raise AttributeError(f"module 'masklet' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_HOMES.get(name, "masklet.types")), name)
