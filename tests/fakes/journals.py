"""Stores of sessions with journals, left as a killed process leaves them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fakes.clips import open_fake
from fakes.remembering import RememberingTracker
from masklet_server.journal.folder import JournalFolder
from masklet_server.sessions.scheduler import Scheduler
from masklet_server.sessions.store import SessionStore
from masklet_server.sessions.worker_threads import WorkerThreads


@asynccontextmanager
async def store_in(folder: Path, **more: Any) -> AsyncIterator[SessionStore]:
    """A store on a folder of journals; left as a killed process leaves it: nothing is closed."""
    workers, scheduler = WorkerThreads("journals", at_once=2), Scheduler()
    journals = JournalFolder(folder, workers)
    store = SessionStore(
        open_fake,
        lambda source, results: RememberingTracker(source, results),
        scheduler,
        journals=journals,
        **more,
    )
    try:
        yield store
    finally:
        journals.close()
        await scheduler.close()
        workers.close()
