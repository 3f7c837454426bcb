"""What masklet says about the plate that an artist looks at."""

from __future__ import annotations

import bpy

from masklet.hosting.notices import Notice

from .plates import plate_in
from .runtime import runtime
from .viewer import why_not_true


def notice_in(context: bpy.types.Context) -> Notice | None:
    """What the panel says about the plate: that clicks would miss, or what was told last."""
    misled = why_not_true(context.space_data)
    if misled is not None:
        return Notice(misled)
    memory = runtime().glimpse(plate_in(context))
    return None if memory is None else memory.notice
