"""Lets callers in: by their token or certificate, and not those who try one after another (decision 0043)."""

from __future__ import annotations

import hashlib
import ipaddress
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from masklet.errors import AccessDeniedError, BadInputError
from masklet_server.identity.caller import (
    EVERYBODY,
    ExpiredTokenError,
    Identity,
    Source,
    StaleTokenError,
    named,
    named_by_others,
)

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
    stale: int = 0


class EndedTokenError(AccessDeniedError):
    """The time of a token ran out while its call was under way; nobody has taken it back."""


class ShutDoorError(AccessDeniedError):
    """Nothing that comes from there is looked at now."""

    is_first = False
    """The log has been told."""


class Door:
    """Knows callers by their tokens or certificates, and remembers who brought wrong ones.

    Args:
        tokens: None where nobody is asked for one: there the certificate says who calls or, on a loopback
            address, everybody is let in.
        by_certificate: Connections have shown a certificate of a client.
        clock_s: An argument for tests.
    """

    def __init__(
        self,
        tokens: Source | None,
        *,
        by_certificate: bool = False,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tokens = tokens
        self._by_certificate = by_certificate
        self._clock_s = clock_s
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._guests: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def identity_of(
        self, metadata: Iterable[tuple[str, str | bytes]], peer: str, certificate_name: str | None = None
    ) -> Identity:
        """Who makes a call.

        Args:
            metadata: Of the call.
            peer: Where it comes from, as gRPC says it.
            certificate_name: The common name in the certificate that the connection has shown, verified.

        Raises:
            AccessDeniedError: There is no token, or nobody's, or too many wrong ones came from there.
        """
        place = place_of(peer)
        if self._tokens is None:
            return self._certified(certificate_name, place) if self._by_certificate else EVERYBODY
        token = _token_in(metadata)
        guest = (place, hashlib.sha256((token or "").encode(errors="replace")).digest())
        if self._is_shut(place) and guest not in self._guests:
            raise ShutDoorError(
                "too many calls without a valid token came from your machine: wait a minute, then pass yours"
            )
        try:
            identity = None if token is None else self._tokens.identity_of(token)
        except StaleTokenError as error:
            # Nobody guessed it: an old token of one artist must not keep others of the house out.
            error.is_first = self._note_stale(place, str(error))
            raise
        if identity is not None:
            self._remember(guest)
            return identity
        self._count(place, "no token" if token is None else "a token that nobody has")
        if token is None:
            raise AccessDeniedError("this server asks for a token: pass yours with the call")
        raise AccessDeniedError("the server does not know this token: ask its keeper for a new one")

    def check_still(self, metadata: Iterable[tuple[str, str | bytes]], identity: Identity) -> None:
        """See that a call that is under way may go on; nobody is counted.

        Args:
            metadata: Of the call.
            identity: Who it was let in as.

        Raises:
            EndedTokenError: Its token's time has run out.
            AccessDeniedError: Its token was taken back.
        """
        if self._tokens is None:
            return
        token = _token_in(metadata)
        now: Identity | None = None
        try:
            now = None if token is None else self._tokens.identity_of(token)
        except ExpiredTokenError as error:
            raise EndedTokenError(
                "your token has ended while this ran, and it was stopped: it goes on with a fresh one, which "
                "the server's keeper makes. What was finished is kept in the session"
            ) from error
        except StaleTokenError:
            pass
        if now is None or now.account != identity.account:
            raise AccessDeniedError(
                "your token was taken back while this ran, and it was stopped: ask the server's keeper for "
                "another one. What was finished is kept in the session"
            )

    def refresh(self) -> None:
        """Read changed tokens; off the event loop."""
        if self._tokens is not None:
            self._tokens.refresh()

    def _certified(self, name: str | None, place: str) -> Identity:
        try:
            return named_by_others(named(name or ""))
        except BadInputError as error:
            self._count(place, "a certificate that names no user")
            raise AccessDeniedError(
                "your certificate names no user: its common name has to be user, or tenant/user"
            ) from error

    def _is_shut(self, place: str) -> bool:
        tries = self._tries.get(place)
        return tries is not None and self._counted(place).wrong >= WRONG_TOKENS

    def _counted(self, place: str) -> _Tries:
        tries = self._tries.get(place)
        if tries is None or self._clock_s() - tries.since_s >= WINDOW_S:
            tries = self._tries[place] = _Tries(self._clock_s())
            while len(self._tries) > _MOST_PLACES:
                self._tries.popitem(last=False)
        return tries

    def _note_stale(self, place: str, why: str) -> bool:
        tries = self._counted(place)
        tries.stale += 1
        if tries.stale <= WRONG_TOKENS:
            _log.warning("refused a call from %s: %s", place, why)
        return tries.stale <= WRONG_TOKENS

    def _count(self, place: str, what: str) -> None:
        tries = self._counted(place)
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
