"""Certificate, key and tokens."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from masklet.errors import BadInputError
from masklet.findings import Finding, Verdict
from masklet_server.service.certificate import CertificateFacts, read_certificate
from masklet_server.service.listen import Access
from masklet_server.service.settings import ServerSettings

SOON_S = 30 * 86400.0


def examine_access(settings: ServerSettings) -> Iterator[Finding]:
    """Whether the settings let the right ones in."""
    try:
        access = Access.of(settings)
    except BadInputError as error:
        yield Finding(Verdict.BAD, "access", str(error))
        return
    if access.by_certificate:
        yield Finding(
            Verdict.GOOD, "access", "no tokens: whoever has a certificate of the clients' authority"
        )
    elif access.tokens is None:
        yield Finding(Verdict.GOOD, "access", "no tokens: everybody on this machine, and nobody else")
    yield from _examine_secret("token file", settings.token_file)
    yield from _examine_secret("register of tokens", settings.signed_tokens)
    if access.tls is None:
        yield Finding(Verdict.GOOD, "certificate", "none is needed: only this machine can call")
        return
    yield from _examine_secret("TLS key", access.tls.key)
    facts = read_certificate(access.tls.certificate, access.tls.key)
    yield from examine_certificate(facts, access.tls.certificate, now_s=time.time(), host=socket.getfqdn())


def examine_certificate(facts: CertificateFacts, file: Path, *, now_s: float, host: str) -> Iterator[Finding]:
    """What is to be said of a certificate.

    Args:
        facts: What a client hears of it.
        file: Where it lies.
        now_s: Seconds since 1970.
        host: This machine's name.
    """
    subject = "certificate"
    if facts.is_expired:
        yield Finding(
            Verdict.BAD, subject, f"{file} has expired", "have a new one issued, and restart the server"
        )
        return
    if facts.is_early:
        yield Finding(
            Verdict.BAD, subject, f"{file} is not valid yet", "set this machine's clock, or wait until it is"
        )
        return
    if facts.until_s is None:
        yield Finding(
            Verdict.BAD,
            subject,
            f"clients turn away from {file} ({facts.trouble})",
            "have it issued again, for servers",
        )
        return
    days = (facts.until_s - now_s) / 86400.0
    until = time.strftime("%Y-%m-%d", time.gmtime(facts.until_s))
    cause = f"valid until {until}, {days:.0f} days"
    if facts.until_s - now_s < SOON_S:
        yield Finding(Verdict.NOTE, subject, cause, "have a new one issued before that day")
    else:
        yield Finding(Verdict.GOOD, subject, cause)
    if not facts.names:
        yield Finding(
            Verdict.BAD,
            subject,
            "it is made out to no machine",
            "have it issued with the server's name as subjectAltName: clients look at nothing else",
        )
    elif not any(_fits(name, host) for name in facts.names):
        yield Finding(
            Verdict.NOTE,
            subject,
            f"it is made out to {', '.join(facts.names)}, and this machine is called {host}",
            "clients have to use one of these names",
        )
    if facts.is_trusted:
        yield Finding(Verdict.GOOD, subject, "programs trust who issued it")
    elif facts.is_own_issuer:
        yield Finding(
            Verdict.NOTE, subject, "it is signed with its own key", "give clients this file as --tls-ca"
        )
    else:
        chain = "alone in its file" if facts.chain == 1 else f"one of {facts.chain} in its file"
        yield Finding(
            Verdict.NOTE,
            subject,
            f"this machine does not know who issued it, and it is {chain}",
            "give clients the studio's authority as --tls-ca; certificates in between belong into the file, "
            "after the server's",
        )


def _fits(name: str, host: str) -> bool:
    name, host = name.lower(), host.lower()
    if name.startswith("*."):
        return host.partition(".")[2] == name[2:]
    return name in (host, host.partition(".")[0])


def _examine_secret(what: str, file: Path | None) -> Iterator[Finding]:
    if file is None:
        return
    mode = stat.S_IMODE(file.stat().st_mode)
    if os.name == "posix" and mode & stat.S_IROTH:
        yield Finding(
            Verdict.NOTE, what, f"everybody on this machine may read {file} ({mode:04o})", f"chmod 640 {file}"
        )
    else:
        yield Finding(Verdict.GOOD, what, f"{file} ({mode:04o})")
