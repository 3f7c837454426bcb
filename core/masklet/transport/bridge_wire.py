"""Messages between a host application and masklet's helper: a JSON header and raw bytes, length first.

Layout of one message: the four letters ``MSKB``, the header's length (4 bytes), the length of all byte
strings together (8 bytes), the header, the byte strings. All numbers are little-endian. The header's
``blobs`` lists the length of each byte string.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

PROTOCOL = 1
"""Raised whenever an older peer could not read what a newer one sends."""

MAX_HEADER_BYTES = 64 * 1024 * 1024
MAX_BLOBS_BYTES = 1024 * 1024 * 1024
HELLO_BYTES = 4096
"""A stranger may send no more than this before it has shown the token."""

_MAGIC = b"MSKB"
_PREFIX = struct.Struct("<4sIQ")
_JOINED_UP_TO_BYTES = 64 * 1024
_BUFFER_BYTES = 256 * 1024


class ClosedError(Exception):
    """The other side is gone, perhaps in the middle of a message."""


class MalformedError(Exception):
    """The other side sent something that is no message, or one that is too large."""


class Message(NamedTuple):
    """One message.

    Attributes:
        header: What JSON can hold.
        blobs: Bytes beside it.
    """

    header: dict[str, Any]
    blobs: Sequence[bytes] = ()


class Wire:
    """One connection that carries messages. Any thread may send; one thread receives.

    Args:
        connection: Connected; closed by :meth:`close`.
        send_timeout_s: How long the other side may leave what is sent unread before it counts as gone;
            None for ever.
    """

    def __init__(self, connection: socket.socket, *, send_timeout_s: float | None = None) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if send_timeout_s is not None:
            # Not ``settimeout``: receiving waits as long as it takes.
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _as_option(send_timeout_s))
        self._connection = connection
        self._incoming = connection.makefile("rb", buffering=_BUFFER_BYTES)
        self._sending = threading.RLock()
        self._waiting: list[bytes] = []

    def send(self, header: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
        """Send one message; blocks while the other side does not read.

        Raises:
            ClosedError: The other side is gone.
            MalformedError: The message is larger than the other side would take.
        """
        text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}, separators=(",", ":")).encode()
        blobs_bytes = sum(map(len, blobs))
        if len(text) > MAX_HEADER_BYTES or blobs_bytes > MAX_BLOBS_BYTES:
            raise MalformedError(f"a message of {(len(text) + blobs_bytes) / 1e6:.0f} MB is too large")
        start = _PREFIX.pack(_MAGIC, len(text), blobs_bytes) + text
        joined = blobs_bytes <= _JOINED_UP_TO_BYTES
        parts = [b"".join((start, *blobs))] if joined else [start, *blobs]
        try:
            with self._sending:
                self._waiting.extend(parts)
                if len(self._waiting) > len(parts):
                    # The garbage collector has closed a stream while this thread was sending here.
                    return
                while self._waiting:
                    self._connection.sendall(self._waiting[0])
                    del self._waiting[0]
        except (OSError, ValueError) as error:
            # Perhaps in mid-message: nothing that followed could be read.
            self._waiting.clear()
            self.close()
            raise ClosedError(str(error)) from error

    def receive(self, *, max_bytes: int | None = None) -> Message:
        """The next message.

        Args:
            max_bytes: Of the whole message; None for the limits that hold between friends.

        Raises:
            ClosedError: The other side is gone.
            MalformedError: What came is no message, or is larger than allowed.
        """
        magic, header_bytes, blobs_bytes = _PREFIX.unpack(self._exactly(_PREFIX.size))
        if magic != _MAGIC:
            raise MalformedError("what came is no message")
        too_large = header_bytes > MAX_HEADER_BYTES or blobs_bytes > MAX_BLOBS_BYTES
        if too_large or (max_bytes is not None and header_bytes + blobs_bytes > max_bytes):
            raise MalformedError(f"a message of {(header_bytes + blobs_bytes) / 1e6:.0f} MB is too large")
        try:
            header = json.loads(self._exactly(header_bytes))
            sizes = header.pop("blobs")
            sound = sum(sizes) == blobs_bytes and all(isinstance(size, int) and size >= 0 for size in sizes)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise MalformedError("a message has no readable header") from error
        if not sound:
            raise MalformedError("a message's byte strings do not have the lengths that it tells")
        return Message(header, [self._exactly(size) for size in sizes])

    def close(self) -> None:
        """Let the connection go, and end a :meth:`receive` or :meth:`send` that waits. Twice is fine."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self._connection.close()

    def release(self) -> None:
        """Free what :meth:`receive` holds; only by the thread that receives, after its last message."""
        with suppress(OSError):
            self._incoming.close()

    def _exactly(self, count: int) -> bytes:
        try:
            data: bytes = self._incoming.read(count)
        except (OSError, ValueError) as error:
            raise ClosedError(str(error)) from error
        if len(data) != count:
            raise ClosedError("the other side is gone")
        return data


def _as_option(seconds: float) -> bytes:
    """A time limit as the system's sockets take it: milliseconds on Windows, a pair elsewhere."""
    return struct.pack("@L", int(seconds * 1000)) if os.name == "nt" else struct.pack("@ll", int(seconds), 0)
