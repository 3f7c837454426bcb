"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from masklet.errors import OutputError, PathNotAllowedError
from masklet_server.fence import place_of

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_HOLDS_FOLDERS = {os.open, os.mkdir, os.rename, os.unlink} <= os.supports_dir_fd
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

    @cached_property
    def sha256(self) -> str:
        """Of its bytes, in hexadecimal; made once, by whoever asks first."""
        return hashlib.sha256(self.data).hexdigest()


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


def write_whole(path: Path, data: bytes, *, allowed: Callable[[Path], bool] = lambda _: True) -> None:
    """Store bytes under ``path``: readers see the old file or the new one, never half of one.

    Args:
        path: The file; its folder is made where only that is missing.
        data: Its bytes.
        allowed: Told where the open folder lies, without links; where it says no, nothing is written.

    Raises:
        OutputError: The folder is missing, read-only or full; nothing is left behind.
        PathNotAllowedError: The folder is not allowed.
    """
    # Hidden and random: a sequence reader must not take it for a frame, nor two writers for theirs.
    temporary = f".{path.name}.{secrets.token_hex(4)}.part"
    try:
        with _held(path.parent, allowed) as folder:
            try:
                with folder.create(temporary) as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                folder.rename(temporary, path.name)
            except BaseException:
                with contextlib.suppress(OSError):
                    folder.remove(temporary)
                raise
    except OSError as error:
        raise _output_error(path, error) from error


class _Held:
    """A folder that is held open: files get into this one, whatever its path means meanwhile.

    Where the system cannot do that (Windows), files are named by their paths.
    """

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self._path = path
        self._descriptor = descriptor

    def create(self, name: str) -> BinaryIO:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        return os.fdopen(os.open(self._named(name), flags, 0o666, dir_fd=self._descriptor), "wb")

    def rename(self, old: str, new: str) -> None:
        here = self._descriptor
        os.replace(self._named(old), self._named(new), src_dir_fd=here, dst_dir_fd=here)

    def remove(self, name: str) -> None:
        os.unlink(self._named(name), dir_fd=self._descriptor)

    def _named(self, name: str) -> str | Path:
        return name if self._descriptor is not None else self._path / name


@contextlib.contextmanager
def _held(path: Path, allowed: Callable[[Path], bool]) -> Iterator[_Held]:
    """A folder, made where it is missing, once it is known to lie where files may be written."""
    if not _HOLDS_FOLDERS:
        path.mkdir(exist_ok=True)
        _check(path, path.resolve(), allowed)
        yield _Held(path, None)
        return
    try:
        descriptor = _descriptor_of(path)
    except FileNotFoundError:
        above = _descriptor_of(path.parent)
        try:
            _check(path.parent, place_of(above, path.parent), allowed)
            with contextlib.suppress(FileExistsError):
                os.mkdir(path.name, dir_fd=above)
            descriptor = _descriptor_of(path.name, above)
        finally:
            os.close(above)
    try:
        _check(path, place_of(descriptor, path), allowed)
        yield _Held(path, descriptor)
    finally:
        os.close(descriptor)


def _descriptor_of(path: Path | str, above: int | None = None) -> int:
    # Where a folder may be entered and not be listed, only the first of the two opens it.
    how = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
    return os.open(path, how, dir_fd=above)


def _check(path: Path, place: Path | None, allowed: Callable[[Path], bool]) -> None:
    if place is None or not allowed(place):
        raise PathNotAllowedError(
            f"{path.name} is a link out of the folders that may be written to: name the folder itself"
        )


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
