"""The files of TLS, and what is wrong with them."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from masklet.errors import BadInputError
from masklet_server.identity.private_file import read_private

_CLIENT_CA = "the certificate of the clients' authority"


@dataclass(frozen=True)
class TlsFiles:
    """A certificate chain and its private key, both PEM.

    Attributes:
        certificate: The server's chain.
        key: Its private key.
        client_ca: Of the authorities whose certificates clients have to show; None where they show none.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None

    def credentials(self) -> grpc.ServerCredentials:
        """What gRPC wants of them.

        Raises:
            BadInputError: See :meth:`check`.
        """
        if self.client_ca is None:
            return grpc.ssl_server_credentials([self._read()])
        authorities = read_private(self.client_ca, _CLIENT_CA, secret=False)
        return grpc.ssl_server_credentials(
            [self._read()], root_certificates=authorities, require_client_auth=True
        )

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
        if self.client_ca is not None:
            text = read_private(self.client_ca, _CLIENT_CA, secret=False).decode("utf-8", "replace")
            try:
                ssl.create_default_context(cadata=text)
            except (ssl.SSLError, ValueError) as error:
                raise BadInputError(
                    f"{_CLIENT_CA} {self.client_ca} is no certificate in PEM: name that of the authority "
                    "that signs the certificates of clients"
                ) from error

    def _read(self) -> tuple[bytes, bytes]:
        return (
            read_private(self.key, "the TLS key", secret=True),
            read_private(self.certificate, "the TLS certificate", secret=False),
        )
