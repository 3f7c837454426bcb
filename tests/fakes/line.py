"""Lines between client and server that are far, slow, or break."""

from __future__ import annotations

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
