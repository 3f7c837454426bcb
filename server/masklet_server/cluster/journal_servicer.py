"""``masklet.v1.JournalService``: a worker takes sessions from one that drains and has another disk."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO

from masklet.errors import BadInputError, BusyError, LimitError, OutputError
from masklet.own_folder import remove_tree
from masklet.v1 import cluster_pb2, cluster_pb2_grpc
from masklet_server.cluster.journal_parcels import CHUNK_BYTES, MAX_FILES
from masklet_server.journal.folder import CLIP_FOLDER, FILE_NAME, SESSION_ID, JournalFolder
from masklet_server.service.context import Context
from masklet_server.sessions.worker_threads import WorkerThreads

MAX_BYTES = 1 << 40
ARRIVING = ".arriving-"
_BESIDE = frozenset({FILE_NAME, "unfinished.json"})
_CLIP_FILE = re.compile(rf"{CLIP_FOLDER}/[A-Za-z0-9_][A-Za-z0-9._-]{{0,200}}")


class JournalServicer(cluster_pb2_grpc.JournalServiceServicer):
    """Writes journals into the worker's folder, whole or not at all.

    Args:
        folder: The worker's journals.
        workers: Threads that write.
        name: Of the worker, which others that have the same folder are told from by.
        is_here: True for a session that this worker has.
    """

    def __init__(
        self, folder: JournalFolder, workers: WorkerThreads, name: str, *, is_here: Callable[[str], bool]
    ) -> None:
        self._folder = folder
        self._workers = workers
        self._is_here = is_here
        self._suffix = f".{name}"
        # Its own alone: another worker of the folder may be taking a session now.
        for left in folder.path.glob(f"{ARRIVING}{'?' * 16}{glob.escape(self._suffix)}"):
            remove_tree(left)

    async def TakeJournal(  # noqa: N802  (gRPC names methods)
        self, request_iterator: AsyncIterator[cluster_pb2.TakeJournalRequest], context: Context
    ) -> cluster_pb2.TakeJournalResponse:
        """Take a session that is nobody's at this moment."""
        first = await anext(aiter(request_iterator), None)
        session_id = "" if first is None else first.header.session_id
        if not SESSION_ID.fullmatch(session_id):
            raise BadInputError("a journal begins with the id of its session: update the worker")
        if self._is_here(session_id):
            raise BusyError("this worker has the session already")
        parcel = _Parcel(self._folder.path / f"{ARRIVING}{secrets.token_hex(8)}{self._suffix}")
        try:
            async for message in request_iterator:
                await self._workers.run(parcel.take, message, at_disk=True)
            await self._workers.run(parcel.keep, self._folder.folder_of(session_id), at_disk=True)
        finally:
            await self._workers.run(parcel.throw_away, at_disk=True)
        return cluster_pb2.TakeJournalResponse()


class _Parcel:
    """What has arrived of a session's folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._left_bytes = self._all_bytes = self._files = 0
        self._is_complete = False

    def take(self, message: cluster_pb2.TakeJournalRequest) -> None:
        """Write the next part.

        Raises:
            BadInputError: It does not fit what came before, or names a file that no session has.
            LimitError: There is too much.
            OutputError: The disk takes nothing.
        """
        part = message.WhichOneof("part")
        try:
            if self._is_complete or part in (None, "header"):
                raise _contradicts()
            if part == "file":
                self._begin(message.file)
            elif part == "chunk":
                self._write(message.chunk)
            else:
                self._commit(message.commit)
        except OSError as error:
            raise OutputError(
                "the disk that keeps the server's sessions takes nothing: free some space there"
            ) from error

    def keep(self, place: Path) -> None:
        """Have all of it where the session's folder is; what an earlier stay has left there goes."""
        if not self._is_complete:
            raise _contradicts()
        remove_tree(place)
        os.replace(self._folder, place)
        if os.name == "posix":
            handle = os.open(place.parent, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def throw_away(self) -> None:
        """Leave nothing of what was not kept."""
        if self._file is not None:
            self._file.close()
        remove_tree(self._folder)

    def _begin(self, start: cluster_pb2.JournalFileStart) -> None:
        self._end()
        if start.name not in _BESIDE and not _CLIP_FILE.fullmatch(start.name):
            raise BadInputError("a session has no such file: update the worker")
        self._files += 1
        self._all_bytes += start.size_bytes
        if self._files > MAX_FILES or self._all_bytes > MAX_BYTES:
            raise LimitError("the session is larger than a worker takes")
        file = self._folder / start.name
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file, self._left_bytes = file.open("xb"), start.size_bytes

    def _write(self, chunk: bytes) -> None:
        if self._file is None or len(chunk) > min(CHUNK_BYTES, self._left_bytes):
            raise _contradicts()
        self._file.write(chunk)
        self._digest.update(chunk)
        self._left_bytes -= len(chunk)

    def _commit(self, commit: cluster_pb2.JournalCommit) -> None:
        self._end()
        is_whole = (commit.files, commit.sha256) == (self._files, self._digest.digest())
        if not is_whole or not (self._folder / FILE_NAME).is_file():
            raise _contradicts()
        self._is_complete = True

    def _end(self) -> None:
        if self._file is None:
            return
        if self._left_bytes:
            raise _contradicts()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None


def _contradicts() -> BadInputError:
    return BadInputError("the journal did not arrive as it was sent: nothing of it is kept, try again")
