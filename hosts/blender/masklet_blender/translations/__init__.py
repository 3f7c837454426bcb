"""masklet's words in the languages it knows, given to Blender, which chooses by its own preferences."""

from __future__ import annotations

from typing import Any

import bpy

from ..fields import HAVE_CONTEXT
from ..words import CONTEXT
from .german import GERMAN

_DOMAIN = __package__ or "masklet_blender.translations"
_ANY = "*"
_translations: Any = bpy.app.translations
"""Its stubs know no arguments."""


def register() -> None:
    """Give them. Blender finds labels and sentences in masklet's context, and tooltips in the general one.

    There, single words could be another add-on's, so only what has several is given.
    """
    words = {(CONTEXT, text): german for text, german in GERMAN.items()}
    shared = (text for text in GERMAN if " " in text or not HAVE_CONTEXT)
    words.update({(_ANY, text): GERMAN[text] for text in shared})
    _translations.register(_DOMAIN, {"de_DE": words, "de": words})


def unregister() -> None:
    """Take them back."""
    _translations.unregister(_DOMAIN)
