"""Who calls: bearer tokens, and the user of the call in hand."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from pathlib import Path

from masklet.errors import AccessDeniedError, BadInputError

LOCAL_USER = "local"
"""Everybody, on a server without tokens."""
MIN_TOKEN_CHARACTERS = 16
MAX_TOKEN_CHARACTERS = 4096

current_user: ContextVar[str] = ContextVar("masklet_user", default=LOCAL_USER)
"""Set by the interceptor for every call."""


class TokenTable:
    """Tokens and whose they are.

    Args:
        users: User by token.
    """

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = dict(users)

    @staticmethod
    def read(path: Path) -> TokenTable:
        """Tokens of a file: one a line, either the token alone or ``user:token``; ``#`` begins a remark.

        Raises:
            BadInputError: The file cannot be read or holds no usable token.
        """
        try:
            # Notepad begins UTF-8 with a mark.
            lines = path.read_text(encoding="utf-8-sig").splitlines()
        except OSError as error:
            raise BadInputError(
                f"the token file {path} cannot be read: check the path and its permissions"
            ) from error
        except UnicodeDecodeError as error:
            raise BadInputError(
                f"the token file {path} is not UTF-8 text: save it as UTF-8 (PowerShell's > writes UTF-16)"
            ) from error
        users: dict[str, str] = {}
        for number, line in enumerate(lines, start=1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            user, colon, token = text.rpartition(":")
            if not MIN_TOKEN_CHARACTERS <= len(token) <= MAX_TOKEN_CHARACTERS:
                raise BadInputError(
                    f"line {number} of the token file has a token of {len(token)} characters: "
                    f"make it at least {MIN_TOKEN_CHARACTERS} long"
                )
            users[token] = user if colon else LOCAL_USER
        if not users:
            raise BadInputError(f"the token file {path} holds no token: write one on a line of its own")
        return TokenTable(users)

    def user_of(self, metadata: Iterable[tuple[str, str | bytes]]) -> str:
        """The user whose token the call brought.

        Raises:
            AccessDeniedError: There is no token, or nobody's.
        """
        values = [value for key, value in metadata if key == "authorization"]
        value = values[0] if values else ""
        scheme, _, given = (value if isinstance(value, str) else "").partition(" ")
        if scheme.lower() != "bearer" or not given:
            raise AccessDeniedError("this server asks for a token: pass yours with the call")
        found = None
        # All of them, so that the time taken does not tell how far down a match was.
        for token, user in self._users.items():
            if hmac.compare_digest(token.encode(), given.encode()):
                found = user
        if found is None:
            raise AccessDeniedError("the server does not know this token: ask its keeper for a new one")
        return found
