"""A clip on its way over a line that breaks: both transports go on where it broke."""

from __future__ import annotations

import random
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from masklet.errors import BadInputError
from masklet.transport.bridge import BridgeTransport
from masklet.transport.endpoint import ServerChoice
from masklet.transport.interface import ClipFile, Transport
from masklet.transport.local_server import LocalServer
from masklet.transport.opening import open_transport

MIB = 1 << 20


class BreakingLine:
    """A way to the server that breaks when so many bytes have gone through it, and counts them.

    Attributes:
        address: Where to connect instead.
        breaks_after_bytes: Of all connections together; each is used once.
        carried_bytes: To the server.
    """

    def __init__(self, address: str, breaks_after_bytes: tuple[int, ...]) -> None:
        host, _, port = address.rpartition(":")
        self._server = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        # Small, so that little is under way when the line breaks.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.breaks_after_bytes = list(breaks_after_bytes)
        self.carried_bytes = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Wakes the thread that accepts; closing alone does not.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server)
                server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
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
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@pytest.fixture
def line(process: LocalServer) -> Iterator[BreakingLine]:
    """A line that breaks three times."""
    made = BreakingLine(process.address, (12 * MIB, 24 * MIB, 36 * MIB))
    yield made
    made.close()


@pytest.fixture(params=("grpc", "bridge"))
def over_line(
    request: pytest.FixtureRequest,
    line: BreakingLine,
    process: LocalServer,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Transport]:
    """A transport whose connection goes over the line, and whose files go no other way."""
    monkeypatch.setenv("MASKLET_SHARED_MEMORY", "0")
    choice = ServerChoice(line.address, process.token)
    way: Transport = (
        open_transport(choice)[0]
        if request.param == "grpc"
        else BridgeTransport(choice, Path(sys.executable))
    )
    yield way
    way.close()


def test_what_has_arrived_is_not_sent_again(
    over_line: Transport, line: BreakingLine, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    # Other bytes for each transport: the server they share would have them already.
    noise = random.Random(request.node.name)
    small, large = tmp_path / "plate.0001.exr", tmp_path / "plate.0002.exr"
    small.write_bytes(noise.randbytes(4 * MIB))
    large.write_bytes(noise.randbytes(36 * MIB))
    files = [ClipFile(small, 1), ClipFile(large, 2)]
    over_line.server_info()

    first = over_line.upload("plate.%04d.exr", files)
    once_bytes = line.carried_bytes
    second = over_line.upload("plate.%04d.exr", files)

    assert not line.breaks_after_bytes
    assert first != second
    # What was under way when the line broke is lost; without going on it would be 12 + 12 + 12 + 40 MiB.
    assert once_bytes < 64 * MIB, f"{once_bytes / MIB:.1f} MiB"
    assert line.carried_bytes - once_bytes < MIB


def test_a_file_that_cannot_be_sent_at_all_ends_in_a_sentence(over_line: Transport, tmp_path: Path) -> None:
    # An empty picture of a sequence is a missing one; of an empty movie there is nothing.
    empty = tmp_path / "plate.mov"
    empty.touch()
    with pytest.raises(BadInputError, match="is empty: render it again"):
        over_line.upload("plate.mov", [ClipFile(empty, None)])
