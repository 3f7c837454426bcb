"""Memory that this client shares with a server on the same machine: masks and uploads go no other way.

The server makes it and hands it over; see ``ServerService.OpenSharedMemory``. Where there is none, everything
travels as it does between machines.
"""

from __future__ import annotations

import mmap
import os
import select
import socket
import struct
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, ServerUnreachableError
from masklet.v1 import values_pb2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet.v1 import server_pb2

METADATA_KEY = "masklet-shared"
_WORD = struct.Struct("!BI")
_MASK_READ, _CALL_OVER, _CHUNK_READ = 1, 2, 3
_WAIT_S = 10.0
_PIECE_S = 60.0


def is_possible() -> bool:
    """True on systems whose sockets hand descriptors over."""
    return hasattr(socket, "recv_fds") and hasattr(os, "memfd_create")


class SharedMemory:
    """Memory shared with a server.

    Attributes:
        read_pieces: How many of the server's pieces were read.

    Args:
        offer: What the server answered, with a socket in it.

    Raises:
        OSError: It cannot be had.
    """

    def __init__(self, offer: server_pb2.OpenSharedMemoryResponse) -> None:
        self._id = offer.id.hex()
        self._piece_bytes = offer.piece_bytes
        self._server_pieces = offer.server_pieces
        self._lock, self._speaking, self._hearing = threading.Lock(), threading.Lock(), threading.Lock()
        self._calls = self.read_pieces = 0
        self._heard = b""
        self._free = list(range(offer.server_pieces, offer.server_pieces + offer.client_pieces))
        self._connection = socket.socket(socket.AF_UNIX)
        try:
            self._connection.settimeout(_WAIT_S)
            self._connection.connect(offer.socket)
            self._connection.sendall(offer.ticket)
            _, (descriptor,), _, _ = socket.recv_fds(self._connection, 1, 1)
            size_bytes = offer.piece_bytes * (offer.server_pieces + offer.client_pieces)
            try:
                self._bytes = mmap.mmap(descriptor, size_bytes)
            finally:
                os.close(descriptor)
        except (OSError, ValueError) as error:
            self._connection.close()
            raise OSError(f"no memory is shared ({error})") from error

    @property
    def piece_bytes(self) -> int:
        """How much fits into a piece."""
        return self._piece_bytes

    @property
    def is_alive(self) -> bool:
        """False once the server has gone. What it has said before that is heard."""
        if not self._hearing.acquire(blocking=False):
            # A thread that waits for a word notices.
            return True
        try:
            while select.select([self._connection], [], [], 0)[0]:
                heard = self._connection.recv(4096)
                if not heard:
                    return False
                self._take_in(heard)
        except (OSError, ValueError):
            return False
        else:
            return True
        finally:
            self._hearing.release()

    @contextmanager
    def call(self) -> Iterator[SharedCall]:
        """What one call shares, until it is over."""
        with self._lock:
            self._calls += 1
            number = self._calls
        try:
            yield SharedCall(self, f"{self._id}/{number}")
        finally:
            self._tell(_CALL_OVER, number)

    def get(self, shared: values_pb2.SharedPiece, size_bytes: int) -> bytes:
        """Bytes that the server put into a piece, which it may use again afterwards.

        Raises:
            BadInputError: They are not as many, or there is no such piece.
        """
        piece = shared.piece
        if piece >= self._server_pieces or shared.size_bytes != size_bytes or size_bytes > self._piece_bytes:
            raise BadInputError(f"a mask should have {size_bytes} shared bytes and has not: fetch it again")
        begin = piece * self._piece_bytes
        data = self._bytes[begin : begin + size_bytes]
        self._tell(_MASK_READ, piece)
        self.read_pieces += 1
        return data

    def take(self) -> tuple[int, memoryview]:
        """A piece of our own to write into; waits until the server has read one.

        Raises:
            ServerUnreachableError: It has gone, or reads none.
        """
        until_s = time.monotonic() + _PIECE_S
        while True:
            with self._lock:
                if self._free:
                    piece = self._free.pop()
                    begin = piece * self._piece_bytes
                    return piece, memoryview(self._bytes)[begin : begin + self._piece_bytes]
            with self._hearing:
                self._hear(until_s - time.monotonic())

    def give_back(self, piece: int) -> None:
        """A piece that was taken and not sent."""
        with self._lock:
            self._free.append(piece)

    def close(self) -> None:
        """Share nothing any more. The memory itself goes with the last call that still reads from it."""
        self._connection.close()

    def _hear(self, within_s: float) -> None:
        heard = b""
        # A ValueError where another thread has closed the connection.
        with suppress(OSError, ValueError):
            readable = self._free or select.select([self._connection], [], [], max(0.0, within_s))[0]
            if self._free:
                # Another thread has heard it.
                return
            heard = self._connection.recv(4096) if readable else b""
        if not heard:
            raise ServerUnreachableError(
                "the server does not take what is sent to it, or has gone: look at it, then try again"
            )
        self._take_in(heard)

    def _take_in(self, heard: bytes) -> None:
        self._heard += heard
        while len(self._heard) >= _WORD.size:
            kind, number = _WORD.unpack_from(self._heard)
            self._heard = self._heard[_WORD.size :]
            if kind == _CHUNK_READ:
                self.give_back(number)

    def _tell(self, kind: int, number: int) -> None:
        # A server that has gone needs to know nothing.
        with suppress(OSError), self._speaking:
            self._connection.sendall(_WORD.pack(kind, number))


class SharedCall:
    """What one call shares.

    Attributes:
        metadata: For the call.

    Args:
        memory: It is shared through this.
        named: The call, in metadata.
    """

    def __init__(self, memory: SharedMemory, named: str) -> None:
        self.memory = memory
        self.metadata = ((METADATA_KEY, named),)
        self.get = memory.get
