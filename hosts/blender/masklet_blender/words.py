"""What masklet says to artists: written in English, shown in the language of Blender's preferences.

A sentence is often made far from where it is shown, in a job's thread for instance, and Blender translates
in its main thread only. So a sentence keeps what it was made of, and becomes the artist's where it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONTEXT = "masklet"
"""Of labels: Blender's own translations of the same English words mean other things."""


class Phrase(str):
    """English text that remembers its pattern.

    Attributes:
        pattern: With names in braces, as it is translated.
        values: What stands in place of the names; sentences among them are translated too.
    """

    pattern: str
    values: Mapping[str, object]

    def __new__(cls, pattern: str, values: Mapping[str, object]) -> Phrase:
        """The sentence in English."""
        made = super().__new__(cls, pattern.format(**values) if values else pattern)
        made.pattern, made.values = pattern, values
        return made


def phrase(pattern: str, **values: object) -> Phrase:
    """A sentence of masklet's own, from any thread: ``phrase("{name} is locked", name=item.name)``."""
    return Phrase(pattern, values)


def text_of(error: BaseException) -> str:
    """What an error says, still able to be translated where it is the add-on's own."""
    text = error.args[0] if error.args else ""
    return text if isinstance(text, Phrase) else str(error)


def shown(text: str) -> str:
    """A sentence in the artist's language; what is not the add-on's own stays as it is. Main thread only."""
    if not isinstance(text, Phrase):
        return text
    pattern = _translated(text.pattern)
    if not text.values:
        return pattern
    return pattern.format(
        **{name: shown(value) if isinstance(value, str) else value for name, value in text.values.items()}
    )


def _translated(pattern: str) -> str:
    # The tests of what sentences are made in run without Blender.
    try:
        from bpy.app import translations
    except ImportError:
        return pattern
    translate: Any = translations.pgettext_iface
    return str(translate(pattern, CONTEXT))
