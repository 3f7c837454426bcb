"""Annotated clips: pictures to track and the truth to compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from masklet.errors import BadInputError, ClipError, FrameMissingError
from masklet.types import ClipInfo
from masklet_server.tracking import FrameSource


@dataclass(frozen=True, eq=False)
class FrameTruth:
    """The truth on one frame.

    Attributes:
        masks: ``(h, w)`` bool by object id; all False where the object is not visible. An
            object without an entry is not annotated on this frame.
        void: ``(h, w)`` bool, pixels that count for nothing; None where all count.
    """

    masks: Mapping[int, NDArray[np.bool_]]
    void: NDArray[np.bool_] | None = None


class Truth(Protocol):
    """Annotations of one clip, read when asked for."""

    @property
    def object_ids(self) -> tuple[int, ...]:
        """All objects, ascending."""
        ...

    @property
    def frames(self) -> tuple[int, ...]:
        """Annotated frames, ascending."""
        ...

    def read(self, frame: int) -> FrameTruth:
        """The annotation of one of :attr:`frames`.

        Raises:
            BadInputError: The annotation cannot be read.
        """
        ...

    def files(self) -> Sequence[Path]:
        """What the annotation is read from, for telling whether it changed."""
        ...


class PictureFiles:
    """A frame source over picture files, one a frame, that OpenCV can read."""

    def __init__(self, name: str, files: Mapping[int, Path]) -> None:
        if not files:
            raise ClipError(f"{name} has no pictures: the folder is empty or its files have no numbers.")
        self._name = name
        self._files = dict(files)

    @property
    def files(self) -> Mapping[int, Path]:
        """Picture files by frame."""
        return self._files

    @cached_property
    def info(self) -> ClipInfo:
        """Size, range and numbering; reads the first picture."""
        first, last = min(self._files), max(self._files)
        height_px, width_px = self.read(first).shape[:2]
        missing = tuple(frame for frame in range(first, last + 1) if frame not in self._files)
        return ClipInfo(self._name, width_px, height_px, first, last, missing)

    def read(self, frame: int) -> NDArray[np.uint8]:
        """The ``(h, w, 3)`` picture of ``frame``, sRGB.

        Raises:
            FrameMissingError: There is no file for the frame.
            ClipError: The file cannot be read.
        """
        path = self._files.get(frame)
        if path is None:
            raise FrameMissingError(
                f"{self._name} has no picture for frame {frame}: add the file or leave it out."
            )
        picture = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
        if picture is None:
            raise ClipError(f"{path.name} of {self._name} cannot be read: the file is damaged or no picture.")
        return picture.astype(np.uint8, copy=False)


class RunLimit:
    """The first frames of another source."""

    def __init__(self, source: FrameSource, last_frame: int) -> None:
        self._source = source
        self._last_frame = last_frame

    @cached_property
    def info(self) -> ClipInfo:
        """As of the whole clip, with an earlier end."""
        whole = self._source.info
        missing = tuple(frame for frame in whole.missing_frames if frame <= self._last_frame)
        last = min(whole.last_frame, self._last_frame)
        return replace(
            whole,
            last_frame=last,
            missing_frames=missing,
            frame_times_us=whole.frame_times_us[: last - whole.first_frame + 1],
        )

    def read(self, frame: int) -> NDArray[np.uint8] | NDArray[np.float32]:
        """The picture of ``frame``, as the source gives it."""
        if frame > self.info.last_frame:
            raise FrameMissingError(f"{self.info.name} ends at frame {self.info.last_frame}, not at {frame}.")
        return self._source.read(frame)


@dataclass(frozen=True, eq=False)
class AnnotatedClip:
    """One sequence of a data set.

    Attributes:
        name: Unique in the data set.
        source: The pictures.
        truth: The annotations.
        frame_limit: Only so many frames from the first on; None for all.
        exclusive: True where objects never overlap in the truth, so that a pixel can be given
            to the likeliest object only.
        visible_at_start: True where the layout promises that the first annotated frame shows
            the objects.
        picture_files: What the pictures are read from, for telling whether they changed.
    """

    name: str
    source: FrameSource
    truth: Truth
    exclusive: bool = True
    visible_at_start: bool = False
    frame_limit: int | None = None
    picture_files: Sequence[Path] = field(default=())

    @cached_property
    def limited_source(self) -> FrameSource:
        """The pictures that may be used."""
        if self.frame_limit is None:
            return self.source
        return RunLimit(self.source, self.source.info.first_frame + self.frame_limit - 1)

    @cached_property
    def info(self) -> ClipInfo:
        """Size and range, after the limit."""
        return self.limited_source.info

    @cached_property
    def frames(self) -> tuple[int, ...]:
        """Frames that have a picture, ascending."""
        missing = set(self.info.missing_frames)
        return tuple(
            frame for frame in range(self.info.first_frame, self.info.last_frame + 1) if frame not in missing
        )

    @cached_property
    def annotated_frames(self) -> tuple[int, ...]:
        """Annotated frames within the limit, ascending.

        Raises:
            BadInputError: There are none, or one has no picture.
        """
        annotated = tuple(frame for frame in self.truth.frames if frame <= self.info.last_frame)
        if not annotated:
            raise BadInputError(f"{self.name} has no masks: an evaluation needs the truth to compare with.")
        pictures = set(self.frames)
        orphans = [frame for frame in annotated if frame not in pictures]
        if orphans:
            raise BadInputError(
                f"{self.name} has a mask but no picture for frame {orphans[0]}: "
                "add the picture or remove the mask."
            )
        return annotated

    def check(self) -> None:
        """Read as little as tells whether the clip can be used.

        Raises:
            BadInputError: There are no masks, a picture is missing, sizes differ at the start,
                or nothing is visible where the layout promises it.
        """
        first = self.annotated_frames[0]
        masks = self.read_truth(first).masks
        if self.visible_at_start and not any(mask.any() for mask in masks.values()):
            raise BadInputError(
                f"the first mask of {self.name} is empty, so there is nothing to track: "
                "let the sequence start where the object is visible."
            )

    def read_truth(self, frame: int) -> FrameTruth:
        """The annotation of one frame, sure to have the size of the pictures.

        Raises:
            BadInputError: It has another size, or cannot be read.
        """
        truth = self.truth.read(frame)
        expected = (self.info.height_px, self.info.width_px)
        for mask in truth.masks.values():
            if mask.shape != expected:
                raise BadInputError(
                    f"the mask of frame {frame} of {self.name} has {mask.shape[1]} x {mask.shape[0]} pixels, "
                    f"its picture {expected[1]} x {expected[0]}: use annotations of the same resolution."
                )
        return truth

    def first_visible(self) -> dict[int, int]:
        """The first annotated frame on which each object is visible.

        Objects that are not visible within the limit are left out.

        Raises:
            BadInputError: No object is visible anywhere.
        """
        found: dict[int, int] = {}
        for frame in self.annotated_frames:
            for object_id, mask in self.read_truth(frame).masks.items():
                if object_id not in found and mask.any():
                    found[object_id] = frame
            if len(found) == len(self.truth.object_ids):
                break
        if not found:
            raise BadInputError(f"all masks of {self.name} are empty: there is nothing to track.")
        return dict(sorted(found.items()))
