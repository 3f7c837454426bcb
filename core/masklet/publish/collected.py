"""What a version is made of, collected from a folder of mattes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Optional, Union

from masklet.clip_files import find_clip
from masklet.delivery_note import note_path, read_note
from masklet.errors import BadInputError, MaskletError
from masklet.frame_runs import runs_of
from masklet.names import layer_names
from masklet.patterns import FramePattern
from masklet.publish.acceptance import Acceptance, acceptance_name, read_acceptances
from masklet.publish.picture_headers import PictureHeader, read_header
from masklet.publish.shot_record import RECORD_SUFFIX, ShotRecord, read_record, record_name

if TYPE_CHECKING:
    from masklet.deliveries import PastDelivery
    from masklet.types import FrameRange

_PICTURES = {"exr": "mattes", "exr-per-object": "mattes", "png8": "mattes", "png16": "mattes"}


class Role(Enum):
    """What a part of a version is for."""

    MATTES = "mattes"
    CRYPTOMATTE = "cryptomatte"
    EXPORT = "export"
    """Shapes and anchors for another tool."""
    LOOK = "look"
    """A movie or a sheet to look at."""
    PROVENANCE = "provenance"
    """The record of the run."""


@dataclass(frozen=True)
class Part:
    """One sequence or file of a version.

    Attributes:
        files: Below the folder: a name, or a pattern with ``%04d``.
        role: What for.
        kind: As the note has it: ``exr``, ``nuke``, ``movie``.
        layers: As the note has them.
        paths: By frame; by None for a single file. Empty where nothing of it is there.
        past: What the note says of it.
        headers: Of mattes, by frame.
        unreadable: Frames whose file has no header that can be read, and why.
    """

    files: str
    role: Role
    kind: str
    layers: tuple[str, ...]
    paths: Mapping[Optional[int], Path]
    past: PastDelivery
    headers: Mapping[int, PictureHeader] = field(default_factory=dict)
    unreadable: Mapping[int, str] = field(default_factory=dict)

    @property
    def is_pictures(self) -> bool:
        """True for a sequence of mattes."""
        return self.role in (Role.MATTES, Role.CRYPTOMATTE)

    @property
    def frames(self) -> tuple[FrameRange, ...]:
        """Those that have a file."""
        return runs_of(frame for frame in self.paths if frame is not None)


@dataclass(frozen=True)
class Collected:
    """Everything that would be published.

    Attributes:
        folder: Where it lies.
        name: First part of all file names.
        record: Of the run that wrote it.
        parts: In the order of their names.
        accepted: What the artist has looked at and found right all the same.
        current_prompts: The prompt document as it is now, where it was named.
    """

    folder: Path
    name: str
    record: ShotRecord
    parts: tuple[Part, ...]
    accepted: tuple[Acceptance, ...] = ()
    current_prompts: Optional[Path] = None

    @property
    def pictures(self) -> tuple[Part, ...]:
        """Sequences of mattes."""
        return tuple(part for part in self.parts if part.is_pictures)

    @property
    def layer_of(self) -> dict[str, str]:
        """Names of layers by names of objects."""
        objects = self.record.shot.document.objects
        layers = layer_names(objects)
        return {item.name: layers[item.object_id] for item in objects}

    @property
    def objects(self) -> tuple[str, ...]:
        """Names of those whose mattes were written."""
        written = self.record.mattes.objects
        return tuple(
            item.name for item in self.record.shot.document.objects if not written or item.name in written
        )

    @property
    def plate_files(self) -> Mapping[Optional[int], Path]:
        """Files of the plate by frame, by None for a movie; empty where they are not on this machine."""
        if not self.record.plate.path:
            return {}
        try:
            clip = find_clip(Path(self.record.plate.path))
        except MaskletError:
            return {}
        found: dict[Union[int, None], Path] = dict(clip.pictures.items())
        return found if clip.movie is None else {None: clip.movie}


def find_records(folder: Path) -> tuple[str, ...]:
    """Names of the shots whose mattes lie in a folder, with a record."""
    try:
        names = [entry.name for entry in folder.iterdir()]
    except OSError as error:
        raise BadInputError(
            f"the folder {folder} cannot be read ({error.strerror}): check the path"
        ) from error
    return tuple(
        sorted(
            name[: -len(RECORD_SUFFIX)] for name in names if name.endswith(RECORD_SUFFIX) and name[0] != "."
        )
    )


def collect(folder: Path, name: str | None = None, prompts: Path | None = None) -> Collected:
    """What would be published of a folder.

    Args:
        folder: That a run wrote its mattes into.
        name: First part of the file names, where several shots lie there.
        prompts: The artist's prompt document, to see whether it has changed since.

    Raises:
        BadInputError: There is no record of a run, or there are several, or it is damaged.
    """
    folder = folder.resolve()
    names = find_records(folder)
    if not names:
        raise BadInputError(
            f"{folder.name} holds no {RECORD_SUFFIX} file, which tells what its mattes were made of: write "
            "them again with masklet roto, or get them again in the host"
        )
    if name is None and len(names) > 1:
        raise BadInputError(f"{folder.name} holds several shots ({', '.join(names)}): choose one with --name")
    name = name or names[0]
    if name not in names:
        raise BadInputError(f"{folder.name} holds no shot {name!r}, but {', '.join(names)}")
    record = read_record(folder / record_name(name))
    note = read_note(note_path(folder, name))
    if not note:
        raise BadInputError(
            f"{folder.name} holds no note of what was written ({name}.masklet.json): write the mattes again"
        )
    parts = tuple(_part(folder, files, past) for files, past in sorted(note.items()))
    accepted = read_acceptances(folder / acceptance_name(name))
    return Collected(folder, name, record, parts, accepted, prompts)


def _part(folder: Path, files: str, past: PastDelivery) -> Part:
    role = _role(files, past.kind)
    paths = dict(_paths(folder, files))
    if role not in (Role.MATTES, Role.CRYPTOMATTE):
        return Part(files, role, past.kind, past.layers, paths, past)
    headers: dict[int, PictureHeader] = {}
    unreadable: dict[int, str] = {}
    for frame, path in paths.items():
        if frame is None:
            continue
        try:
            headers[frame] = read_header(path)
        except BadInputError as error:
            unreadable[frame] = str(error)
    return Part(files, role, past.kind, past.layers, paths, past, headers, unreadable)


def _role(files: str, kind: str) -> Role:
    if files.endswith(RECORD_SUFFIX):
        return Role.PROVENANCE
    if kind == "cryptomatte":
        return Role.CRYPTOMATTE
    if kind in _PICTURES:
        return Role.MATTES
    return Role.LOOK if kind in ("movie", "sheet") else Role.EXPORT


def _paths(folder: Path, files: str) -> Iterator[tuple[int | None, Path]]:
    below = folder / files
    if folder not in below.resolve().parents:
        # A note that names what lies elsewhere is not ours.
        return
    pattern = FramePattern.parse(below.name)
    if pattern is None:
        if below.is_file():
            yield None, below
        return
    names: Iterable[Path] = below.parent.iterdir() if below.parent.is_dir() else ()
    found = {frame: path for path in names if (frame := pattern.frame_of(path.name)) is not None}
    yield from sorted(found.items())
