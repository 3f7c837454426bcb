"""Lines between client and server that are far, slow, or break."""

from __future__ import annotations

import queue
import socket
import threading
import time
from contextlib import suppress


class BreakingLine:
    """A way to the server that breaks when so many bytes went through, or when told; it counts them.

    Attributes:
        address: Where to connect instead.
        breaks_after_bytes: Of all connections together; each is used once.
        carried_bytes: To the server.
        delay_s: What comes through, in either direction, comes so much later.
    """

    def __init__(
        self, address: str, breaks_after_bytes: tuple[int, ...] = (), *, delay_s: float = 0.0
    ) -> None:
        host, _, port = address.rpartition(":")
        self._server = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        # Small, so that little is under way when the line breaks.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.breaks_after_bytes = list(breaks_after_bytes)
        self.carried_bytes = 0
        self.delay_s = delay_s
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Wakes the thread that accepts; closing alone does not.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def cut(self) -> int:
        """Break all connections there are; how many ends there were."""
        ends, self._open = self._open, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        return len(ends)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
                self._open += (client, server)
                for source, target, counts in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._carry, args=(source, target, counts), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if counts:
                    self.carried_bytes += len(data)
                    if self.breaks_after_bytes and self.carried_bytes >= self.breaks_after_bytes[0]:
                        self.breaks_after_bytes.pop(0)
                        break
                # One piece after the other: a line that is slow as well as far.
                time.sleep(self.delay_s)
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


class FarLine(BreakingLine):
    """A line between two towns: what goes in comes out later, so much a second, and now and then it breaks.

    Attributes:
        speaks: Cleared, nothing comes through and nothing ends, as when a cable is pulled.
        cuts: How often it broke.

    Args:
        address: The server's.
        delay_s: How long a byte is under way.
        bits_per_s: How much comes through, in each direction of each connection.
        cut_every_bytes: After each so many to the server, of all connections, the one at work breaks.
    """

    def __init__(
        self,
        address: str,
        *,
        delay_s: float = 0.0,
        bits_per_s: float = float("inf"),
        cut_every_bytes: int | None = None,
    ) -> None:
        super().__init__(address, delay_s=delay_s)
        self.speaks = threading.Event()
        self.speaks.set()
        self.cuts = 0
        self._bits_per_s = bits_per_s
        self._cut_every_bytes = cut_every_bytes

    def _carry(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        # Few, so that whoever sends more than comes through is held up.
        under_way: queue.Queue[tuple[float, bytes] | None] = queue.Queue(maxsize=16)
        delivering = threading.Thread(target=self._deliver, args=(under_way, source, target), daemon=True)
        delivering.start()
        free_s = 0.0
        with suppress(OSError):
            while data := source.recv(16384):
                if counts:
                    self.carried_bytes += len(data)
                every = self._cut_every_bytes
                if counts and every and self.carried_bytes // every > self.cuts:
                    self.cuts += 1
                    break
                free_s = max(free_s, time.monotonic()) + 8 * len(data) / self._bits_per_s
                under_way.put((free_s + self.delay_s, data))
        under_way.put(None)
        delivering.join()
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _deliver(
        self,
        under_way: queue.Queue[tuple[float, bytes] | None],
        source: socket.socket,
        target: socket.socket,
    ) -> None:
        broken = False
        while (piece := under_way.get()) is not None:
            due_s, data = piece
            time.sleep(max(0.0, due_s - time.monotonic()))
            self.speaks.wait()
            if broken:
                continue
            try:
                target.sendall(data)
            except OSError:
                # Whoever sends has to hear of it; what is under way is lost.
                broken = True
                with suppress(OSError):
                    source.shutdown(socket.SHUT_RDWR)
