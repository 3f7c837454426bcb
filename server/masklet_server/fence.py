"""The folders that files are opened in, and no others: asked again whenever one is opened.

A path that was looked at once may lead elsewhere a moment later: a frame becomes a link, a folder is moved
and a link takes its place. So what counts is where an open file lies, which the system knows of its
descriptor.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from masklet.errors import PathNotAllowedError

_DESCRIPTORS = Path("/proc/self/fd")


@dataclass(frozen=True)
class Fence:
    """Where files may be opened.

    Attributes:
        folders: Without links in them; None for everywhere, as for who runs a command on the own machine.
    """

    folders: tuple[Path, ...] | None = None

    @staticmethod
    def around(folders: Sequence[Path]) -> Fence:
        """The fence around folders, links in their paths followed."""
        return Fence(tuple(folder.resolve() for folder in folders))

    def holds(self, resolved: Path) -> bool:
        """True for one of the folders and what lies below them.

        Args:
            resolved: A path without links.
        """
        if self.folders is None:
            return True
        return any(resolved == folder or folder in resolved.parents for folder in self.folders)

    @contextmanager
    def opened(self, path: Path, name: str) -> Iterator[BinaryIO]:
        """A file, open for reading; a pipe is opened without waiting for its other end.

        Args:
            path: The file.
            name: What messages call it.

        Raises:
            OSError: It cannot be opened.
            PathNotAllowedError: It lies outside.
        """
        waiting = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        try:
            descriptor = os.open(path, os.O_RDONLY | waiting)
        except PermissionError:
            # A process that is kept to these folders is not even let look at others.
            if not self.holds(path.resolve()):
                raise outside(name) from None
            raise
        with os.fdopen(descriptor, "rb") as file:
            if self.folders is not None:
                place = place_of(file.fileno(), path)
                if place is None or not self.holds(place):
                    raise outside(name)
            yield file

    def check(self, path: Path, name: str) -> None:
        """See that a path leads to a file inside; for after a library has opened it by the path.

        Raises:
            PathNotAllowedError: It lies outside, or cannot be opened any more.
        """
        if self.folders is None:
            return
        try:
            with self.opened(path, name):
                return
        except OSError as error:
            raise outside(name) from error


ANYWHERE = Fence()


def place_of(descriptor: int, path: Path) -> Path | None:
    """Where an open file or folder lies, without links; None where it lies there no more.

    Args:
        descriptor: Of the file.
        path: Under which it was opened.
    """
    if sys.platform == "linux":
        with suppress(OSError):
            return Path(os.readlink(_DESCRIPTORS / str(descriptor)))
    with suppress(OSError, RuntimeError):
        resolved = path.resolve(strict=True)
        if os.path.samestat(resolved.lstat(), os.fstat(descriptor)):
            return resolved
    return None


def outside(name: str) -> PathNotAllowedError:
    """The refusal of a file that lies outside."""
    return PathNotAllowedError(f"{name} is a link to a place this server may not read: copy the file itself")
