"""YouTube-VOS, MOSE and LVOS: ``JPEGImages/<sequence>`` and ``Annotations/<sequence>``.

Annotations may exist for some frames only, and objects may come in late: each is prompted
where it is first visible.
"""

from __future__ import annotations

from pathlib import Path

from masklet_server.evaluation.clips import AnnotatedClip
from masklet_server.evaluation.layouts.packed import read_packed


def is_youtube_vos(folder: Path) -> bool:
    """True when both trees are there and pictures lie one folder below."""
    pictures = folder / "JPEGImages"
    if not (pictures.is_dir() and (folder / "Annotations").is_dir()):
        return False
    sequences = [path for path in pictures.iterdir() if path.is_dir()]
    return bool(sequences) and not any(child.is_dir() for path in sequences for child in path.iterdir())


def read_youtube_vos(folder: Path) -> list[AnnotatedClip]:
    """All sequences.

    Raises:
        BadInputError: A sequence has no annotations.
    """
    return read_packed(folder / "JPEGImages", folder / "Annotations", only_first=False)
