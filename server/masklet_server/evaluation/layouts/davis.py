"""DAVIS 2016 and 2017: ``JPEGImages/480p/<sequence>`` and ``Annotations/480p/<sequence>``.

2016 has one object in black and white, 2017 several as indices of a palette. Objects are those
of the first frame, as in the semi-supervised task.
"""

from __future__ import annotations

from pathlib import Path

from masklet.errors import BadInputError
from masklet_server.evaluation.clips import AnnotatedClip
from masklet_server.evaluation.layouts.packed import read_packed

_PREFERRED = "480p"


def is_davis(folder: Path) -> bool:
    """True when pictures lie two folders below ``JPEGImages``, by resolution and sequence."""
    return _resolution(folder) is not None


def read_davis(folder: Path) -> list[AnnotatedClip]:
    """All sequences at 480p, or at the first other resolution there is.

    Raises:
        BadInputError: Annotations are missing.
    """
    resolution = _resolution(folder) or _PREFERRED
    annotations = folder / "Annotations" / resolution
    if not annotations.is_dir():
        raise BadInputError(
            f"{folder.name} has pictures at {resolution} but no annotations: "
            "unpack the archive with the annotations beside them."
        )
    return read_packed(folder / "JPEGImages" / resolution, annotations, only_first=True)


def split_names(folder: Path, split: str) -> list[str]:
    """Sequences that the text files of a data set list for a split such as ``val``.

    Raises:
        BadInputError: There is no such list.
    """
    lists = sorted((folder / "ImageSets").rglob(f"{split}.txt"))
    if not lists:
        raise BadInputError(f"{folder.name} has no list {split}.txt in ImageSets: leave the split out.")
    # DAVIS 2016 lists pairs of files, 2017 names; later years come last.
    names = []
    for line in lists[-1].read_text("utf-8").splitlines():
        words = line.split()
        if words:
            names.append(Path(words[0]).parent.name if "/" in words[0] else words[0])
    return list(dict.fromkeys(names))


def _resolution(folder: Path) -> str | None:
    pictures = folder / "JPEGImages"
    if not pictures.is_dir():
        return None
    nested = [
        path.name
        for path in sorted(pictures.iterdir())
        if path.is_dir() and any(child.is_dir() for child in path.iterdir())
    ]
    if not nested:
        return None
    return _PREFERRED if _PREFERRED in nested else nested[0]
