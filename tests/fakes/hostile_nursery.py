"""A nursery whose decoders do harm when certain frames are read, as if a file had taken them over."""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from masklet.errors import ClipError
from masklet_server.media.sequence import PictureClip
from masklet_server.sandbox import nursery

_forked = [0]


def _connect() -> object:
    return socket.create_connection(("127.0.0.1", 1), timeout=1.0)


def _send_udp() -> object:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def _unix_socket() -> object:
    return socket.socket(socket.AF_UNIX)


def _execute() -> object:
    return os.execv("/bin/true", ["true"])


def _fork() -> object:
    return os.fork()


def _read_outside() -> object:
    return Path("/etc/hostname").read_bytes()


def _read_memory_of_the_server() -> object:
    return Path(f"/proc/{NURSERY[0]}/mem").open("rb")


def _list_outside() -> object:
    return os.listdir("/etc")


def _write_inside() -> object:
    return (Path(HERE[0]) / "written").write_bytes(b"1")


def _remove_inside() -> object:
    return (Path(HERE[0]) / "plate.0001.png").unlink()


def _kill_parent() -> object:
    return os.kill(NURSERY[0], 9)


def _trace_parent() -> object:
    if ctypes.CDLL(None, use_errno=True).ptrace(16, NURSERY[0], 0, 0) == -1:
        raise OSError(ctypes.get_errno(), "ptrace")
    return None


def _raise_limits() -> object:
    import resource

    return resource.setrlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _allocate() -> object:
    return np.ones(1 << 32, np.uint8)


def _hang() -> object:
    while True:
        pass


def _sleep() -> object:
    return time.sleep(600)


def _die() -> object:
    return os._exit(1)


def _abort() -> object:
    return os.abort()


def _die_once() -> object:
    # The number of the decoder is the only thing that it can know of others.
    return os._exit(1) if _forked[0] == 1 else None


def _talk_nonsense() -> object:
    return os.write(_line(), os.urandom(4096))


def _promise_too_much() -> object:
    return os.write(_line(), b"\xff" * 8)


def _lie_deeply() -> object:
    words = b"[" * 100_000
    return os.write(_line(), len(words).to_bytes(4, "little") + bytes(4) + words)


def _line() -> int:
    return next(number for number in range(3, 64) if _is_socket(number))


def _is_socket(number: int) -> bool:
    try:
        return os.readlink(f"/proc/self/fd/{number}").startswith("socket:")
    except OSError:
        return False


def _thread() -> object:
    thread = threading.Thread(target=lambda: None)
    thread.start()
    thread.join()
    raise OSError(0, "threads are allowed")


HARM: dict[int, Callable[[], object]] = dict(
    enumerate(
        (
            *(_connect, _send_udp, _unix_socket, _execute, _fork, _read_outside, _read_memory_of_the_server),
            *(
                _list_outside,
                _write_inside,
                _remove_inside,
                _kill_parent,
                _trace_parent,
                _raise_limits,
                _thread,
            ),
            *(_allocate, _hang, _sleep, _die, _abort, _die_once),
            *(_talk_nonsense, _promise_too_much, _lie_deeply),
        ),
        start=100,
    )
)
ALONE = 300
"""Reading this frame and the next does no harm; the one after them never ends."""
HARM[ALONE + 2] = _hang
HERE: list[str] = []
NURSERY: list[int] = []


def frame_of(name: str) -> int:
    """The frame whose reading does this harm."""
    return next(frame for frame, harm in HARM.items() if harm.__name__ == f"_{name}")


def main(descriptor: int) -> None:
    """As the real one."""
    NURSERY[:] = [os.getpid()]
    plain = PictureClip._read_picture

    def read(self: PictureClip, frame: int) -> Any:
        if frame in HARM:
            HERE[:] = [str(self._files[frame].parent)]
            try:
                HARM[frame]()
            except OSError as error:
                told = errno.errorcode.get(error.errno or 0, error.strerror)
                raise ClipError(f"{HARM[frame].__name__}: {told}") from error
        return plain(self, frame)

    PictureClip._read_picture = read  # type: ignore[method-assign]
    os.register_at_fork(before=lambda: _forked.__setitem__(0, _forked[0] + 1))
    nursery.main(descriptor)
