"""Journals on their way to another worker, where nobody else reaches this one's folder."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc.aio

from masklet.errors import MaskletError
from masklet.v1 import cluster_pb2_grpc
from masklet_server.cluster.claimed_journals import facts_of
from masklet_server.cluster.journal_servicer import JournalServicer
from masklet_server.cluster.ports import Refuge, SessionFacts
from masklet_server.journal.folder import JournalFolder
from masklet_server.sessions.worker_threads import WorkerThreads

CARRY_S = 3600.0
MOVES_AT_ONCE = 4

_log = logging.getLogger("masklet_server.cluster")


class Carrier:
    """Takes journals of a worker's folder to others, and others' in.

    Attributes:
        folder: The worker's; None until it is known.

    Args:
        carry: Takes a journal to another worker, in a thread: told the session, its folder, and where to.
            None where all workers have one folder.
    """

    def __init__(self, carry: Callable[[str, Path, Refuge], None] | None) -> None:
        self.folder: JournalFolder | None = None
        self._carry = carry
        # Journals with a clip take as long as they take.
        self._threads = WorkerThreads("parcels", at_once=MOVES_AT_ONCE, disk_s=CARRY_S)

    def close(self) -> None:
        """End its threads."""
        self._threads.close()

    def serve(self, server: grpc.aio.Server, name: str, *, is_here: Callable[[str], bool]) -> None:
        """Have a server take journals from other workers.

        Args:
            server: The worker's.
            name: The worker's.
            is_here: True for a session that it has.
        """
        assert self.folder is not None
        journals = JournalServicer(self.folder, self._threads, name, is_here=is_here)
        cluster_pb2_grpc.add_JournalServiceServicer_to_server(journals, server)

    async def carried(self, session_id: str, refuge: Callable[[], Awaitable[Refuge | None]]) -> str:
        """Take a session's journal to where it is reached.

        Args:
            session_id: Which; nobody has it open.
            refuge: Asks the directory where to.

        Returns:
            The volume there; empty for where it was.
        """
        if self._carry is None or self.folder is None:
            return ""
        try:
            found = await refuge()
            if found is None:
                return ""
            folder = self.folder.folder_of(session_id)
            await self._threads.run(self._carry, session_id, folder, found, at_disk=True)
        except MaskletError as error:
            _log.warning("a session stays on this machine's disk, where it can be gone on with: %s", error)
            return ""
        return found.volume

    async def idle(self, but: frozenset[str]) -> list[tuple[str, SessionFacts]]:
        """Sessions of the folder that nobody has opened since this worker was started."""
        return await self._threads.run(self._idle, but, at_disk=True)

    async def remove(self, session_id: str) -> None:
        """Delete what is complete elsewhere."""
        if self.folder is not None:
            await self._threads.run(self.folder.remove_now, session_id, at_disk=True)

    def _idle(self, but: frozenset[str]) -> list[tuple[str, SessionFacts]]:
        if self._carry is None or self.folder is None:
            return []
        return [
            (each.session_id, facts_of(each.access, each.clip_name, each.objects))
            for each in self.folder.all()
            if each.session_id not in but
        ]
