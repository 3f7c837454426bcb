"""A clip of picture files, one per frame."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import ClipError
from masklet.types import ClipInfo
from masklet_server.media.clip import Clip
from masklet_server.media.colour import conversion_from, guess_space
from masklet_server.media.picture import OpenPicture

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from masklet_server.media.limits import Limits


class PictureClip(Clip):
    """Reads frame n from the file that belongs to n; nothing stays open between reads.

    Size, pixel aspect, frame rate and input space are those of the first picture; one of another
    size is an error when it is read, not a surprise in the matte.

    Args:
        name: For people, such as ``plate.%04d.exr``.
        files: Frame number to file. Gaps are missing frames.
        limits: Checked against every header.
        colour: The input space, or None to take it from the first picture.
        names_are_ours: The files have names that mean nothing to whoever sent them, so messages
            speak of frames.

    Raises:
        ClipError: There are no files, or the first one cannot be used.
        LimitError: The clip exceeds the limits.
        BadInputError: The colour space is unknown.
    """

    def __init__(
        self,
        name: str,
        files: Mapping[int, Path],
        *,
        limits: Limits,
        colour: str | None = None,
        names_are_ours: bool = False,
    ) -> None:
        if not files:
            raise ClipError(f"{name} has no frames: check the path and the pattern.")
        first, last = min(files), max(files)
        limits.check_frame_count(last - first + 1, what=name)
        self._name = name
        self._files = dict(files)
        self._limits = limits
        self._names_are_ours = names_are_ours
        with self._open(first) as picture:
            header = picture.header
        space = colour or guess_space(
            name, header.format_name, is_float=header.is_float, metadata=header.metadata
        )
        self._conversion = conversion_from(space)
        super().__init__(
            ClipInfo(
                name=name,
                width_px=header.width_px,
                height_px=header.height_px,
                first_frame=first,
                last_frame=last,
                missing_frames=tuple(frame for frame in range(first, last + 1) if frame not in files),
                pixel_aspect=header.pixel_aspect,
                frames_per_s=header.frames_per_s,
                colour_space=self._conversion.space,
            )
        )

    def _open(self, frame: int) -> OpenPicture:
        shown = f"frame {frame} of {self._name}" if self._names_are_ours else None
        return OpenPicture(self._files[frame], self._limits, name=shown)

    def _read_picture(self, frame: int) -> NDArray[np.uint8]:
        info = self._info
        with self._open(frame) as picture:
            header = picture.header
            if (header.width_px, header.height_px) != (info.width_px, info.height_px):
                raise ClipError(
                    f"frame {frame} of {info.name} is {header.width_px} x {header.height_px}, the first one "
                    f"is {info.width_px} x {info.height_px}: render the clip in one size."
                )
            pixels = picture.pixels()
        return self._conversion.to_srgb(pixels)
