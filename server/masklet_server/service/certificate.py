"""What a server's certificate says, as a client hears it: by shaking hands with oneself, in memory."""

from __future__ import annotations

import ssl
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EXPIRED = 10
_NOT_YET_VALID = 9
"""Of OpenSSL's verify errors."""
_ROUNDS = 8


@dataclass(frozen=True)
class CertificateFacts:
    """A certificate and its chain.

    Attributes:
        names: For which it is made out: names and addresses of machines.
        until_s: When it ends, in seconds since 1970; None where it has ended, or has not begun.
        is_expired: It has ended.
        is_early: It has not begun: the clock is wrong, or it is of tomorrow.
        is_trusted: Programs of this machine trust it without being told of its issuer.
        chain: How many certificates the file has, the server's own included.
        is_own_issuer: It is signed with its own key.
        trouble: Why clients turn away, in OpenSSL's words; empty where they do not.
    """

    names: tuple[str, ...] = ()
    until_s: float | None = None
    is_expired: bool = False
    is_early: bool = False
    is_trusted: bool = False
    chain: int = 1
    is_own_issuer: bool = False
    trouble: str = ""


def read_certificate(certificate: Path, key: Path) -> CertificateFacts:
    """What a PEM chain and its key say.

    Raises:
        OSError: One cannot be read, or the two do not belong together (``ssl.SSLError`` is one).
    """
    text = certificate.read_text(encoding="ascii", errors="replace")
    chain = text.count("-----BEGIN CERTIFICATE-----")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    knowing = _client(text)
    # The server's own certificate is a good end of the chain here: who issued it is asked below.
    knowing.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    told, problem = _shake_hands(server, knowing)
    if problem is not None:
        code = problem.verify_code
        return CertificateFacts(
            is_expired=code == _EXPIRED,
            is_early=code == _NOT_YET_VALID,
            chain=chain,
            trouble=problem.verify_message,
        )
    _, stranger = _shake_hands(server, _client(None))
    return CertificateFacts(
        names=tuple(str(value) for _, value in told.get("subjectAltName", ())),
        until_s=float(ssl.cert_time_to_seconds(str(told["notAfter"]))),
        is_trusted=stranger is None,
        chain=chain,
        is_own_issuer=told.get("issuer") == told.get("subject"),
    )


def _client(authorities: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authorities)
    context.check_hostname = False
    # From Python 3.13 on it is stricter than gRPC, and so than every client of masklet.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _shake_hands(
    server: ssl.SSLContext, client: ssl.SSLContext
) -> tuple[dict[str, Any], ssl.SSLCertVerificationError | None]:
    """What a client hears of a server, or why it turns away."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(to_client, to_server, server_side=False)
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(_ROUNDS):
        try:
            asking.do_handshake()
        except ssl.SSLWantReadError:
            with suppress(ssl.SSLWantReadError):
                answering.do_handshake()
        except ssl.SSLCertVerificationError as error:
            return {}, error
        else:
            break
    return dict(asking.getpeercert() or {}), None
