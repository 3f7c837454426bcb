"""A clip once more, for whoever looks at it: kept open between pictures, which come one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from masklet.errors import SessionNotFoundError
from masklet_server.sessions.worker_threads import WorkerThreads

if TYPE_CHECKING:
    from masklet_server.sessions.session_tracker import ClosingSource

ValueT = TypeVar("ValueT")


class Viewing:
    """The viewer's own clip: to open a movie anew for every picture would be to read all of it again.

    Args:
        open_source: Opens the clip.
        workers: Threads that read files.
        user: Whose they are.
    """

    def __init__(self, open_source: Callable[[], ClosingSource], workers: WorkerThreads, user: str) -> None:
        self._open_source, self._workers, self._user = open_source, workers, user
        self._one_at_a_time = asyncio.Lock()
        self._source: ClosingSource | None = None
        self._is_closed = False

    async def look(self, work: Callable[[ClosingSource], ValueT]) -> ValueT:
        """What comes of looking at the clip, in a thread.

        A caller who leaves gives up what was not begun; a picture in hand is finished, and the next caller
        waits for that, since a clip is read by one thread at a time.

        Raises:
            ClipError: The clip cannot be opened, its picture cannot be used, or its disk hangs.
            SessionNotFoundError: The session was closed meanwhile.
        """
        await self._one_at_a_time.acquire()
        looking = asyncio.ensure_future(self._look(work))
        looking.add_done_callback(self._looked)
        return await asyncio.shield(looking)

    def close(self, *, for_good: bool = False) -> None:
        """Give files and decoders back; unless it is for good the next look opens them again."""
        self._is_closed = self._is_closed or for_good
        if not self._one_at_a_time.locked():
            self._let_go()

    async def _look(self, work: Callable[[ClosingSource], ValueT]) -> ValueT:
        if self._is_closed:
            raise SessionNotFoundError("the session was closed meanwhile: open the clip again")
        if self._source is None:
            self._source = await self._workers.run(
                self._open_source, whose=self._user, at_disk=True, unwanted=lambda late: late.close()
            )
        return await self._workers.run(work, self._source, whose=self._user)

    def _looked(self, looking: asyncio.Future[ValueT]) -> None:
        self._one_at_a_time.release()
        failed = looking.cancelled() or looking.exception() is not None
        if self._is_closed or failed:
            # A read that hangs may still be under way in the source: the next look takes a fresh one.
            self._let_go()

    def _let_go(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            self._workers.start(source.close)
