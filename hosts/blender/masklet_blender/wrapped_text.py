"""Sentences in panels, in as many lines as they need."""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

from .words import shown

_REGION_PX_PER_CHARACTER = 7.0


def sentence(layout: Any, context: bpy.types.Context, text: str, *, icon: str, lines: int = 0) -> None:
    """A sentence in the artist's language, in as many lines as the panel needs.

    Args:
        layout: To draw into.
        context: Of the panel.
        text: Empty for none.
        icon: Before the first line.
        lines: Take exactly so many, cut off or left empty; 0 for as many as it needs.
    """
    column = layout.column(align=True)
    column.scale_y = 0.8
    wrapped = textwrap.wrap(shown(text), _characters_in(context))
    if lines:
        wrapped = _fitted(wrapped, lines)
    for index, line in enumerate(wrapped):
        own = icon if (index == 0 and line) or icon == "NONE" else "BLANK1"
        column.label(text=line, icon=own, translate=False)


def _characters_in(context: bpy.types.Context) -> int:
    """How many letters a line of the panel takes."""
    scale = context.preferences.system.ui_scale
    width = 200.0 if context.region is None else float(context.region.width)
    return max(16, int(width / (_REGION_PX_PER_CHARACTER * scale)) - 8)


def _fitted(wrapped: list[str], lines: int) -> list[str]:
    """Exactly so many lines; what is too long ends in an ellipsis."""
    if len(wrapped) > lines:
        return [*wrapped[: lines - 1], wrapped[lines - 1].rstrip(" .,:;") + " …"]
    return wrapped + [""] * (lines - len(wrapped))
