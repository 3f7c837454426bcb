"""A clip whose encoded pictures a client sent and the server stored under names of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.clip_reading import AS_FILES_SAY, ClipReading
from masklet.errors import BadInputError, ClipError
from masklet_server.media.sequence import PictureClip

if TYPE_CHECKING:
    from masklet_server.media.clip import Clip
    from masklet_server.media.limits import Limits


def open_upload(
    folder: Path,
    files: Mapping[int, str],
    *,
    name: str,
    limits: Limits,
    reading: ClipReading = AS_FILES_SAY,
) -> Clip:
    """The clip that a committed upload makes.

    The pictures are told apart by their contents, so their stored names need no extension.

    Args:
        folder: Where the server stored the pictures.
        files: Frame number to the file's name in that folder, chosen by the server.
        name: What the client calls the clip; shown to people only, never used as a path.
        limits: Checked against every header.
        reading: As the artist said. The first frame is that of the pictures; another is refused.

    Raises:
        ClipError: A file is not there, or the first one cannot be used.
        LimitError: The clip exceeds the limits.
        BadInputError: A stored name is not a plain file name, the colour space is unknown, or
            the first frame is another.
    """
    for frame, stored in files.items():
        if not stored or stored in (".", "..") or any(mark in stored for mark in "/\\\0"):
            raise BadInputError(f"frame {frame} of the upload has an unusable file name: send it again.")
        if not (folder / stored).is_file():
            raise ClipError(f"frame {frame} of {name} did not arrive: send the clip again.")
    return PictureClip(
        name,
        {frame: folder / stored for frame, stored in files.items()},
        limits=limits,
        reading=reading,
        names_are_ours=True,
    ).conformed(first_frame=reading.first_frame, frame_rate=reading.frame_rate)
