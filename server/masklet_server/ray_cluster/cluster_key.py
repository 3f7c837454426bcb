"""The key of a cluster: who has this file may join, and with Ray that means run anything on its machines.

It holds a token, which every call of Ray has to carry, and an authority that signs a certificate for each
machine. It is copied by hand to the machines that join, and never sent.
"""

from __future__ import annotations

import datetime
import ipaddress
import json
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import AccessDeniedError, BadInputError
from masklet_server.identity.private_file import read_private
from masklet_server.ray_cluster.node import Node, write_private

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

_VALID_DAYS = 3650


@dataclass(frozen=True)
class ClusterKey:
    """What machines of one cluster have in common.

    Attributes:
        token: Of Ray.
        authority: Certificate, PEM; empty where the cluster is on one machine and nothing is encrypted.
        authority_key: Its private key, PEM.
    """

    token: str
    authority: str = ""
    authority_key: str = ""

    @staticmethod
    def make(*, with_tls: bool) -> ClusterKey:
        """A new one."""
        token = secrets.token_hex(32)
        return ClusterKey(token, *_new_authority()) if with_tls else ClusterKey(token)

    @staticmethod
    def read(file: Path) -> ClusterKey:
        """The key in a file.

        Raises:
            AccessDeniedError: There is none, or it is no key.
            BadInputError: Everybody on this machine may change it.
        """
        if not file.is_file():
            raise AccessDeniedError(
                f"the cluster's key {file} is not there: copy cluster.key from the folder of the machine "
                "where masklet cluster up ran, and name it with --key"
            )
        content = read_private(file, "the cluster's key", secret=True)
        with suppress(ValueError, TypeError):
            key = ClusterKey(**json.loads(content))
            if all(isinstance(each, str) for each in asdict(key).values()) and len(key.token) >= 32:
                return key
        raise AccessDeniedError(
            f"{file} is no key of a cluster: copy cluster.key anew from the machine where masklet cluster "
            "up ran"
        )

    def write(self, file: Path) -> None:
        """Keep it, for this user alone."""
        write_private(file, json.dumps(asdict(self)))

    def equip(self, node: Node) -> None:
        """Write what Ray and the servers of a machine read: the token, and with TLS a certificate of its own.

        Raises:
            BadInputError: The cluster is on one machine alone, and this is another one.
            OutputError: The disk takes nothing.
        """
        self.write(node.key_file)
        write_private(node.token_file, self.token)
        if not node.with_tls:
            return
        if not self.authority:
            raise BadInputError(
                "this key is of a cluster on the loopback address, which no other machine can join: start "
                "that one anew with masklet cluster up --host and the address by which others reach it"
            )
        certificate, private = self._certificate_for(node.host)
        write_private(node.authority, self.authority)
        write_private(node.certificate, certificate)
        write_private(node.certificate_key, private)

    def _certificate_for(self, host: str) -> tuple[str, str]:
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        authority = x509.load_pem_x509_certificate(self.authority.encode())
        signer = serialization.load_pem_private_key(self.authority_key.encode(), None)
        if not isinstance(signer, ec.EllipticCurvePrivateKey):
            raise AccessDeniedError("this key of a cluster was changed: copy it anew")
        own = ec.generate_private_key(ec.SECP256R1())
        names: list[x509.GeneralName] = [
            x509.DNSName("localhost"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
        made = (
            _builder(host, authority.subject, own.public_key())
            .add_extension(x509.SubjectAlternativeName(list(dict.fromkeys(names))), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .sign(signer, _digest())
        )
        return _pem(made), _private_pem(own)


def _new_authority() -> tuple[str, str]:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    own = ec.generate_private_key(ec.SECP256R1())
    name = "masklet cluster"
    made = (
        _builder(name, _named(name), own.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(own, _digest())
    )
    return _pem(made), _private_pem(own)


def _named(name: str) -> x509.Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _builder(subject: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    from cryptography import x509

    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(subject))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # Clocks of a studio's machines differ.
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_VALID_DAYS))
    )


def _digest() -> hashes.SHA256:
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256()


def _pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


def _private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
