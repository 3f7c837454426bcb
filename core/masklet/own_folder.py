"""Temporary folders that say whose they are: what a killed process left is found and removed by the next.

The mark of a living owner is a lock on a file in the folder. The system takes it away when the process ends,
however it ends; so a folder whose mark can be locked has no owner any more.
"""

from __future__ import annotations

import math
import os
import stat
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK = ".owner"


class OwnFolder:
    """A temporary folder of this process, for its user alone.

    Args:
        prefix: Begins its name; :func:`remove_abandoned` finds it by that.
        parent: Where it is made; None for the system's own place.

    Raises:
        OSError: It cannot be made there.
    """

    def __init__(self, prefix: str, *, parent: Path | None = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        mark = self.path / _MARK
        # Locked before it has its name: nobody sees a mark without its lock. On Windows an open file keeps
        # the name that it has.
        fresh = mark if sys.platform == "win32" else self.path / f"{_MARK}.new"
        self._mark: int | None = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        with suppress(OSError):
            # A disk without locks keeps what a killed process leaves: nobody can tell whether it lives.
            lock_file(self._mark)
            fresh.replace(mark)

    def remove(self, *, within_s: float = math.inf) -> bool:
        """Delete the folder with all that is in it; twice is fine.

        Args:
            within_s: After this time the rest is left to the next :func:`remove_abandoned`.

        Returns:
            False where something was left.
        """
        mark, self._mark = self._mark, None
        if mark is None:
            return not self.path.exists()
        until_s = time.monotonic() + within_s
        return _remove(self.path, mark, lambda: time.monotonic() >= until_s)


def remove_abandoned(
    prefix: str, *, parent: Path | None = None, stop: Callable[[], bool] = lambda: False
) -> int:
    """Delete folders of :class:`OwnFolder` whose processes have ended without doing so.

    Only those of this user, and only those that carry a mark that nobody holds: what other programs, living
    processes or other users have there stays.

    Args:
        prefix: As given to :class:`OwnFolder`.
        parent: The same.
        stop: Asked before every file; True leaves the rest.

    Returns:
        How many were deleted.
    """
    removed = 0
    try:
        found = sorted(Path(parent or tempfile.gettempdir()).glob(f"{prefix}*"))
    except OSError:
        return 0
    for folder in found:
        mark = None if stop() else _abandoned_mark(folder)
        if mark is not None:
            removed += _remove(folder, mark, stop)
    return removed


def remove_tree(folder: Path, *, stop: Callable[[], bool] = lambda: False) -> bool:
    """Delete a folder with all that is in it, following no links.

    Args:
        folder: Fine when there is none.
        stop: Asked before every file; True leaves the rest.

    Returns:
        False where something was left.
    """
    try:
        _empty(folder, stop)
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _empty(folder: Path, stop: Callable[[], bool], *, but: str = "") -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name == but:
                continue
            if stop():
                return
            if entry.is_dir(follow_symlinks=False):
                remove_tree(Path(entry.path), stop=stop)
            else:
                with suppress(OSError):
                    os.unlink(entry.path)


def _abandoned_mark(folder: Path) -> int | None:
    """The mark of a folder of ours, locked; None where somebody holds it or there is none."""
    try:
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or (hasattr(os, "getuid") and status.st_uid != os.getuid()):
            return None
        mark = os.open(folder / _MARK, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return None
    try:
        lock_file(mark)
    except OSError:
        os.close(mark)
        return None
    return mark


def _remove(folder: Path, mark: int, stop: Callable[[], bool]) -> bool:
    """Delete a folder whose mark is held; the mark goes last, so that what is left can be found."""
    is_empty = False
    with suppress(OSError):
        _empty(folder, stop, but=_MARK)
        is_empty = os.listdir(folder) == [_MARK]
    if sys.platform == "win32":
        # An open file cannot be deleted there.
        os.close(mark)
    if is_empty:
        with suppress(OSError):
            (folder / _MARK).unlink()
            folder.rmdir()
    if sys.platform != "win32":
        os.close(mark)
    return is_empty


def lock_file(handle: int, *, shared: bool = False) -> None:
    """Lock an open file for this process, or fail at once.

    Args:
        handle: Of the file.
        shared: Together with others that share it. Windows has no such locks: there it is one's own.

    Raises:
        OSError: Another one has it, or this disk knows no locks.
    """
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
