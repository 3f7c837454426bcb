"""Tokens whose signatures were verified a moment ago: a client brings the same one with every call."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

from masklet_server.identity.caller import Identity

_MOST = 4096


class VerifiedTokens:
    """Remembers whose verified tokens are, until they end; by their digests. On the event loop.

    Args:
        clock_s: Unix time; an argument for tests.
    """

    def __init__(self, *, clock_s: Callable[[], float] = time.time) -> None:
        self._clock_s = clock_s
        self._known: OrderedDict[bytes, tuple[Identity, float]] = OrderedDict()

    def identity_of(self, token: str) -> Identity | None:
        """Whose a token is that was verified and has not ended; None for all others."""
        found = self._known.get(_digest(token))
        if found is None or self._clock_s() >= found[1]:
            return None
        return found[0]

    def add(self, token: str, identity: Identity, until_s: float) -> None:
        """Remember a token that was verified just now, until it ends."""
        digest = _digest(token)
        self._known[digest] = (identity, until_s)
        self._known.move_to_end(digest)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
