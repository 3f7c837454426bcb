"""The files of a plate: how the server is told of them, and whether they are still the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.clip_files import find_clip, find_files
from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet.errors import ClipError
from masklet.hosting.notices import PlateGoneError
from masklet.hosting.repair_words import IN_ANY_HOST, RepairWords
from masklet.patterns import group_sequences
from masklet.phrases import phrase

if TYPE_CHECKING:
    from masklet.hosting.clip_match import HostClip

_HEAD_BYTES = 256 * 1024


@dataclass(frozen=True)
class PlateSource:
    """A plate as it lies on this machine.

    Attributes:
        name: For people.
        path: Absolute: a movie, a pattern such as ``plate.%04d.exr``, or a single picture.
        width_px: Of the plate itself, whatever proxy is shown.
        height_px: The same.
        reading: As far as the artist says; else the files do.
        shown: As the host shows it; None where there is nothing to compare.
        words: What repairs are called in this host.
    """

    name: str
    path: str
    width_px: int
    height_px: int
    reading: ClipReading = AS_FILES_SAY
    shown: HostClip | None = None
    words: RepairWords = field(default=IN_ANY_HOST, compare=False)


def sequence_pattern(file: str) -> str:
    """The pattern of the sequence that a file is a picture of; the file itself where it has no number."""
    path = Path(file)
    sequences, _ = group_sequences([path.name])
    return str(path.with_name(next(iter(sequences)))) if sequences else str(path)


def clip_of(chosen: str) -> str:
    """The clip that somebody means who chose this, absolute: a picture stands for its sequence.

    Raises:
        ClipError: There are no such files.
        BadInputError: The path cannot be one of a clip, or a folder holds several.
    """
    path = Path(chosen).expanduser().absolute()
    found = find_clip(path)
    if found.movie is not None or not path.is_file():
        return str(path)
    return sequence_pattern(str(path))


def is_still_at(path: str) -> bool:
    """True where a plate's first picture can be found at a path."""
    try:
        return bool(find_files(path))
    except (ClipError, OSError):
        return False


def is_plate_of(fingerprint: str, plate: PlateSource) -> bool:
    """True where a fingerprint that some host has kept is this plate's.

    Raises:
        ClipError: As :func:`fingerprint_of`.
    """
    size = f"{plate.width_px}x{plate.height_px} "
    # Earlier versions put the size of the plate before what is in its first file anyway.
    return fingerprint in (fingerprint_of(plate), _fingerprint(plate, size))


def fingerprint_of(plate: PlateSource) -> str:
    """A short word that changes when the plate's first picture does, and not when it is moved.

    It is the same in every host, whatever the host knows of the plate.

    Raises:
        PlateGoneError: There are no such files.
        ClipError: They cannot be read.
    """
    return _fingerprint(plate, "")


def _fingerprint(plate: PlateSource, before: str) -> str:
    try:
        first = find_files(plate.path)[0]
        with first.path.open("rb") as content:
            head = content.read(_HEAD_BYTES)
    except ClipError:
        raise PlateGoneError(
            phrase(
                "the pictures of {name} are no longer at {folder}: {repair}",
                name=plate.name,
                folder=Path(plate.path).parent,
                repair=plate.words.find_pictures,
            )
        ) from None
    except OSError as error:
        raise ClipError(
            phrase(
                "the first picture of {name} cannot be read ({fault}): check disk and rights",
                name=plate.name,
                fault=error.strerror,
            )
        ) from error
    known = f"{before}{first.frame}".encode()
    return hashlib.sha256(known + head).hexdigest()[:16]
