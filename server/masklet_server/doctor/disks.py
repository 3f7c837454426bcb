"""Room, kind and pace of the disks that a server writes to, and whether plates can be reached."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from statistics import median

from masklet.findings import Finding, Verdict
from masklet_server.journal.disks import network_type
from masklet_server.service.settings import ServerSettings

LOW_BYTES = 5 << 30
FULL_BYTES = 256 << 20
LOW_FILES = 10_000
ANSWERS_WITHIN_S = 5.0
SLOW_COMMIT_S = 0.05
_COMMITS = 15


def examine_disks(settings: ServerSettings) -> Iterator[Finding]:
    """Folders that the settings name; a disk that hangs keeps nobody waiting for more than some seconds."""
    sessions = settings.sessions_folder
    if sessions is not None:
        yield from _within("sessions", sessions, lambda: list(examine_sessions_folder(sessions)))
    temporary = Path(tempfile.gettempdir())
    uploads = settings.upload_folder or temporary
    yield from _within("uploads", uploads, lambda: list(examine_space("uploads", uploads)))
    if uploads != temporary:
        yield from _within(
            "temporary files", temporary, lambda: [*examine_space("temporary files", temporary)]
        )
    for root in dict.fromkeys(chain(settings.roots, *settings.tenant_roots.values())):
        yield from _within("root", root, lambda root=root: list(examine_root(root)))  # type: ignore[misc]


def examine_sessions_folder(folder: Path) -> Iterator[Finding]:
    """The folder of sessions: local, roomy, and quick enough at keeping a click."""
    place = nearest(folder)
    kind = network_type(place.resolve())
    if kind is not None:
        yield Finding(
            Verdict.BAD,
            "sessions",
            f"{folder} lies on a network ({kind}), where SQLite's log does not work",
            "name a folder on a local disk with --sessions",
        )
        return
    yield from examine_space("sessions", folder)
    if not os.access(place, os.W_OK | os.X_OK):
        return
    try:
        commit_s = time_commits(place)
    except (sqlite3.Error, OSError) as error:
        yield Finding(
            Verdict.BAD,
            "sessions",
            f"SQLite's log does not work in {place} ({error})",
            "name a folder on another disk with --sessions",
        )
        return
    cause = f"a click is on the disk after {commit_s * 1e3:.1f} ms"
    if commit_s > SLOW_COMMIT_S:
        yield Finding(Verdict.NOTE, "sessions", cause, "an artist waits for it: take an SSD")
    else:
        yield Finding(Verdict.GOOD, "sessions", cause)


def examine_space(subject: str, folder: Path) -> Iterator[Finding]:
    """Whether a folder can be written to, and for how long."""
    place = nearest(folder)
    if not os.access(place, os.W_OK | os.X_OK):
        yield Finding(
            Verdict.BAD,
            subject,
            f"{place} cannot be written to",
            "give it to the server's user, or name another",
        )
        return
    free = shutil.disk_usage(place).free
    cause = f"{free / 1e9:.1f} GB free for {folder}"
    if free < FULL_BYTES:
        yield Finding(Verdict.BAD, subject, cause, "make room, or name a folder on another disk")
    elif free < LOW_BYTES:
        yield Finding(Verdict.NOTE, subject, cause, "make room before it is full: then nothing more is kept")
    else:
        yield Finding(Verdict.GOOD, subject, cause)
    if hasattr(os, "statvfs"):
        found = os.statvfs(place)
        # Some file systems make them as they are needed, and say 0.
        if found.f_files and found.f_favail < LOW_FILES:
            yield Finding(
                Verdict.NOTE,
                subject,
                f"{place} has room for {found.f_favail} more files",
                "delete files there: each session is some",
            )


def examine_root(root: Path) -> Iterator[Finding]:
    """Whether clips below a root can be opened, and mattes written there."""
    if not root.is_dir():
        yield Finding(Verdict.BAD, "root", f"{root} is no folder", "mount it, or take it out of the settings")
        return
    if not os.access(root, os.R_OK | os.X_OK):
        yield Finding(Verdict.BAD, "root", f"{root} cannot be read", "let the server's user in")
        return
    begun_s = time.monotonic()
    with os.scandir(root) as entries:
        next(entries, None)
    kind = network_type(root.resolve())
    cause = f"{root}{f' on {kind}' if kind else ''} answers after {(time.monotonic() - begun_s) * 1e3:.0f} ms"
    if os.access(root, os.W_OK):
        yield Finding(Verdict.GOOD, "root", cause)
    else:
        yield Finding(
            Verdict.NOTE,
            "root",
            f"{cause}; it is read-only",
            "mattes are written elsewhere, or sent to clients",
        )


def nearest(folder: Path) -> Path:
    """The folder, or the next above it that is there: a server makes the rest."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def time_commits(folder: Path) -> float:
    """How long a transaction takes to be on the disk, in seconds, as journals make them.

    Raises:
        sqlite3.Error: It cannot be done there.
        OSError: The same.
    """
    with tempfile.TemporaryDirectory(prefix=".doctor-", dir=folder) as place:
        connection = sqlite3.connect(Path(place) / "trial.db", isolation_level=None)
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            if mode != "wal":
                raise sqlite3.OperationalError(f"it takes {mode} instead")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("CREATE TABLE trial (said BLOB)")
            took_s = []
            for _ in range(_COMMITS):
                begun_s = time.perf_counter()
                connection.execute("INSERT INTO trial VALUES (?)", (b"x" * 200,))
                took_s.append(time.perf_counter() - begun_s)
        finally:
            connection.close()
    return median(took_s)


def _within(subject: str, folder: Path, look: Callable[[], list[Finding]]) -> Iterator[Finding]:
    found: list[Finding] = []

    def work() -> None:
        try:
            found.extend(look())
        except OSError as error:
            repair = "have the disk looked at, or name another folder"
            found.append(Finding(Verdict.BAD, subject, f"{folder}: {error.strerror or error}", repair))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(ANSWERS_WITHIN_S)
    if thread.is_alive():
        cause = f"{folder} has not answered for {ANSWERS_WITHIN_S:.0f} s"
        yield Finding(Verdict.BAD, subject, cause, "have the disk or the share looked at")
    else:
        yield from found
