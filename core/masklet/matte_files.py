"""Files that arrive from the server in pieces, written whole or not at all."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from masklet.errors import OutputError, ServerFaultError
from masklet.events import ExportFinished, ExportProgress, FileChunk, FileWritten

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from masklet.events import ExportEvent
    from masklet.holes import Hole


@dataclass(frozen=True)
class Exported:
    """What an export made.

    Attributes:
        files: In the order they were finished. Paths of this machine, or, where the server wrote
            them itself, paths as the server sees them.
        empty_frames: Frames of the range without any mask; no file was made for them.
        holes: Frames of the range without a matte, by object, and why.
    """

    files: tuple[Path, ...] = ()
    empty_frames: tuple[int, ...] = ()
    holes: tuple[Hole, ...] = ()


@dataclass
class _Part:
    """A file on its way: its final place and the temporary file that grows beside it."""

    target: Path
    temporary: Path
    content: Any
    written_bytes: int = field(default=0)


def receive(
    events: Iterable[ExportEvent],
    folder: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    on_look: Callable[[str, int, int], None] | None = None,
) -> Exported:
    """Write what an export sends below ``folder``, which is made if its parent exists.

    Whatever goes wrong, files that were finished stay and none is left half written.

    Args:
        events: From a transport.
        folder: On this machine; of files that were written already only the name is used.
        on_progress: Told the frames done and the frames in all.
        on_look: Told, before that, the object that is looked at a second time, the frames of that look that
            are done, and its frames in all.

    Raises:
        OutputError: The folder is missing, read-only or full.
        ServerFaultError: A file arrived shorter or longer than announced, or under a name that
            leaves the folder.
    """
    files: list[Path] = []
    empty_frames: tuple[int, ...] = ()
    holes: tuple[Hole, ...] = ()
    for event in write_chunks(events, folder):
        if isinstance(event, FileWritten):
            files.append(folder / event.relative_name)
        elif isinstance(event, ExportProgress):
            if event.looking_at is not None:
                if on_look is not None:
                    on_look(event.looking_at, event.frames_done, event.frames_total)
            elif on_progress is not None:
                on_progress(event.frames_done, event.frames_total)
        elif isinstance(event, ExportFinished):
            empty_frames, holes = event.empty_frames, event.holes
    return Exported(tuple(files), empty_frames, holes)


def write_chunks(events: Iterable[ExportEvent], folder: Path) -> Generator[ExportEvent, None, None]:
    """Write an export's chunks below ``folder`` and yield each whole file in their place.

    Everything else passes through. Closing the generator removes a file that is half written; errors
    are those of :func:`receive`.
    """
    part: _Part | None = None
    try:
        for event in events:
            if not isinstance(event, FileChunk):
                yield event
                continue
            part = part or _open_part(folder, event.relative_name)
            part.content.write(event.data)
            part.written_bytes += len(event.data)
            if event.last:
                _finish(part, event.size_bytes)
                part = None
                yield FileWritten(event.relative_name, event.size_bytes)
    except OSError as error:
        raise OutputError(
            f"the folder {folder} cannot be written ({error.strerror}): check that it exists, that you may "
            "write there and that the disk has space; finished files were kept"
        ) from error
    finally:
        if part is not None:
            part.content.close()
            part.temporary.unlink(missing_ok=True)


def prepare_folder(folder: Path) -> None:
    """Make a folder and see that files can be written there, before hours of work depend on it.

    Raises:
        OutputError: It cannot be made or is read-only.
    """
    trial = folder / f".masklet-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        trial.touch()
        trial.unlink()
    except OSError as error:
        raise OutputError(
            f"the folder {folder} cannot be written ({error.strerror}): choose another or change its rights"
        ) from error


def _open_part(folder: Path, relative_name: str) -> _Part:
    name = PurePosixPath(relative_name)
    if name.is_absolute() or ".." in name.parts or "\\" in relative_name or ":" in relative_name:
        raise ServerFaultError("the server named a file outside the output folder: nothing was written there")
    folder.mkdir(exist_ok=True)
    target = folder.joinpath(*name.parts)
    if target.parent != folder:
        target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    return _Part(target, temporary, temporary.open("xb"))


def _finish(part: _Part, size_bytes: int) -> None:
    part.content.flush()
    os.fsync(part.content.fileno())
    part.content.close()
    if part.written_bytes != size_bytes:
        part.temporary.unlink()
        raise ServerFaultError(
            f"{part.target.name} arrived with {part.written_bytes} of {size_bytes} bytes: export it again"
        )
    part.temporary.replace(part.target)
