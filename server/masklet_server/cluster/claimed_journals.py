"""Journals of a worker: each is claimed at the directory before it is opened."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from masklet.errors import MaskletError, MovedError
from masklet.scopes import Scope, in_order
from masklet_server.cluster.ports import SessionFacts
from masklet_server.journal.failures import TakenOverError
from masklet_server.journal.folder import JournalFolder
from masklet_server.sessions.durability import (
    KeptSummary,
    Record,
    Restored,
    ResultKeeper,
    SessionHead,
    SessionJournal,
)
from masklet_server.sessions.sharing import Access


class Claims(Protocol):
    """The worker's dealings with the directory."""

    async def claim(self, session_id: str, facts: SessionFacts) -> None:
        """Take a session.

        Raises:
            RestartingError: It is somebody else's, or nobody can be asked.
        """
        ...

    def tell(self, session_id: str, facts: SessionFacts) -> None:
        """Have the directory told, with the next news."""
        ...

    async def tell_news(self) -> None:
        """Tell the directory now what it has not heard of; fine where it does not answer."""
        ...

    def touch(self, session_id: str) -> None:
        """The session is used now."""
        ...

    async def forget(self, session_id: str) -> None:
        """The session was closed for good."""
        ...

    async def swept(self, session_id: str) -> None:
        """The session, which nobody had, was deleted as nobody has used it for too long."""
        ...

    def lost(self, session_id: str) -> None:
        """Somebody else has opened its journal."""
        ...


class ClaimedJournals:
    """:class:`masklet_server.sessions.durability.Journals` of one worker among several.

    Args:
        folder: The journals.
        claims: See :class:`Claims`.
    """

    def __init__(self, folder: JournalFolder, claims: Claims) -> None:
        self._folder = folder
        self._claims = claims

    def folder_of(self, session_id: str) -> Path:  # noqa: D102  (the protocol documents the methods)
        return self._folder.folder_of(session_id)

    async def access_of(self, session_id: str, *, asked_by: str = "") -> Access | None:  # noqa: D102
        return await self._folder.access_of(session_id, asked_by=asked_by)

    async def sweep(self, kept_s: float, *, but: Collection[str]) -> None:  # noqa: D102
        before = await asyncio.to_thread(self._folder.ids)
        await self._folder.sweep(kept_s, but=but)
        after = set(await asyncio.to_thread(self._folder.ids))
        for session_id in before:
            if session_id not in after:
                await self._claims.swept(session_id)

    async def create(self, head: SessionHead) -> SessionJournal:  # noqa: D102
        access = Access(head.owner)
        await self._claims.claim(head.session_id, facts_of(access, head.clip_info.name))
        try:
            journal = await self._folder.create(head)
        except MaskletError:
            await self._claims.forget(head.session_id)
            raise
        return self._around(journal, head, access)

    async def open(  # noqa: D102
        self, session_id: str, owner: str
    ) -> tuple[SessionHead, Restored, SessionJournal] | None:
        # Who gets in is asked of the file, which opens nothing.
        access = await self._folder.access_of(session_id, asked_by=owner)
        if access is None or access.owner != owner:
            return None
        await self._claims.claim(session_id, facts_of(access))
        found = await self._folder.open(session_id, owner)
        if found is None:
            await self._claims.forget(session_id)
            return None
        head, restored, journal = found
        objects = len(restored.standing.contents.names)
        self._claims.tell(session_id, facts_of(access, head.clip_info.name, objects))
        return head, restored, self._around(journal, head, access)

    async def opened_by(self, owner: str, request_id: str) -> str | None:  # noqa: D102
        return await self._folder.opened_by(owner, request_id)

    async def summaries(self, user: str) -> Sequence[KeptSummary]:  # noqa: D102
        return await self._folder.summaries(user)

    async def remove(self, session_id: str) -> None:  # noqa: D102
        await self._folder.remove(session_id)
        await self._claims.forget(session_id)

    def touch(self, session_id: str) -> None:  # noqa: D102
        self._folder.touch(session_id)
        self._claims.touch(session_id)

    def _around(self, journal: SessionJournal, head: SessionHead, access: Access) -> SessionJournal:
        session_id, name = head.session_id, head.clip_info.name

        async def shared(shares: Mapping[str, frozenset[Scope]]) -> None:
            # Now: a guest is told of it, and comes.
            self._claims.tell(session_id, facts_of(Access(access.owner, shares), name))
            await self._claims.tell_news()

        return _ClaimedJournal(journal, shared, lambda: self._claims.lost(session_id))


class _ClaimedJournal:
    """A journal whose session may become another worker's while it is open."""

    def __init__(
        self,
        journal: SessionJournal,
        shared: Callable[[Mapping[str, frozenset[Scope]]], Awaitable[None]],
        lost: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._shared = shared
        self._lost = lost

    def add(self, record: Record) -> None:
        self._journal.add(record)

    async def settle(self) -> None:
        with self._fenced():
            await self._journal.settle()

    def attach(self, results: ResultKeeper) -> None:
        self._journal.attach(results)

    async def share(self, shares: Mapping[str, frozenset[Scope]]) -> None:
        with self._fenced():
            await self._journal.share(shares)
        await self._shared(shares)

    async def rest(self) -> None:
        await self._journal.rest()

    @contextmanager
    def _fenced(self) -> Iterator[None]:
        try:
            yield
        except TakenOverError as error:
            self._lost()
            raise moved() from error


def facts_of(access: Access, clip_name: str = "", objects: int = 0) -> SessionFacts:
    """What is told of a session."""
    guests = {
        account: tuple(scope.value for scope in in_order(rights)) for account, rights in access.shares.items()
    }
    return SessionFacts(access.owner, guests, clip_name, objects)


def moved() -> MovedError:
    """Sends a client back to the front door."""
    return MovedError(
        "this session is at another server of the cluster now: connect to the cluster's front door, and it "
        "goes on"
    )
