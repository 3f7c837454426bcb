"""Sentences for artists: written in English, shown in the language of the host.

A sentence is often made far from where it is shown, in a job's thread for instance, and hosts translate in
their main thread only. So a sentence keeps what it was made of, and becomes the artist's where it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping


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

    def __reduce__(self) -> tuple[type[Phrase], tuple[str, Mapping[str, object]]]:
        """What a copy is made of: records copy what they tell."""
        return type(self), (self.pattern, self.values)


def phrase(pattern: str, **values: object) -> Phrase:
    """A sentence that can be translated, from any thread: ``phrase("{name} is locked", name=item.name)``."""
    return Phrase(pattern, values)


def text_of(error: BaseException) -> str:
    """What an error says, still able to be translated where it is a host's own sentence."""
    text = error.args[0] if error.args else ""
    return text if isinstance(text, Phrase) else str(error)


def translated(text: str, translate: Callable[[str], str]) -> str:
    """A sentence in another language; what is no :class:`Phrase` stays as it is.

    Args:
        text: The sentence.
        translate: Gives a pattern in that language, or as it is where there is none.
    """
    if not isinstance(text, Phrase):
        return text
    pattern = translate(text.pattern)
    if not text.values:
        return pattern
    return pattern.format(
        **{
            name: translated(value, translate) if isinstance(value, str) else value
            for name, value in text.values.items()
        }
    )
