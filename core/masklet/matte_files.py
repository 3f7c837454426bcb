"""Files that arrive from the server in pieces, written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from masklet.deliveries import Existing, ExportPlan
from masklet.delivery_folder import DeliveryFolder, checked_relative
from masklet.errors import BadInputError, ExistingFilesError, OutputError, ServerFaultError
from masklet.events import ExportFinished, ExportProgress, FileChunk, FileWritten

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

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
        plan: What was to be written, and from what; None where the server is too old to tell.
        removed: Files of earlier runs that were deleted because this one took their place.
    """

    files: tuple[Path, ...] = ()
    empty_frames: tuple[int, ...] = ()
    holes: tuple[Hole, ...] = ()
    plan: ExportPlan | None = None
    removed: tuple[Path, ...] = ()


@dataclass
class _Part:
    """A file on its way: its final place and the temporary file that grows beside it."""

    target: Path
    temporary: Path
    content: Any
    written_bytes: int = 0
    digest: Any = field(default_factory=hashlib.sha256)

    def write(self, data: bytes) -> None:
        self.content.write(data)
        self.digest.update(data)
        self.written_bytes += len(data)


def receive(
    events: Iterable[ExportEvent],
    folder: Path,
    *,
    existing: Existing = Existing.KEEP,
    on_progress: Callable[[int, int], None] | None = None,
    on_look: Callable[[str, int, int], None] | None = None,
) -> Exported:
    """Write what an export sends below ``folder``, which is made if its parent exists.

    Whatever goes wrong, files that were finished stay and none is left half written.

    Args:
        events: From a transport.
        folder: On this machine; of files that were written already only the name is used.
        existing: What becomes of files that are there.
        on_progress: Told the frames done and the frames in all.
        on_look: Told, before that, the object that is looked at a second time, the frames of that look that
            are done, and its frames in all.

    Raises:
        ExistingFilesError: Files are there that this export may not write over.
        OutputError: The folder is missing, read-only or full.
        ServerFaultError: A file arrived shorter or longer than announced, or under a name that
            leaves the folder.
    """
    files: list[Path] = []
    plan: ExportPlan | None = None
    finished = ExportFinished(0)
    for event in write_chunks(events, folder, existing):
        if isinstance(event, FileWritten):
            files.append(folder / event.relative_name)
        elif isinstance(event, ExportProgress):
            if event.looking_at is not None:
                if on_look is not None:
                    on_look(event.looking_at, event.frames_done, event.frames_total)
            elif on_progress is not None:
                on_progress(event.frames_done, event.frames_total)
        elif isinstance(event, ExportPlan):
            plan = event
        elif isinstance(event, ExportFinished):
            finished = event
    removed = tuple(folder / name for name in finished.removed)
    return Exported(tuple(files), finished.empty_frames, finished.holes, plan, removed)


def read_plan(
    events: Iterable[ExportEvent], folder: Path, existing: Existing = Existing.KEEP
) -> ExportPlan | None:
    """The plan that an export begins with, once it is seen that ``folder`` allows it; nothing is written.

    Returns:
        None where the server is too old to tell.

    Raises:
        ExistingFilesError: Files are there that this export may not write over.
    """
    for event in events:
        if not isinstance(event, ExportPlan):
            # A server that knows no plans has begun to export: the caller's closing ends that.
            return None
        if not event.checked:
            _look_at(folder, event, existing)
        return event
    return None


def write_chunks(
    events: Iterable[ExportEvent], folder: Path, existing: Existing = Existing.KEEP
) -> Generator[ExportEvent, None, None]:
    """Write an export's chunks below ``folder`` and yield each whole file in their place.

    Everything else passes through. Closing the generator removes a file that is half written; errors
    are those of :func:`receive`.
    """
    part: _Part | None = None
    place: DeliveryFolder | None = None
    try:
        for event in events:
            if isinstance(event, FileChunk):
                if part is None:
                    if place is not None:
                        place.about_to_write(event.relative_name)
                    part = _open_part(folder, event.relative_name)
                    if place is None and existing is Existing.KEEP and part.target.exists():
                        # A server that tells no plan: nothing is known of what is there.
                        raise ExistingFilesError(
                            f"{event.relative_name} is there already: choose another folder"
                        )
                part.write(event.data)
                if event.last:
                    digest = _finish(part, event.size_bytes)
                    part = None
                    if place is not None:
                        place.wrote(event.relative_name, digest)
                    yield FileWritten(event.relative_name, event.size_bytes)
            elif isinstance(event, ExportPlan) and not event.checked:
                place = _look_at(folder, event, existing)
                yield replace(event, checked=True)
            elif isinstance(event, ExportFinished) and place is not None:
                removed = place.finish(event.holes)
                place = None
                yield replace(event, removed=removed)
            else:
                yield event
    except OSError as error:
        raise OutputError(
            f"the folder {folder} cannot be written ({error.strerror}): check that it exists, that you may "
            "write there and that the disk has space; finished files were kept"
        ) from error
    finally:
        if part is not None:
            part.content.close()
            part.temporary.unlink(missing_ok=True)
        if place is not None:
            # The note says that the run broke off; what went wrong before is what people are told.
            with suppress(OutputError):
                place.finish(complete=False)


@contextmanager
def prepared_folder(folder: Path) -> Iterator[None]:
    """:func:`prepare_folder`, for as long as something lasts: where that fails, no empty folder stays."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    prepare_folder(folder)
    with kept_if_used(made):
        yield


@contextmanager
def kept_if_used(folders: Sequence[Path]) -> Iterator[None]:
    """Delete new folders, the innermost first, where something fails before they hold anything."""
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for each in folders:
                each.rmdir()
        raise


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


def _look_at(folder: Path, plan: ExportPlan, existing: Existing) -> DeliveryFolder:
    try:
        return DeliveryFolder(folder, plan, existing)
    except BadInputError as error:
        raise ServerFaultError(str(error)) from error


def _open_part(folder: Path, relative_name: str) -> _Part:
    try:
        name = checked_relative(relative_name)
    except BadInputError as error:
        raise ServerFaultError(
            "the server named a file outside the output folder: nothing was written there"
        ) from error
    folder.mkdir(exist_ok=True)
    target = folder.joinpath(*name.parts)
    if target.parent != folder:
        target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    return _Part(target, temporary, temporary.open("xb"))


def _finish(part: _Part, size_bytes: int) -> str:
    """Put the file into its place; return its digest."""
    part.content.flush()
    os.fsync(part.content.fileno())
    part.content.close()
    if part.written_bytes != size_bytes:
        part.temporary.unlink()
        raise ServerFaultError(
            f"{part.target.name} arrived with {part.written_bytes} of {size_bytes} bytes: export it again"
        )
    part.temporary.replace(part.target)
    return str(part.digest.hexdigest())
