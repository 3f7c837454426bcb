"""Where a server is and how to be let in: values of the standard library, for every transport."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Endpoint:
    """Where a server is and how to be let in.

    Attributes:
        address: ``host:port``.
        token: Sent with every call; None where the server asks for none.
        tls_ca_file: Certificate of the authority that signed the server's; None for the system's.
        plaintext: True for a connection without TLS, which only a server on this machine takes.
    """

    address: str
    token: str | None = None
    tls_ca_file: Path | None = None
    plaintext: bool = False


@dataclass(frozen=True)
class ServerChoice:
    """Which server a client wants: a running one, or one of its own.

    Attributes:
        address: ``host:port``; None to have a server started on this machine.
        token: By which the server lets in.
        tls_ca_file: Certificate of the authority that signed the server's; None for the system's.
        weights: Name or file, for a server of one's own.
        device: ``cpu``, ``cuda``, ``cuda:1``, for a server of one's own.
    """

    address: str | None = None
    token: str | None = None
    tls_ca_file: Path | None = None
    weights: str | None = None
    device: str | None = None

    @property
    def is_own(self) -> bool:
        """True where a server is to be started."""
        return self.address is None


def is_loopback(address: str) -> bool:
    """True when ``host:port`` names this very machine."""
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
