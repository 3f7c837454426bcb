"""Files that clients sent, from the first byte to the last session that reads them.

An upload exists from its commit on. Until then, and whenever its stream ends without one, it is
nothing: the end of a stream looks the same whether the client finished, died or was cut off. What is
kept of a broken one are contents whose digests were told, for the next attempt.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import secrets
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from masklet.errors import BadInputError, LimitError, OutputError
from masklet.own_folder import OwnFolder, remove_abandoned
from masklet.v1 import session_pb2
from masklet_server.service.contents import DIGEST_BYTES, ContentKey, ContentStore, GrowingContent
from masklet_server.service.deletions import Deletions
from masklet_server.service.limits import CHUNK_BYTES, ServiceLimits
from masklet_server.sessions.clip_reference import UploadedFiles
from masklet_server.sessions.worker_threads import WorkerThreads

_log = logging.getLogger("masklet_server.service")

_WRITES_AT_ONCE = 8
MAX_CLIP_NAME_CHARACTERS = 255
FOLDER_PREFIX = "masklet-uploads-"
_SETTLE_LOOKS, _SETTLE_LOOK_S = 20, 0.1
_CLOSES_WITHIN_S = 3.0
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


@dataclass(eq=False)
class Upload:
    """A clip's files on the server's disk, under names of the server's own.

    Attributes:
        upload_id: 32 hexadecimal digits.
        user: Only this user can open it.
        clip_name: For people, never a path.
        folder: Holds the files and nothing else.
        pictures: File name by frame number; empty for a movie.
        movie: File name of a movie, empty for pictures.
        size_bytes: Of all files.
        contents: Of the files that are links to contents.
    """

    upload_id: str
    user: str
    clip_name: str
    folder: Path
    pictures: dict[int, str] = field(default_factory=dict)
    movie: str = ""
    size_bytes: int = 0
    received_s: float = 0.0
    readers: int = 0
    contents: list[ContentKey] = field(default_factory=list)

    @property
    def files(self) -> int:
        """How many files it has."""
        return len(self.pictures) + bool(self.movie)

    @property
    def files_sent(self) -> UploadedFiles:
        """Its files, for whoever opens the clip."""
        return UploadedFiles(self.folder, self.clip_name, dict(self.pictures), self.movie, self.size_bytes)


class UploadStore:
    """Receives uploads, hands them to sessions, deletes them.

    What a killed process left in the same place is deleted first, in the background.

    Args:
        limits: Sizes and times.
        folder: Where a folder of the store's own is made; None for the system's place.
        clock_s: An argument for tests.
    """

    def __init__(
        self,
        limits: ServiceLimits,
        *,
        folder: Path | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        # Of its own: a disk for uploads that hangs is not that of the plates.
        self._workers = WorkerThreads("uploads", at_once=_WRITES_AT_ONCE, disk_s=limits.disk_s)
        self._tidying: asyncio.Task[None] | None = None
        self._clock_s = clock_s
        self._own = OwnFolder(FOLDER_PREFIX, parent=folder)
        self._folder = self._own.path
        self._deletions = Deletions(self._folder / "deleted")
        self._deletions.run(lambda stop: remove_abandoned(FOLDER_PREFIX, parent=folder, stop=stop))
        self._uploads: dict[str, Upload] = {}
        self._by_request: dict[tuple[str, str], str] = {}
        # What has come of uploads without a commit, by user; what is only announced takes no room.
        self._arriving_bytes: Counter[str] = Counter()
        self._contents = ContentStore(
            self._folder / "contents",
            kept_s=limits.upload_kept_s,
            max_contents=2 * limits.max_upload_files,
            clock_s=clock_s,
        )

    @property
    def size_bytes(self) -> int:
        """Of all uploads, arriving ones included, and of contents that are kept beside them."""
        return self._used_bytes() + self._contents.idle_bytes

    async def held_bytes(self, digests: Sequence[bytes], *, user: str) -> list[int]:
        """How much of each content's beginning need not be sent again.

        Raises:
            LimitError: These are more than an upload may have.
        """
        self._limits.check_upload(len(digests), 0, 0, 0)
        keys = [ContentKey(user, digest) for digest in digests]
        # Whoever comes back after a broken connection is often here before its end was noticed.
        for _ in range(_SETTLE_LOOKS):
            if not any(self._contents.is_growing(key) for key in keys):
                break
            await asyncio.sleep(_SETTLE_LOOK_S)
        return [self._contents.held_bytes(key) for key in keys]

    async def receive(self, messages: AsyncIterator[session_pb2.UploadClipRequest], *, user: str) -> Upload:
        """Read one upload to its commit.

        Raises:
            BadInputError: The messages come in a wrong order, do not agree with what they announced,
                or end before the commit.
            LimitError: It is too large.
            OutputError: The server's disk is full.
        """
        header = await anext(messages, None)
        if header is None or header.WhichOneof("part") != "header":
            raise BadInputError("an upload begins with its header: update the client")
        key = (user, header.header.request_id)
        done = self._uploads.get(self._by_request.get(key, ""))
        if done is not None and header.header.request_id:
            return done
        name = header.header.clip_name
        if not name or len(name) > MAX_CLIP_NAME_CHARACTERS or not name.isprintable():
            raise BadInputError("an upload needs the clip's name, of at most 255 printable characters")
        upload_id = secrets.token_hex(16)
        upload = Upload(upload_id, user, name, self._folder / upload_id)
        try:
            await self._read_files(upload, messages)
        except BaseException:
            self._contents.release(upload.contents)
            await asyncio.shield(self._deletions.delete(upload.folder))
            raise
        upload.received_s = self._clock_s()
        self._uploads[upload_id] = upload
        if header.header.request_id:
            self._by_request[key] = upload_id
        return upload

    def open(self, upload_id: str, user: str) -> Upload:
        """The upload, which stays until its last reader has let it go.

        Raises:
            BadInputError: There is no such upload, or it is another user's.
        """
        upload = self._uploads.get(upload_id)
        if upload is None or upload.user != user:
            raise BadInputError(
                "the server holds no such upload: it was deleted after a while. Send it again"
            )
        upload.readers += 1
        return upload

    async def release(self, upload: Upload) -> None:
        """Let an opened upload go; the last reader's goodbye deletes it."""
        upload.readers -= 1
        if upload.readers == 0:
            await self._delete(upload)

    async def move(self, upload: Upload, folder: Path) -> None:
        """Put an opened upload's files where they outlive this process.

        Raises:
            OutputError: The disk takes nothing.
        """

        def move() -> None:
            folder.parent.mkdir(mode=0o700, exist_ok=True)
            # To another disk where need be, which takes its time.
            shutil.move(upload.folder, folder)

        try:
            await asyncio.to_thread(move)
        except OSError as error:
            raise OutputError(
                "the server cannot keep the upload, its disk for sessions is full: try again later"
            ) from error
        upload.folder = folder

    async def return_unused(self, upload: Upload) -> None:
        """Let an opened upload go without deleting it: its session did not come about."""
        home = self._folder / upload.upload_id
        if upload.folder != home:
            with suppress(OSError):
                await asyncio.to_thread(shutil.move, upload.folder, home)
                await asyncio.to_thread(upload.folder.parent.rmdir)
            upload.folder = home
        upload.readers -= 1

    async def tidy(self) -> None:
        """Delete uploads that nobody opened in time."""
        now_s = self._clock_s()
        for upload in list(self._uploads.values()):
            if upload.readers == 0 and now_s - upload.received_s >= self._limits.upload_kept_s:
                await self._delete(upload)
        # Nobody waits for it, and one that hangs is not started again.
        if self._tidying is None or self._tidying.done():
            self._tidying = asyncio.get_running_loop().create_task(self._tidy_contents())

    async def _tidy_contents(self) -> None:
        try:
            await self._at_disk("", self._contents.tidy)
        except OutputError as error:
            _log.error("uploads that nobody needs are not deleted: %s", error)

    async def close(self) -> None:
        """Delete everything. What a slow disk has not deleted after a few seconds, the next start does."""
        self._uploads.clear()
        if self._tidying is not None:
            self._tidying.cancel()
        self._workers.close()
        # Shielded: a call that is being cancelled may be cancelled once more where it cleans up.
        loop = asyncio.get_running_loop()
        await asyncio.shield(loop.run_in_executor(None, self._close_folder, _CLOSES_WITHIN_S))

    def _close_folder(self, within_s: float) -> None:
        self._deletions.close()
        self._own.remove(within_s=within_s)

    async def _delete(self, upload: Upload) -> None:
        self._uploads.pop(upload.upload_id, None)
        self._by_request = {key: kept for key, kept in self._by_request.items() if kept != upload.upload_id}
        self._contents.release(upload.contents)
        await asyncio.shield(self._deletions.delete(upload.folder))

    async def _read_files(
        self, upload: Upload, messages: AsyncIterator[session_pb2.UploadClipRequest]
    ) -> None:
        writer = _Writer(upload, self._contents)
        user = upload.user
        announced_bytes = arrived_bytes = 0
        try:
            async for message in messages:
                part = message.WhichOneof("part")
                if part == "file":
                    writer.check_complete()
                    announced_bytes += message.file.size_bytes
                    coming_bytes = announced_bytes - arrived_bytes
                    # Room is refused before the first byte, and taken by what arrives: announcing costs
                    # nothing, so it must not keep others out.
                    self._limits.check_upload(
                        upload.files + 1,
                        announced_bytes,
                        self._used_bytes(user) + coming_bytes,
                        self._used_bytes() + coming_bytes,
                    )
                    await self._at_disk(user, writer.start, message.file)
                    arrived_bytes += message.file.held_bytes
                    self._arriving_bytes[user] += message.file.held_bytes
                elif part == "chunk":
                    await self._make_room(user, len(message.chunk))
                    await self._at_disk(user, writer.write, message.chunk)
                    arrived_bytes += len(message.chunk)
                    self._arriving_bytes[user] += len(message.chunk)
                elif part == "commit":
                    writer.check_commit(message.commit)
                    upload.size_bytes = arrived_bytes
                    return
                else:
                    raise BadInputError("an upload has one header, at its beginning: update the client")
        except OSError as error:
            raise OutputError(
                "the server cannot store the upload, its disk is full: try again later"
            ) from error
        finally:
            # A file that hangs at the disk hangs in its closing as well.
            with suppress(OutputError):
                await asyncio.shield(self._at_disk(user, writer.close))
            self._arriving_bytes[user] -= arrived_bytes
            self._arriving_bytes += Counter()  # forgets whoever has nothing left
        raise BadInputError("the upload ended before it was complete, and nothing was kept: send it again")

    async def _at_disk(self, user: str, work: Callable[..., None], *args: Any) -> None:
        """Write in a thread.

        Raises:
            OutputError: The disk hangs.
        """
        refusal = OutputError(
            f"the server's disk for uploads has not answered for {self._workers.disk_s:.0f} seconds: have it "
            "looked at, then send the clip again"
        )
        # Shielded: nothing is closed or deleted while a thread writes it.
        running = self._workers.run(work, *args, whose=user, at_disk=True, refusal=refusal)
        await asyncio.shield(running)

    def _used_bytes(self, user: str | None = None) -> int:
        """What one user's uploads take, or all of them; without contents that nothing uses now."""
        mine = (each.size_bytes for each in self._uploads.values() if user in (None, each.user))
        arriving = self._arriving_bytes
        return sum(mine) + (arriving.total() if user is None else arriving[user])

    async def _make_room(self, user: str, size_bytes: int) -> None:
        """Give up contents that nothing uses, as far as what has arrived needs their room.

        Raises:
            LimitError: That is not enough.
        """
        surplus_bytes = self.size_bytes + size_bytes - self._limits.max_uploads_bytes
        if surplus_bytes > 0:
            await self._at_disk(user, self._contents.drop_idle, surplus_bytes, user)
            self._limits.check_upload(0, 0, 0, self.size_bytes + size_bytes)


class _Writer:
    """Writes the files of one upload, one after the other."""

    def __init__(self, upload: Upload, contents: ContentStore) -> None:
        self._upload = upload
        self._contents = contents
        self._digest = hashlib.sha256()
        self._file: BinaryIO | None = None
        self._growing: GrowingContent | None = None
        self._start: session_pb2.UploadFileStart | None = None
        self._path = Path()
        self._missing_bytes = 0

    def start(self, start: session_pb2.UploadFileStart) -> None:
        upload = self._upload
        if not _SUFFIX.fullmatch(start.suffix):
            raise BadInputError(
                "a file of the upload has no usable suffix: give its files names like plate.exr"
            )
        if start.size_bytes == 0 and not start.HasField("frame"):
            raise BadInputError("a file of the upload is empty: render it again, or leave it out")
        if start.held_bytes > start.size_bytes or len(start.sha256) not in (0, DIGEST_BYTES):
            raise BadInputError("a file of the upload is announced with a wrong size: update the client")
        if start.held_bytes and not start.sha256:
            raise BadInputError("a file of the upload is held under no digest: update the client")
        name = f"{upload.files:08d}{start.suffix.lower()}"
        if not start.HasField("frame"):
            if upload.files:
                raise BadInputError("a movie is uploaded alone: send one file without a frame number")
            upload.movie = name
        elif upload.movie or start.frame in upload.pictures:
            raise BadInputError(f"frame {start.frame} was uploaded twice, or beside a movie: send each once")
        else:
            upload.pictures[start.frame] = name
        upload.folder.mkdir(mode=0o700, exist_ok=True)
        self.close()
        self._start, self._path = start, upload.folder / name
        self._missing_bytes = start.size_bytes - start.held_bytes
        if not start.size_bytes:
            # One picture that was never written is no reason to refuse the others: whoever opens the clip
            # leaves it out.
            self._path.touch()
            return
        if start.sha256 and self._missing_bytes:
            self._growing = self._contents.grow(self._key(start), start.held_bytes)
        if not self._missing_bytes:
            self._link(start)
        elif self._growing is None:
            if start.held_bytes:
                raise BadInputError("another upload sends the same file now: send the clip again")
            self._file = self._path.open("xb")

    def write(self, chunk: bytes) -> None:
        if self._start is None:
            raise BadInputError("bytes of an upload came before their file: update the client")
        if len(chunk) > CHUNK_BYTES:
            raise LimitError("a chunk of an upload has at most 1 MiB: update the client")
        if len(chunk) > self._missing_bytes:
            raise BadInputError(
                "a file of the upload is longer than announced: it changed meanwhile, send it again"
            )
        self._digest.update(chunk)
        self._missing_bytes -= len(chunk)
        if self._file is not None:
            self._file.write(chunk)
        elif self._growing is not None:
            self._growing.write(chunk)
            if not self._missing_bytes:
                self._growing.finish()
                self._link(self._start)

    def check_complete(self) -> None:
        if self._missing_bytes:
            raise BadInputError(
                "a file of the upload is shorter than announced: it changed meanwhile, send it again"
            )

    def check_commit(self, commit: session_pb2.UploadCommit) -> None:
        self.check_complete()
        if commit.files != self._upload.files or not commit.files:
            raise BadInputError(
                f"the upload has {self._upload.files} files and should have {commit.files}: send it again"
            )
        if commit.sha256 != self._digest.digest():
            raise BadInputError("the upload was damaged on its way, its digest is wrong: send it again")

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        if self._growing is not None:
            self._growing.stop()
        self._file = self._growing = None

    def _key(self, start: session_pb2.UploadFileStart) -> ContentKey:
        return ContentKey(self._upload.user, start.sha256)

    def _link(self, start: session_pb2.UploadFileStart) -> None:
        self._contents.link(self._key(start), start.size_bytes, self._path)
        self._upload.contents.append(self._key(start))
