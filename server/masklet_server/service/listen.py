"""Where a server listens, and with which settings. Every figure was measured; see docs/server.md."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import grpc
import grpc.aio

from masklet.errors import BadInputError
from masklet_server.service.access import TokenFile
from masklet_server.service.private_file import read_private
from masklet_server.service.settings import ServerSettings

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
    # Five minutes by default, and a call that is silent for three pings of its client is broken off.
    ("grpc.http2.min_ping_interval_without_data_ms", 4_000),
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


@dataclass(frozen=True)
class TlsFiles:
    """A certificate chain and its private key, both PEM."""

    certificate: Path
    key: Path

    def credentials(self) -> grpc.ServerCredentials:
        """What gRPC wants of them.

        Raises:
            BadInputError: See :meth:`check`.
        """
        return grpc.ssl_server_credentials([self._read()])

    def check(self) -> None:
        """Find out early whether both can be used: gRPC itself only says that it cannot listen.

        Raises:
            BadInputError: One of them cannot be read, can be changed by everybody, or is not what it should
                be, or the two do not belong together; the message names the file.
        """
        key, certificate = (content.decode("utf-8", "replace") for content in self._read())
        for path, text, what, mark in (
            (self.certificate, certificate, "certificate", "CERTIFICATE-----"),
            (self.key, key, "key", "PRIVATE KEY-----"),
        ):
            if mark not in text:
                raise BadInputError(
                    f"the TLS {what} {path} is no PEM file of a {what}: it should begin with "
                    f"-----BEGIN {'PRIVATE KEY' if what == 'key' else 'CERTIFICATE'}-----"
                )
        if "ENCRYPTED" in key:
            raise BadInputError(
                f"the TLS key {self.key} is encrypted, and a server has nobody to ask for the password: "
                "write it without one (openssl pkey -in … -out …)"
            )
        try:
            ssl.create_default_context(cadata=certificate)
        except (ssl.SSLError, ValueError) as error:
            raise BadInputError(
                f"the TLS certificate {self.certificate} is damaged: copy it again"
            ) from error
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key)
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise BadInputError(
                    f"the TLS key {self.key} is not that of the certificate {self.certificate}: "
                    "name the two files that were made together"
                ) from error
            raise BadInputError(f"the TLS key {self.key} is damaged: copy it again") from error

    def _read(self) -> tuple[bytes, bytes]:
        return (
            read_private(self.key, "the TLS key", secret=True),
            read_private(self.certificate, "the TLS certificate", secret=False),
        )


@dataclass(frozen=True, eq=False)
class Access:
    """Where the server listens and who may call.

    Attributes:
        address: As it was asked for.
        tls: None for plaintext.
        tokens: None lets everybody in.
    """

    address: Address
    tls: TlsFiles | None
    tokens: TokenFile | None

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
        tls = None if certificate is None or key is None else TlsFiles(certificate, key)
        if tls is not None:
            tls.check()
        tokens = None if settings.token_file is None else TokenFile(settings.token_file)
        given = {"TLS": tls is not None, "a token file": tokens is not None}
        missing = [name for name, there in given.items() if not there]
        if missing and not address.is_loopback:
            raise BadInputError(
                f"{address} can be reached from other machines, and {' and '.join(missing)} "
                f"{'are' if len(missing) > 1 else 'is'} missing: give --tls-cert, --tls-key and "
                "--token-file, or listen on 127.0.0.1"
            )
        return Access(address, tls, tokens)


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
