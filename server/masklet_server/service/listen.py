"""Where a server listens, and with which settings. Every figure was measured; see docs/server.md."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass

import grpc
import grpc.aio

from masklet.errors import BadInputError
from masklet_server.identity.caller import Source
from masklet_server.identity.plain_tokens import TokenFile
from masklet_server.identity.sources import Sources
from masklet_server.service.settings import ServerSettings
from masklet_server.service.tls_files import TlsFiles

MAX_MESSAGE_BYTES = 32 << 20

OPTIONS: Sequence[tuple[str, int]] = (
    # Without it, one client that opens and resets streams keeps all others out.
    ("grpc.max_concurrent_streams", 64),
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_metadata_size", 8 << 10),
    # By default a second server binds the same port in silence and takes half of the calls.
    ("grpc.so_reuseport", 0),
    ("grpc.server_handshake_timeout_ms", 3000),
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    # What waits for the answer to a ping, and 60 s by default: without it the time above is a dead letter.
    ("grpc.http2.ping_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    # Five minutes by default, and a call that is silent for three pings of its client is broken off. In a
    # cluster these come every two seconds.
    ("grpc.http2.min_ping_interval_without_data_ms", 1_000),
    ("grpc.keepalive_permit_without_calls", 1),
)


@dataclass(frozen=True)
class Address:
    """A host and a port; port 0 lets the system choose."""

    host: str
    port: int

    @staticmethod
    def parse(text: str) -> Address:
        """The address in ``host:port`` or ``[v6]:port``.

        Raises:
            BadInputError: It is no address.
        """
        host, colon, port = text.rpartition(":")
        host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
        if not colon or not host or not port.isdecimal() or int(port) > 65535:
            raise BadInputError(f"{text!r} is not an address: give host:port, such as 127.0.0.1:7700")
        return Address(host, int(port))

    @property
    def is_loopback(self) -> bool:
        """True when only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def with_port(self, port: int) -> Address:
        """The same host with another port."""
        return Address(self.host, port)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, eq=False)
class Access:
    """Where the server listens and who may call.

    Attributes:
        address: As it was asked for.
        tls: None for plaintext.
        tokens: None where nobody is asked for one.
        status: Of the page for whoever keeps the server; None for no such page.
    """

    address: Address
    tls: TlsFiles | None
    tokens: Source | None
    status: Address | None = None

    @property
    def by_certificate(self) -> bool:
        """True where certificates say who calls: no token is asked for."""
        return self.tokens is None and self.tls is not None and self.tls.client_ca is not None

    @staticmethod
    def of(settings: ServerSettings) -> Access:
        """What the settings say.

        Raises:
            BadInputError: They name files that cannot be read, or would have the server reachable
                from other machines without TLS and tokens.
        """
        address = Address.parse(settings.address)
        certificate, key = settings.tls_certificate, settings.tls_key
        if (certificate is None) != (key is None):
            raise BadInputError("TLS needs both files: give --tls-cert and --tls-key")
        if settings.tls_client_ca is not None and certificate is None:
            raise BadInputError("certificates of clients need TLS: give --tls-cert and --tls-key as well")
        tls = None
        if certificate is not None and key is not None:
            tls = TlsFiles(certificate, key, settings.tls_client_ca)
            tls.check()
        tokens = source_of(settings)
        known = tokens is not None or settings.tls_client_ca is not None
        given = {"TLS": tls is not None, "a token file": known}
        missing = [name for name, there in given.items() if not there]
        # Browsers show no certificate of a client.
        missing_for_page = missing if missing or tokens is not None else ["a token file"]
        status = None if settings.status_address is None else Address.parse(settings.status_address)
        for place, lacking in ((address, missing), (status, missing_for_page)):
            if lacking and place is not None and not place.is_loopback:
                raise BadInputError(
                    f"{place} can be reached from other machines, and {' and '.join(lacking)} "
                    f"{'are' if len(lacking) > 1 else 'is'} missing: give --tls-cert, --tls-key and "
                    "--token-file (or --signed-tokens, or another way to know callers), or listen on "
                    "127.0.0.1"
                )
        return Access(address, tls, tokens, status)


def source_of(settings: ServerSettings) -> Source | None:
    """All that the settings know tokens by; None where they ask for none.

    Raises:
        BadInputError: A file of them cannot be used.
    """
    sources: list[Source] = []
    if settings.token_file is not None:
        sources.append(TokenFile(settings.token_file))
    if settings.signed_tokens is not None:
        from masklet_server.identity.signed_tokens import SignedTokens

        sources.append(SignedTokens(settings.signed_tokens))
    if settings.oidc is not None:
        from masklet_server.identity.oidc import OidcTokens

        sources.append(OidcTokens(settings.oidc))
    return Sources(sources) if sources else None


def check_free(address: Address) -> None:
    """Find out early, before a model is read for nothing, whether the port can be had.

    Raises:
        BadInputError: The port is taken, or the host is not of this machine.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                # Or the port of a server that has just stopped would seem taken for a minute.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(place)
            probe.listen()
    except OSError as error:
        raise _not_listening(address) from error


def bind(server: grpc.aio.Server, access: Access) -> Address:
    """Take the port and say which it is.

    Raises:
        BadInputError: The port is taken, or the host is not of this machine.
    """
    address = access.address
    try:
        if access.tls is None:
            port = server.add_insecure_port(str(address))
        else:
            port = server.add_secure_port(str(address), access.tls.credentials())
    except RuntimeError as error:
        if access.tls is not None:
            # gRPC says the same of a certificate that it cannot use and of a port that is taken.
            check_free(address)
            raise BadInputError(
                f"TLS cannot be set up with {access.tls.certificate} and {access.tls.key}: use an RSA or "
                "ECDSA certificate in PEM, and the key that was made with it"
            ) from error
        raise _not_listening(address) from error
    return address.with_port(port)


def _not_listening(address: Address) -> BadInputError:
    return BadInputError(
        f"the server cannot listen on {address}: the port is taken, or the host is not of this machine. "
        "Stop what runs there, or give --address another port (0 takes a free one)"
    )
