"""The files of a clip, found by the way people write clips: one rule for client, hosts and server.

A clip is a movie (``plate.mov``), a pattern (``plate.%04d.exr``, ``plate.####.exr``,
``plate.@@@@.exr``), a folder with one sequence in it, or a single picture. What exists under exactly
the name that was given is that file or folder, whatever signs the name holds: ``shot#1`` and ``50%d``
are patterns only where there is no such thing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Optional

from masklet.errors import BadInputError, ClipError
from masklet.patterns import FramePattern, frame_in, frames_matching, group_sequences

if TYPE_CHECKING:
    from collections.abc import Mapping

PICTURE_SUFFIXES = frozenset({".dpx", ".exr", ".hdr", ".jpeg", ".jpg", ".png", ".tif", ".tiff"})
"""What is looked for in folders, lower case. A single file may be called anything."""
PICTURE_SIGNATURES = (
    *(b"v/1\x01", b"SDPX", b"XPDS", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"#?RADIANCE", b"#?RGBE"),
    *(b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"),
)
"""How pictures begin: EXR, DPX, PNG, JPEG, HDR and TIFF."""
_SIGNATURE_BYTES = 16
_LONGEST_NAME_BYTES = 255


class NumberedFile(NamedTuple):
    """One file of a clip; the frame is None for a movie."""

    path: Path
    frame: Optional[int]


@dataclass(frozen=True)
class ClipFiles:
    """What a clip consists of.

    Attributes:
        name: For people: the file or pattern without folders.
        pictures: Frame number to file, ascending; empty for a movie.
        movie: None for pictures.
    """

    name: str
    pictures: Mapping[int, Path] = field(default_factory=dict)
    movie: Path | None = None


def find_clip(clip: Path, *, first_frame: int | None = None) -> ClipFiles:
    """The files of a clip.

    Args:
        clip: A movie, a pattern, a folder or a picture.
        first_frame: The number of a single picture that has none in its name; 0 when None.

    Raises:
        ClipError: There is no such file, or it may not be read; the pattern matches nothing, or the folder
            holds no pictures.
        BadInputError: The path cannot be one of a clip, or the folder holds several.
    """
    check_spelling(clip)
    try:
        if clip.is_dir():
            return _of_folder(clip)
        if clip.exists():
            return _of_file(clip, first_frame)
        return _matching(clip)
    except PermissionError:
        raise ClipError(f"{clip.name} may not be read: change its permissions") from None
    except OSError as error:
        raise ClipError(
            f"{clip.name} cannot be read ({error.strerror}): check the disk and the path"
        ) from error


def find_files(clip: str) -> tuple[NumberedFile, ...]:
    """The clip's files in the order of their frames; errors as in :func:`find_clip`."""
    found = find_clip(Path(clip))
    if found.movie is not None:
        return (NumberedFile(found.movie, None),)
    return tuple(NumberedFile(path, frame) for frame, path in found.pictures.items())


def is_pattern(clip: str) -> bool:
    """True when the file name holds a placeholder for the frame number."""
    return FramePattern.parse(Path(clip).name) is not None


def is_here(clip: str) -> bool:
    """True when this machine has the clip, or at least its folder for a pattern."""
    path = Path(clip)
    return path.exists() or (path.parent.is_dir() and is_pattern(clip))


def is_picture(path: Path) -> bool:
    """True when a file begins like a picture of a known kind, or is named like one.

    Raises:
        OSError: It cannot be read.
    """
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return True
    with path.open("rb") as content:
        return begins_like_a_picture(content.read(_SIGNATURE_BYTES))


def begins_like_a_picture(start: bytes) -> bool:
    """True when these are the first bytes of a picture of a known kind."""
    return any(start.startswith(signature) for signature in PICTURE_SIGNATURES)


def check_spelling(path: Path) -> None:
    """Refuse a path that no file system takes.

    Raises:
        BadInputError: A part of it is too long, or holds what no name can hold.
    """
    if "\0" in str(path):
        raise BadInputError("the path holds a zero byte: type it again")
    try:
        longest = max((len(part.encode()) for part in path.parts), default=0)
    except UnicodeEncodeError:
        raise BadInputError("the path is not valid Unicode: rename the files") from None
    if longest > _LONGEST_NAME_BYTES:
        raise BadInputError(f"the path has a part of {longest} bytes, no file is called that: type it again")


def _of_file(path: Path, first_frame: int | None) -> ClipFiles:
    if not path.is_file():
        # Reading a pipe or a device could wait for ever.
        raise ClipError(f"{path.name} is not a file: check the path")
    if not is_picture(path):
        return ClipFiles(path.name, movie=path)
    frame = frame_in(path.name)
    if frame is None:
        frame = first_frame or 0
    return ClipFiles(path.name, {frame: path})


def _matching(clip: Path) -> ClipFiles:
    pattern = FramePattern.parse(clip.name)
    if pattern is None or not clip.parent.is_dir():
        raise ClipError(
            f"there is no clip {clip.name}: check the path, and for a sequence write plate.%04d.exr"
        )
    found = frames_matching(pattern, _names_in(clip.parent))
    if not found:
        raise ClipError(f"no file matches {pattern}: check the folder, the name and the number of digits")
    return ClipFiles(str(pattern), {frame: clip.parent / name for frame, name in found.items()})


def _of_folder(folder: Path) -> ClipFiles:
    names = [name for name in _names_in(folder) if Path(name).suffix.lower() in PICTURE_SUFFIXES]
    sequences, loose = group_sequences(names)
    found = [*sequences, *loose]
    if not found:
        raise ClipError(
            f"the folder {folder.name} holds no pictures: name the folder of the frames, or a movie"
        )
    if len(found) > 1:
        shown = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
        raise BadInputError(f"the folder {folder.name} holds several clips ({shown}): name one of them")
    (name,) = found
    check_spelling(folder / name)
    files = sequences.get(name, {0: name})
    return ClipFiles(
        name if len(files) > 1 else next(iter(files.values())),
        {frame: folder / file for frame, file in files.items()},
    )


def _names_in(folder: Path) -> list[str]:
    # What begins with a dot is nobody's frame: "._plate.1001.exr" is what macOS leaves on foreign disks.
    return [entry.name for entry in folder.iterdir() if not entry.name.startswith(".")]
