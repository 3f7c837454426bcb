"""Every way into and out of a server, by its settings, and what a process really has open."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from masklet_server.service.listen import Address

if TYPE_CHECKING:
    from masklet_server.service.settings import ServerSettings

_LISTENING = "0A"
_TABLES = ("tcp", "tcp6", "udp", "udp6")


@dataclass(frozen=True)
class Listener:
    """Where a server is called.

    Attributes:
        what: Who calls there.
        address: ``host:port``; port 0 for one that the system chooses.
        guarded_by: What a caller needs.
    """

    what: str
    address: str
    guarded_by: str


@dataclass(frozen=True)
class WayOut:
    """What would make a connection to elsewhere.

    Attributes:
        what: What it is for.
        address: Where to.
        when: What makes it happen.
        is_closed: True where the settings keep it from happening.
        by_itself: The server does it, without anybody typing anything.
    """

    what: str
    address: str
    when: str
    is_closed: bool
    by_itself: bool = False


@dataclass(frozen=True)
class OpenSocket:
    """A socket of a process that leads, or could lead, to other machines.

    Attributes:
        kind: ``tcp``, ``tcp6``, ``udp`` or ``udp6``.
        local: ``host:port`` of this end.
        remote: Of the other end; empty where it listens.
    """

    kind: str
    local: str
    remote: str

    @property
    def leaves_machine(self) -> bool:
        """True where the other end is not of this machine."""
        if not self.remote:
            return False
        return not ipaddress.ip_address(self.remote.rpartition(":")[0].strip("[]")).is_loopback


def listeners(settings: ServerSettings) -> tuple[Listener, ...]:
    """Where a server with these settings is called."""
    guards = [
        *(["TLS"] if settings.tls_certificate is not None else []),
        *(["a token"] if _asks_for_tokens(settings) else []),
        *(["a client's certificate"] if settings.tls_client_ca is not None else []),
    ]
    found = [Listener("clients", settings.address, " and ".join(guards) or "loopback alone")]
    if settings.metrics_port is not None:
        found.append(Listener("Prometheus", f"127.0.0.1:{settings.metrics_port}", "loopback alone"))
    if settings.status_address is not None:
        found.append(Listener("status page", settings.status_address, _guards_of_page(settings)))
    return tuple(found)


def _asks_for_tokens(settings: ServerSettings) -> bool:
    return any(each is not None for each in (settings.token_file, settings.signed_tokens, settings.oidc))


def _guards_of_page(settings: ServerSettings) -> str:
    if not _asks_for_tokens(settings):
        return "loopback alone"
    is_loopback = Address.parse(settings.status_address or settings.address).is_loopback
    return "a keeper's token" if is_loopback else "TLS and a keeper's token"


def ways_out(settings: ServerSettings) -> tuple[WayOut, ...]:
    """What of masklet would ever make a connection to elsewhere. A running server makes none by itself."""
    from masklet_server.model.download import BASE_ADDRESS

    pulling = "masklet-server weights pull, typed by somebody"
    found = [WayOut("official weights", BASE_ADDRESS, pulling, settings.no_egress)]
    if settings.traces is not None:
        telling = "the server itself, for every call"
        found.append(WayOut("traces", settings.traces, telling, settings.no_egress, by_itself=True))
    return tuple(found)


def open_sockets(process: int) -> tuple[OpenSocket, ...]:
    """Sockets of a process that is not this machine's business alone, as Linux shows them.

    Raises:
        OSError: There is no such process, it is somebody else's, or this is no Linux.
    """
    own = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            target = os.readlink(link)
            if target.startswith("socket:["):
                own.add(target[8:-1])
    return tuple(each for kind in _TABLES for each in _of_table(process, kind, own))


def _of_table(process: int, kind: str, own: set[str]) -> Iterator[OpenSocket]:
    try:
        lines = Path(f"/proc/{process}/net/{kind}").read_text(encoding="ascii").splitlines()[1:]
    except FileNotFoundError:
        return
    for line in lines:
        fields = line.split()
        if fields[9] not in own:
            continue
        remote = _place(fields[2])
        is_open = fields[3] == _LISTENING or remote.endswith(":0")
        yield OpenSocket(kind, _place(fields[1]), "" if is_open else remote)


def _place(text: str) -> str:
    """``host:port`` from the table's hexadecimal digits: words of four bytes, each in the machine's order."""
    digits, port = text.split(":")
    words = [bytes.fromhex(digits[at : at + 8])[::-1] for at in range(0, len(digits), 8)]
    host = ipaddress.ip_address(b"".join(words))
    host = getattr(host, "ipv4_mapped", None) or host
    return f"[{host}]:{int(port, 16)}" if host.version == 6 else f"{host}:{int(port, 16)}"
