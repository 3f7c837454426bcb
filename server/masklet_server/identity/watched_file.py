"""A file that counts as it is now: read again whenever it has changed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from masklet.errors import BadInputError

_Content = TypeVar("_Content")

_log = logging.getLogger("masklet_server.identity")


class WatchedFile(Generic[_Content]):
    """What a file says.

    Attributes:
        content: As it was read last.

    Args:
        path: The file.
        read: Reads it; raises BadInputError where it cannot be used.
        what: For the log: ``the token file``.

    Raises:
        BadInputError: It cannot be used at the start.
    """

    def __init__(self, path: Path, read: Callable[[Path], _Content], what: str) -> None:
        self._path = path
        self._read = read
        self._what = what
        self._seen = self._told = self._look()
        self.content = read(path)

    def refresh(self) -> None:
        """Read the file again where it has changed; it may block, so call it off the event loop.

        A file that cannot be used, because it is half written or gone, changes nothing: the log says so once.
        It is tried again each time, as the disk, or this process's files, may have been at fault.
        """
        seen = self._look()
        is_news, self._told = seen != self._told, seen
        if seen == self._seen:
            return
        if not self._path.is_file():
            # Gone, or a pipe, which whoever reads it would wait at.
            if is_news:
                _log.error("%s stays as it was: there is no file %s any more", self._what, self._path)
            return
        try:
            self.content = self._read(self._path)
        except BadInputError as error:
            if is_news:
                _log.error("%s stays as it was: %s", self._what, error)
        else:
            self._seen = seen
            _log.info("%s was read again", self._what)

    def _look(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        # The time of the status as well: a restored mode or an old file moved here changes nothing else.
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
