"""All that a server knows tokens by."""

from __future__ import annotations

from collections.abc import Sequence

from masklet_server.identity.caller import Identity, Source


class Sources:
    """Several sources as one, asked in their order: a :class:`masklet_server.identity.caller.Source`.

    Args:
        sources: All of them.
    """

    def __init__(self, sources: Sequence[Source]) -> None:
        self._sources = tuple(sources)

    def identity_of(self, token: str) -> Identity | None:  # noqa: D102
        for source in self._sources:
            identity = source.identity_of(token)
            if identity is not None:
                return identity
        return None

    def refresh(self) -> None:  # noqa: D102
        for source in self._sources:
            source.refresh()
