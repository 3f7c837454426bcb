"""Opens the status page, whose packages are there where its extra was installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet_server.service.listen import Address
from masklet_server.service.tls_files import TlsFiles
from masklet_server.status.operating import Keys, Operated
from masklet_server.status.serving import StatusServer, Tls

if TYPE_CHECKING:
    from masklet_server.status.app import StatusPage


def open_status(server: Operated, keys: Keys, address: Address, tls: TlsFiles | None) -> StatusServer:
    """The page on an address, yet to be started.

    Args:
        server: What is shown and kept.
        keys: Knows who may.
        address: Where. One that other machines reach has TLS.
        tls: The server's own files.

    Raises:
        BadInputError: Its packages are not installed.
    """
    secure = tls is not None and not address.is_loopback
    page = _page(server, keys, secure=secure)
    files = Tls(tls.certificate, tls.key) if tls is not None and secure else None
    return StatusServer(page.app, address.host, address.port, files)


def _page(server: Operated, keys: Keys, *, secure: bool) -> StatusPage:
    try:
        from masklet_server.status.app import StatusPage
    except ImportError as error:
        raise BadInputError(
            "the status page needs packages that are not installed: pip install 'masklet[status]', or leave "
            "--status-address out"
        ) from error
    return StatusPage(server, keys, secure=secure)
