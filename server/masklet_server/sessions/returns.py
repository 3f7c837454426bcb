"""How sessions come back from their journals."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Protocol

from masklet.errors import ClipError, MaskletError
from masklet_server.sessions.clip_reference import ClipReference
from masklet_server.sessions.departures import OnClose
from masklet_server.sessions.durability import Journals, Restored, SessionJournal
from masklet_server.sessions.held import Held, check_same_clip
from masklet_server.sessions.session import Session
from masklet_server.sessions.session_tracker import ClosingSource
from masklet_server.sessions.sharing import Access, not_found
from masklet_server.sessions.unfinished import take_notes
from masklet_server.sessions.worker_threads import WorkerThreads


class Hold(Protocol):
    """Puts a session into memory."""

    def __call__(
        self,
        session_id: str,
        user: str,
        clip: ClipReference,
        source: ClosingSource,
        journal: SessionJournal | None,
        *,
        access: Access | None = None,
        restored: Restored | None = None,
        on_close: OnClose | None = None,
    ) -> Session:
        """The session."""
        ...


class Returns:
    """Brings sessions back, each once for all who ask. To be used from one event loop.

    Args:
        held: All sessions in memory; the store's own.
        journals: Where others are; None where there are none.
        workers: Threads that read files.
        model_sha256: Of the weights in force.
        make_room: Sees that one more session may be in memory.
        open_clip: Opens the clip that a session is about.
        hold: Puts it into memory.
        came_back: Tells what has to be called for it in the end.
    """

    def __init__(
        self,
        held: Mapping[str, Held],
        journals: Journals | None,
        workers: WorkerThreads,
        model_sha256: str,
        *,
        make_room: Callable[[str], Awaitable[None]],
        open_clip: Callable[[str, ClipReference], Awaitable[ClosingSource]],
        hold: Hold,
        came_back: Callable[[str], OnClose | None],
    ) -> None:
        self._held = held
        self._journals = journals
        self._workers = workers
        self._model_sha256 = model_sha256
        self._make_room = make_room
        self._source = open_clip
        self._hold = hold
        self._came_back = came_back
        self._returning: dict[str, asyncio.Task[None]] = {}

    async def bring(self, session_id: str, user: str) -> None:
        """Bring a session back from its journal, once for all who ask.

        Raises:
            SessionNotFoundError: There is none that this user may know of.
        """
        if self._journals is None:
            raise not_found()
        access = await self._journals.access_of(session_id, asked_by=user)
        if access is None or access.rights_of(user) is None:
            raise not_found()
        if session_id in self._held:
            return
        returning = self._returning.get(session_id)
        if returning is None:
            returning = asyncio.get_running_loop().create_task(self._brought_back(session_id, access))
            self._returning[session_id] = returning
            returning.add_done_callback(lambda _: self._returning.pop(session_id, None))
        await asyncio.shield(returning)

    async def _brought_back(self, session_id: str, access: Access) -> None:
        assert self._journals is not None
        user = access.owner
        found = await self._journals.open(session_id, user)
        if found is None:
            raise not_found()
        head, restored, journal = found
        try:
            await self._make_room(user)
            if (folder := self._journals.folder_of(session_id)) is not None:
                left = await self._workers.run(take_notes, folder, whose=user, at_disk=True)
                restored = replace(restored, notices=(*restored.notices, *left))
            source = await self._source(user, head.clip)
            try:
                check_same_clip(head.clip_info, source.info)
            except ClipError:
                self._workers.start(source.close)
                raise
        except MaskletError:
            await journal.rest()
            raise
        if head.model_sha256 != self._model_sha256:
            # Its masks stay; what other weights have tracked is nothing to build on.
            restored = replace(restored, ways={})
        on_close = self._came_back(session_id)
        self._hold(
            session_id,
            user,
            head.clip,
            source,
            journal,
            access=access,
            restored=restored,
            on_close=on_close,
        )
