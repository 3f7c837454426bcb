"""Messages on a socket: whole or refused."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from masklet.transport import bridge_wire
from masklet.transport.bridge_wire import ClosedError, MalformedError, Wire


@pytest.fixture
def ends() -> Iterator[tuple[Wire, socket.socket]]:
    """A wire, and the bare other end of its connection."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        raw = socket.create_connection(listener.getsockname())
        accepted, _ = listener.accept()
    wire = Wire(accepted, send_timeout_s=1.0)
    yield wire, raw
    wire.close()
    wire.release()
    raw.close()


def prefix(header_bytes: int, blobs_bytes: int, magic: bytes = b"MSKB") -> bytes:
    return struct.pack("<4sIQ", magic, header_bytes, blobs_bytes)


def test_messages_arrive_whole_and_in_order(ends: tuple[Wire, socket.socket]) -> None:
    wire, raw = ends
    other = Wire(raw)
    blobs = [b"", b"abc", bytes(range(256)) * 40_000]

    def send() -> None:
        other.send({"is": "first"})
        other.send({"is": "second", "text": "é"}, blobs)

    sender = threading.Thread(target=send)
    sender.start()
    first, second = wire.receive(), wire.receive()
    sender.join()
    other.release()

    assert (first.header, list(first.blobs)) == ({"is": "first"}, [])
    assert (second.header, list(second.blobs)) == ({"is": "second", "text": "é"}, blobs)


def test_threads_do_not_mix_their_messages(ends: tuple[Wire, socket.socket]) -> None:
    wire, raw = ends
    other = Wire(raw)
    threads = [
        threading.Thread(target=other.send, args=({"is": str(number)}, [bytes([number]) * 200_000]))
        for number in range(8)
    ]
    for thread in threads:
        thread.start()

    received = [wire.receive() for _ in threads]
    for thread in threads:
        thread.join()
    other.release()

    assert all(set(message.blobs[0]) == {int(message.header["is"])} for message in received)
    assert {message.header["is"] for message in received} == {str(number) for number in range(8)}


class Interrupted(socket.socket):
    """A socket in whose sending the same thread sends once more, as the garbage collector can have it."""

    meanwhile: Callable[[], None] | None = None

    def sendall(self, data: Any, flags: int = 0) -> None:
        act, self.meanwhile = self.meanwhile, None
        super().sendall(data[: len(data) // 2], flags)
        if act is not None:
            act()
        super().sendall(data[len(data) // 2 :], flags)


def test_a_message_sent_in_the_midst_of_another_follows_it(ends: tuple[Wire, socket.socket]) -> None:
    wire, raw = ends
    interrupted = Interrupted(fileno=raw.detach())
    other = Wire(interrupted)
    interrupted.meanwhile = lambda: other.send({"is": "cancel"})

    other.send({"is": "call"}, [bytes(100_000)])
    received = [wire.receive().header["is"] for _ in range(2)]
    other.close()
    other.release()

    assert received == ["call", "cancel"]


@pytest.mark.parametrize(
    "sent",
    [
        prefix(2, 0, b"HTTP") + b"{}",
        prefix(2, 0) + b"{}",
        prefix(2, 0) + b"[]",
        prefix(3, 0) + b"\xff\xfe\xfd",
        prefix(12, 5) + b'{"blobs":[]}' + b"12345",
        prefix(17, 0) + b'{"blobs":[-5, 5]}',
        prefix(16, 1) + b'{"blobs":["1" ]}' + b"1",
        prefix(60_000, 0) + b"[" * 60_000,
        prefix(bridge_wire.MAX_HEADER_BYTES + 1, 0),
        prefix(2, bridge_wire.MAX_BLOBS_BYTES + 1),
    ],
    ids=lambda sent: sent[:20].hex(),
)
def test_what_is_no_message_is_refused(ends: tuple[Wire, socket.socket], sent: bytes) -> None:
    wire, raw = ends
    raw.sendall(sent)

    with pytest.raises(MalformedError):
        wire.receive()


def test_a_stranger_may_send_little(ends: tuple[Wire, socket.socket]) -> None:
    wire, raw = ends
    raw.sendall(prefix(5000, 0))

    with pytest.raises(MalformedError, match="too large"):
        wire.receive(max_bytes=4096)


@pytest.mark.parametrize("sent", [b"", prefix(20, 0)[:7], prefix(20, 0) + b"{"])
def test_an_end_in_mid_message_is_an_end(ends: tuple[Wire, socket.socket], sent: bytes) -> None:
    wire, raw = ends
    raw.sendall(sent)
    raw.close()

    with pytest.raises(ClosedError):
        wire.receive()


def test_a_message_that_is_too_large_is_not_sent(
    ends: tuple[Wire, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, raw = ends
    monkeypatch.setattr(bridge_wire, "MAX_BLOBS_BYTES", 1000)

    with pytest.raises(MalformedError, match="too large"):
        wire.send({}, [bytes(1001)])
    wire.send({"is": "small"})

    header_bytes = struct.unpack("<4sIQ", raw.recv(16))[1]
    assert json.loads(raw.recv(header_bytes))["is"] == "small"


def test_one_that_does_not_read_counts_as_gone_after_a_while(ends: tuple[Wire, socket.socket]) -> None:
    wire, _ = ends

    with pytest.raises(ClosedError):
        wire.send({}, [bytes(64_000_000)])
