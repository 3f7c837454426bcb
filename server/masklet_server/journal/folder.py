"""The folder of all journals of a server: one folder for each session, and one server at a time."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from masklet.errors import BadInputError, LimitError, MaskletError, OutputError
from masklet.own_folder import lock_file, remove_tree
from masklet.scopes import Scope
from masklet_server.identity.caller import LOCAL_USER
from masklet_server.journal.database import Database
from masklet_server.journal.disks import check_local
from masklet_server.journal.journal import FileJournal
from masklet_server.journal.owners import Owners
from masklet_server.journal.records import uses_of
from masklet_server.journal.recovery import headline_of, recover
from masklet_server.sessions.durability import (
    KeptSummary,
    Restored,
    SessionHead,
    SessionJournal,
)
from masklet_server.sessions.sharing import Access
from masklet_server.sessions.worker_threads import WorkerThreads

FILE_NAME = "session.sqlite"
CLIP_FOLDER = "clip"
_OPENED = "opened"
_OWNER = ".owner"
_VOLUME = ".volume"
SESSION_ID = re.compile(r"[0-9a-f]{32}")
_TOUCH_EVERY_S = 60.0
MAX_SESSIONS_OF_A_USER = 5_000
"""Kept ones: some three hundred and fifty a day."""
_TIMES_WITHOUT_NAMES = 10
"""So many times as many for all together who have no name: a server without tokens has no other user."""

_log = logging.getLogger("masklet_server.journal")


class JournalFolder:
    """See :class:`masklet_server.sessions.durability.Journals`.

    Args:
        folder: Made where it is missing, for this user alone.
        workers: Threads that read and write there.
        take_over: Go on although another server has the folder: it can write nothing any more to the sessions
            that are opened here.
        shared: Have it together with other workers of a cluster, which open what its directory gives them.

    Raises:
        BadInputError: It cannot be used: another server has it, it lies on a network, it is read-only.
    """

    def __init__(
        self, folder: Path, workers: WorkerThreads, *, take_over: bool = False, shared: bool = False
    ) -> None:
        self.path = folder
        self._workers = workers
        self._touched_s: dict[str, float] = {}
        self._is_shared = shared
        # Nobody else writes here, unless it is shared. Looked up, somebody else's session takes no longer
        # than none at all.
        self._owners = Owners()
        self._lock: int | None = claimed(folder, take_over=take_over, shared=shared)

    @property
    def volume(self) -> str:
        """Names this folder among all, for whoever asks which servers reach the same one."""
        return volume_of(self.path)

    def folder_of(self, session_id: str) -> Path:
        """Where a session's files are."""
        return self.path / session_id

    async def create(self, head: SessionHead) -> SessionJournal:  # noqa: D102
        self._check_room(head.owner)

        def make() -> FileJournal:
            folder = self.folder_of(head.session_id)
            try:
                folder.mkdir(mode=0o700, exist_ok=True)
                journal = FileJournal(
                    Database(folder / FILE_NAME, uses_of),
                    self._workers,
                    head.owner,
                    on_share=partial(self._learn, head.session_id, head.owner),
                )
                journal.write_head(head)
                self._learn(head.session_id, head.owner, {})
                if head.request_id:
                    self._opened(head.owner, head.request_id).write_text(head.session_id, encoding="ascii")
                _sync(self.path)
            except OSError as error:
                self._owners.forget(head.session_id)
                remove_tree(folder)
                raise OutputError(
                    "the disk that keeps the server's sessions takes nothing: free some space there and open "
                    "the clip again"
                ) from error
            except MaskletError:
                self._owners.forget(head.session_id)
                remove_tree(folder)
                raise
            return journal

        return await self._workers.run(make, whose=head.owner, at_disk=True)

    async def open(  # noqa: D102
        self, session_id: str, owner: str
    ) -> tuple[SessionHead, Restored, SessionJournal] | None:
        if not SESSION_ID.fullmatch(session_id):
            return None

        def read() -> tuple[SessionHead, Restored, SessionJournal] | None:
            file = self.folder_of(session_id) / FILE_NAME
            # Before anything is opened: opening takes a session from its owner.
            if not file.is_file() or headline_of(file).access.owner != owner:
                return None
            database = Database(file, uses_of)
            found = recover(database)
            journal = FileJournal(
                database,
                self._workers,
                owner,
                on_share=partial(self._learn, session_id, owner),
                written=found.restored.standing,
                answers=found.answer_numbers,
            )
            return _at_home(found.head, self.folder_of(session_id)), found.restored, journal

        return await self._workers.run(read, whose=owner, at_disk=True)

    async def look_round(self) -> None:
        """Find out whose sessions are there from before, and what their uploads take."""

        def count() -> None:
            for session_id in self.ids():
                with suppress(MaskletError):
                    found = headline_of(self.folder_of(session_id) / FILE_NAME)
                    self._owners.learn(session_id, found.access)
                    upload = found.head.clip.upload
                    if upload is not None:
                        self._owners.learn_upload(session_id, found.head.owner, upload.size_bytes)

        await self._workers.run(count, at_disk=True)

    def uploads_bytes(self) -> Mapping[str, int]:
        """What they take, by owner."""
        return self._owners.uploads_bytes()

    async def access_of(self, session_id: str, *, asked_by: str = "") -> Access | None:  # noqa: D102
        if not SESSION_ID.fullmatch(session_id):
            return None

        def read() -> Access | None:
            file = self.folder_of(session_id) / FILE_NAME
            if not file.is_file():
                self._owners.forget(session_id)
                return None
            known = None if self._is_shared else self._owners.access_of(session_id)
            if known is None:
                known = headline_of(file).access
                self._owners.learn(session_id, known)
            return known

        return await self._workers.run(read, whose=asked_by, at_disk=True)

    async def opened_by(self, owner: str, request_id: str) -> str | None:  # noqa: D102
        if not request_id:
            return None

        def read() -> str | None:
            # A byte that the disk changed is no id any more.
            with suppress(OSError, ValueError):
                found = self._opened(owner, request_id).read_text(encoding="ascii")
                if SESSION_ID.fullmatch(found) and (self.folder_of(found) / FILE_NAME).is_file():
                    return found
            return None

        return await self._workers.run(read, whose=owner, at_disk=True)

    async def summaries(self, user: str) -> Sequence[KeptSummary]:  # noqa: D102
        def may_be(session_id: str) -> bool:
            known = None if self._is_shared else self._owners.access_of(session_id)
            return known is None or known.rights_of(user) is not None

        def read() -> list[KeptSummary]:
            # Those of others are not even opened: there may be thousands.
            mine = self._summaries(filter(may_be, self.ids()))
            return [each for each in mine if each.access.rights_of(user) is not None]

        return await self._workers.run(read, whose=user, at_disk=True)

    def all(self) -> Iterator[KeptSummary]:
        """All sessions, as far as they can be read."""
        yield from self._summaries(self.ids())

    def _summaries(self, session_ids: Iterable[str]) -> Iterator[KeptSummary]:
        for session_id in session_ids:
            try:
                file = self.folder_of(session_id) / FILE_NAME
                found = headline_of(file)
                name = found.head.clip_info.name
                yield KeptSummary(session_id, name, found.objects, idle_s(file), found.access)
            except MaskletError as error:
                _log.warning("the journal %s cannot be listed: %s", session_id, error)

    async def remove(self, session_id: str) -> None:  # noqa: D102
        if SESSION_ID.fullmatch(session_id):
            await self._workers.run(self.remove_now, session_id, at_disk=True)

    def remove_now(self, session_id: str) -> None:
        """Delete a session's files; fine when there are none."""
        self._touched_s.pop(session_id, None)
        self._owners.forget(session_id)
        remove_tree(self.folder_of(session_id))

    def touch(self, session_id: str) -> None:  # noqa: D102
        now_s = time.monotonic()
        if now_s - self._touched_s.get(session_id, -_TOUCH_EVERY_S) < _TOUCH_EVERY_S:
            return
        self._touched_s[session_id] = now_s
        file = self.folder_of(session_id) / FILE_NAME

        def touch() -> None:
            with suppress(OSError):
                os.utime(file)

        self._workers.start(touch)

    async def sweep(self, kept_s: float, *, but: Collection[str]) -> None:  # noqa: D102
        await self._workers.run(self.sweep_now, kept_s, but, at_disk=True)

    def sweep_now(self, kept_s: float, but: Collection[str] = ()) -> int:
        """Delete sessions that nobody has used for so long; how many."""
        gone = 0
        for session_id in self.ids():
            if session_id in but:
                continue
            with suppress(OSError):
                if idle_s(self.folder_of(session_id) / FILE_NAME) >= kept_s:
                    _log.info("a session that nobody has used for %.1f days is deleted", kept_s / 86400)
                    self.remove_now(session_id)
                    gone += 1
        for session_id in self._owners.known():
            # Of a folder that is shared, others delete sessions as well.
            if not (self.folder_of(session_id) / FILE_NAME).is_file():
                self._owners.forget(session_id)
        with suppress(OSError):
            for file in (self.path / _OPENED).iterdir():
                session_id = file.read_text(encoding="ascii", errors="replace")
                is_id = SESSION_ID.fullmatch(session_id)
                if not is_id or not (self.folder_of(session_id) / FILE_NAME).is_file():
                    file.unlink()
        return gone

    def close(self) -> None:
        """Let another server have the folder."""
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)

    def _check_room(self, owner: str) -> None:
        have = self._owners.sessions_of(owner)
        if owner != LOCAL_USER and have >= MAX_SESSIONS_OF_A_USER:
            raise LimitError(
                f"you have {MAX_SESSIONS_OF_A_USER} sessions on this server, which keeps each of them for "
                "two weeks: close those that you need no more (masklet sessions lists them)"
            )
        if have >= MAX_SESSIONS_OF_A_USER * _TIMES_WITHOUT_NAMES:
            raise LimitError(
                f"all who use this server without a name have {have} sessions together, and it keeps each of "
                "them for two weeks: close those that nobody needs (masklet sessions lists them), or give "
                "everybody a token of their own"
            )

    def _learn(self, session_id: str, owner: str, shares: Mapping[str, frozenset[Scope]]) -> None:
        self._owners.learn(session_id, Access(owner, shares))

    def ids(self) -> list[str]:
        """All sessions that have a folder here; blocks for a disk's time."""
        try:
            names = sorted(os.listdir(self.path))
        except OSError:
            return []
        return [name for name in names if SESSION_ID.fullmatch(name)]

    def _opened(self, owner: str, request_id: str) -> Path:
        name = hashlib.sha256(json.dumps([owner, request_id]).encode()).hexdigest()
        return self.path / _OPENED / name


def _at_home(head: SessionHead, folder: Path) -> SessionHead:
    """A session's head, with the clip that was sent beside the journal, wherever that was made."""
    upload = head.clip.upload
    if upload is None or not (folder / CLIP_FOLDER).is_dir():
        return head
    return replace(head, clip=replace(head.clip, upload=replace(upload, folder=folder / CLIP_FOLDER)))


def check_usable(folder: Path, *, take_over: bool, shared: bool = False) -> None:
    """See at once that a server can keep its sessions in a folder; errors as in :func:`claimed`."""
    os.close(claimed(folder, take_over=take_over, shared=shared))


def volume_of(folder: Path) -> str:
    """The name that a folder of journals has for good; it is given one where it has none.

    Raises:
        BadInputError: The folder takes nothing.
    """
    file = folder / _VOLUME
    try:
        fresh = folder / f"{_VOLUME}.{secrets.token_hex(4)}"
        fresh.write_text(secrets.token_hex(16), encoding="ascii")
        # Of two that come at once, one gives the name.
        with suppress(FileExistsError):
            os.link(fresh, file)
        fresh.unlink()
        return file.read_text(encoding="ascii")
    except OSError as error:
        raise BadInputError(
            f"the folder for sessions {folder} takes nothing ({error.strerror}): free some space there"
        ) from error


def claimed(folder: Path, *, take_over: bool, shared: bool = False) -> int:
    """A folder for sessions, made and locked for this process until the handle is closed.

    Raises:
        BadInputError: It cannot be used; see :class:`JournalFolder`.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / _OPENED).mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise BadInputError(
            f"the folder for sessions {folder} cannot be made ({error.strerror}): name another one with "
            "--sessions, or --no-sessions"
        ) from error
    check_local(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadInputError(
            f"the folder for sessions {folder} is read-only: make it writable, or name another one"
        )
    mark = os.open(folder / _OWNER, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        lock_file(mark, shared=shared)
    except OSError as error:
        if not take_over:
            os.close(mark)
            raise BadInputError(
                f"another server keeps its sessions in {folder}: stop it, name another folder with "
                "--sessions, or add --take-over where it does not answer any more"
            ) from error
        _log.warning("the sessions in %s are taken over from another server", folder)
    return mark


def idle_s(file: Path) -> float:
    """Since the session was used last, as the file's times say."""
    used_s = file.stat().st_mtime
    with suppress(OSError):
        used_s = max(used_s, file.with_name(f"{file.name}-wal").stat().st_mtime)
    return max(0.0, time.time() - used_s)


def _sync(folder: Path) -> None:
    """See that a folder's entries are on the disk."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
