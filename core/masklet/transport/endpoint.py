"""Where a server is and how to be let in: values of the standard library, for every transport."""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.settings import read_token

if TYPE_CHECKING:
    from masklet.settings import ClientSettings


@dataclass(frozen=True)
class Endpoint:
    """Where a server is and how to be let in.

    Attributes:
        address: ``host:port``.
        token: Sent with every call; None where the server asks for none.
        tls_ca_file: Certificate of the authority that signed the server's; None for the system's.
        token_file: Where the token came from: read again when the server does not take it any more.
        tls_cert_file: A certificate of one's own, for servers that ask for one.
        tls_key_file: Its private key.
        plaintext: True for a connection without TLS, which only a server on this machine takes.
    """

    address: str
    token: str | None = None
    tls_ca_file: Path | None = None
    token_file: Path | None = None
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    plaintext: bool = False


@dataclass(frozen=True)
class ServerChoice:
    """Which server a client wants: a running one, or one of its own.

    Attributes:
        address: ``host:port``; None to have a server started on this machine.
        token: By which the server lets in.
        tls_ca_file: Certificate of the authority that signed the server's; None for the system's.
        token_file: Where the token came from.
        tls_cert_file: A certificate of one's own, for servers that ask for one.
        tls_key_file: Its private key.
        weights: Name or file, for a server of one's own.
        device: ``cpu``, ``cuda``, ``cuda:1``, for a server of one's own.
        quality: ``fast``, ``balanced`` or ``best``, for a server of one's own; None as its model was trained.
    """

    address: str | None = None
    token: str | None = None
    tls_ca_file: Path | None = None
    token_file: Path | None = None
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    weights: str | None = None
    device: str | None = None
    quality: str | None = None

    @staticmethod
    def of(
        settings: ClientSettings,
        *,
        address: str | None = None,
        token: str | None = None,
        token_file: Path | str | None = None,
        tls_ca_file: Path | str | None = None,
        tls_cert_file: Path | str | None = None,
        tls_key_file: Path | str | None = None,
        weights: str | None = None,
        device: str | None = None,
        quality: str | None = None,
    ) -> ServerChoice:
        """What the caller said, and for what was left out what the environment says.

        Raises:
            BadInputError: The token file cannot be read.
        """
        file = None if token else _path(token_file)
        if file is not None:
            token = read_token(file)
        elif not token:
            token, file = settings.token, settings.token_file
        return ServerChoice(
            address=address or settings.address,
            token=token,
            tls_ca_file=_path(tls_ca_file) or settings.tls_ca_file,
            token_file=file,
            tls_cert_file=_path(tls_cert_file) or settings.tls_cert_file,
            tls_key_file=_path(tls_key_file) or settings.tls_key_file,
            weights=weights or settings.weights,
            device=device,
            quality=quality or settings.quality,
        )

    @property
    def is_own(self) -> bool:
        """True where a server is to be started."""
        return self.address is None


def _path(given: Path | str | None) -> Path | None:
    return Path(given).expanduser().absolute() if given else None


def is_loopback(address: str) -> bool:
    """True when ``host:port`` names this very machine."""
    host = address.rpartition(":")[0].strip("[]")
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
