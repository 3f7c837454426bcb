"""Names that every tool accepts, made from names that people chose."""

from __future__ import annotations

import re
import unicodedata

_LONGEST = 60


class Identifiers:
    """Gives each name an identifier of letters, digits and underscores, different for different names.

    Accents are dropped, everything else that is not a letter or digit of ASCII becomes an underscore,
    and a name that begins with a digit gets one in front: ``héro 2`` becomes ``hero_2``.
    """

    def __init__(self) -> None:
        self._given: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, name: str) -> str:
        """The identifier of ``name``, the same on every call."""
        if name not in self._given:
            identifier = self._free(_plain(name))
            self._given[name] = identifier
            # Tools compare names without case on some systems.
            self._taken.add(identifier.lower())
        return self._given[name]

    def _free(self, wanted: str) -> str:
        candidate, number = wanted, 1
        while candidate.lower() in self._taken:
            number += 1
            candidate = f"{wanted}_{number}"
        return candidate


def _plain(name: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9]+", "_", ascii_only).strip("_")[:_LONGEST].strip("_")
    if not plain:
        return "object"
    return f"_{plain}" if plain[0].isdigit() else plain
