"""Messages between the server and its decoders: JSON, and bytes beside it, behind their lengths.

What a decoder says is not believed: it may be in the hands of whoever made the file. So lengths have
limits, and whoever takes a message checks each value in it.
"""

from __future__ import annotations

import json
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Any

_LENGTHS = struct.Struct("=II")
MOST_TOLD_BYTES = 1 << 20
"""Of what a decoder says in words: parsing takes many times as much memory."""
_MOST_BYTES = 64 << 20


class GoneError(Exception):
    """The other end has ended, or talks nonsense."""


class LateError(Exception):
    """The other end has not answered in time."""


@dataclass(frozen=True)
class Message:
    """One message.

    Attributes:
        words: JSON values by name.
        data: Bytes beside them.
    """

    words: dict[str, Any] = field(default_factory=dict)
    data: bytes = b""


class Line:
    """One end of a connection between two processes on this machine.

    Args:
        connection: Of a pair of stream sockets; closed with this.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, message: Message, *, descriptor: int | None = None) -> None:
        """Send a message, and with it an open file.

        Raises:
            GoneError: Nobody is there.
        """
        words = json.dumps(message.words).encode()
        try:
            lengths = _LENGTHS.pack(len(words), len(message.data))
            if descriptor is not None:
                socket.send_fds(self._connection, [lengths], [descriptor])
                lengths = b""
            self._connection.sendall(lengths + words + message.data)
        except OSError as error:
            raise GoneError from error

    def receive(
        self,
        *,
        within_s: float | None = None,
        with_descriptor: bool = False,
        most_words_bytes: int = MOST_TOLD_BYTES,
    ) -> tuple[Message, int]:
        """The next message, and the open file that came with it; -1 for none.

        Args:
            within_s: How long it may take; None for ever.
            with_descriptor: Whether one may come. Others are closed by the kernel.
            most_words_bytes: A longer message counts as nonsense.

        Raises:
            GoneError: The other end has ended, or what it says is no message.
            LateError: The time is up.
        """
        until_s = None if within_s is None else time.monotonic() + within_s
        descriptor = -1
        try:
            if with_descriptor:
                self._wait(until_s)
                lengths, descriptors, _, _ = socket.recv_fds(self._connection, _LENGTHS.size, 1)
                descriptor = descriptors[0] if descriptors else -1
                lengths += self._read(_LENGTHS.size - len(lengths), until_s)
            else:
                lengths = self._read(_LENGTHS.size, until_s)
            words_bytes, data_bytes = _LENGTHS.unpack(lengths)
            if words_bytes > most_words_bytes or data_bytes > _MOST_BYTES:
                raise GoneError
            words = json.loads(self._read(words_bytes, until_s))
            data = self._read(data_bytes, until_s)
        except TimeoutError as error:
            raise LateError from error
        except (OSError, ValueError, RecursionError) as error:
            raise GoneError from error
        if not isinstance(words, dict):
            raise GoneError
        return Message(words, data), descriptor

    def close(self) -> None:
        """Let go of this end."""
        self._connection.close()

    def _wait(self, until_s: float | None) -> None:
        if until_s is None:
            # As it was made; a decoder may not even change that.
            return
        left_s = until_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._connection.settimeout(left_s)

    def _read(self, size_bytes: int, until_s: float | None) -> bytes:
        pieces, left_bytes = [], size_bytes
        while left_bytes:
            self._wait(until_s)
            piece = self._connection.recv(min(left_bytes, 1 << 20))
            if not piece:
                raise GoneError
            pieces.append(piece)
            left_bytes -= len(piece)
        return b"".join(pieces)
