"""One run of a job at a time: two would track the same shots, and each would take the other's for its own."""

from __future__ import annotations

import errno
import os
import socket
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, OutputError
from masklet.farm.share import make_folder
from masklet.own_folder import lock_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet.farm.places import JobPlaces

_MOST_WORDS = 200


@contextmanager
def only_run(places: JobPlaces) -> Iterator[None]:
    """Be the only run of a job for the length of a ``with``; the system ends that with the process.

    Where the share knows no locks, nobody is kept out.

    Raises:
        BadInputError: Another run is at work, and the message names its machine; or it cannot be seen whether
            one is.
        OutputError: The share takes no files.
    """
    make_folder(places.run.parent)
    try:
        try:
            # No link is followed: what it leads to would be emptied, and opened for all.
            handle = os.open(places.run, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except PermissionError:
            # Somebody else has run the job before, in a folder that both may write into.
            handle = os.open(places.run, os.O_RDONLY)
    except OSError as error:
        raise OutputError(
            f"{places.run.name} cannot be written ({error.strerror}): make room on the share, or open it for "
            "the farm's user"
        ) from error
    try:
        if sys.platform != "win32":
            # NFS locks only what may be written, and the next user runs the job, too.
            with suppress(OSError):
                os.fchmod(handle, 0o666)
        try:
            lock_file(handle)
        except (BlockingIOError, PermissionError) as error:
            raise BadInputError(
                f"another masklet farm run is at work on this job{_where(places)}: look with masklet farm "
                "watch, or stop it there with Ctrl-C or here with masklet farm cancel; where that machine is "
                f"gone for good, delete {places.run}"
            ) from error
        except OSError as error:
            if error.errno == errno.EBADF:
                raise BadInputError(
                    f"another user has run this job{_where(places)}, and this share does not tell whether "
                    "that run is still at work: look with masklet farm watch; where nothing is at work, "
                    f"delete {places.run}"
                ) from error
            yield
            return
        with suppress(OSError):
            os.ftruncate(handle, 0)
            os.write(handle, f"on {socket.gethostname()}, process {os.getpid()}\n".encode())
        yield
    finally:
        os.close(handle)


def _where(places: JobPlaces) -> str:
    with suppress(OSError):
        words = places.run.read_text(encoding="utf-8", errors="replace")[:_MOST_WORDS].strip()
        return f" ({words})" if words else ""
    return ""


def check_no_run(places: JobPlaces) -> None:
    """See that nobody runs a job; errors as in :func:`only_run`."""
    with only_run(places):
        pass
