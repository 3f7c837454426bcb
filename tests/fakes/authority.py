"""An authority that signs certificates, with the openssl of the machine."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from masklet_server.service.settings import ServerSettings


def openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


@dataclass
class Authority:
    """Signs certificates with openssl."""

    folder: Path
    name: str

    def __post_init__(self) -> None:
        making = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={self.name}"]
        openssl(*making, "-keyout", self.key, "-out", self.certificate)

    @property
    def certificate(self) -> Path:
        return self.folder / f"{self.name}.pem"

    @property
    def key(self) -> Path:
        return self.folder / f"{self.name}.key"

    def sign(self, file: str, common_name: str, *, days: int = 2) -> tuple[Path, Path]:
        key, request, made = (self.folder / f"{file}.{end}" for end in ("key", "csr", "pem"))
        subject = "/CN=" + common_name.replace("/", "\\/")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", key, "-out", request)
        more = self.folder / f"{file}.ext"
        more.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        signing = ["x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self.key]
        openssl(*signing, "-CAcreateserial", "-extfile", more, "-days", str(days), "-out", made)
        return made, key


def with_certificates(authority: Authority, **more: Path) -> ServerSettings:
    """A server that asks clients for certificates of the authority."""
    certificate, key = authority.sign("server", "localhost")
    return ServerSettings(
        address="0.0.0.0:0",
        tls_certificate=certificate,
        tls_key=key,
        tls_client_ca=authority.certificate,
        **more,
    )
