"""The files of a clip on this machine, found by the way people write clips.

A clip is a movie (``plate.mov``), a pattern (``plate.%04d.exr``, ``plate.####.exr``,
``plate.@@@@.exr``), a folder with one sequence in it, or a single picture. Pictures are found by
name only; nothing is opened.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from masklet.errors import ClipError
from masklet.patterns import FramePattern, frame_in, frames_matching, group_sequences

if TYPE_CHECKING:
    from collections.abc import Mapping

MOVIE_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mxf", ".webm"})
PICTURE_SUFFIXES = frozenset({".dpx", ".exr", ".hdr", ".jpeg", ".jpg", ".png", ".tif", ".tiff"})


class NumberedFile(NamedTuple):
    """One file of a clip; the frame is None for a movie."""

    path: Path
    frame: int | None


def is_pattern(clip: str) -> bool:
    """True when the file name holds a placeholder for the frame number."""
    return FramePattern.parse(Path(clip).name) is not None


def is_here(clip: str) -> bool:
    """True when this machine has the clip, or at least its folder for a pattern."""
    path = Path(clip)
    return path.parent.is_dir() if is_pattern(clip) else path.exists()


def find_files(clip: str) -> tuple[NumberedFile, ...]:
    """The clip's files in the order of their frames.

    Raises:
        ClipError: There is no such file, the pattern matches nothing, or a folder holds no sequence
            or more than one.
    """
    path = Path(clip)
    pattern = FramePattern.parse(path.name)
    if pattern is not None:
        return _matching(path.parent, pattern)
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise ClipError(
            f"there is no clip {path.name}: check the path, and for a sequence write plate.%04d.exr"
        )
    if path.suffix.lower() in MOVIE_SUFFIXES:
        return (NumberedFile(path, None),)
    return (NumberedFile(path, frame_in(path.name) or 0),)


def _matching(folder: Path, pattern: FramePattern) -> tuple[NumberedFile, ...]:
    names = [path.name for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []
    found = frames_matching(pattern, names)
    if not found:
        raise ClipError(f"no file matches {pattern}: check the folder and the number of digits")
    return _files(folder, found)


def _of_folder(folder: Path) -> tuple[NumberedFile, ...]:
    names = [path.name for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES]
    sequences, _ = group_sequences(names)
    if len(sequences) != 1:
        have = "no picture sequence" if not sequences else f"{len(sequences)} sequences"
        raise ClipError(f"the folder {folder.name} holds {have}: name one, such as plate.%04d.exr")
    (found,) = sequences.values()
    return _files(folder, found)


def _files(folder: Path, found: Mapping[int, str]) -> tuple[NumberedFile, ...]:
    return tuple(NumberedFile(folder / name, frame) for frame, name in sorted(found.items()))
