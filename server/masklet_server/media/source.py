"""Opens whatever an artist names: a pattern, a folder, a picture or a movie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, ClipError
from masklet.patterns import FramePattern, frame_in, frames_matching, group_sequences
from masklet_server.media.limits import Limits
from masklet_server.media.picture import EXTENSIONS, is_picture
from masklet_server.media.sequence import PictureClip

if TYPE_CHECKING:
    from collections.abc import Iterable

    from masklet_server.media.clip import Clip


def open_clip(
    path: str | Path,
    *,
    limits: Limits | None = None,
    colour: str | None = None,
    first_frame: int | None = None,
    frame_rate: float | None = None,
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
        name: What people call a movie that was uploaded and stored under another name; its file's
            name when None.

    Raises:
        ClipError: Nothing is there, or it cannot be read as a clip.
        LimitError: It exceeds the limits.
        BadInputError: The path, the colour space or the first frame makes no sense.
    """
    path = Path(path)
    limits = limits or Limits()
    _check_spelling(path)
    try:
        if path.is_dir():
            clip = _open_folder(path, limits, colour)
        elif path.exists():
            if not path.is_file():
                # Reading a pipe or a device could wait for ever.
                raise ClipError(f"{path.name} is not a file: check the path.")
            if not is_picture(path):
                return _open_movie(path, limits, colour, first_frame, name).conformed(frame_rate=frame_rate)
            frame = frame_in(path.name)
            if frame is None:
                frame = first_frame or 0
            clip = PictureClip(path.name, {frame: path}, limits=limits, colour=colour)
        else:
            clip = _open_pattern(path, limits, colour)
    except PermissionError:
        raise ClipError(f"{path.name} may not be read by the server: change its permissions.") from None
    except OSError as error:
        raise ClipError(
            f"{path.name} cannot be read ({error.strerror}): check the disk and the path."
        ) from error
    return clip.conformed(first_frame=first_frame, frame_rate=frame_rate)


def _check_spelling(path: Path) -> None:
    if "\0" in str(path):
        raise BadInputError("the path of the clip holds a zero byte: type it again.")
    try:
        longest = max((len(part.encode()) for part in path.parts), default=0)
    except UnicodeEncodeError:
        raise BadInputError("the path of the clip is not valid Unicode: rename its files.") from None
    if longest > 255:
        raise BadInputError(
            f"the path of the clip has a part of {longest} bytes, no file is called that: type it again."
        )


def _open_pattern(path: Path, limits: Limits, colour: str | None) -> Clip:
    pattern = FramePattern.parse(path.name)
    if pattern is None or not path.parent.is_dir():
        raise ClipError(f"{path.name} does not exist: check the path.")
    frames = frames_matching(pattern, _names_in(path.parent))
    if not frames:
        raise ClipError(f"no file fits {path.name}: check the folder, the name and the number of digits.")
    return PictureClip(
        str(pattern),
        {frame: path.parent / name for frame, name in frames.items()},
        limits=limits,
        colour=colour,
    )


def _open_folder(folder: Path, limits: Limits, colour: str | None) -> Clip:
    names = [name for name in _names_in(folder) if Path(name).suffix.lower() in EXTENSIONS]
    sequences, loose = group_sequences(names)
    found = [*sequences, *loose]
    if not found:
        raise ClipError(
            f"the folder {folder.name} holds no pictures: name the folder of the frames, or a movie."
        )
    if len(found) > 1:
        shown = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
        raise BadInputError(f"the folder {folder.name} holds several clips ({shown}): name one of them.")
    (name,) = found
    files = sequences.get(name, {0: name})
    return PictureClip(
        name if len(files) > 1 else next(iter(files.values())),
        {frame: folder / file for frame, file in files.items()},
        limits=limits,
        colour=colour,
    )


def _open_movie(
    path: Path, limits: Limits, colour: str | None, first_frame: int | None, name: str | None
) -> Clip:
    # Loading the video libraries costs a quarter of a second that a sequence need not wait for.
    from masklet_server.media.movie import MovieClip

    return MovieClip(path, limits=limits, colour=colour, first_frame=first_frame or 0, name=name)


def _names_in(folder: Path) -> Iterable[str]:
    return (entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
