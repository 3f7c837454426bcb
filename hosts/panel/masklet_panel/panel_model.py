"""What every widget of the panel knows: the plate that is open, what is said, what is shown, what runs.

Widgets read frozen values and connect to signals; whatever an artist does is a method here or in one of the
parts. Nothing but this module, and the parts it is made of, speaks to the loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.hosting import kept_plate
from masklet.hosting.left_sessions import LeftSessions
from masklet.hosting.loop import BEAT_S, Loop
from masklet.hosting.notices import Notice, notice_of
from masklet.hosting.plate_files import clip_of
from masklet.hosting.presence import BEAT_S as PRESENT_S
from masklet.hosting.presence import Presence
from masklet.hosting.shown.track_versions import TrackVersions
from masklet.hosting.work.releasing import release
from masklet.phrases import phrase
from masklet.prompts import PlateShape
from masklet.said.documents import find
from masklet.types import FrameRange
from masklet_panel.document_file import DocumentFile
from masklet_panel.edit_history import EditHistory, Step
from masklet_panel.opening import first_said, found, frames_of, others_sentence
from masklet_panel.panel_host import PanelHost, PanelPlate
from masklet_panel.qt import QtCore, Signal
from masklet_panel.recent_documents import own_folder
from masklet_panel.shown_values import Progress, ShownObject

if TYPE_CHECKING:
    from masklet.hosting.kept_plate import KeptPlate, Look
    from masklet.hosting.plate_memory import PlateMemory
    from masklet.hosting.presence import Other
    from masklet.hosting.shown.frame_book import Strip
    from masklet.hosting.shown.overlay_masks import PackedMask
    from masklet.hosting.shown.track_versions import TrackVersion
    from masklet.hosting.work.connection import Connection, ConnectionSettings
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.releasing import Closing
    from masklet.hosting.workbench import Work
    from masklet.said.documents import Document, SaidObject
    from masklet.types import ClipInfo


class PanelModel(QtCore.QObject):
    """One plate, its document, and the loop that makes a server follow it.

    Args:
        settings: The server; None has one started on this machine.
        connection: To it; tests give their own.
        folder: Where the panel keeps what is the user's; None for the system's custom.

    Attributes:
        host: Keeps documents and answers the loop.
        loop: Jobs, the server, masks and states.
    """

    plate_changed = Signal()
    """Another plate is open, none is, or more is known of it."""
    document_changed = Signal()
    """Something else is said, or objects look different."""
    selection_changed = Signal()
    frame_changed = Signal()
    """The frame that is shown."""
    span_changed = Signal()
    """In and out."""
    states_changed = Signal()
    """Of frames, and cuts."""
    masks_changed = Signal()
    """The viewer is to be drawn again."""
    work_changed = Signal()
    """What runs, and how far it is."""
    notice_changed = Signal()
    _told = Signal(Notice)

    def __init__(
        self,
        settings: ConnectionSettings | None = None,
        connection: Connection | None = None,
        folder: Path | None = None,
    ) -> None:
        super().__init__()
        self.host = PanelHost(
            settings, keep_ticking=self._keep_ticking, redraw=self._redrawn, changed=self._kept_changed
        )
        self.loop: Loop[PanelPlate] = Loop(self.host, connection)
        self._plate: PanelPlate | None = None
        self._file: DocumentFile | None = None
        self._frame = 0
        self._span: FrameRange | None = None
        self._frames: FrameRange | None = None
        self._selected: tuple[str, ...] = ()
        self._history = EditHistory()
        self._left = LeftSessions((folder or own_folder()) / "sessions.json")
        self._presence: Presence | None = None
        self._others: tuple[Other, ...] = ()
        self._opened: ClipInfo | None = None
        self._present = QtCore.QTimer(self)
        self._present.setInterval(round(PRESENT_S * 1000))
        self._present.timeout.connect(self._tell_others)
        self._shown_notice: Notice | None = None
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(round(BEAT_S * 1000))
        self._timer.timeout.connect(self._beat)
        self._began: tuple[Job, float] | None = None
        self._told.connect(self.tell)

    # What is open.

    @property
    def plate(self) -> PanelPlate | None:
        """The plate that is open; None for none."""
        return self._plate

    @property
    def kept(self) -> KeptPlate | None:
        """All that its document keeps."""
        return None if self._plate is None else self.host.kept(self._plate)

    @property
    def memory(self) -> PlateMemory[PanelPlate] | None:
        """What is known of it beyond that."""
        return self.loop.glimpse(self._plate)

    @property
    def clip(self) -> ClipInfo | None:
        """What the server knows of the plate; None until it has opened it."""
        return None if self.memory is None else self.memory.clip

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of the plate; 0 and 0 until they are known."""
        kept = self.kept
        if kept is None or kept.shape is None:
            return 0, 0
        return kept.shape.width_px, kept.shape.height_px

    @property
    def file(self) -> Path | None:
        """Where the document lies."""
        return None if self._file is None else self._file.file

    def open(self, path: str) -> None:
        """Open a clip, or the document of one; what was open is closed.

        Raises:
            MaskletError: There are no pictures, or the document cannot be read; what was open stays.
        """
        opening = found(path)
        self.close()
        kept = opening.kept
        self._file = DocumentFile(opening.file, opening.stamp, self._tell_from_thread)
        self._plate = self.host.open(kept)
        self.loop.memory(self._plate).versions = TrackVersions()
        self._frames = frames_of(kept)
        self._frame = first_said(kept, self._frames)
        self._selected = tuple(item.uid for item in kept.document[:1])
        for signal in (self.plate_changed, self.document_changed, self.selection_changed, self.frame_changed):
            signal.emit()
        if kept.notes:
            self.tell(Notice("; ".join(kept.notes), is_alarm=False))
        self._left.came_back(kept.session.session_id)
        self._be_present(opening.file)
        self.loop.synchronise(self._plate, wait=False)

    def close(self) -> None:
        """Close what is open: everything said is in its file."""
        if self._plate is None:
            return
        release(self._left_behind())
        if self._file is not None:
            self._file.close()
        if self._presence is not None:
            self._presence.leave()
        self._present.stop()
        self.host.close(self._plate)
        self._plate = self._file = self._span = self._frames = self._presence = None
        self._selected, self._history = (), EditHistory()
        self.host.solo = frozenset()
        self.plate_changed.emit()

    def shut(self) -> None:
        """The panel goes away: as :meth:`close`, and the server is let go."""
        closings = self._left_behind()
        self.close()
        self._timer.stop()
        self.loop.end(closings)

    def save_as(self, file: Path) -> None:
        """Have the document lie elsewhere from now on; what lies there is written over.

        Raises:
            OutputError: It cannot be written; the document stays where it is.
        """
        if self._plate is None:
            return
        stamp = kept_plate.write(file, self.host.kept(self._plate), None)
        if self._file is not None:
            self._file.close()
        if self._presence is not None:
            self._presence.leave()
        self._file = DocumentFile(file, stamp, self._tell_from_thread)
        self._be_present(file)
        self.plate_changed.emit()

    def move_plate(self, path: str) -> None:
        """The plate's pictures are somewhere else now: any one of them, or the movie.

        Raises:
            MaskletError: There are none.
        """
        if self._plate is not None:
            kept = self.host.kept(self._plate)
            self.host.keep(self._plate, replace(kept, path=clip_of(path)))
            self._frames = frames_of(self.host.kept(self._plate))
            self.plate_changed.emit()

    # Objects.

    @property
    def objects(self) -> tuple[ShownObject, ...]:
        """In the artist's order."""
        kept = self.kept
        if kept is None or self._plate is None:
            return ()
        visible, solo = set(self.host.shown_uids(self._plate)), self.host.solo
        return tuple(
            ShownObject(
                said.uid,
                said.name,
                kept.look(said.uid).colour,
                kept.look(said.uid).is_shown,
                said.uid in visible,
                said.uid in solo,
                said.uid in self._selected,
                said.uid == self.active,
            )
            for said in kept.document
        )

    @property
    def document(self) -> Document:
        """Everything said; nothing where no plate is open."""
        return () if self._plate is None else self.host.document(self._plate)

    def said(self, uid: str) -> SaidObject | None:
        """Everything said about an object; None where it is gone."""
        return find(self.document, uid)

    @property
    def selected(self) -> tuple[str, ...]:
        """Uids of the objects that buttons work on, in the artist's order."""
        return tuple(said.uid for said in self.document if said.uid in self._selected)

    @property
    def active(self) -> str:
        """Uid of the object that clicks are about; empty for none."""
        alive = [uid for uid in self._selected if find(self.document, uid) is not None]
        return alive[-1] if alive else ""

    def select(self, uids: Iterable[str]) -> None:
        """Work on these objects; the last is the one that clicks are about."""
        chosen = tuple(dict.fromkeys(uids))
        if chosen != self._selected:
            self._selected = chosen
            self.selection_changed.emit()
            self.masks_changed.emit()

    def set_solo(self, uids: Iterable[str]) -> None:
        """Show these objects alone; none given shows all again."""
        self.host.solo = frozenset(uids)
        self.document_changed.emit()
        self.masks_changed.emit()

    # What is said.

    def edit(self, document: Document, looks: dict[str, Look] | None = None, *, drags: bool = False) -> None:
        """Say something else: one step of undo, and the server follows.

        Args:
            document: Everything that is said now.
            looks: Of objects that are to look different.
            drags: A value is being dragged: the steps become one, and the server follows once it rests.
        """
        if self._plate is None:
            return
        before = self.host.kept(self._plate)
        self._history.note(Step.of(before), drags=drags)
        self._say(Step(document, {**before.looks, **(looks or {})}))
        if drags:
            self.loop.request_synchronise(self._plate)
        elif document != before.document:
            self.loop.synchronise(self._plate, wait=False)

    def end_drag(self) -> None:
        """The value that was dragged is let go: the next one is a step of its own."""
        self._history.end_drag()

    @property
    def can_undo(self) -> bool:
        """True where something can be taken back."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """True where something that was taken back can be said again."""
        return self._history.can_redo

    def undo(self) -> None:
        """Take back the last thing said."""
        self._take(self._history.undo)

    def redo(self) -> None:
        """Say it again."""
        self._take(self._history.redo)

    # Frames.

    @property
    def frames(self) -> FrameRange:
        """Of the plate; 0 to 0 where none is open."""
        return self._frames or FrameRange(0, 0)

    @property
    def frame(self) -> int:
        """The frame that is shown, by the plate's own numbers."""
        return self._frame

    def go_to(self, frame: int) -> None:
        """Show a frame; beyond the ends the last one there is."""
        frame = min(max(frame, self.frames.first), self.frames.last)
        if frame != self._frame:
            self._frame = frame
            if self._plate is not None:
                self.loop.fetching.look(self._plate, frame)
            self.frame_changed.emit()

    @property
    def span(self) -> FrameRange | None:
        """From in to out; None for the whole plate."""
        return self._span

    def set_span(self, span: FrameRange | None) -> None:
        """Work between these two frames, or on the whole plate."""
        if span != self._span:
            self._span = span
            self.span_changed.emit()

    def strips(self, uid: str) -> tuple[Strip, ...]:
        """States of an object's frames, ascending."""
        return () if self.memory is None else self.memory.book.strips(uid)

    @property
    def cuts(self) -> tuple[int, ...]:
        """First frames of new shots, as far as they are known."""
        return () if self.memory is None else self.memory.cuts

    @property
    def versions(self) -> tuple[TrackVersion, ...]:
        """Kept versions of the track, oldest first."""
        memory = self.memory
        return () if memory is None or memory.versions is None else memory.versions.all

    def mask(self, uid: str, frame: int) -> PackedMask | None:
        """The mask of an object on a frame; fetched where the server has one and it is not here yet."""
        memory = self.memory
        if memory is None or self._plate is None:
            return None
        mask = memory.masks.get(uid, frame)
        strip = memory.book.at(uid, frame)
        if mask is None and strip is not None and strip.held:
            self.loop.fetching.want_mask(self._plate, uid, frame)
        return mask

    # Work.

    @property
    def job(self) -> Job | None:
        """What the artist waits for; None for nothing."""
        return self.loop.job_of(self._plate)

    @property
    def progress(self) -> Progress | None:
        """How far it is."""
        job = self.job
        if job is None:
            self._began = None
            return None
        now_s = time.monotonic()
        if self._began is None or self._began[0] is not job:
            self._began = (job, now_s)
        spent_s = now_s - self._began[1]
        rate = job.done / spent_s if job.done and spent_s > 0.5 else 0.0
        left_s = (job.total - job.done) / rate if rate and job.total else None
        return Progress(job.name, job.done, job.total, rate, left_s)

    def start(
        self,
        name: str,
        work: Work,
        *,
        on_made: Callable[[object], None] | None = None,
        on_end: Callable[[MaskletError | None, Job], None] | None = None,
        is_long: bool = True,
    ) -> Job | None:
        """Run work on the plate in a thread; None where it cannot be used, which is told.

        Args:
            name: "Tracking".
            work: As :meth:`masklet.hosting.workbench.Workbench.start`.
            on_made: Given what the work was for.
            on_end: Called at the end, with the error that ended it, which was told already.
            is_long: Show progress, and let Esc cancel it.
        """
        if self._plate is None:
            return None
        started: list[Job] = []

        def made(plate: PanelPlate, value: object) -> None:
            if on_made is not None:
                on_made(value)

        def ended(error: MaskletError | None) -> None:
            self.work_changed.emit()
            if on_end is not None:
                on_end(error, started[0])

        try:
            job = self.loop.start(
                self._plate, name, work, wait=False, is_long=is_long, on_made=made, on_end=ended
            )
        except MaskletError as error:
            self.tell(notice_of(error))
            return None
        started.append(job)
        self.work_changed.emit()
        return job

    def cancel(self) -> None:
        """Stop what the artist waits for; what is done is kept."""
        for job in self.loop.board.jobs:
            if job.is_long or job.total:
                job.cancel()
        self.work_changed.emit()

    # What is told.

    @property
    def notice(self) -> Notice | None:
        """The sentence that is shown; None for none."""
        if self._plate is None:
            return self._shown_notice
        memory = self.memory
        return None if memory is None else memory.notice

    def tell(self, notice: Notice | None) -> None:
        """Show a sentence in place of the one before; None shows none."""
        self._shown_notice = notice
        self.loop.tell(self._plate, notice)
        self.notice_changed.emit()

    def attempt(self, action: Callable[[], None]) -> bool:
        """Do something that may be refused; the refusal is told. True where it was done."""
        try:
            action()
        except MaskletError as error:
            self.tell(notice_of(error))
            return False
        return True

    def write_now(self) -> bool:
        """Have the document written now; False where it could not be."""
        return self._file is None or self._file.flush()

    # Inside.

    def _say(self, step: Step) -> None:
        assert self._plate is not None
        kept = kept_plate.with_document(self.host.kept(self._plate), step.document)
        alive = {said.uid for said in step.document}
        own = {uid: look for uid, look in step.looks.items() if uid in alive}
        self.host.keep(self._plate, replace(kept, looks={**kept.looks, **own}))
        self.document_changed.emit()
        self.masks_changed.emit()

    def _take(self, move: Callable[[Step], Step | None]) -> None:
        if self._plate is None:
            return
        before = self.host.kept(self._plate)
        step = move(Step.of(before))
        if step is not None:
            self._say(step)
            if step.document != before.document:
                self.loop.synchronise(self._plate, wait=False)

    def _left_behind(self) -> list[Closing]:
        """Leave the plate's session for its document to come back to; what gives back those of long ago."""
        closings: list[Closing] = []
        for session in self.loop.let_go():
            if session.session_id:
                old = self._left.leave(self.host.settings.address, [session.session_id])
                closings.extend(partial(session.close_other, session_id) for session_id in old)
        return closings

    def _be_present(self, file: Path) -> None:
        """Tell others that this document is open here, and the artist who else has it open."""
        self._presence = Presence(file)
        self._present.start()
        self._tell_others()

    def _tell_others(self) -> None:
        others = () if self._presence is None else self._presence.beat()
        if others and others != self._others:
            self.tell(Notice(others_sentence(others), is_alarm=False))
        self._others = others

    def _tell_others_again(self) -> None:
        """What was told while the plate was opened may have given way to what the server had to tell."""
        if self._others and self.notice is None:
            self.tell(Notice(others_sentence(self._others), is_alarm=False))

    def _take_clip(self) -> None:
        """The server has read the plate: its range and size are known now."""
        clip, kept = self.clip, self.kept
        if clip is None or kept is None or self._plate is None:
            return
        shape = PlateShape(clip.width_px, clip.height_px, clip.frames)
        if kept.shape != shape or self._frames != clip.frames:
            self.host.keep(self._plate, replace(kept, shape=shape))
            self._frames = clip.frames
            self.plate_changed.emit()
            self.go_to(self._frame)
        if self._opened is not clip:
            self._opened = clip
            self._tell_others_again()

    def _keep_ticking(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _beat(self) -> None:
        if not self.loop.beat():
            self._timer.stop()
            self._redrawn(True)

    def _redrawn(self, panels: bool) -> None:
        self._take_clip()
        self.masks_changed.emit()
        if panels:
            self.states_changed.emit()
        self.work_changed.emit()
        if self.notice is not self._shown_notice:
            self._shown_notice = self.notice
            self.notice_changed.emit()

    def _kept_changed(self, plate: PanelPlate) -> None:
        if self._file is not None and plate is self._plate:
            self._file.write_soon(self.host.kept(plate))

    def _tell_from_thread(self, error: MaskletError) -> None:
        # From another thread Qt has it told in this one.
        self._told.emit(notice_of(error))


def new_name(document: Document) -> str:
    """A name for another object that none has yet."""
    taken = {said.name for said in document}
    number = len(document) + 1
    while phrase("object {number}", number=number) in taken:
        number += 1
    return phrase("object {number}", number=number)
