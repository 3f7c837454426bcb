"""Deletes folders beside everything else: a disk may take seconds for thousands of files."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue

from masklet.own_folder import remove_tree

_WAITS_S = 1.0


class Deletions:
    """One thread that deletes.

    Args:
        aside: A folder on the same disk: what is to be deleted is moved there at once.
    """

    def __init__(self, aside: Path) -> None:
        self._aside = aside
        self._count = 0
        self._stopping = threading.Event()
        self._work: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, daemon=True, name="deletions")
        self._thread.start()

    def run(self, work: Callable[[Callable[[], bool]], object]) -> None:
        """Do other work that deletes, which asks now and then whether it has to stop."""
        self._work.put(lambda: work(self._stopping.is_set))

    async def delete(self, folder: Path) -> None:
        """Take a folder away at once and delete it; after a second that goes on without the caller."""
        self._count += 1
        going = self._aside / str(self._count)
        done = asyncio.Event()
        loop = asyncio.get_running_loop()

        def delete() -> None:
            remove_tree(going, stop=self._stopping.is_set)
            with suppress(RuntimeError):
                # The loop may have ended meanwhile.
                loop.call_soon_threadsafe(done.set)

        try:
            self._aside.mkdir(mode=0o700, exist_ok=True)
            folder.rename(going)
        except OSError:
            # Never made, or a file of it is open on Windows.
            going = folder
        self._work.put(delete)
        with suppress(TimeoutError):
            async with asyncio.timeout(_WAITS_S):
                await done.wait()

    def close(self) -> None:
        """Stop after the file in hand; what is left stays."""
        self._stopping.set()
        self._work.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            work()
