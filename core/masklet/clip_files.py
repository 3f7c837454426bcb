"""The files of a clip on this machine, found by the way people write clips.

A clip is a movie (``plate.mov``), a pattern (``plate.%04d.exr``, ``plate.####.exr``,
``plate.@@@@.exr``), a folder with one sequence in it, or a single picture. Pictures are found by
name only; nothing is opened.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from masklet.errors import ClipError

MOVIE_SUFFIXES = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mxf", ".webm"})
PICTURE_SUFFIXES = frozenset({".dpx", ".exr", ".jpeg", ".jpg", ".png", ".tif", ".tiff"})

_PLACEHOLDER = re.compile(r"%(?:0?\d+)?d|#+|@+")
_NUMBERED = re.compile(r"^(?P<head>.*?)(?P<number>-?\d+)(?P<tail>\.[^.]+)$")


class NumberedFile(NamedTuple):
    """One file of a clip; the frame is None for a movie."""

    path: Path
    frame: int | None


def is_pattern(clip: str) -> bool:
    """True when the file name holds a placeholder for the frame number."""
    return _PLACEHOLDER.search(Path(clip).name) is not None


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
    if is_pattern(clip):
        return _matching(path)
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        raise ClipError(
            f"there is no clip {path.name}: check the path, and for a sequence write plate.%04d.exr"
        )
    if path.suffix.lower() in MOVIE_SUFFIXES:
        return (NumberedFile(path, None),)
    number = _NUMBERED.match(path.name)
    return (NumberedFile(path, int(number["number"]) if number else 0),)


def _matching(pattern: Path) -> tuple[NumberedFile, ...]:
    found = _PLACEHOLDER.search(pattern.name)
    assert found is not None
    width = _width(found.group())
    head, tail = re.escape(pattern.name[: found.start()]), re.escape(pattern.name[found.end() :])
    # Numbers wider than the padding keep all their digits, narrower ones are another sequence.
    expression = re.compile(rf"{head}(?P<number>-?\d{{{width},}}){tail}")
    files = []
    for path in pattern.parent.iterdir() if pattern.parent.is_dir() else ():
        match = expression.fullmatch(path.name)
        if match and path.is_file():
            files.append(NumberedFile(path, int(match["number"])))
    if not files:
        raise ClipError(f"no file matches {pattern.name}: check the folder and the number of digits")
    return tuple(sorted(files, key=lambda file: file.frame or 0))


def _width(placeholder: str) -> int:
    if placeholder[0] in "#@":
        return len(placeholder)
    digits = placeholder[1:-1]
    return int(digits) if digits else 1


def _of_folder(folder: Path) -> tuple[NumberedFile, ...]:
    sequences: dict[tuple[str, str], list[NumberedFile]] = {}
    for path in folder.iterdir():
        match = _NUMBERED.match(path.name)
        if match and path.suffix.lower() in PICTURE_SUFFIXES:
            key = (match["head"], match["tail"])
            sequences.setdefault(key, []).append(NumberedFile(path, int(match["number"])))
    if len(sequences) != 1:
        have = "no picture sequence" if not sequences else f"{len(sequences)} sequences"
        raise ClipError(f"the folder {folder.name} holds {have}: name one, such as plate.%04d.exr")
    (files,) = sequences.values()
    return tuple(sorted(files, key=lambda file: file.frame or 0))
