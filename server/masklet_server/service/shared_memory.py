"""Memory that clients on the same machine share with the server, for masks and uploads.

The server makes it, seals its size and hands its descriptor through a socket in a folder of its own; a client
never names any. Half of its pieces are written by the server and half by the client. Who wrote one may use it
again when the other says so, in words of five bytes on that socket.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import mmap
import os
import secrets
import socket
import struct
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from masklet.errors import BadInputError
from masklet.v1 import server_pb2, values_pb2
from masklet_server.sealed_memory import sealed_memory

METADATA_KEY = "masklet-shared"
PIECE_BYTES = 16 << 20
SERVER_PIECES = CLIENT_PIECES = 4
MOST_MEMORIES, MOST_OF_A_USER = 32, 8
_TICKET_BYTES = _ID_BYTES = 16
_TICKET_S = 10.0
_ACCEPTS_AGAIN_S = 1.0
_WORD = struct.Struct("!BI")
_MASK_READ, _CALL_OVER, _CHUNK_READ = 1, 2, 3
_CALLS_REMEMBERED = 1024

_log = logging.getLogger("masklet_server.service")


@dataclass(eq=False)
class SharedCall:
    """What one call puts into shared memory and gets out of it. Safe to use from several threads.

    Attributes:
        number: The client's own.
    """

    memory: Memory
    number: int

    def put(self, data: bytes) -> values_pb2.SharedPiece | None:
        """Put bytes where the client sees them; None where there is no room, and they travel otherwise."""
        return self.memory.put(self.number, data)

    def chunk(self, shared: values_pb2.SharedPiece) -> memoryview:
        """Bytes that the client put there; to be given back with :meth:`give_back`.

        Raises:
            BadInputError: There is no such piece, or it is not as large.
        """
        return self.memory.chunk(shared)

    def give_back(self, shared: values_pb2.SharedPiece) -> None:
        """Tell the client that a piece has been read."""
        self.memory.tell(_CHUNK_READ, shared.piece)


class Memory:
    """Memory that one client shares, until its connection ends.

    Args:
        user: Whose calls may use it.
        connection: To the client; closed with this.
    """

    def __init__(self, user: str, connection: socket.socket) -> None:
        self.user = user
        self.connection = connection
        self._lock = threading.Lock()
        size_bytes = PIECE_BYTES * (SERVER_PIECES + CLIENT_PIECES)
        self.descriptor = sealed_memory("masklet-shared", size_bytes)
        try:
            self._bytes = mmap.mmap(self.descriptor, size_bytes)
        except BaseException:
            os.close(self.descriptor)
            raise
        self._free = list(range(SERVER_PIECES))
        self._taken: dict[int, int] = {}
        self._over: deque[int] = deque(maxlen=_CALLS_REMEMBERED)
        self._heard = b""

    def put(self, call: int, data: bytes) -> values_pb2.SharedPiece | None:
        """See :meth:`SharedCall.put`."""
        if not 0 < len(data) <= PIECE_BYTES:
            return None
        with self._lock:
            if not self._free or call in self._over or self._bytes.closed:
                return None
            piece = self._free.pop()
            self._taken[piece] = call
            # Inside the lock: whoever closes the memory waits for it.
            begin = PIECE_BYTES * piece
            self._bytes[begin : begin + len(data)] = data
        return values_pb2.SharedPiece(piece=piece, size_bytes=len(data))

    def chunk(self, shared: values_pb2.SharedPiece) -> memoryview:
        """See :meth:`SharedCall.chunk`."""
        piece, size_bytes = shared.piece, shared.size_bytes
        if not SERVER_PIECES <= piece < SERVER_PIECES + CLIENT_PIECES or not 0 < size_bytes <= PIECE_BYTES:
            raise BadInputError("a chunk of the upload lies in no piece of shared memory: update the client")
        begin = PIECE_BYTES * piece
        return memoryview(self._bytes)[begin : begin + size_bytes]

    def tell(self, kind: int, number: int) -> None:
        """Send the client a word; one that does not listen loses the memory."""
        try:
            self.connection.send(_WORD.pack(kind, number))
        except OSError:
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    def hear(self) -> bool:
        """Take in what the client says; False where it has gone."""
        try:
            heard = self.connection.recv(4096)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._heard += heard
        while len(self._heard) >= _WORD.size:
            kind, number = _WORD.unpack_from(self._heard)
            self._heard = self._heard[_WORD.size :]
            self._take_in(kind, number)
        return bool(heard)

    def _take_in(self, kind: int, number: int) -> None:
        with self._lock:
            if kind == _MASK_READ:
                freed = [number] if number in self._taken else []
            elif kind == _CALL_OVER:
                self._over.append(number)
                freed = [piece for piece, call in self._taken.items() if call == number]
            else:
                freed = []
            for piece in freed:
                del self._taken[piece]
                self._free.append(piece)

    def close(self) -> None:
        """Let go of memory and connection. Views that are in use keep the memory until they are gone."""
        self.connection.close()
        os.close(self.descriptor)
        with self._lock, suppress(BufferError):
            self._bytes.close()


@dataclass(frozen=True)
class _Offer:
    user: str
    memory_id: bytes
    until_s: float


@dataclass(eq=False)
class SharedMemory:
    """All memory that a server shares with clients. To be used from one event loop."""

    _folder: Path | None = None
    _listening: socket.socket | None = None
    _accepting: asyncio.Task[None] | None = None
    _offers: dict[bytes, _Offer] = field(default_factory=dict)
    _memories: dict[bytes, Memory] = field(default_factory=dict)

    def start(self) -> None:
        """Take clients, where the system can; says so in the log where it cannot."""
        if not hasattr(os, "memfd_create"):
            _log.warning("memory is not shared with clients: this system has no sealed memory")
            return
        try:
            self._listen()
        except OSError as error:
            # A folder for temporary files may be missing, full, or too deep for the name of a socket.
            _log.warning("memory is not shared with clients: %s", error)
            self._stop_listening()

    def _listen(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="masklet-shared-"))
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.setblocking(False)
        # The folder lets nobody but the server's own user in.
        self._listening.bind(str(self._folder / "socket"))
        self._listening.listen(MOST_MEMORIES)
        self._accepting = asyncio.get_running_loop().create_task(self._accept(self._listening))

    def offer(self, user: str) -> server_pb2.OpenSharedMemoryResponse:
        """A ticket for a user; an empty answer where no memory is to be had."""
        now_s = asyncio.get_running_loop().time()
        self._offers = {ticket: each for ticket, each in self._offers.items() if each.until_s > now_s}
        held = [
            *(each.user for each in self._memories.values()),
            *(each.user for each in self._offers.values()),
        ]
        if self._folder is None or len(held) >= MOST_MEMORIES or Counter(held)[user] >= MOST_OF_A_USER:
            return server_pb2.OpenSharedMemoryResponse()
        ticket, memory_id = secrets.token_bytes(_TICKET_BYTES), secrets.token_bytes(_ID_BYTES)
        self._offers[ticket] = _Offer(user, memory_id, now_s + _TICKET_S)
        return server_pb2.OpenSharedMemoryResponse(
            socket=str(self._folder / "socket"),
            ticket=ticket,
            id=memory_id,
            piece_bytes=PIECE_BYTES,
            server_pieces=SERVER_PIECES,
            client_pieces=CLIENT_PIECES,
        )

    def call_of(self, metadata: Iterable[tuple[str, Any]] | None, user: str) -> SharedCall | None:
        """What a call shares, by its metadata; None for nothing, or nothing of this user's."""
        named = next((str(value) for key, value in metadata or () if key == METADATA_KEY), "")
        memory_id, _, number = named.partition("/")
        try:
            memory = self._memories.get(bytes.fromhex(memory_id))
            call = int(number)
        except ValueError:
            return None
        if memory is None or memory.user != user or not 0 <= call < 1 << 32:
            return None
        return SharedCall(memory, call)

    async def close(self) -> None:
        """Give everything back."""
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.gather(self._accepting, return_exceptions=True)
        for memory_id in list(self._memories):
            self._drop(memory_id)
        self._stop_listening()

    def _stop_listening(self) -> None:
        if self._listening is not None:
            self._listening.close()
        if self._folder is not None:
            with suppress(OSError):
                (self._folder / "socket").unlink(missing_ok=True)
                self._folder.rmdir()
            self._folder = None

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        welcoming: set[asyncio.Task[None]] = set()
        try:
            while True:
                try:
                    connection, _ = await loop.sock_accept(listening)
                except OSError as error:
                    # Of descriptors there may be none for a while; clients send on the long way meanwhile.
                    _log.warning("a client that shares memory could not be let in: %s", error)
                    await asyncio.sleep(_ACCEPTS_AGAIN_S)
                    continue
                connection.setblocking(False)
                task = loop.create_task(self._welcome(connection))
                welcoming.add(task)
                task.add_done_callback(welcoming.discard)
        finally:
            for task in welcoming:
                task.cancel()

    async def _welcome(self, connection: socket.socket) -> None:
        """Give the memory to whoever shows a ticket."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_TICKET_S):
                ticket = b""
                while len(ticket) < _TICKET_BYTES and (
                    piece := await loop.sock_recv(connection, _TICKET_BYTES - len(ticket))
                ):
                    ticket += piece
            offer = self._offers.pop(ticket, None)
            if offer is None or offer.until_s <= loop.time():
                connection.close()
                return
            memory = Memory(offer.user, connection)
            try:
                socket.send_fds(connection, [b"1"], [memory.descriptor])
            except BaseException:
                memory.close()
                raise
        except (OSError, TimeoutError) as error:
            if isinstance(error, OSError) and error.errno in (errno.ENOMEM, errno.EMFILE):
                _log.warning("memory cannot be shared with a client: %s", error)
            connection.close()
            return
        except BaseException:
            connection.close()
            raise
        self._memories[offer.memory_id] = memory
        loop.add_reader(connection, self._hear, offer.memory_id, connection)

    def _hear(self, memory_id: bytes, connection: socket.socket) -> None:
        memory = self._memories.get(memory_id)
        if memory is not None and not memory.hear():
            self._drop(memory_id)

    def _drop(self, memory_id: bytes) -> None:
        memory = self._memories.pop(memory_id)
        asyncio.get_running_loop().remove_reader(memory.connection)
        memory.close()
