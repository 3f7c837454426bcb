"""What somebody may do: with a token on a server, or in a session that somebody else shares."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Scope(Enum):
    """A part of what a server does. Every call of it belongs to one."""

    READ = "read"
    """See clips, objects, states and masks."""
    PROMPT = "prompt"
    """Open and close sessions, say what is an object and what is not, lock frames."""
    TRACK = "track"
    """Have objects tracked, and cuts looked for."""
    EXPORT = "export"
    """Get mattes, overlays, shapes and anchors."""
    ADMIN = "admin"
    """Keep the server."""


SHARED = frozenset({Scope.READ, Scope.PROMPT, Scope.TRACK, Scope.EXPORT})
"""What an artist does, and all that can be shared of a session."""


def scopes_named(names: Iterable[str]) -> frozenset[Scope]:
    """Scopes by their names, with reading, which belongs to each of them.

    Raises:
        ValueError: There is none of this name, or no name at all.
    """
    known = {scope.value: scope for scope in Scope}
    found = set()
    for name in names:
        if name not in known:
            raise ValueError(f"there is no scope {name!r}: it is one of {', '.join(known)}")
        found.add(known[name])
    if not found:
        raise ValueError(f"no scope is named: name some of {', '.join(known)}")
    return frozenset(found | {Scope.READ})


def in_order(scopes: Iterable[Scope]) -> tuple[Scope, ...]:
    """Scopes in the order in which they are always told."""
    return tuple(sorted(set(scopes), key=list(Scope).index))
