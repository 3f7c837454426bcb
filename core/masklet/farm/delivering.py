"""The tasks that write: mattes into a folder that is there whole or not at all, then files for tools."""

from __future__ import annotations

import shutil
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from masklet.deliveries import Existing
from masklet.errors import BadInputError, OutputError
from masklet.events import OverlayKind
from masklet.farm.share import make_folder
from masklet.farm.task import StoppedError, check_plate, key_of, plate_session
from masklet.farm.tracking import check_complete, free_runs, hold
from masklet.matte_files import Exported
from masklet.outputs.extra_exports import write_extra_exports
from masklet.outputs.output import Output
from masklet.outputs.run_record import write_run_record
from masklet.publish.collected import find_records
from masklet.publish.shot_record import read_record, record_name
from masklet.types import CutPolicy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from masklet.client import Server
    from masklet.farm.task import FarmTask, Stop, Teller
    from masklet.prompts import Shot
    from masklet.session import Session


@dataclass(frozen=True)
class _Restored:
    """A session that has the masks of all pieces."""

    session: Session
    shot: Shot


def make_mattes(task: FarmTask, server: Server, teller: Teller, stop: Stop) -> Path:
    """Write the mattes of a shot, the sheet to look at and the record of the run; the folder.

    Raises:
        MaskletError: Tracked frames are missing, or the share is full. No folder is there then.
    """
    key = key_of(task, server, teller)
    final = task.places.mattes(task.shot, key)
    if find_records(final) if final.is_dir() else ():
        teller.say("the mattes are there already")
        return final
    check_plate(task)
    private = final.with_name(f".{final.name}.{uuid.uuid4().hex}")
    try:
        make_folder(private)
        with _restored(task, server, key, teller, stop) as restored:
            _write(task, restored, private, teller, stop)
        _take_place(private, final)
    finally:
        shutil.rmtree(private, ignore_errors=True)
    return final


def make_exports(task: FarmTask, server: Server, teller: Teller, stop: Stop) -> None:
    """Write shapes and anchors for other tools beside the mattes of a shot.

    Raises:
        MaskletError: There are no mattes, or a file cannot be written.
    """
    key = key_of(task, server, teller)
    folder = task.places.mattes(task.shot, key)
    if not folder.is_dir():
        raise BadInputError("there are no mattes to write shapes and anchors for: run masklet farm retry")
    check_plate(task)
    request = task.job.request
    record = read_record(folder / record_name(task.shot.name))
    with _restored(task, server, key, teller, stop) as restored:
        session = restored.session
        plan = session.check_export(
            folder,
            matte_format=request.matte_format,
            frames=task.shot.frames,
            base_name=task.shot.name,
            raw_edges=request.raw_edges,
            existing=Existing.REPLACE,
        )
        if plan is None or plan.run.prompts_sha256 != record.run.prompts_sha256:
            raise BadInputError("the mattes are of other prompts than the job: delete them, then retry")
        files = tuple(sorted(path for path in folder.rglob("*") if path.suffix in (".exr", ".png")))
        write_extra_exports(
            session,
            request.extras,
            folder,
            frames=task.shot.frames,
            name=task.shot.name,
            mattes=Exported(files, (), session.holes(frames=task.shot.frames), plan, ()),
            raw_edges=request.raw_edges,
            existing=Existing.REPLACE,
            progress=teller,
        )


@contextmanager
def _restored(task: FarmTask, server: Server, key: str, teller: Teller, stop: Stop) -> Iterator[_Restored]:
    """A session in the state in which tracking in one go would have left it."""
    pieces = check_complete(task.shot.pieces, task.places.chunks(task.shot, key))
    document = task.document()
    said = document.document
    with plate_session(task, server, document) as session:
        objects = {item.name: item for item in session.load_prompts(said)}
        done, total = 0, sum(len(chunks) for _, chunks in pieces)
        for piece, chunks in pieces:
            own = tuple(objects[name] for name in piece.objects)
            for chunk in chunks:
                stop_if_asked(stop)
                hold(own, chunk, said)
                for item in own:
                    for run in free_runs(said, item.name, chunk.frames):
                        item.unlock(first=run.first, last=run.last)
                done += 1
                teller.progress(done, 2 * total, "reading the tracked masks")
        if task.job.request.at_cuts is not CutPolicy.IGNORE:
            # Tracking meets cuts on its way; mattes are not calmed across them.
            session.cuts(frames=task.shot.frames)
        yield _Restored(session, document)


def stop_if_asked(stop: Stop) -> None:
    """End here where the task was told to.

    Raises:
        StoppedError: It was.
    """
    if stop.check():
        raise StoppedError("stopped; nothing of this step is kept, and the next attempt begins it anew")


def _write(task: FarmTask, restored: _Restored, folder: Path, teller: Teller, stop: Stop) -> None:
    request, session = task.job.request, restored.session

    def written(done: int, total: int) -> None:
        teller.writing(done, total)
        stop_if_asked(stop)

    output = Output(
        folder,
        request.matte_format,
        task.shot.name,
        request.raw_edges,
        request.extras,
        True,
        Existing.KEEP,
    )
    exported = session.export(
        folder,
        matte_format=request.matte_format,
        frames=task.shot.frames,
        base_name=task.shot.name,
        raw_edges=request.raw_edges,
        on_progress=written,
        on_look=teller.looking,
    )
    if not exported.files:
        raise BadInputError("no object has a matte on any frame: look at the prompts, then submit again")
    session.export_overlay(folder, kind=OverlayKind.SHEET, frames=task.shot.frames, base_name=task.shot.name)
    write_run_record(session, restored.shot, output, exported, request.at_cuts)


def _take_place(private: Path, final: Path) -> None:
    """Give a finished folder its name; where another worker was first, the same lies there."""
    try:
        private.rename(final)
    except OSError as error:
        if final.is_dir() and find_records(final):
            return
        with suppress(OSError):
            final.rmdir()
        try:
            private.rename(final)
        except OSError:
            raise OutputError(
                f"the folder {final.name} cannot be given its place ({error.strerror}): something is in the "
                "way there; delete it, then run masklet farm retry"
            ) from error
