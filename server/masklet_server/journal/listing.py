"""Kept sessions for whoever keeps a server: read without taking them from it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from masklet.errors import BadInputError, MaskletError
from masklet.prompts import PlateShape, Shot
from masklet.types import ClipInfo, LockedRange, ObjectInfo, ObjectMatte, PromptDocument
from masklet_server.journal.database import Database
from masklet_server.journal.folder import FILE_NAME, SESSION_ID, idle_s
from masklet_server.journal.records import uses_of
from masklet_server.journal.recovery import headline_of, recover
from masklet_server.sessions.approvals import Approvals
from masklet_server.sessions.durability import Restored
from masklet_server.sessions.results import ResultStore
from masklet_server.sessions.second_look import SecondLooks

DAMAGED = "(damaged)"
"""Stands for the owner of a session whose journal cannot be read."""
_DAYS_S = 86400.0


@dataclass(frozen=True)
class Listed:
    """A kept session.

    Attributes:
        folder: Its own.
        session_id: By which clients know it.
        owner: Whose it is; a damaged one says so instead.
        clip_name: Of its clip.
        objects: How many.
        size_bytes: Of all its files.
        idle_s: Since it was used last.
    """

    folder: Path
    session_id: str
    owner: str
    clip_name: str
    objects: int
    size_bytes: int
    idle_s: float


def listed(sessions: Path) -> Iterator[Listed]:
    """All sessions in a folder of sessions, damaged ones included; none where there is no folder."""
    if not sessions.is_dir():
        return
    for folder in sorted(sessions.iterdir()):
        file = folder / FILE_NAME
        if not SESSION_ID.fullmatch(folder.name) or not file.is_file():
            continue
        size_bytes = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
        try:
            found = headline_of(file)
            name, owner = found.head.clip_info.name, found.access.owner
            yield Listed(folder, folder.name, owner, name, found.objects, size_bytes, idle_s(file))
        except MaskletError:
            yield Listed(folder, folder.name, DAMAGED, "", 0, size_bytes, idle_s(file))


def folder_named(sessions: Sequence[Path], name: str) -> Path:
    """The folder of a session by its id, or by a beginning that no other has.

    Raises:
        BadInputError: There is none, or there are several.
    """
    found = [
        folder
        for place in sessions
        if place.is_dir()
        for folder in place.iterdir()
        if SESSION_ID.fullmatch(folder.name) and name and folder.name.startswith(name)
    ]
    if not found:
        raise BadInputError(f"there is no kept session {name!r}: masklet-server sessions list shows them")
    if len(found) > 1:
        raise BadInputError(f"{len(found)} sessions begin with {name!r}: give more of the id")
    return found[0]


def shot_in(folder: Path, *, salvage: bool = False) -> tuple[Shot, ClipInfo, Sequence[str]]:
    """What was said in a session as a prompt document, its clip, and what was left out.

    Coordinates are the session's own, which count from the first pixel that the files hold.

    Args:
        folder: The session's.
        salvage: Of a damaged journal, what can be read; otherwise that is refused.

    Raises:
        OutputError: The journal cannot be read, or is damaged.
    """
    with _copied(folder / FILE_NAME) as file:
        database = Database(file, uses_of)
        try:
            found = recover(database, salvage=salvage)
            head = found.head
            info = head.clip_info
            clip = str(head.clip.path) if head.clip.path is not None else info.name
            shape = PlateShape(info.width_px, info.height_px, info.frames)
            document = _document(info, found.restored)
            return Shot(clip, document, reading=head.clip.reading, plate=shape), info, found.lost
        finally:
            database.rest()


def shown_size(size_bytes: int) -> str:
    """For people."""
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes < 1e9 else f"{size_bytes / 1e9:.2f} GB"


def shown_age(age_s: float) -> str:
    """For people."""
    if age_s < 3600:
        return f"{age_s / 60:.0f} min"
    return f"{age_s / 3600:.0f} h" if age_s < 2 * _DAYS_S else f"{age_s / _DAYS_S:.0f} days"


@contextmanager
def _copied(file: Path) -> Iterator[Path]:
    """A copy to read from: opening the file itself would take the session from its server."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / FILE_NAME
        for end in ("", "-wal"):
            source = file.with_name(file.name + end)
            if source.is_file():
                shutil.copyfile(source, copy.with_name(copy.name + end))
        yield copy


def _document(clip: ClipInfo, restored: Restored) -> PromptDocument:
    """All objects and prompts with the masks of locked frames; objects are numbered from 1."""
    standing = restored.standing
    contents = standing.contents
    ids = {owner: place for place, owner in enumerate(contents.names, 1)}
    results = ResultStore()
    for kept in restored.results:
        results.restore(kept.object_id, kept.frame, kept.entry, kept.place)
    cuts = tuple(sorted(after for _, after in standing.cuts))
    approvals = Approvals(clip, results, SecondLooks(results, lambda *_: None), lambda: cuts)
    approvals.restore(standing.seen)
    infos, locks, masks = [], [], []
    for owner, name in contents.names.items():
        infos.append(ObjectInfo(ids[owner], name, contents.prompted_frames(owner)))
        locks += [LockedRange(ids[owner], run) for run in contents.locks.get(owner, ())]
        for frame in results.frames_of(owner):
            if contents.is_locked(owner, frame):
                stale = frame in standing.stale.get(owner, ())
                mask = approvals.locked_mask(owner, frame, stale=stale)
                masks += [] if mask is None else [replace(mask, object_id=ids[owner])]
    prompts = [
        replace(contents.prompts[key].prompts, object_id=ids[key[0]])
        for key in sorted(contents.prompts)
        if key[0] in ids
    ]
    mattes = [ObjectMatte(ids[owner], own) for owner, own in contents.mattes.items() if owner in ids]
    return PromptDocument(tuple(infos), tuple(prompts), tuple(locks), tuple(mattes), tuple(masks))
