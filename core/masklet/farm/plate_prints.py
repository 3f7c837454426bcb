"""What a plate's files were when a job was submitted, so that a job never tracks another plate.

A print is made of a file's size, its beginning and its end: quick on a share, the same on every machine, and
of no clock. Whoever renders a picture again changes one of these; a change of a few bytes in the middle of an
uncompressed file is not seen.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from masklet.errors import ClipError
from masklet.frame_runs import runs_of, shown

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from masklet.clip_files import ClipFiles

_EDGE_BYTES = 1 << 16
MOVIE_FRAME = -1_000_000_000
"""Stands for the one file of a movie, which has no frame number."""


def plate_prints(clip: ClipFiles) -> dict[int, str]:
    """The print of every file of a clip, by frame.

    Raises:
        ClipError: A file cannot be read.
    """
    files = clip.pictures if clip.movie is None else {MOVIE_FRAME: clip.movie}
    return {frame: _print_of(path) for frame, path in files.items()}


def check_same_plate(name: str, then: Mapping[int, str], now: Mapping[int, str]) -> None:
    """See that a plate is what it was.

    Args:
        name: Of the plate, for people.
        then: Its prints when the job was submitted.
        now: Its prints now; frames that came since do no harm.

    Raises:
        ClipError: Pictures are gone, or were written again; the message names their frames.
    """
    gone = [frame for frame in then if frame not in now]
    if gone:
        raise ClipError(
            f"{name} has no picture {_on(gone)}, where it had some when the job was submitted: put "
            "them back, then run masklet farm retry"
        )
    other = [frame for frame, print_ in then.items() if now[frame] != print_]
    if other:
        raise ClipError(
            f"{name} was written again {_on(other)} since the job was submitted, so the prompts may not fit "
            "any more: look at the shot, then submit it again"
        )


def _on(frames: list[int]) -> str:
    if frames == [MOVIE_FRAME]:
        return "at all"
    return f"on {shown(runs_of(frames))}"


def _print_of(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            size_bytes = file.seek(0, 2)
            file.seek(0)
            digest.update(b"%d\n" % size_bytes)
            digest.update(file.read(_EDGE_BYTES))
            if size_bytes > _EDGE_BYTES:
                file.seek(max(_EDGE_BYTES, size_bytes - _EDGE_BYTES))
                digest.update(file.read(_EDGE_BYTES))
    except OSError as error:
        raise ClipError(
            f"{path.name} cannot be read ({error.strerror}): check the share and its rights"
        ) from error
    return digest.hexdigest()[:24]
