"""Tokens of the studio's own provider (OpenID Connect), verified against its key set without asking anybody.

The key set is a file that the server's keeper fetches; the server itself opens no connection. Keys decide
which algorithms may sign with them, tokens do not: a public key never verifies an HMAC.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from masklet.errors import BadInputError
from masklet.scopes import Scope, scopes_named
from masklet_server.identity.caller import (
    DEFAULT_TENANT,
    ExpiredTokenError,
    Identity,
    StaleTokenError,
    check_name,
    named_by_others,
)
from masklet_server.identity.oidc_settings import OidcSettings
from masklet_server.identity.private_file import read_private
from masklet_server.identity.signed_tokens import CLOCK_LEEWAY_S
from masklet_server.identity.verified import VerifiedTokens
from masklet_server.identity.watched_file import WatchedFile

MAX_KEYS = 100
MIN_RSA_BITS = 2048
SCOPE_PREFIXES = ("masklet:", "masklet.")
_ALGORITHMS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("RSA", ""): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
"""Which may sign with a key, by its type and curve."""

_log = logging.getLogger("masklet_server.identity")


class OidcTokens:
    """A :class:`masklet_server.identity.caller.Source` of the provider's tokens.

    Args:
        settings: What is known of it.

    Raises:
        BadInputError: The key set cannot be read or has no key that can be used, or ``cryptography`` is not
            installed.
    """

    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self._keys = WatchedFile(settings.key_set, lambda path: _Known(read_key_set(path)), "the key set")

    def refresh(self) -> None:  # noqa: D102
        self._keys.refresh()

    def identity_of(self, token: str) -> Identity | None:  # noqa: D102
        settings, known = self._settings, self._keys.content
        verified = known.verified.identity_of(token)
        if verified is not None:
            return verified
        try:
            header = jwt.get_unverified_header(token)
            key = known.keys.get(str(header.get("kid", "")))
            if key is None or header.get("alg") not in key.algorithms:
                return None
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=list(key.algorithms),
                audience=settings.audience,
                issuer=settings.issuer,
                leeway=CLOCK_LEEWAY_S,
                options={"require": ["exp", "iat", "iss", "aud", settings.user_claim]},
            )
            identity = self._identity(claims)
        except jwt.ExpiredSignatureError as error:
            raise ExpiredTokenError("your token has expired: sign in again") from error
        except jwt.ImmatureSignatureError as error:
            raise StaleTokenError(
                "your token does not count yet: the clock of the server or of the provider is wrong by more "
                "than two minutes"
            ) from error
        except (jwt.PyJWTError, BadInputError, ValueError, RecursionError) as error:
            # Its signature or what it claims; for the keeper, who has to set both up. Never the token.
            _log.warning("a token of the provider was refused: %s", error)
            return None
        known.verified.add(token, identity, float(claims["exp"]) + CLOCK_LEEWAY_S)
        return identity

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        settings = self._settings
        user = check_name(_text(claims, settings.user_claim), "user")
        tenant = DEFAULT_TENANT
        if settings.tenant_claim is not None:
            tenant = check_name(_text(claims, settings.tenant_claim), "tenant")
        return named_by_others(Identity(user, _scopes(claims.get(settings.scope_claim)), tenant))


@dataclass(frozen=True)
class ProviderKey:
    """A public key and what may sign with it."""

    key: Any
    algorithms: tuple[str, ...]


class _Known:
    """A key set, and what was verified with it."""

    def __init__(self, keys: Mapping[str, ProviderKey]) -> None:
        self.keys = keys
        self.verified = VerifiedTokens()


def read_key_set(path: Path) -> dict[str, ProviderKey]:
    """The keys of a set that can verify tokens, by their ids; empty for one without an id.

    Raises:
        BadInputError: There are none, or ``cryptography`` is not installed.
    """
    try:
        import cryptography  # noqa: F401
    except ImportError as error:
        raise BadInputError(
            "tokens of a provider need a package that is not installed: pip install 'masklet[oidc]'"
        ) from error
    content = read_private(path, "the key set", secret=False)
    try:
        members = json.loads(content)["keys"]
        keys = [each for each in members if isinstance(each, dict)]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise BadInputError(
            f"the key set {path} is none (JWKS): fetch it again from the provider's jwks_uri"
        ) from error
    if len(keys) > MAX_KEYS:
        raise BadInputError(f"the key set {path} has {len(keys)} keys: name the right file")
    found: dict[str, ProviderKey] = {}
    for each in keys:
        usable = _usable(each)
        if usable is not None:
            found[str(each.get("kid", ""))] = usable
    if not found:
        raise BadInputError(
            f"the key set {path} has no key that verifies tokens: it needs public keys of RSA (2048 bits or "
            "more), ECDSA or Ed25519"
        )
    return found


def _usable(member: Mapping[str, Any]) -> ProviderKey | None:
    """A key for signatures; None for secrets, for keys that encrypt, for what is damaged or too short."""
    kind, curve = str(member.get("kty", "")), str(member.get("crv", ""))
    allowed = _ALGORITHMS.get((kind, curve if kind != "RSA" else ""))
    if allowed is None or member.get("use", "sig") != "sig":
        return None
    only = member.get("alg")
    algorithms = allowed if only is None else tuple(each for each in allowed if each == only)
    if not algorithms:
        return None
    try:
        key = jwt.PyJWK(dict(member), algorithms[0]).key
    except (jwt.PyJWTError, ValueError, TypeError):
        _log.warning("a key of the provider cannot be used: it is damaged")
        return None
    if kind == "RSA" and key.key_size < MIN_RSA_BITS:
        _log.warning("a key of the provider is not used: it has fewer than %d bits", MIN_RSA_BITS)
        return None
    return ProviderKey(key, algorithms)


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str):
        raise BadInputError(f"its claim {name} is missing or no text")
    return value


def _scopes(value: Any) -> frozenset[Scope]:
    """Scopes in a claim; words that are not for masklet say nothing."""
    words = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
    known = {scope.value for scope in Scope}
    names = {
        word[len(prefix) :]
        for word in words
        if isinstance(word, str)
        for prefix in SCOPE_PREFIXES
        if word.startswith(prefix)
    }
    return scopes_named(names & known) if names & known else frozenset()
