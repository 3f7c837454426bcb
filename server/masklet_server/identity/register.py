"""The register of signed tokens: the keys that sign, and which tokens were made; never a token itself."""

from __future__ import annotations

import base64
import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from masklet.errors import BadInputError, OutputError
from masklet.own_folder import lock_file
from masklet.scopes import in_order, scopes_named
from masklet_server.identity.caller import DEFAULT_TENANT, Identity, check_name
from masklet_server.identity.private_file import read_private

FORMAT = 1
KEY_BYTES = 32
ID_BYTES = 6
MAX_TOKENS = 10_000
LISTED_FOR_S = 30 * 86400.0
"""How long a token that has expired stays on the list."""
_LOCK_TRIES, _LOCK_PAUSE_S = 50, 0.1


@dataclass(frozen=True)
class SigningKey:
    """A secret that signs tokens.

    Attributes:
        key_id: Named in each token that it signs.
        secret: 256 random bits.
        made_s: When, in seconds of Unix time.
    """

    key_id: str
    secret: bytes
    made_s: float


@dataclass(frozen=True)
class MadeToken:
    """A token that was made, as the list shows it.

    Attributes:
        token_id: By which it is revoked.
        user: Whose it is.
        tenant: Whose tenant.
        scopes: What it is good for.
        made_s: When, in seconds of Unix time.
        expires_s: When it stops to count.
        key_id: Of the key that signed it.
        revoked_s: When it was taken back; None while it counts.
    """

    token_id: str
    user: str
    tenant: str
    scopes: tuple[str, ...]
    made_s: float
    expires_s: float
    key_id: str
    revoked_s: float | None = None


@dataclass(frozen=True)
class Register:
    """Keys and tokens; the last key signs, all of them verify."""

    keys: tuple[SigningKey, ...] = ()
    tokens: tuple[MadeToken, ...] = ()

    @staticmethod
    def read(path: Path) -> Register:
        """The register in a file.

        Raises:
            BadInputError: It cannot be read, can be changed by everybody, or is no register.
        """
        content = read_private(path, "the register of tokens", secret=True)
        try:
            table = json.loads(content)
            if table["format"] > FORMAT:
                raise BadInputError(f"a later masklet wrote the register of tokens {path}: update the server")
            return Register(
                tuple(
                    SigningKey(str(each["key_id"]), base64.b64decode(each["secret"]), float(each["made_s"]))
                    for each in table["keys"]
                ),
                tuple(_token(each) for each in table["tokens"]),
            )
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise BadInputError(
                f"the register of tokens {path} is damaged: put back a copy of it, or delete it and make "
                "all tokens anew"
            ) from error

    def with_key(self, now_s: float) -> Register:
        """With a fresh key, which signs from now on; keys that signed nothing that still counts are gone."""
        used = {token.key_id for token in self.tokens if token.expires_s > now_s and token.revoked_s is None}
        key = SigningKey(secrets.token_hex(ID_BYTES), secrets.token_bytes(KEY_BYTES), now_s)
        return replace(self, keys=(*(each for each in self.keys if each.key_id in used), key))

    def with_token(
        self, identity: Identity, lasts_s: float, now_s: float
    ) -> tuple[Register, MadeToken, SigningKey]:
        """With one more token, that token, and the key to sign it with.

        Raises:
            BadInputError: There are too many already.
        """
        register = self if self.keys else self.with_key(now_s)
        key = register.keys[-1]
        kept = tuple(each for each in register.tokens if each.expires_s + LISTED_FOR_S > now_s)
        if len(kept) >= MAX_TOKENS:
            raise BadInputError(
                f"there are {len(kept)} tokens already: let artists in by the studio's own provider (OIDC)"
            )
        token = MadeToken(
            secrets.token_hex(ID_BYTES),
            identity.user,
            identity.tenant,
            tuple(scope.value for scope in in_order(identity.scopes)),
            now_s,
            now_s + lasts_s,
            key.key_id,
        )
        return replace(register, tokens=(*kept, token)), token, key

    def revoked(self, token_id: str, now_s: float) -> tuple[Register, MadeToken]:
        """Without a token, and that token.

        Raises:
            BadInputError: There is none of this id, or several begin so.
        """
        found = [each for each in self.tokens if token_id and each.token_id.startswith(token_id)]
        if len(found) != 1:
            raise BadInputError(
                f"{len(found) or 'no'} tokens begin with {token_id!r}: masklet-server token list shows them"
            )
        token = found[0] if found[0].revoked_s is not None else replace(found[0], revoked_s=now_s)
        tokens = tuple(token if each.token_id == token.token_id else each for each in self.tokens)
        return replace(self, tokens=tokens), token


def change(path: Path, make: Callable[[Register], Register]) -> None:
    """Change a register, one process after the other; made where it is not there, for this user alone.

    Raises:
        BadInputError: See :meth:`Register.read`.
        OutputError: It cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(path):
            register = make(Register.read(path) if path.exists() else Register())
            _write(path, register)
    except OSError as error:
        raise OutputError(
            f"the register of tokens {path} cannot be written ({error.strerror}): check its folder"
        ) from error


def when(time_s: float) -> str:
    """A time for people, in UTC."""
    return datetime.fromtimestamp(time_s, timezone.utc).strftime("%Y-%m-%d %H:%M UTC")


def _token(content: Any) -> MadeToken:
    token = MadeToken(**{**content, "scopes": tuple(content["scopes"])})
    check_name(token.user, "user")
    check_name(token.tenant or DEFAULT_TENANT, "tenant")
    scopes_named(token.scopes)
    return token


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    handle = os.open(path.with_name(f".{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        for attempt in range(_LOCK_TRIES):
            try:
                lock_file(handle)
                break
            except OSError:
                if attempt == _LOCK_TRIES - 1:
                    raise
                time.sleep(_LOCK_PAUSE_S)
        yield
    finally:
        os.close(handle)


def _write(path: Path, register: Register) -> None:
    table = {
        "format": FORMAT,
        "keys": [{**asdict(key), "secret": base64.b64encode(key.secret).decode()} for key in register.keys],
        "tokens": [asdict(token) for token in register.tokens],
    }
    # Readable for its user alone from the first byte on.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(table, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
