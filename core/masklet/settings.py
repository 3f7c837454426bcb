"""What the environment says about the server to use; read once, by whoever connects."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ClientSettings:
    """Where the server is and how to be let in.

    Attributes:
        address: ``host:port`` (``MASKLET_SERVER``); None to start a server of one's own.
        token: ``MASKLET_TOKEN``, or the content of the file ``MASKLET_TOKEN_FILE``.
        tls_ca_file: Certificate of the authority that signed the server's (``MASKLET_TLS_CA``).
        weights: For a server of one's own (``MASKLET_MODEL``); None for the embedded model.
        token_file: The file of the token: read again when the server does not take the token any more.
        tls_cert_file: A certificate of one's own (``MASKLET_TLS_CERT``), for servers that ask for one.
        tls_key_file: Its private key (``MASKLET_TLS_KEY``).
        quality: For a server of one's own (``MASKLET_QUALITY``); None as its model was trained.
    """

    address: str | None = None
    token: str | None = None
    tls_ca_file: Path | None = None
    weights: str | None = None
    token_file: Path | None = None
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    quality: str | None = None


def read_settings(environment: Mapping[str, str] | None = None) -> ClientSettings:
    """The settings that ``MASKLET_…`` variables hold; those that are empty count as absent.

    Raises:
        BadInputError: The token file cannot be read.
    """
    values = os.environ if environment is None else environment
    token, token_file = values.get("MASKLET_TOKEN"), values.get("MASKLET_TOKEN_FILE")

    def path(name: str) -> Path | None:
        return Path(values[name]) if values.get(name) else None

    return ClientSettings(
        address=values.get("MASKLET_SERVER") or None,
        token=token or (read_token(Path(token_file)) if token_file else None),
        token_file=Path(token_file) if token_file and not token else None,
        tls_ca_file=path("MASKLET_TLS_CA"),
        tls_cert_file=path("MASKLET_TLS_CERT"),
        tls_key_file=path("MASKLET_TLS_KEY"),
        weights=values.get("MASKLET_MODEL") or None,
        quality=values.get("MASKLET_QUALITY") or None,
    )


def read_token(file: Path) -> str:
    """The token in a file, without the white space around it.

    Raises:
        BadInputError: The file cannot be read, is not UTF-8 or is empty.
    """
    try:
        # Notepad begins UTF-8 with a mark.
        token = file.read_text(encoding="utf-8-sig").strip()
    except OSError as error:
        raise BadInputError(
            f"the token file {file} cannot be read ({error.strerror}): check the path and its rights"
        ) from error
    except UnicodeDecodeError as error:
        raise BadInputError(
            f"the token file {file} is not UTF-8 text: save it as UTF-8 (PowerShell's > writes UTF-16)"
        ) from error
    if not token:
        raise BadInputError(f"the token file {file} is empty: ask whoever runs the server for the token")
    return token
