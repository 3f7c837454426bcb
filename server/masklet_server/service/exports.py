"""Mattes and overlays of a session, as files on the server's disk or in pieces for the client."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, suppress
from dataclasses import astuple, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TypeVar

from masklet.deliveries import Delivery, ExportPlan, RunMark
from masklet.delivery_folder import DeliveryFolder
from masklet.errors import OutputError, PathNotAllowedError
from masklet.events import (
    ExportEvent,
    ExportFinished,
    ExportProgress,
    FileChunk,
    FileWritten,
    MatteFormat,
    OverlayKind,
)
from masklet.holes import find_holes, removed_holes
from masklet.prompts_digest import prompts_sha256
from masklet.types import FrameRange, ModelInfo, Overscan
from masklet_server.mattes import export as matte_export
from masklet_server.mattes.files import RenderedFile, prepare_folder, write_whole
from masklet_server.mattes.picture_file import Provenance
from masklet_server.service.coverage import plate_coverage, raw_coverage
from masklet_server.service.drawn_masks import Unpacking
from masklet_server.service.finished_frames import FinishedFile, FinishedFrames, masks_sha256
from masklet_server.service.limits import CHUNK_BYTES
from masklet_server.service.overlays import Overlay, overlay_file, shown_frames
from masklet_server.service.overscan import document_outside
from masklet_server.service.selections import Selection, objects_asked_for
from masklet_server.sessions.session import Session
from masklet_server.sessions.worker_threads import WorkerThreads

PROGRESS_EVERY_S = 0.25
EXPORTS_AT_ONCE = 2
"""Frames that are made or written at a time, of all exports."""
OVERLAYS_AT_ONCE = 2
"""More wait: each takes a thread and much of the processor for as long as it lasts."""

_log = logging.getLogger("masklet_server.service")

ValueT = TypeVar("ValueT")
Step = RenderedFile | FinishedFile | ExportProgress


class Exporter:
    """Renders files; one frame at a time, off the event loop.

    Args:
        unpacking: Unpacks drawn masks of what is said.
        model: Named in every header.
        settings: Everything else that decides about pixels, as JSON.
        disk_s: How long the disk of a plate or a folder may take.
    """

    def __init__(self, unpacking: Unpacking, model: ModelInfo, settings: str, *, disk_s: float) -> None:
        self._unpacking = unpacking
        # Not the renderer's threads: clicks wait for those, and shares may hang.
        self._workers = WorkerThreads("export", at_once=EXPORTS_AT_ONCE, disk_s=disk_s)
        self._model = model
        self._settings = settings
        self._overlays = WorkerThreads("overlay", at_once=OVERLAYS_AT_ONCE, disk_s=disk_s)

    async def plan_mattes(
        self, session: Session, selection: Selection, matte_format: MatteFormat, *, raw_edges: bool = False
    ) -> ExportPlan:
        """What :meth:`mattes` writes of the same arguments."""
        deliveries = matte_export.matte_deliveries(
            session.clip,
            selection.objects,
            selection.frames,
            matte_format=matte_format,
            stem=selection.stem,
            among=session.objects(),
        )
        run = await self._mark(session, {"edges": "raw"} if raw_edges else {})
        return ExportPlan(selection.stem, run, deliveries)

    async def plan_overlay(self, session: Session, selection: Selection, kind: OverlayKind) -> ExportPlan:
        """What :meth:`overlay` writes of the same arguments."""
        names = tuple(item.name for item in selection.objects)
        file = overlay_file(selection.stem, kind)
        delivery = Delivery(file, kind.value, names, 0, 0, selection.frames)
        return ExportPlan(selection.stem, await self._mark(session, {}), (delivery,))

    async def _mark(self, session: Session, more: dict[str, str]) -> RunMark:
        def said() -> tuple[str, list[str]]:
            # As clients have the document: whoever keeps it can tell that mattes are of it.
            document = document_outside(session.whole_document(), session.clip)
            models = sorted({prompts.source for prompts in document.prompts if prompts.source})
            return prompts_sha256(document), models

        # In a thread: prompts and locked frames hold masks.
        digest, models = await self._unpacking.run(session.user, session.drawn_bytes, said)
        around = session.clip.overscan
        if models:
            more = {**more, "proposals": "; ".join(models)}
        if around != Overscan():
            more = {**more, "overscan": " ".join(map(str, astuple(around)))}
        settings = json.dumps({**json.loads(self._settings), **more}, sort_keys=True)
        return RunMark(digest, self._model.name, self._model.sha256, settings)

    async def mattes(
        self,
        session: Session,
        selection: Selection,
        matte_format: MatteFormat,
        *,
        run: RunMark,
        raw_edges: bool = False,
        finished: FinishedFrames | None = None,
    ) -> AsyncGenerator[Step, None]:
        """Files of every frame with a mask, and progress after each frame, first of second looks.

        A file is to be put in its place before the next one is asked for.

        Args:
            session: Whose.
            selection: Which frames and objects.
            matte_format: What files hold them.
            run: Goes into every header.
            raw_edges: Edges as the network gave them; otherwise they follow the plate's pixels.
            finished: Knows frames that are done and stay as they are; None where all are made.
        """
        wanted = range(selection.frames.first, selection.frames.last + 1)
        standing: dict[int, Sequence[FinishedFile]] = {}
        if finished is not None and not await self._aside(session, finished.read):
            finished = None
        if finished is not None:
            for frame in finished.frames:
                found = await self.at_share(session, finished.still, session, frame)
                if frame in wanted and found is not None:
                    standing[frame] = found
        left = [frame for frame in wanted if frame not in standing]
        provenance = Provenance(
            model=run.model,
            weights_sha256=run.weights_sha256,
            settings=run.settings,
            prompts_sha256=run.prompts_sha256,
        )
        # A clip of its own: the tracker's may be busy for as long as a track runs.
        source = await session.at_disk(session.open_source, unwanted=lambda late: late.close())
        # An export that is left may still be at its last file: the clip is closed after that.
        reading = threading.Lock()

        def next_of(files: Iterator[RenderedFile]) -> RenderedFile | None:
            with reading:
                return next(files, None)

        def close() -> None:
            with reading:
                source.close()

        try:
            alpha = raw_coverage(session)
            if not raw_edges and left:
                asked, frames = objects_asked_for(session, selection), FrameRange(left[0], left[-1])
                async with aclosing(session.look_again(asked, frames, source)) as looks:
                    async for seen in looks:
                        if (name := session.name_of(seen.object_id)) is not None:
                            yield ExportProgress(seen.frames_done, seen.frames_total, name)
                alpha = plate_coverage(session, source)
            total = len(selection.frames)
            # As they are now: names must not change from file to file when an object is removed.
            there = {item.object_id: item for item in (*session.objects(), *selection.objects)}
            among = [there[object_id] for object_id in sorted(there)]
            for done, frame in enumerate(wanted, start=1):
                for there_already in standing.get(frame, ()):
                    yield there_already
                if frame in standing:
                    yield ExportProgress(done, total)
                    continue
                made: list[FinishedFile] = []
                made_of = ""
                if finished is not None:
                    # Before they are read: a track may put others in their place meanwhile.
                    made_of = await self._workers.run(masks_sha256, session, frame, whose=session.user)
                files = matte_export.render_mattes(
                    session.clip,
                    selection.objects,
                    session.results,
                    (frame,),
                    matte_format=matte_format,
                    provenance=provenance,
                    alpha=alpha,
                    stem=selection.stem,
                    among=among,
                    settings=session.mattes(),
                    marks_of=source.marks,
                    is_drawn=session.is_drawn,
                )
                while (file := await self._workers.run(next_of, files, whose=session.user)) is not None:
                    yield file
                    if finished is not None:
                        made.append(FinishedFile.of(file, frame))
                if finished is not None and not await self._aside(
                    session, finished.note, session, frame, made_of, made
                ):
                    finished = None
                yield ExportProgress(done, total)
            if finished is not None:
                await self._aside(session, finished.close)
        finally:
            session.note_unreadable(source.info.unreadable)
            self._workers.start(close)

    async def overlay(
        self, session: Session, selection: Selection, kind: OverlayKind
    ) -> AsyncGenerator[Step, None]:
        """One file, and progress while it is made.

        Raises:
            BadInputError: Nothing in the range has a mask.
        """
        frames = shown_frames(session, selection, kind)
        work = Overlay(session, selection, kind, frames)
        finished = asyncio.ensure_future(self._overlays.run(work.run, whose=session.user))
        try:
            while not finished.done():
                await asyncio.wait({finished}, timeout=PROGRESS_EVERY_S)
                yield ExportProgress(work.done, len(frames))
            yield await finished
        finally:
            work.stop.set()
            await asyncio.gather(finished, return_exceptions=True)

    async def _aside(self, session: Session, work: Callable[..., None], *args: object) -> bool:
        """Do something beside a session's journal; False where that disk hangs, which holds no export up."""
        refusal = OutputError("the disk for sessions does not answer")
        try:
            await self._workers.run(work, *args, whose=session.user, at_disk=True, refusal=refusal)
        except OutputError as error:
            _log.warning("what an export has finished is not noted any more: %s", error)
            return False
        return True

    async def at_share(self, session: Session, work: Callable[..., ValueT], *args: object) -> ValueT:
        """Do something in the folder that a session's mattes go to, in a thread.

        Raises:
            OutputError: Its disk does not answer.
        """
        return await self._workers.run(
            work,
            *args,
            whose=session.user,
            at_disk=True,
            refusal=OutputError(
                f"the folder's disk has not answered for {self._workers.disk_s:.0f} seconds: check the disk "
                "or the network share. Files that were finished stay; export again when it answers"
            ),
        )

    async def deliver(
        self,
        steps: AsyncGenerator[Step, None],
        session: Session,
        selection: Selection,
        place: DeliveryFolder | None,
        folder: Path | None,
    ) -> AsyncGenerator[ExportEvent, None]:
        """Write files into ``folder``, or cut them into chunks where that is None, and say so.

        At the end come the frames of the range that have no matte, by object.

        Args:
            steps: Files and progress.
            session: Whose.
            selection: Which frames and objects.
            place: Keeps the folder's note; None where there is no folder.
            folder: Where to.

        Raises:
            OutputError: The folder is missing, read-only or full; finished files stay.
        """
        if folder is not None:
            await self.at_share(session, prepare_folder, folder)
        try:
            async with aclosing(self._delivered(steps, session, selection, place, folder)) as events:
                async for event in events:
                    if isinstance(event, ExportFinished) and place is not None:
                        removed = await self.at_share(session, place.finish, event.holes)
                        place = None
                        event = replace(event, removed=removed)
                    yield event
        finally:
            if place is not None:
                # The note says that the run broke off; what went wrong before is what people are told.
                with suppress(OutputError, PathNotAllowedError):
                    await self.at_share(session, partial(place.finish, complete=False))

    async def _delivered(
        self,
        steps: AsyncGenerator[Step, None],
        session: Session,
        selection: Selection,
        place: DeliveryFolder | None,
        folder: Path | None,
    ) -> AsyncGenerator[ExportEvent, None]:
        files = 0
        filled: set[int] = set()
        removed: dict[int, int] = {}
        whole_clip = False
        frames = selection.frames
        async with aclosing(steps):
            async for step in steps:
                if isinstance(step, ExportProgress):
                    if step.looking_at is None:
                        for item in selection.objects:
                            if session.name_of(item.object_id) is None:
                                removed.setdefault(item.object_id, frames.first + step.frames_done - 1)
                    yield step
                    continue
                files += 1
                if isinstance(step, FinishedFile) and place is not None:
                    await self.at_share(session, _keep, place, step)
                    filled.add(step.frame)
                    yield FileWritten(step.relative_name, step.size_bytes)
                    continue
                assert isinstance(step, RenderedFile)
                if step.frame is None:
                    whole_clip = True
                else:
                    filled.add(step.frame)
                if folder is not None and place is not None:
                    await self.at_share(session, _write, place, folder, step)
                    yield FileWritten(step.relative_name, len(step.data))
                else:
                    for chunk in _chunks(step):
                        yield chunk
        wanted = range(frames.first, frames.last + 1)
        empty = () if whole_clip else tuple(frame for frame in wanted if frame not in filled)
        ids = [item.object_id for item in selection.objects]
        holes = () if whole_clip else find_holes(session.info(), frames, ids)
        yield ExportFinished(files, empty, (*holes, *removed_holes(selection.objects, removed, frames)))


def _keep(place: DeliveryFolder, file: FinishedFile) -> None:
    """Note a file that is there already as one of this run."""
    place.about_to_write(file.relative_name)
    place.wrote(file.relative_name, file.sha256)


def _write(place: DeliveryFolder, folder: Path, file: RenderedFile) -> None:
    place.about_to_write(file.relative_name)
    write_whole(folder.joinpath(*PurePosixPath(file.relative_name).parts), file.data, allowed=place.allowed)
    place.wrote(file.relative_name, file.sha256)


def _chunks(file: RenderedFile) -> Iterator[FileChunk]:
    size_bytes = len(file.data)
    for start in range(0, max(size_bytes, 1), CHUNK_BYTES):
        data = file.data[start : start + CHUNK_BYTES]
        yield FileChunk(file.relative_name, data, size_bytes, last=start + CHUNK_BYTES >= size_bytes)
