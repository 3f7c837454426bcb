"""Tokens that the server's keeper makes: signed (JSON Web Tokens, HMAC with SHA-256), with an end, revocable.

A token counts when a key of the register signed it, its time has not run out, and the register has it and
does not say that it was taken back.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt

from masklet.scopes import in_order, scopes_named
from masklet_server.identity.caller import ExpiredTokenError, Identity, StaleTokenError
from masklet_server.identity.register import MadeToken, Register, change, when
from masklet_server.identity.verified import VerifiedTokens
from masklet_server.identity.watched_file import WatchedFile

ALGORITHM = "HS256"
ISSUER = AUDIENCE = "masklet-server"
CLOCK_LEEWAY_S = 120.0
"""By how much clocks of two machines may differ."""


class SignedTokens:
    """Signed tokens by their register, as it is now: a :class:`masklet_server.identity.caller.Source`.

    Args:
        path: The register.

    Raises:
        BadInputError: See :meth:`Register.read`.
    """

    def __init__(self, path: Path) -> None:
        self._file = WatchedFile(path, _Known.read, "the register of tokens")

    def identity_of(self, token: str) -> Identity | None:  # noqa: D102
        return self._file.content.identity_of(token)

    def refresh(self) -> None:  # noqa: D102
        self._file.refresh()


class _Known:
    """A register, ready to be asked."""

    def __init__(self, register: Register) -> None:
        self._secrets: Mapping[str, bytes] = {key.key_id: key.secret for key in register.keys}
        self._tokens: Mapping[str, MadeToken] = {token.token_id: token for token in register.tokens}
        # Gone with the first change of the register: a token that was taken back is looked at again.
        self._verified = VerifiedTokens()

    @staticmethod
    def read(path: Path) -> _Known:
        return _Known(Register.read(path))

    def identity_of(self, token: str) -> Identity | None:
        verified = self._verified.identity_of(token)
        if verified is not None:
            return verified
        try:
            header = jwt.get_unverified_header(token)
            secret = self._secrets.get(str(header.get("kid")))
            if secret is None:
                return None
            claims, has_expired = self._claims(token, secret)
        except jwt.ImmatureSignatureError as error:
            raise StaleTokenError(
                "your token does not count yet: the clock of the server, or of the machine that made the "
                "token, is wrong by more than two minutes"
            ) from error
        except (jwt.PyJWTError, ValueError, RecursionError):
            return None
        made = self._tokens.get(str(claims["jti"]))
        # First: what was taken back is not only old.
        if made is not None and made.revoked_s is not None:
            raise StaleTokenError("your token was taken back: ask the server's keeper for a new one")
        if has_expired:
            raise ExpiredTokenError("your token has expired: ask the server's keeper for a new one")
        if made is None:
            raise StaleTokenError(
                "your token is not on the server's list: where it is fresh, wait some seconds; otherwise ask "
                "the server's keeper for a new one"
            )
        identity = Identity(made.user, scopes_named(made.scopes), made.tenant, made.token_id)
        self._verified.add(token, identity, float(claims["exp"]) + CLOCK_LEEWAY_S)
        return identity

    @staticmethod
    def _claims(token: str, secret: bytes) -> tuple[dict[str, Any], bool]:
        """What a token says, once its signature is verified, and whether its time has run out."""

        def decoded(*, verify_exp: bool) -> dict[str, Any]:
            return jwt.decode(
                token,
                secret,
                # Whatever the token itself says of its algorithm.
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=CLOCK_LEEWAY_S,
                options={"require": ["exp", "iat", "jti", "sub"], "verify_exp": verify_exp},
            )

        try:
            return decoded(verify_exp=True), False
        except jwt.ExpiredSignatureError:
            return decoded(verify_exp=False), True


def make_token(path: Path, identity: Identity, lasts_s: float) -> tuple[str, MadeToken]:
    """A fresh token, which nothing keeps, and what the register says of it.

    Raises:
        BadInputError: See :meth:`Register.read` and :meth:`Register.with_token`.
        OutputError: The register cannot be written.
    """
    made: list[tuple[str, MadeToken]] = []

    def add(register: Register) -> Register:
        changed, token, key = register.with_token(identity, lasts_s, time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": identity.user,
            "tenant": identity.tenant,
            "scope": " ".join(scope.value for scope in in_order(identity.scopes)),
            "jti": token.token_id,
            "iat": int(token.made_s),
            "exp": int(token.expires_s),
        }
        made.append((jwt.encode(claims, key.secret, algorithm=ALGORITHM, headers={"kid": key.key_id}), token))
        return changed

    change(path, add)
    return made[0]


def revoke_token(path: Path, token_id: str) -> MadeToken:
    """Take a token back, by its id or a beginning of it that no other has.

    Raises:
        BadInputError: There is no such token, or no register.
        OutputError: The register cannot be written.
    """
    gone: list[MadeToken] = []

    def revoke(register: Register) -> Register:
        changed, token = register.revoked(token_id, time.time())
        gone.append(token)
        return changed

    change(path, revoke)
    return gone[0]


def rotate_key(path: Path) -> None:
    """Have a fresh key sign from now on; tokens that others signed count until they expire.

    Raises:
        BadInputError: There is no register that can be read.
        OutputError: It cannot be written.
    """
    change(path, lambda register: register.with_key(time.time()))


def state_of(token: MadeToken, now_s: float) -> str:
    """How a token stands, for people."""
    if token.revoked_s is not None:
        return f"revoked {when(token.revoked_s)}"
    return f"expired {when(token.expires_s)}" if token.expires_s <= now_s else "counts"
