"""What a server knows of being one of many: nothing but this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import grpc.aio

from masklet.errors import BadInputError
from masklet.types import ServerInfo
from masklet_server.journal.folder import JournalFolder
from masklet_server.service.rules import Rule
from masklet_server.sessions.durability import Journals
from masklet_server.sessions.store import SessionStore


@dataclass(frozen=True, eq=False)
class Seat:
    """What a server brings into a cluster.

    Attributes:
        address: Where it listens.
        info: What it tells clients of itself.
        store: Its sessions.
        begin_drain: Has it take no more.
    """

    address: str
    info: ServerInfo
    store: SessionStore
    begin_drain: Callable[[], None]


class Member(Protocol):
    """A server's place in a cluster.

    Attributes:
        rules: What each call belongs to, those between workers too.
    """

    rules: Mapping[str, Rule]

    @property
    def is_moving(self) -> bool:
        """True while it gives its sessions away: the server has to stay."""
        ...

    def journals(self, folder: JournalFolder) -> Journals:
        """The journals of a folder, each of which is claimed before it is opened."""
        ...

    def add_services(self, server: grpc.aio.Server) -> None:
        """Have a server answer other workers."""
        ...

    async def join(self, seat: Seat) -> None:
        """Become a worker; from now on it is reported by itself.

        Raises:
            MaskletError: The cluster does not want it.
        """
        ...

    async def leave(self) -> None:
        """Let others have what is left; the server stops."""
        ...


def journals_for(folder: JournalFolder | None, member: Member | None) -> Journals | None:
    """The journals that a server works with.

    Raises:
        BadInputError: A worker of a cluster keeps none.
    """
    if member is None:
        return folder
    if folder is None:
        raise BadInputError(
            "a worker of a cluster needs a folder for its sessions, or they could not move: name one with "
            "--sessions"
        )
    return member.journals(folder)
