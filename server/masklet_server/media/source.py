"""Opens whatever an artist names: a pattern, a folder, a picture or a movie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from masklet.clip_files import find_clip
from masklet.clip_reading import ClipReading
from masklet.errors import ClipError
from masklet_server.media.limits import Limits
from masklet_server.media.sequence import PictureClip

if TYPE_CHECKING:
    from masklet.types import FrameRange
    from masklet_server.media.clip import Clip


def open_clip(
    path: str | Path,
    *,
    limits: Limits | None = None,
    colour: str | None = None,
    first_frame: int | None = None,
    frame_rate: float | None = None,
    layer: str | None = None,
    view: str | None = None,
    overscan: bool = False,
    frames: FrameRange | None = None,
    name: str | None = None,
) -> Clip:
    """The clip at ``path``, opened; close it or use it in a ``with`` statement.

    Args:
        path: A pattern (``plate.%04d.exr``, ``plate.####.exr``, ``plate.@@@@.exr``), a folder that
            holds one sequence, a picture (a clip of one frame, numbered as its name says, else 0),
            or a movie.
        limits: Sizes that are accepted; the defaults of :class:`Limits` when None.
        colour: The input space, such as ``ACEScg`` or ``sRGB``; None to take it from the file.
        first_frame: The number of the first frame of a movie, or of a picture without a number, which
            is 0 otherwise. Sequences have numbers of their own and take none.
        frame_rate: Pictures a second, which goes before what the files say.
        layer: Of an EXR with several; None for the one that :mod:`masklet_server.media.layers` takes.
        view: The same of a stereo EXR.
        overscan: True for pictures that hold what lies beyond the display window as well.
        frames: Those of a sequence that are used, which decide about its size and colour; None for all.
        name: What people call a movie that was uploaded and stored under another name; its file's
            name when None.

    Raises:
        ClipError: Nothing is there, or it cannot be read as a clip.
        LimitError: It exceeds the limits.
        BadInputError: The path, the colour space, the layer, the view or the first frame makes no sense.
    """
    path = Path(path)
    limits = limits or Limits()
    reading = ClipReading(colour, first_frame, frame_rate, layer, view, overscan, frames)
    found = find_clip(path, first_frame=first_frame)
    try:
        if found.movie is not None:
            return _open_movie(found.movie, limits, colour, first_frame, name).conformed(
                frame_rate=frame_rate
            )
        clip = PictureClip(found.name, found.pictures, limits=limits, reading=reading)
    except PermissionError:
        raise ClipError(f"{path.name} may not be read by the server: change its permissions.") from None
    except OSError as error:
        raise ClipError(
            f"{path.name} cannot be read ({error.strerror}): check the disk and the path."
        ) from error
    return clip.conformed(first_frame=first_frame, frame_rate=frame_rate)


def _open_movie(
    path: Path, limits: Limits, colour: str | None, first_frame: int | None, name: str | None
) -> Clip:
    # Loading the video libraries costs a quarter of a second that a sequence need not wait for.
    from masklet_server.media.movie import MovieClip

    return MovieClip(path, limits=limits, colour=colour, first_frame=first_frame or 0, name=name)
