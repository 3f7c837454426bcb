"""Which shots the files of a host's script belong to: a Read of our mattes leads to the folder to publish."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from masklet.delivery_note import note_path, read_note
from masklet.errors import BadInputError
from masklet.patterns import FramePattern
from masklet.publish.collected import find_records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_FOLDERS_UP = 2
"""Mattes of one object may lie in a folder of their own below that of the shot."""


class ShotFolder(NamedTuple):
    """A shot that can be published."""

    folder: Path
    name: str


def shots_of_files(files: Iterable[str]) -> tuple[ShotFolder, ...]:
    """The shots whose notes list any of these files, each once, in the order in which they are met.

    Args:
        files: Paths or patterns, as nodes, strips and clips have them.
    """
    found: list[ShotFolder] = []
    for file in files:
        for shot in _of_file(Path(file)):
            if shot not in found:
                found.append(shot)
    return tuple(found)


def shots_of_folder(folder: Path) -> tuple[ShotFolder, ...]:
    """All shots in a folder of mattes.

    Raises:
        BadInputError: The folder cannot be read.
    """
    return tuple(ShotFolder(folder, name) for name in find_records(folder))


def _of_file(file: Path) -> Iterator[ShotFolder]:
    for up, folder in enumerate(file.parents):
        if up >= _FOLDERS_UP:
            return
        below = file.relative_to(folder).as_posix()
        try:
            names = find_records(folder)
        except BadInputError:
            continue
        for name in names:
            if any(_same(files, below) for files in read_note(note_path(folder, name))):
                yield ShotFolder(folder, name)


def _same(files: str, below: str) -> bool:
    """Whether a path is a sequence of the note, or a file of it, however its frame is written."""
    if files == below:
        return True
    one, other = Path(files), Path(below)
    if one.parent != other.parent:
        return False
    try:
        ours, theirs = FramePattern.parse(one.name), FramePattern.parse(other.name)
    except BadInputError:
        return False
    if ours is None:
        return False
    if theirs is None:
        return ours.frame_of(other.name) is not None
    return (ours.prefix, ours.suffix) == (theirs.prefix, theirs.suffix)
