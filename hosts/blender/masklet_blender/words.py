"""masklet's sentences in the language of Blender's preferences."""

from __future__ import annotations

from typing import Any

from masklet.phrases import translated

CONTEXT = "masklet"
"""Of labels: Blender's own translations of the same English words mean other things."""


def shown(text: str) -> str:
    """A sentence in the artist's language; what is not masklet's own stays as it is. Main thread only."""
    return translated(text, _translated)


def _translated(pattern: str) -> str:
    # The tests of what sentences are made in run without Blender.
    try:
        from bpy.app import translations
    except ImportError:
        return pattern
    translate: Any = translations.pgettext_iface
    return str(translate(pattern, CONTEXT))
