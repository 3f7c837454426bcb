"""What long calls report while they run, and what can be asked of exports."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Union

from masklet.deliveries import ExportPlan
from masklet.holes import Hole
from masklet.types import MaskUpdate, UnreadableFrame


class MatteFormat(Enum):
    """What files hold mattes."""

    EXR_LAYERS = "exr"
    """One half-float EXR per frame, one layer per object."""
    EXR_PER_OBJECT = "exr-per-object"
    """One half-float EXR per frame and object."""
    CRYPTOMATTE = "cryptomatte"
    """One Cryptomatte EXR per frame, with the objects' own names."""
    PNG8 = "png8"
    """One 8-bit PNG per frame and object."""
    PNG16 = "png16"
    """One 16-bit PNG per frame and object."""


class EditKind(Enum):
    """What kind of change was made, taken back or made again."""

    PROMPTS = "prompts"
    """Of one object on one frame."""
    ADD_OBJECT = "add-object"
    REMOVE_OBJECT = "remove-object"
    RENAME_OBJECT = "rename-object"
    LOCKS = "locks"
    MATTE = "matte"
    POLICY = "policy"
    DOCUMENT = "document"
    """All objects and prompts were replaced by those of a document."""


class OverlayKind(Enum):
    """What an overlay is."""

    MOVIE = "movie"
    """H.264 in MP4."""
    SHEET = "sheet"
    """One PNG with some frames side by side."""


@dataclass(frozen=True)
class TrackStarted:
    """The plan of a track.

    Attributes:
        steps: How many frames will be visited.
        updates: How many masks will come.
        missing_frames: Frames of the range that the clip does not have.
    """

    steps: int
    updates: int
    missing_frames: tuple[int, ...] = ()


@dataclass(frozen=True)
class TrackFinished:
    """How a track ended.

    Attributes:
        steps: Frames visited.
        updates: Masks sent.
        cancelled: True when somebody stopped it.
        cuts: First frames of new shots that it met, ascending.
        unreadable: Frames that it had to leave out because their pictures cannot be used.
    """

    steps: int
    updates: int
    cancelled: bool = False
    cuts: tuple[int, ...] = ()
    unreadable: tuple[UnreadableFrame, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """A place in a queue of the server.

    Attributes:
        place: 1 is the next.
        expected_s: About how long it takes; None where nobody can say.
    """

    place: int
    expected_s: float | None = None


TrackEvent = Union[Waiting, TrackStarted, MaskUpdate, TrackFinished]


@dataclass(frozen=True)
class WorkProgress:
    """How far the making of shapes, an anchor or a search for cuts is.

    Attributes:
        done: So much.
        total: Of so much; 0 until it is known.
        looking_at: Name of the object that is looked at a second time before the work itself begins; both
            numbers are frames of that look then. None once the work goes on.
    """

    done: int
    total: int
    looking_at: str | None = None


@dataclass(frozen=True)
class CutsFound:
    """How far a search for cuts is, and the first frames of new shots that it has found so far."""

    progress: WorkProgress
    cuts: tuple[int, ...]


@dataclass(frozen=True)
class ExportProgress:
    """How far an export is.

    Attributes:
        frames_done: So many frames.
        frames_total: Of so many.
        looking_at: Name of the object that is looked at a second time before files are made; both numbers
            are frames of that look then. None while files are made.
    """

    frames_done: int
    frames_total: int
    looking_at: str | None = None


@dataclass(frozen=True)
class FileWritten:
    """A file that is complete on the server's side; the name is below the export's folder."""

    relative_name: str
    size_bytes: int


@dataclass(frozen=True)
class FileChunk:
    """A piece of a file, in order and one file after the other.

    Attributes:
        relative_name: Below the export's folder, with forward slashes.
        data: At most 1 MiB.
        size_bytes: Of the whole file.
        last: True on the file's last chunk.
    """

    relative_name: str
    data: bytes
    size_bytes: int
    last: bool


@dataclass(frozen=True)
class ExportFinished:
    """How an export ended.

    Attributes:
        files: How many were finished.
        empty_frames: Frames of the range without any mask.
        holes: Frames of the range without a matte, by object, and why.
        removed: Files of earlier runs that were deleted because this one took their place, below the folder.
    """

    files: int
    empty_frames: tuple[int, ...] = ()
    holes: tuple[Hole, ...] = ()
    removed: tuple[str, ...] = ()


ExportEvent = Union[ExportPlan, ExportProgress, FileWritten, FileChunk, ExportFinished]
