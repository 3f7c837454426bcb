"""Files that a session is writing, noted beside its journal: what a dead server left half done is said."""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from masklet.errors import MaskletError, OutputError
from masklet_server.sessions.worker_threads import WorkerThreads

FILE_NAME = "unfinished.json"
MAX_BYTES = 64 << 10

_log = logging.getLogger("masklet_server.sessions")


class Unfinished:
    """Notes of one session. To be used from one event loop.

    Attributes:
        is_stopping: Set when the server stops: what ends now is cut off, and its note stays.

    Args:
        folder: Of its journal; None where nothing outlives the process.
        workers: Threads that write files.
        user: Whose they are.
    """

    def __init__(self, folder: Path | None, workers: WorkerThreads, user: str) -> None:
        self.is_stopping = False
        self._folder = folder
        self._workers = workers
        self._user = user
        self._notes: dict[int, str] = {}
        self._numbers = itertools.count()

    @asynccontextmanager
    async def noted(self, what: str) -> AsyncIterator[None]:
        """Bracket work on files.

        Args:
            what: For people, as the beginning of a sentence: ``an export of mattes to /shows/x``.
        """
        number = next(self._numbers)
        self._notes[number] = what
        await self._write()
        try:
            yield
        except (asyncio.CancelledError, GeneratorExit):
            # When the server stops, its note stays where it is.
            if not self.is_stopping:
                await self._strike_out(number)
            raise
        except BaseException:
            await self._strike_out(number)
            raise
        else:
            await self._strike_out(number)

    async def _strike_out(self, number: int) -> None:
        self._notes.pop(number, None)
        await self._write()

    async def _write(self) -> None:
        if self._folder is None:
            return
        notes = list(self._notes.values())
        try:
            await self._workers.run(
                write_notes, self._folder, notes, whose=self._user, at_disk=True, refusal=_hanging()
            )
        except (MaskletError, OSError) as error:
            # The work itself goes on.
            _log.warning("what is under way in a session could not be noted: %s", error)


def _hanging() -> OutputError:
    return OutputError("the disk that keeps the server's sessions does not answer")


def write_notes(folder: Path, notes: list[str]) -> None:
    """Note these, and nothing else.

    Raises:
        OSError: The disk does not take it.
    """
    file = folder / FILE_NAME
    if not notes:
        file.unlink(missing_ok=True)
        return
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(notes), encoding="utf-8")
    os.replace(fresh, file)


def take_notes(folder: Path) -> tuple[str, ...]:
    """What was under way when the server that had the session died, as sentences; told once."""
    file = folder / FILE_NAME
    found: object = ()
    with suppress(OSError, ValueError, RecursionError):
        if file.stat().st_size <= MAX_BYTES:
            found = json.loads(file.read_text(encoding="utf-8"))
    with suppress(OSError):
        file.unlink(missing_ok=True)
    notes = [each for each in found if isinstance(each, str)] if isinstance(found, list) else []
    return tuple(
        f"{each} was cut off when the server stopped: files that were finished are whole, and the same "
        "export, made again, goes on behind them"
        for each in notes
    )
