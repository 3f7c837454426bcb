"""Annotations with all objects of a frame in one PNG, as DAVIS, YouTube-VOS, MOSE and LVOS have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from masklet.errors import BadInputError
from masklet_server.evaluation.clips import AnnotatedClip, FrameTruth, PictureFiles
from masklet_server.evaluation.layouts.pictures import numbered_files, read_labels, split_labels


class PackedMasks:
    """One PNG a frame, whose labels are object ids.

    Args:
        files: PNGs by frame.
        only_first: The objects are those of the first annotated frame; otherwise objects may
            come in later.
    """

    def __init__(self, files: Mapping[int, Path], *, only_first: bool) -> None:
        self._files = dict(files)
        self._only_first = only_first

    @property
    def frames(self) -> tuple[int, ...]:
        """Frames that have a file."""
        return tuple(self._files)

    @cached_property
    def object_ids(self) -> tuple[int, ...]:
        """All objects, ascending; reads every annotation unless the first says all."""
        paths = list(self._files.values())
        ids: set[int] = set()
        for path in paths[:1] if self._only_first else paths:
            labels, indexed = read_labels(path)
            masks, _ = split_labels(labels, indexed=indexed)
            ids.update(object_id for object_id, mask in masks.items() if mask.any())
        return tuple(sorted(ids))

    def read(self, frame: int) -> FrameTruth:
        """The masks of all objects; an object without a pixel is not visible."""
        labels, indexed = read_labels(self._files[frame])
        found, void = split_labels(labels, indexed=indexed)
        nothing = np.zeros(labels.shape, np.bool_)
        return FrameTruth({object_id: found.get(object_id, nothing) for object_id in self.object_ids}, void)

    def files(self) -> Sequence[Path]:
        """The PNGs."""
        return tuple(self._files.values())


def read_packed(pictures: Path, annotations: Path, *, only_first: bool) -> list[AnnotatedClip]:
    """One clip for each sub-folder of ``pictures``.

    Args:
        pictures: Has a folder of pictures for each sequence.
        annotations: Has a folder of PNGs for each sequence.
        only_first: Objects are those of the first annotated frame, and must be there.

    Raises:
        BadInputError: A sequence has no annotations.
    """
    clips = []
    for folder in sorted(path for path in pictures.iterdir() if path.is_dir()):
        masks = annotations / folder.name
        files = numbered_files(masks, {".png"}) if masks.is_dir() else {}
        if not files:
            raise BadInputError(f"{folder.name} has no masks: an evaluation needs the truth to compare with.")
        by_frame = numbered_files(folder)
        clips.append(
            AnnotatedClip(
                folder.name,
                PictureFiles(folder.name, by_frame),
                PackedMasks(files, only_first=only_first),
                visible_at_start=only_first,
                picture_files=tuple(by_frame.values()),
            )
        )
    return clips
