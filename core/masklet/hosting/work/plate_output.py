"""Writes what a plate's session holds into a folder, by the command line's rules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.delivery_folder import make_next_version
from masklet.errors import ExistingFilesError
from masklet.hosting.work.plate_events import Event, ResultCame
from masklet.hosting.work.plate_work import check_nothing_is_lost
from masklet.hosting.work.shot_records import shot_of
from masklet.matte_files import prepare_folder
from masklet.outputs.writing import check_output, deliver
from masklet.phrases import phrase
from masklet.types import CutPolicy, FrameRange

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.plate_session import PlateSession
    from masklet.outputs.files import Files
    from masklet.outputs.output import Output


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        folder: Where it lies.
        files: Of which kinds.
        holes: How many frames of objects have no matte.
        told: What was approximated or assumed, a sentence each.
    """

    folder: Path
    files: Files
    holes: int
    told: tuple[str, ...]


class _Told:
    """Implements :class:`masklet.outputs.listening.Listener` for a job."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.sentences: list[str] = []

    def say(self, sentence: str) -> None:
        self.sentences.append(sentence)

    def writing(self, done: int, total: int) -> None:
        self._job.count(done, total)

    def looking(self, name: str, done: int, total: int) -> None:
        self._job.count_look(name, done, total)


def write(
    plate: PlateSession,
    job: Job,
    server: Server,
    output: Output,
    *,
    uids: tuple[str, ...],
    frames: FrameRange | None,
    next_version: bool,
) -> Iterator[Event]:
    """Write mattes and what else is wanted, and tell :class:`Written`.

    Everything that may be in the way is looked at before the first file. A run that breaks off leaves whole
    files.

    Args:
        plate: The plate.
        job: Told the progress.
        server: Where.
        output: What is wanted; its objects are set here.
        uids: Of the objects; none given means all.
        frames: None for the whole plate.
        next_version: Write into the next version below the folder.

    Raises:
        ExistingFilesError: Files are there that may not be written over; nothing was written.
        LessHeldError: The server holds fewer masks than the document knows of.
    """
    yield from plate.synchronise(server, make_sure=True, on_progress=job.count, on_waiting=job.wait_in_line)
    known = plate.uids()
    wanted = uids or tuple(known.values())
    check_nothing_is_lost(plate, wanted)
    session = plate.session
    output = replace(output, objects=tuple(plate.object(uid).name for uid in uids))
    shot = shot_of(plate, frames)
    told = _Told(job)
    with ExitStack() as undone:
        if next_version:
            folder = make_next_version(output.folder)
            # A run that is refused is no version.
            undone.callback(_remove_empty, folder)
            output = replace(output, folder=folder)
        else:
            prepare_folder(output.folder)
        try:
            check_output(session, shot, output)
            files, holes = deliver(session, shot, output, told, at_cuts=CutPolicy.STOP)
        except ExistingFilesError as error:
            raise _in_hosts_words(error) from error
    count = sum(len(hole.frames) for hole in holes)
    yield ResultCame(Written(output.folder, files, count, tuple(told.sentences)))


def _in_hosts_words(error: ExistingFilesError) -> ExistingFilesError:
    if not error.problems:
        return error
    return ExistingFilesError(
        phrase(
            "{problems}. Nothing was written: choose the next version, another folder or another name, or "
            "choose to replace what masklet wrote there",
            problems=error.problems,
        ),
        error.problems,
    )


def _remove_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        # Something was written there.
        return
