"""``<sequence>/frames`` and ``<sequence>/masks``: one object, a black and white PNG a frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from masklet.errors import BadInputError
from masklet_server.evaluation.clips import AnnotatedClip, FrameTruth, PictureFiles
from masklet_server.evaluation.layouts.pictures import numbered_files, read_binary


class BinaryMasks:
    """One object, one PNG a frame."""

    object_ids: tuple[int, ...] = (1,)

    def __init__(self, files: Mapping[int, Path]) -> None:
        self._files = dict(files)

    @property
    def frames(self) -> tuple[int, ...]:
        """Frames that have a file."""
        return tuple(self._files)

    def read(self, frame: int) -> FrameTruth:
        """The mask of object 1."""
        return FrameTruth({1: read_binary(self._files[frame])})

    def files(self) -> Sequence[Path]:
        """The PNGs."""
        return tuple(self._files.values())


def is_plain(folder: Path) -> bool:
    """True when some sub-folder has the shape of this layout."""
    return any((child / "frames").is_dir() and (child / "masks").is_dir() for child in folder.iterdir())


def read_plain(folder: Path) -> list[AnnotatedClip]:
    """All sequences of the folder.

    Raises:
        BadInputError: A sequence has no masks.
    """
    clips = []
    for child in sorted(folder.iterdir()):
        if not (child / "frames").is_dir():
            continue
        pictures = numbered_files(child / "frames")
        masks = numbered_files(child / "masks") if (child / "masks").is_dir() else {}
        if not masks:
            raise BadInputError(f"{child.name} has no masks: an evaluation needs the truth to compare with.")
        clips.append(
            AnnotatedClip(
                child.name,
                PictureFiles(child.name, pictures),
                BinaryMasks(masks),
                visible_at_start=True,
                picture_files=tuple(pictures.values()),
            )
        )
    return clips
