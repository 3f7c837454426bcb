"""SA-V as it is published: annotation files beside videos (training), or trees of PNGs (val, test).

Training: ``<video>_manual.json`` beside ``<video>.mp4`` or a folder ``<video>`` of pictures, in
any depth. Val and test: ``JPEGImages_24fps/<video>`` and
``Annotations_6fps/<video>/<object>/<frame>.png``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError
from masklet.types import ClipInfo
from masklet_server.evaluation.clips import AnnotatedClip, FrameTruth, PictureFiles
from masklet_server.evaluation.layouts.pictures import numbered_files, read_binary
from masklet_server.evaluation.sa_v import SaVAnnotation, read_sa_v
from masklet_server.tracking import FrameSource

_MANUAL = "_manual.json"
_PICTURES = "JPEGImages_24fps"
_MASKS = "Annotations_6fps"


class CodedMasks:
    """Truth from an annotation file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def annotation(self) -> SaVAnnotation:
        """What the file says; read once."""
        return read_sa_v(self._path)

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Ids as in the file."""
        return tuple(one.object_id for one in self.annotation.objects)

    @property
    def frames(self) -> tuple[int, ...]:
        """Every fourth frame of the video, as a rule."""
        return self.annotation.frames

    def read(self, frame: int) -> FrameTruth:
        """The masks of all objects."""
        return FrameTruth(self.annotation.masks(frame))

    def files(self) -> Sequence[Path]:
        """The annotation file."""
        return (self._path,)


class ObjectFolders:
    """Truth from one folder of PNGs an object."""

    def __init__(self, files: Mapping[int, Mapping[int, Path]]) -> None:
        self._files = files

    @property
    def object_ids(self) -> tuple[int, ...]:
        """The numbers of the folders."""
        return tuple(sorted(self._files))

    @property
    def frames(self) -> tuple[int, ...]:
        """Frames on which some object has a file."""
        return tuple(sorted({frame for by_frame in self._files.values() for frame in by_frame}))

    def read(self, frame: int) -> FrameTruth:
        """The masks of the objects that have a file."""
        found = {
            object_id: by_frame[frame] for object_id, by_frame in self._files.items() if frame in by_frame
        }
        return FrameTruth({object_id: read_binary(path) for object_id, path in found.items()})

    def files(self) -> Sequence[Path]:
        """All PNGs."""
        return tuple(path for by_frame in self._files.values() for path in by_frame.values())


@dataclass(frozen=True)
class Movie:
    """A frame source over a movie, opened when it is first needed.

    Attributes:
        path: The movie.
    """

    path: Path

    @cached_property
    def _clip(self) -> FrameSource:
        from masklet_server.media.source import open_clip

        return open_clip(str(self.path))

    @property
    def info(self) -> ClipInfo:
        """Of the movie; frames count from 0."""
        return self._clip.info

    def read(self, frame: int) -> NDArray[np.uint8] | NDArray[np.float32]:
        """The picture of ``frame``."""
        return self._clip.read(frame)

    def __getstate__(self) -> Path:
        # Another process opens the movie itself.
        return self.path

    def __setstate__(self, path: Path) -> None:
        object.__setattr__(self, "path", path)


def is_sa_v(folder: Path) -> bool:
    """True for either shape."""
    return (folder / _MASKS).is_dir() or next(folder.rglob(f"*{_MANUAL}"), None) is not None


def read_sa_v_tree(folder: Path) -> list[AnnotatedClip]:
    """All videos that have annotations.

    Raises:
        BadInputError: Pictures or masks of a video are missing.
    """
    if (folder / _MASKS).is_dir():
        return [
            _from_folders(folder, masks) for masks in sorted((folder / _MASKS).iterdir()) if masks.is_dir()
        ]
    return [_from_file(path) for path in sorted(folder.rglob(f"*{_MANUAL}"))]


def _from_file(path: Path) -> AnnotatedClip:
    name = path.name.removesuffix(_MANUAL)
    movie, pictures = path.with_name(f"{name}.mp4"), path.with_name(name)
    truth = CodedMasks(path)
    if pictures.is_dir():
        files = numbered_files(pictures)
        source = PictureFiles(name, files)
        return AnnotatedClip(name, source, truth, exclusive=False, picture_files=tuple(files.values()))
    if not movie.is_file():
        raise BadInputError(
            f"{path.name} has no video: put {movie.name} or a folder {name} of pictures beside it."
        )
    return AnnotatedClip(name, Movie(movie), truth, exclusive=False, picture_files=(movie,))


def _from_folders(folder: Path, masks: Path) -> AnnotatedClip:
    pictures = folder / _PICTURES / masks.name
    if not pictures.is_dir():
        raise BadInputError(
            f"{masks.name} has masks but no pictures in {_PICTURES}: unpack them beside the masks."
        )
    by_object = {
        int(path.name): numbered_files(path, {".png"})
        for path in sorted(masks.iterdir())
        if path.is_dir() and path.name.isdigit()
    }
    if not any(by_object.values()):
        raise BadInputError(f"{masks.name} has no masks: an evaluation needs the truth to compare with.")
    files = numbered_files(pictures)
    return AnnotatedClip(
        masks.name,
        PictureFiles(masks.name, files),
        ObjectFolders(by_object),
        exclusive=False,
        picture_files=tuple(files.values()),
    )
