"""Connections that speak HTTP/2 by hand, and badly."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
END_STREAM, END_HEADERS = 0x1, 0x4
HEADERS, RESET, SETTINGS, CONTINUATION = 0x1, 0x3, 0x4, 0x9
CANCEL = struct.pack(">I", 8)


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """One frame of RFC 9113, 4.1."""
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def call_headers(path: str) -> bytes:
    """The header block of a gRPC call, of literals without Huffman's code (RFC 7541, 6.2.2)."""

    def text(value: str) -> bytes:
        return bytes([len(value)]) + value.encode()

    # Indexed: POST, http. By names of the static table: path 4, authority 1, content-type 31.
    return b"".join(
        (
            *(b"\x83\x86\x04", text(path), b"\x01", text("localhost")),
            *(b"\x0f\x10", text("application/grpc"), b"\x00", text("te"), text("trailers")),
        )
    )


@contextmanager
def connected(address: str, *, greeting: bytes = PREFACE + frame(SETTINGS, 0, 0)) -> Iterator[socket.socket]:
    """A connection that has said its greeting."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(greeting)
        yield connection


def is_closed(connection: socket.socket, within_s: float) -> bool:
    """True when the other side ends the connection in time, whatever it says before."""
    connection.settimeout(within_s)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        return True
    return True
