"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from masklet.errors import OutputError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@dataclass(frozen=True)
class RenderedFile:
    """One finished file that nobody has stored yet.

    Attributes:
        relative_name: Where it belongs under the output folder, with forward slashes.
        frame: The plate's own number; None for a file about the whole clip.
        data: Its bytes.
    """

    relative_name: str
    frame: int | None
    data: bytes = field(repr=False)


def write_files(folder: Path, files: Iterable[RenderedFile]) -> Iterator[Path]:
    """Store files as they come and yield the path of each one that is safely on disk.

    Files already stored stay there when a later one fails.

    Raises:
        OutputError: The folder is missing, read-only or full.
    """
    prepare_folder(folder)
    for file in files:
        path = folder.joinpath(*PurePosixPath(file.relative_name).parts)
        write_whole(path, file.data)
        yield path


def prepare_folder(folder: Path) -> None:
    """Make sure that the output folder exists; only its last part is created.

    Raises:
        OutputError: Its parent is missing (a typing error, usually), it is a file, or it may not be
            created.
    """
    try:
        folder.mkdir(exist_ok=True)
    except FileNotFoundError:
        raise OutputError(
            f"the output folder {folder.name} cannot be made, the folder above it does not exist: "
            "check the path or create it."
        ) from None
    except FileExistsError:
        raise OutputError(f"the output folder {folder.name} is a file: choose another name.") from None
    except OSError as error:
        raise _output_error(folder, error) from error


def write_whole(path: Path, data: bytes) -> None:
    """Store bytes under ``path``: readers see the old file or the new one, never half of one.

    Raises:
        OutputError: The folder is missing, read-only or full; nothing is left behind.
    """
    # Hidden and random: a sequence reader must not take it for a frame, nor two writers for theirs.
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        try:
            with temporary.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _output_error(path, error) from error


def _output_error(path: Path, error: OSError) -> OutputError:
    if error.errno in _FULL:
        reason = "the disk is full: free some space and export again, finished files are kept"
    elif error.errno in _READ_ONLY:
        reason = "the folder is read-only: change its permissions or choose another"
    elif error.errno in (errno.ENOENT, errno.ENOTDIR):
        reason = "its folder does not exist: create it or check the path"
    else:
        reason = f"the system reports {error.strerror}: check the disk and export again"
    return OutputError(f"{path.name} cannot be written, {reason}.")
