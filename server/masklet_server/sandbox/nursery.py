"""The process that decoders come from: it has all libraries loaded and forks one for each clip.

A decoder is there after some milliseconds, and they share the memory that the libraries take. This process
opens no file of a client and has one thread.

    python -c 'from masklet_server.sandbox.nursery import main; main(DESCRIPTOR)'
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
import socket
import sys
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_KEPT_BYTES = 512 << 20
_REAP_EVERY_S = 2.0


def main(descriptor: int) -> None:
    """Fork decoders for the server at the other end of a socket, until that end is closed.

    Each message brings a decoder's end of a socket; the answer is its number and a descriptor to end it by.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Whoever stops the server sends these to all of its processes; this one ends with it.
        signal.signal(number, signal.SIG_IGN)
    server = socket.socket(fileno=descriptor)
    _load()
    server.send(b"ready")
    while True:
        _reap()
        server.settimeout(_REAP_EVERY_S)
        try:
            asked, descriptors, _, _ = socket.recv_fds(server, 1, 1)
        except TimeoutError:
            continue
        except OSError:
            asked = b""
        if not asked:
            # Without taking the libraries down, which complain of what was frozen.
            os._exit(0)
        (line,) = descriptors
        process = os.fork()
        if process == 0:
            _decode(server, line)
        os.close(line)
        handle = os.pidfd_open(process)
        with suppress(OSError):
            socket.send_fds(server, [str(process).encode()], [handle])
        os.close(handle)


def _load() -> None:
    """Import what decoders need, so that they need not."""
    import numpy as np

    from masklet_server.media import colour, movie, source, upload  # noqa: F401
    from masklet_server.sandbox import worker  # noqa: F401

    with suppress(Exception):
        # $OCIO may be unusable: whoever opens a clip is told.
        colour.conversion_from("ACEScg").to_srgb(np.zeros((1, 1, 3), np.float32))
    # Pictures come and go in the same sizes: to take their memory from the kernel anew each time costs more
    # than to copy them.
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_MMAP_THRESHOLD, _KEPT_BYTES)
        library.mallopt(_TRIM_THRESHOLD, _KEPT_BYTES)
    gc.collect()
    gc.freeze()


def _decode(server: socket.socket, descriptor: int) -> None:
    """What a decoder does, from its first to its last moment."""
    code = 1
    try:
        from masklet_server.sandbox.wire import Line
        from masklet_server.sandbox.worker import Worker

        server.close()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nowhere, number)
        os.closerange(3, descriptor)
        os.closerange(descriptor + 1, 1024)
        os.chdir("/")
        Worker(Line(socket.socket(fileno=descriptor))).serve()
        code = 0
    finally:
        sys.stdout = sys.stderr = None
        os._exit(code)


def _reap() -> None:
    """Let the kernel forget decoders that have ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
