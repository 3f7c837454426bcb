"""Tokens in a file as they are: for a small studio, and for a server that a program starts for itself."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from pathlib import Path

from masklet.errors import BadInputError
from masklet_server.identity.caller import LOCAL_USER, Identity, as_typed, named
from masklet_server.identity.private_file import read_private
from masklet_server.identity.watched_file import WatchedFile

MIN_TOKEN_CHARACTERS = 16
MAX_TOKEN_CHARACTERS = 4096


class TokenTable:
    """Tokens and whose they are: users who may do all that artists do, and never keep the server.

    Args:
        owners: Whose, by token.
    """

    def __init__(self, owners: Mapping[str, Identity]) -> None:
        self._owners = dict(owners)

    @staticmethod
    def read(path: Path) -> TokenTable:
        """Tokens of a file: one a line, the token alone, ``user:token`` or ``tenant/user:token``.

        ``#`` begins a remark.

        Raises:
            BadInputError: The file cannot be read, can be changed by everybody, or holds no usable token.
        """
        content = read_private(path, "the token file", secret=True)
        try:
            # Notepad begins UTF-8 with a mark.
            lines = content.decode("utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise BadInputError(
                f"the token file {path} is not UTF-8 text: save it as UTF-8 (PowerShell's > writes UTF-16)"
            ) from error
        owners: dict[str, Identity] = {}
        for number, line in enumerate(lines, start=1):
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            name, colon, token = text.rpartition(":")
            if not MIN_TOKEN_CHARACTERS <= len(token) <= MAX_TOKEN_CHARACTERS:
                raise BadInputError(
                    f"line {number} of the token file has a token of {len(token)} characters: "
                    f"make it at least {MIN_TOKEN_CHARACTERS} long"
                )
            try:
                owners[token] = named(as_typed(name) if colon else LOCAL_USER)
            except BadInputError as error:
                raise BadInputError(f"line {number} of the token file: {error}") from error
        if not owners:
            raise BadInputError(f"the token file {path} holds no token: write one on a line of its own")
        return TokenTable(owners)

    def __len__(self) -> int:
        return len(self._owners)

    def identity_of(self, token: str) -> Identity | None:
        """Whose a token is; None for nobody's."""
        found, given = None, token.encode(errors="replace")
        # All of them, so that the time taken does not tell how far down a match was.
        for known, owner in self._owners.items():
            if hmac.compare_digest(known.encode(), given):
                found = owner
        return found


class TokenFile:
    """The tokens in a file, as it is now: a :class:`masklet_server.identity.caller.Source`.

    Args:
        path: The file.

    Raises:
        BadInputError: See :meth:`TokenTable.read`.
    """

    def __init__(self, path: Path) -> None:
        self._file = WatchedFile(path, TokenTable.read, "the token file")

    def identity_of(self, token: str) -> Identity | None:
        """As :meth:`TokenTable.identity_of`."""
        return self._file.content.identity_of(token)

    def refresh(self) -> None:
        """Read the file again where it has changed."""
        self._file.refresh()
