"""Files that clients sent, from the first byte to the last session that reads them.

An upload exists from its commit on. Until then, and whenever its stream ends without one, it is
nothing: the end of a stream looks the same whether the client finished, died or was cut off. What is
kept of a broken one are contents whose digests were told, for the next attempt.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from masklet.errors import BadInputError, OutputError
from masklet.own_folder import OwnFolder, remove_abandoned
from masklet_server.identity.caller import tenant_of
from masklet_server.service.contents import ContentKey, ContentStore
from masklet_server.service.deletions import Deletions
from masklet_server.service.limits import ServiceLimits
from masklet_server.service.shared_memory import SharedCall
from masklet_server.service.upload_messages import Chunk, UploadMessage
from masklet_server.service.upload_writer import Upload, UploadWriter
from masklet_server.sessions.worker_threads import WorkerThreads

_log = logging.getLogger("masklet_server.service")

_WRITES_AT_ONCE = 8
MAX_CLIP_NAME_CHARACTERS = 255
FOLDER_PREFIX = "masklet-uploads-"
_SETTLE_LOOKS, _SETTLE_LOOK_S = 20, 0.1
_CLOSES_WITHIN_S = 3.0


class UploadStore:
    """Receives uploads, hands them to sessions, deletes them.

    What a killed process left in the same place is deleted first, in the background.

    Args:
        limits: Sizes and times.
        folder: Where a folder of the store's own is made; None for the system's place.
        kept_bytes: Tells what uploads take, by user, that earlier processes received for their sessions.
        clock_s: An argument for tests.
    """

    def __init__(
        self,
        limits: ServiceLimits,
        *,
        folder: Path | None = None,
        kept_bytes: Callable[[], Mapping[str, int]] = dict,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._kept_bytes = kept_bytes
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
        self._arriving_files: Counter[str] = Counter()
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
        self._limits.check_upload(len(digests), 0, 0, 0, 0)
        keys = [ContentKey(user, digest) for digest in digests]
        # Whoever comes back after a broken connection is often here before its end was noticed.
        for _ in range(_SETTLE_LOOKS):
            if not any(self._contents.is_growing(key) for key in keys):
                break
            await asyncio.sleep(_SETTLE_LOOK_S)
        return [self._contents.held_bytes(key) for key in keys]

    async def receive(
        self, messages: AsyncIterator[UploadMessage], *, user: str, shared: SharedCall | None = None
    ) -> Upload:
        """Read one upload to its commit.

        Args:
            messages: As they come.
            user: Whose it is.
            shared: Memory in which chunks may lie.

        Raises:
            BadInputError: The messages come in a wrong order, do not agree with what they announced,
                or end before the commit.
            LimitError: It is too large.
            OutputError: The server's disk is full.
        """
        header = await anext(messages, None)
        if header is None or isinstance(header, Chunk) or header.WhichOneof("part") != "header":
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
            digests_of_files = header.header.digests_of_files
            writer = UploadWriter(upload, self._contents, digests_of_files=digests_of_files)
            await self._read_files(upload, writer, messages, shared)
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
        self,
        upload: Upload,
        writer: UploadWriter,
        messages: AsyncIterator[UploadMessage],
        shared: SharedCall | None,
    ) -> None:
        user = upload.user
        announced_bytes = arrived_bytes = arriving_files = 0
        try:
            async for message in messages:
                part = "chunk" if isinstance(message, Chunk) else message.WhichOneof("part")
                if isinstance(message, Chunk) or part == "chunk":
                    data = message.data if isinstance(message, Chunk) else message.chunk
                    await self._make_room(user, len(data))
                    await self._at_disk(user, writer.write, data)
                    arrived_bytes += len(data)
                    self._arriving_bytes[user] += len(data)
                elif part == "file":
                    writer.check_complete()
                    announced_bytes += message.file.size_bytes
                    coming_bytes = announced_bytes - arrived_bytes
                    # Room is refused before the first byte, and taken by what arrives: announcing costs
                    # nothing, so it must not keep others out.
                    self._limits.check_upload(
                        upload.files + 1,
                        announced_bytes,
                        self._used_bytes(lambda whose: whose == user) + coming_bytes,
                        self._used_bytes(lambda whose: tenant_of(whose) == tenant_of(user)) + coming_bytes,
                        self._used_bytes() + coming_bytes,
                        user_files=self._arriving_files[user]
                        + sum(each.files for each in self._uploads.values() if each.user == user)
                        + 1,
                    )
                    self._arriving_files[user] += 1
                    arriving_files += 1
                    await self._at_disk(user, writer.start, message.file)
                    arrived_bytes += message.file.held_bytes
                    self._arriving_bytes[user] += message.file.held_bytes
                elif part == "shared_chunk":
                    if shared is None:
                        raise BadInputError(
                            "a chunk of the upload lies in memory that is not shared: send it"
                        )
                    chunk = shared.chunk(message.shared_chunk)
                    await self._make_room(user, len(chunk))
                    await self._at_disk(user, writer.write_shared, chunk)
                    arrived_bytes += len(chunk)
                    self._arriving_bytes[user] += len(chunk)
                    shared.give_back(message.shared_chunk)
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
            self._arriving_files[user] -= arriving_files
            self._arriving_bytes += Counter()  # forgets whoever has nothing left
            self._arriving_files += Counter()
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

    def _used_bytes(self, is_counted: Callable[[str], bool] = lambda user: True) -> int:
        """What uploads of some users take, or of all; without contents that nothing uses now."""
        held = ((each.user, each.size_bytes) for each in self._uploads.values())
        sizes = chain(held, self._arriving_bytes.items(), self._kept_bytes().items())
        return sum(size_bytes for user, size_bytes in sizes if is_counted(user))

    async def _make_room(self, user: str, size_bytes: int) -> None:
        """Give up contents that nothing uses, as far as what has arrived needs their room.

        Raises:
            LimitError: That is not enough.
        """
        surplus_bytes = self.size_bytes + size_bytes - self._limits.max_uploads_bytes
        if surplus_bytes > 0:
            await self._at_disk(user, self._contents.drop_idle, surplus_bytes, user)
            self._limits.check_upload(0, 0, 0, 0, self.size_bytes + size_bytes)
