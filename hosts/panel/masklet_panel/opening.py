"""From what somebody chose to a plate that can be worked on, and the file that keeps it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from masklet.clip_files import find_files
from masklet.errors import MaskletError
from masklet.hosting import kept_plate
from masklet.hosting.kept_plate import KeptPlate
from masklet.hosting.plate_files import clip_of
from masklet.hosting.presence import Other
from masklet.phrases import Phrase, phrase
from masklet.types import FrameRange


@dataclass(frozen=True)
class Opening:
    """A plate that was found.

    Attributes:
        kept: All that its document keeps; next to nothing where there is none yet.
        file: Where the document lies, or will.
        stamp: Of what lies there now, for :func:`masklet.hosting.kept_plate.write`.
        frames: As far as files and document say.
    """

    kept: KeptPlate
    file: Path
    stamp: str
    frames: FrameRange


def found(path: str) -> Opening:
    """The plate of a clip, or of a document; long for many files on a slow disk, so best in a thread.

    Raises:
        MaskletError: There are no pictures, or the document cannot be read.
    """
    if kept_plate.is_document(path):
        file = Path(path).expanduser().absolute()
        return _opening(*_read(file))
    clip = clip_of(path)
    file = kept_plate.document_beside(clip)
    if not file.exists():
        return _opening(KeptPlate(clip), file, "")
    kept, _, stamp = _read(file)
    return _opening(replace(kept, path=clip), file, stamp)


def moved(kept: KeptPlate, path: str) -> tuple[str, FrameRange]:
    """Where a plate's pictures are now, and their frames; long for many files, so best in a thread.

    Args:
        kept: What is known of the plate.
        path: Any one of the pictures, their folder, or the movie.

    Raises:
        MaskletError: There are none.
    """
    clip = clip_of(path)
    return clip, frames_of(replace(kept, path=clip))


def frames_of(kept: KeptPlate) -> FrameRange:
    """The plate's range as far as files and document say, until the server has read it."""
    if kept.shape is not None and len(kept.shape.frames) > 1:
        return kept.shape.frames
    try:
        numbers = [file.frame for file in find_files(kept.path) if file.frame is not None]
    except MaskletError:
        numbers = []
    if not numbers:
        first = kept.reading.first_frame or 0
        return FrameRange(first, first)
    return FrameRange(numbers[0], numbers[-1])


def first_said(kept: KeptPlate, frames: FrameRange) -> int:
    """Where to begin to look: the first frame that something was said on."""
    said = [prompts.frame for item in kept.document for prompts in item.frames]
    inside = [frame for frame in said if frame in frames]
    return min(inside, default=frames.first)


def others_sentence(others: tuple[Other, ...]) -> Phrase:
    """That somebody else has the document open."""
    other = others[0]
    return phrase(
        "{user} has this document open on {machine}: whoever writes second is told, and nothing is written "
        "over. Save yours under another name to work on both",
        user=other.user,
        machine=other.machine,
    )


def _opening(kept: KeptPlate, file: Path, stamp: str) -> Opening:
    return Opening(kept, file, stamp, frames_of(kept))


def _read(file: Path) -> tuple[KeptPlate, Path, str]:
    kept, stamp = kept_plate.read(file)
    return kept, file, stamp
