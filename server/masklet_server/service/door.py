"""Lets callers in: by their token, and not those who try one after another (decision 0043)."""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from masklet.errors import AccessDeniedError
from masklet_server.service.access import LOCAL_USER, TokenFile

WRONG_TOKENS = 10
"""Of one place within :data:`WINDOW_S`; after them nothing new that it brings is looked at."""
WINDOW_S = 60.0
_MOST_PLACES = 4096
_MOST_GUESTS = 65_536

_log = logging.getLogger("masklet_server.service")


@dataclass
class _Tries:
    since_s: float
    wrong: int = 0


class Door:
    """Knows callers by their tokens, and remembers who brought wrong ones.

    Args:
        tokens: None lets everybody in, which only a loopback address may.
        clock_s: An argument for tests.
    """

    def __init__(self, tokens: TokenFile | None, *, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._tokens = tokens
        self._clock_s = clock_s
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._guests: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def user_of(self, metadata: Iterable[tuple[str, str | bytes]], peer: str) -> str:
        """The user whose token a call brought.

        Args:
            metadata: Of the call.
            peer: Where it comes from, as gRPC says it.

        Raises:
            AccessDeniedError: There is no token, or nobody's, or too many wrong ones came from there.
        """
        if self._tokens is None:
            return LOCAL_USER
        place = place_of(peer)
        token = _token_in(metadata)
        guest = (place, hashlib.sha256((token or "").encode(errors="replace")).digest())
        if self._is_shut(place) and guest not in self._guests:
            raise AccessDeniedError(
                "too many calls without a valid token came from your machine: wait a minute, then pass yours"
            )
        user = None if token is None else self._tokens.user_of(token)
        if user is not None:
            self._remember(guest)
            return user
        self._count(place, "no token" if token is None else "a token that nobody has")
        if token is None:
            raise AccessDeniedError("this server asks for a token: pass yours with the call")
        raise AccessDeniedError("the server does not know this token: ask its keeper for a new one")

    def refresh(self) -> None:
        """Read changed tokens; off the event loop."""
        if self._tokens is not None:
            self._tokens.refresh()

    def _is_shut(self, place: str) -> bool:
        tries = self._tries.get(place)
        if tries is not None and self._clock_s() - tries.since_s >= WINDOW_S:
            del self._tries[place]
            tries = None
        return tries is not None and tries.wrong >= WRONG_TOKENS

    def _count(self, place: str, what: str) -> None:
        tries = self._tries.setdefault(place, _Tries(self._clock_s()))
        tries.wrong += 1
        if tries.wrong < WRONG_TOKENS:
            _log.warning("refused a call from %s with %s", place, what)
        elif tries.wrong == WRONG_TOKENS:
            # The last line of this minute: whoever knocks must not fill the log.
            _log.warning(
                "refused a call from %s with %s, the %dth of this minute: what it brings now is not read",
                place,
                what,
                WRONG_TOKENS,
            )
        while len(self._tries) > _MOST_PLACES:
            self._tries.popitem(last=False)

    def _remember(self, guest: tuple[str, bytes]) -> None:
        self._guests[guest] = None
        self._guests.move_to_end(guest)
        while len(self._guests) > _MOST_GUESTS:
            self._guests.popitem(last=False)


def place_of(peer: str) -> str:
    """Where a call comes from, without its port: one machine, or one network of IPv6 as one house has it."""
    scheme, _, rest = unquote(peer).partition(":")
    if scheme not in ("ipv4", "ipv6"):
        return scheme
    host = rest.rpartition(":")[0].removeprefix("[").removesuffix("]").partition("%")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return scheme
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    if isinstance(address, ipaddress.IPv6Address) and not address.is_loopback:
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _token_in(metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    values = [value for key, value in metadata if key == "authorization"]
    value = values[0] if values else ""
    scheme, _, given = (value if isinstance(value, str) else "").partition(" ")
    return given if scheme.lower() == "bearer" and given else None
