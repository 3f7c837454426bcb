"""Who calls: bearer tokens, and the user of the call in hand."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path

from masklet.errors import BadInputError
from masklet_server.service.private_file import read_private

LOCAL_USER = "local"
"""Everybody, on a server without tokens."""
MIN_TOKEN_CHARACTERS = 16
MAX_TOKEN_CHARACTERS = 4096

current_user: ContextVar[str] = ContextVar("masklet_user", default=LOCAL_USER)
"""Set by the interceptor for every call."""

_log = logging.getLogger("masklet_server.service")


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

    def __len__(self) -> int:
        return len(self._users)

    def user_of(self, token: str) -> str | None:
        """The user whose token this is; None for nobody's."""
        found = None
        # All of them, so that the time taken does not tell how far down a match was.
        for known, user in self._users.items():
            if hmac.compare_digest(known.encode(), token.encode(errors="replace")):
                found = user
        return found


class TokenFile:
    """The tokens in a file, as it is now.

    Args:
        path: The file.

    Raises:
        BadInputError: See :meth:`TokenTable.read`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = self._look()
        self._table = TokenTable.read(path)

    def user_of(self, token: str) -> str | None:
        """As :meth:`TokenTable.user_of`."""
        return self._table.user_of(token)

    def refresh(self) -> None:
        """Read the file again where it has changed; it may block, so call it off the event loop.

        A file that cannot be used, because it is half written or gone, changes nothing: the log says so, and
        the tokens of before stay.
        """
        seen = self._look()
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._table = TokenTable.read(self._path)
        except BadInputError as error:
            _log.error("the tokens stay as they were: %s", error)
        else:
            _log.info("the token file was read again: it holds %d tokens", len(self._table))

    def _look(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        # The time of the status as well: a restored mode or an old file moved here changes nothing else.
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
