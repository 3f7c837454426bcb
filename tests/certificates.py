"""Certificates made with openssl, for any time: one's own, or by an authority of the studio's."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_CONFIG = """
[ca]
default_ca = own
[own]
new_certs_dir = {folder}
database = {folder}/index
serial = {folder}/serial
default_md = sha256
policy = any
email_in_dn = no
rand_serial = yes
unique_subject = no
copy_extensions = copy
x509_extensions = {extensions}
[any]
commonName = supplied
[server]
basicConstraints = CA:FALSE
extendedKeyUsage = serverAuth
[authority]
basicConstraints = critical, CA:TRUE
"""


@dataclass(frozen=True)
class Issued:
    """Two PEM files that belong together."""

    certificate: Path
    key: Path


def issue(
    folder: Path,
    name: str,
    *,
    names: str = "DNS:localhost,IP:127.0.0.1",
    since: str = "20240101000000Z",
    until: str = "20991231000000Z",
    by: Issued | None = None,
    is_authority: bool = False,
) -> Issued:
    """A certificate, signed with its own key or by another's; skips the test where there is no openssl.

    Args:
        folder: Where its files lie.
        name: Of the files, and common name.
        names: Of the machine; empty for none.
        since: When it begins, as ASN.1 has it.
        until: When it ends.
        by: Who issues it; None for itself.
        is_authority: It may issue others.
    """
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make certificates")
    made = Issued(folder / f"{name}.pem", folder / f"{name}.key")
    place = folder / f"{name}.ca"
    place.mkdir()
    (place / "index").touch()
    config = place / "config"
    extensions = "authority" if is_authority else "server"
    config.write_text(_CONFIG.format(folder=place, extensions=extensions), encoding="utf-8")
    request = place / "request.pem"
    wanted = ["-addext", f"subjectAltName={names}"] if names else []
    _openssl(
        *("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", *wanted),
        *("-keyout", str(made.key), "-out", str(request)),
    )
    signer = ["-selfsign", "-keyfile", str(made.key)]
    if by is not None:
        signer = ["-cert", str(by.certificate), "-keyfile", str(by.key)]
    _openssl(
        *("ca", "-batch", "-notext", "-config", str(config), "-startdate", since, "-enddate", until),
        *(*signer, "-in", str(request), "-out", str(made.certificate)),
    )
    made.key.chmod(0o600)
    return made


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)
