"""One run of a job at a time: two would track the same shots, and each would take the other's for its own."""

from __future__ import annotations

import os
import socket
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
        BadInputError: Another run is at work; the message names its machine.
        OutputError: The share takes no files.
    """
    make_folder(places.run.parent)
    try:
        try:
            handle = os.open(places.run, os.O_RDWR | os.O_CREAT, 0o666)
        except PermissionError:
            # Somebody else has run the job before, in a folder that both may write into.
            handle = os.open(places.run, os.O_RDONLY)
    except OSError as error:
        raise OutputError(
            f"{places.run.name} cannot be written ({error.strerror}): make room on the share, or open it for "
            "the farm's user"
        ) from error
    try:
        try:
            lock_file(handle)
        except (BlockingIOError, PermissionError) as error:
            raise BadInputError(
                f"another masklet farm run is at work on this job{_where(places)}: look with masklet farm "
                "watch, or stop it there with Ctrl-C or here with masklet farm cancel"
            ) from error
        except OSError:
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
