"""Where mattes lie: in a folder of one plate of one file, in which nothing is lost and nothing half replaced.

Mattes are written beside their place first and go there when a whole sequence is done. A folder says in
``masklet.json`` whose it is; mattes of another plate or file, and frames that have no matte any more, stay
where they are, and the new ones go into a folder next to them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from masklet.deliveries import NOTE_SUFFIX, PastDelivery
from masklet.delivery_note import join_note, read_note
from masklet.errors import OutputError
from masklet.matte_files import prepare_folder
from masklet.patterns import FramePattern, frames_matching, group_sequences
from masklet.phrases import phrase

MARKER = "masklet.json"
_MAX_MARKER_BYTES = 1 << 20
_RECORD = "record"
_Sequences = Mapping[str, tuple[str, ...]]
"""File names relative to the plate's folder, by their pattern."""


@dataclass(frozen=True)
class Owner:
    """Whose results they are.

    Attributes:
        plate: Uid of the plate.
        fingerprint: Of its pictures.
        file: The host's document, absolute; empty while it was never saved.
    """

    plate: str
    fingerprint: str
    file: str = ""


@dataclass(frozen=True)
class Delivered:
    """Mattes at their place.

    Attributes:
        folder: Of the plate.
        files: Of each object, by its uid.
        reason: Why it is not the folder that was asked for; empty where it is.
        beside: Uids of other objects whose mattes, of the same format, were there before and stay.
    """

    folder: Path
    files: Mapping[str, tuple[Path, ...]]
    reason: str = ""
    beside: tuple[str, ...] = ()


class Delivery:
    """Mattes on their way to their place. Use ``with``: what was not delivered is removed.

    Args:
        wanted: Folder of the plate.
        owner: Whose it is to be.
        earlier: Where the document knows mattes of its objects: folders and patterns, for folders of
            earlier versions, which say nothing of their owner.

    Raises:
        OutputError: Nothing can be written there.
    """

    def __init__(self, wanted: Path, owner: Owner, earlier: Iterable[tuple[Path, str]] = ()) -> None:
        self._wanted = wanted
        self._owner = owner
        self._earlier = set(earlier)
        self._is_new = not wanted.exists()
        # On the same disk, so that going to its place is a matter of moments.
        self.staging = wanted / f".masklet-{uuid.uuid4().hex}"
        prepare_folder(self.staging)

    def __enter__(self) -> Delivery:
        return self

    def __exit__(self, *error: object) -> None:
        shutil.rmtree(self.staging, ignore_errors=True)
        if self._is_new:
            # Nothing came to it, or it is not empty.
            with suppress(OSError):
                self._wanted.rmdir()

    def part_of(self, done: Iterable[Path]) -> tuple[Path, ...]:
        """Finished files of the object that was written when it was interrupted."""
        known = set(done)
        found = (path for path in sorted(self.staging.rglob("*")) if path.is_file())
        return tuple(
            path
            for path in found
            if path not in known and not path.name.startswith(".") and not path.name.endswith(NOTE_SUFFIX)
        )

    def deliver(
        self,
        whole: Mapping[str, tuple[Path, ...]],
        part: Mapping[str, tuple[Path, ...]],
        *,
        known: Iterable[str] = (),
    ) -> Delivered:
        """Put mattes in their place.

        Args:
            whole: Files in :attr:`staging` by the uid of their object: all frames that have a matte.
            part: The same for an object that was interrupted; dropped where it would half replace another.
            known: Uids of all objects that the plate has: the note tells of no mattes of others.

        Raises:
            OutputError: The disk is full, or the folder cannot be written any more.
        """
        sequences = {uid: self._sequences(files) for uid, files in whole.items() if files}
        folder, reason = self._choose(sequences)
        for uid, files in part.items():
            interrupted = self._sequences(files)
            if not any(_frames_in(folder, name) for name in interrupted):
                sequences[uid] = interrupted
        delivered: dict[str, tuple[Path, ...]] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._claim(folder, sequences)
            for uid, own in sequences.items():
                delivered[uid] = tuple(self._move(folder, name) for names in own.values() for name in names)
            beside = self._join_notes(folder, sequences, set(known))
        except OSError as error:
            raise OutputError(
                phrase(
                    "the folder {folder} cannot be written ({fault}): check that you may write there and "
                    "that the disk has space; finished files were kept",
                    folder=folder,
                    fault=error.strerror,
                )
            ) from error
        return Delivered(folder, delivered, reason, beside)

    def _join_notes(
        self, folder: Path, sequences: Mapping[str, _Sequences], known: set[str]
    ) -> tuple[str, ...]:
        """Have the folder's note tell of what came; return whose mattes it also tells of."""
        owners = _marker_of(folder).get("objects")
        found = owners if isinstance(owners, dict) else {}
        owner_of = {_unpadded(pattern): uid for pattern, uid in found.items()}
        moved = {_unpadded(pattern) for own in sequences.values() for pattern in own}
        beside: set[str] = set()
        for arriving in self.staging.glob(f"*{NOTE_SUFFIX}"):
            kinds = {past.kind for past in read_note(arriving).values()}

            def keeps(files: str, past: PastDelivery, kinds: set[str] = kinds) -> bool:
                if past.kind == _RECORD:
                    return True
                # Not what a renamed object was called, nor one that is gone, nor another format.
                return owner_of.get(_unpadded(files)) in known - sequences.keys() and past.kind in kinds

            kept = join_note(folder / arriving.name, arriving, lambda files: _unpadded(files) in moved, keeps)
            beside.update(owner_of[_unpadded(files)] for files in kept if _unpadded(files) in owner_of)
        return tuple(sorted(beside))

    def _sequences(self, files: Iterable[Path]) -> _Sequences:
        """Names relative to the plate's folder, by their pattern."""
        names = [path.relative_to(self.staging).as_posix() for path in files]
        found: dict[str, tuple[str, ...]] = {}
        for parent in sorted({str(PurePosixPath(name).parent) for name in names}):
            inside = [PurePosixPath(name).name for name in names if str(PurePosixPath(name).parent) == parent]
            sequences, loose = group_sequences(inside)
            for pattern, frames in sequences.items():
                found[_joined(parent, pattern)] = tuple(_joined(parent, name) for name in frames.values())
            found.update({_joined(parent, name): (_joined(parent, name),) for name in loose})
        return found

    def _choose(self, sequences: Mapping[str, _Sequences]) -> tuple[Path, str]:
        reason = ""
        for folder in _numbered(self._wanted, "-{}"):
            if self._is_foreign(folder, sequences):
                reason = reason or phrase(
                    "{folder} holds mattes of another plate or file, which were left alone",
                    folder=folder.name,
                )
                continue
            # The newest version that is ours goes on; only what would lose something begins another.
            versions = [folder, *self._versions(folder)]
            if not self._would_lose(versions[-1], sequences):
                return versions[-1], reason
            reason = reason or phrase(
                "{folder} holds frames that have no matte now", folder=versions[-1].name
            )
            for version in _numbered(folder, "_v{:03d}"):
                if version not in versions and not version.exists():
                    return version, reason
        raise AssertionError("numbers do not end")

    def _versions(self, folder: Path) -> list[Path]:
        found: list[Path] = []
        for version in _numbered(folder, "_v{:03d}"):
            if version == folder:
                continue
            if not version.exists():
                return found
            if self._is_ours(_marker_of(version), version):
                found.append(version)
        return found

    def _is_foreign(self, folder: Path, sequences: Mapping[str, _Sequences]) -> bool:
        marker = _marker_of(folder)
        if marker:
            return not self._is_ours(marker, folder)
        if any((folder / note.name).exists() for note in self.staging.glob(f"*{NOTE_SUFFIX}")):
            # The command line's, which has a note and a record of its own.
            return True
        names = [name for own in sequences.values() for name in own]
        return any(_frames_in(folder, name) and not self._knew(folder, name) for name in names)

    def _is_ours(self, marker: Mapping[str, Any], folder: Path) -> bool:
        same = (
            marker.get("plate") == self._owner.plate and marker.get("fingerprint") == self._owner.fingerprint
        )
        written = marker.get("file")
        if not same or not isinstance(written, str):
            return False
        if not written or not self._owner.file:
            return True
        file = Path(os.path.normpath(folder / written))
        # A document that is no longer there was moved or renamed: this is it.
        return file == Path(os.path.normpath(self._owner.file)) or not file.exists()

    def _knew(self, folder: Path, name: str) -> bool:
        place = folder / name
        return (place.parent, place.name) in self._earlier

    def _would_lose(self, folder: Path, sequences: Mapping[str, _Sequences]) -> bool:
        owners = _marker_of(folder).get("objects")
        known = owners if isinstance(owners, dict) else {}
        for uid, own in sequences.items():
            for pattern, names in own.items():
                there = _frames_in(folder, pattern)
                if there and known.get(pattern, uid) != uid:
                    return True
                if not there <= {PurePosixPath(name).name for name in names}:
                    return True
        return False

    def _claim(self, folder: Path, sequences: Mapping[str, _Sequences]) -> None:
        before = _marker_of(folder).get("objects")
        objects = dict(before) if isinstance(before, dict) else {}
        objects.update({pattern: uid for uid, own in sequences.items() for pattern in own})
        marker = {
            "about": "These mattes were made by masklet; this file says for what",
            "plate": self._owner.plate,
            "fingerprint": self._owner.fingerprint,
            "file": _relative(self._owner.file, folder),
            "objects": objects,
        }
        temporary = folder / f".{MARKER}.{uuid.uuid4().hex}"
        temporary.write_text(json.dumps(marker, indent=1), encoding="utf-8")
        temporary.replace(folder / MARKER)

    def _move(self, folder: Path, name: str) -> Path:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.staging / name).replace(target)
        return target


def _numbered(folder: Path, suffix: str) -> Iterator[Path]:
    yield folder
    number = 2
    while True:
        # A whole drive has no name.
        yield folder.parent / f"{folder.name or 'mattes'}{suffix.format(number)}"
        number += 1


def _unpadded(pattern: str) -> str:
    """A pattern without its zeros: sequences that are found have those of their names."""
    return re.sub(r"%0\d+d", "%d", pattern)


def _joined(parent: str, name: str) -> str:
    return name if parent == "." else f"{parent}/{name}"


def _relative(file: str, folder: Path) -> str:
    if not file:
        return ""
    try:
        return Path(os.path.relpath(file, folder)).as_posix()
    except ValueError:
        # Another drive of Windows.
        return file


def _frames_in(folder: Path, pattern: str) -> set[str]:
    """Names of the files of a sequence that are there."""
    place = folder / pattern
    parsed = FramePattern.parse(place.name)
    if parsed is None:
        return {place.name} if place.exists() else set()
    try:
        names = [entry.name for entry in place.parent.iterdir()]
    except OSError:
        return set()
    return set(frames_matching(parsed, names).values())


def _marker_of(folder: Path) -> Mapping[str, Any]:
    """What a folder says of itself; nothing where it says nothing."""
    try:
        with (folder / MARKER).open("rb") as content:
            found = json.loads(content.read(_MAX_MARKER_BYTES))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
