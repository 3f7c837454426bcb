"""Files that decide who gets in: tokens, certificates, keys. Not read where everybody may change them."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from masklet.errors import BadInputError

MAX_BYTES = 4 << 20

_log = logging.getLogger("masklet_server.identity")


def read_private(path: Path, what: str, *, secret: bool) -> bytes:
    """The content of a file that only its owner, and perhaps its group, may change.

    Args:
        path: The file, or a link to it.
        what: What messages call it: ``the token file``.
        secret: The log warns where everybody on the machine may read it.

    Raises:
        BadInputError: It cannot be read, is too large, or everybody on the machine may change or replace it.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(MAX_BYTES + 1)
        place_mode = path.parent.stat().st_mode
    except OSError as error:
        raise BadInputError(f"{what} {path} cannot be read: check the path and its permissions") from error
    if len(content) > MAX_BYTES:
        raise BadInputError(f"{what} {path} has more than 4 MiB: name another file")
    if os.name != "posix":
        # Elsewhere the mode says nothing about other users.
        return content
    if mode & stat.S_IWOTH:
        raise BadInputError(
            f"{what} {path} has the mode {_shown(mode)}, so that everybody on this machine may change it: "
            f"chmod o-w {path}"
        )
    if place_mode & stat.S_IWOTH and not place_mode & stat.S_ISVTX:
        raise BadInputError(
            f"{what} {path} lies in a folder of the mode {_shown(place_mode)}, where everybody on this "
            f"machine may replace it: chmod o-w {path.parent}"
        )
    if secret and mode & stat.S_IROTH:
        _log.warning("%s %s can be read by everybody on this machine: chmod 600 %s", what, path, path)
    return content


def _shown(mode: int) -> str:
    return f"{stat.S_IMODE(mode):04o}"
