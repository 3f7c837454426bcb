"""What is known of one plate while Blender runs, beyond what its file keeps; the main thread's alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.hosting.notices import Notice, Remedy, notice_of
from masklet.hosting.shown import frame_book
from masklet.hosting.shown.overlay_masks import MaskStore
from masklet.hosting.work.plate_events import (
    Completed,
    Ended,
    FinishedCame,
    MaskCame,
    MasksOutdated,
    Planned,
    Refused,
    SessionLost,
    SessionOpened,
    StatesCame,
)
from masklet.phrases import phrase
from masklet.said.documents import completed, find

from . import plates

if TYPE_CHECKING:
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.plate_session import PlateSession
    from masklet.said.documents import Document
    from masklet.types import ClipInfo, UnreadableFrame

    from .plates import PlateBlock
    from .properties import MaskletObject

_REPLACED = phrase(
    "The server no longer held this session: your prompts were sent again, track again for the masks. "
    "Mattes, splines and anchors in this file are untouched."
)
_LOST = phrase(
    "The masks of this file are no longer on the server: track again to see them. "
    "Mattes, splines and anchors in this file are untouched."
)


@dataclass
class PlateMemory:
    """What is known of one plate beyond what its file keeps.

    Attributes:
        shot: Its session, for jobs.
        masks: For the overlay.
        finished: The same as an export would write them.
        book: The state of every frame.
        clip: What the server knows of the plate; None until there is a session.
        notice: What the artist was told last; None for nothing.
        cuts: First frames of new shots, as far as tracking has met any.
        left_out: Frames that the last track could not use.
        refusals: What the server did not take since the artist's last edit.
        opened: How the session was opened; None until it is.
        asked: Frames whose masks were asked for since they were needed.
        finished_asked: The same for finished mattes.
    """

    shot: PlateSession | None = None
    masks: MaskStore = field(default_factory=MaskStore)
    finished: MaskStore = field(default_factory=MaskStore)
    book: frame_book.FrameBook = field(default_factory=frame_book.FrameBook)
    clip: ClipInfo | None = None
    cuts: tuple[int, ...] = ()
    notice: Notice | None = None
    left_out: tuple[UnreadableFrame, ...] = ()
    refusals: list[MaskletError] = field(default_factory=list)
    opened: SessionOpened | None = None
    asked: set[tuple[str, int]] = field(default_factory=set)
    finished_asked: set[tuple[str, int]] = field(default_factory=set)

    def take(self, block: PlateBlock, job: Job, event: object) -> None:
        """Take one event of a job into memory, and into what the file keeps."""
        if isinstance(event, MaskCame):
            self._take_mask(job, event)
        elif isinstance(event, FinishedCame):
            self.finished.put(event.uid, event.frame, event.mask)
        elif isinstance(event, StatesCame):
            self._take_states(block, event)
        elif isinstance(event, MasksOutdated):
            self.masks.drop_object(event.uid)
            self.asked = {key for key in self.asked if key[0] != event.uid}
            # Exclusive objects take pixels from each other.
            self._forget_finished()
        elif isinstance(event, SessionOpened):
            self._take_session(block, event)
        elif isinstance(event, SessionLost):
            self.lose_session()
        elif isinstance(event, Refused):
            self._take_back(block, event)
        elif isinstance(event, Completed):
            self._complete(block, event.held)
        elif isinstance(event, Planned):
            # A track may take several goes.
            job.total = job.done + event.total
        elif isinstance(event, Ended):
            self.cuts = event.finished.cuts or self.cuts
            self.left_out = (*self.left_out, *event.finished.unreadable)

    def recall(self, block: PlateBlock) -> None:
        """Begin with the states that the file keeps, until the server is asked."""
        told = {}
        for item in plates.props(block).objects:
            try:
                told[item.uid] = frame_book.from_json(item.states)
            except MaskletError as error:
                self.notice = notice_of(error)
        self.book.recall(told)

    def remind(self, block: PlateBlock) -> None:
        """Write what is known of the session into the file; an undo goes back before it was known."""
        own = plates.props(block)
        if self.opened is not None:
            own.session_id, own.fingerprint = self.opened.session_id, self.opened.fingerprint
            own.session_path = self.opened.path
            own.size_px = self.opened.clip.width_px, self.opened.clip.height_px
        self._write_states(block)

    def forget_session(self) -> None:
        """Drop what came from a session that is no more."""
        self.shot, self.opened = None, None
        self.masks.clear()
        self.asked.clear()
        self._forget_finished()
        self.book.lose()
        self.notice = None

    def lose_session(self) -> None:
        """The session of the file is no more, and nothing was sent in its place yet."""
        self.masks.clear()
        self.asked.clear()
        self._forget_finished()
        self.book.lose()
        self.notice = Notice(_LOST, is_alarm=False, remedy=Remedy.TRACK)

    def forget_lost(self, block: PlateBlock) -> None:
        """Take for gone what the server has lost: results are made of what is left."""
        self.book.forget_lost([item.uid for item in plates.props(block).objects])
        self.notice = None
        self._write_states(block)

    def _forget_finished(self) -> None:
        self.finished.clear()
        self.finished_asked.clear()

    def _take_mask(self, job: Job, event: MaskCame) -> None:
        if not job.is_fetch:
            for uid, frame in [key for key in self.finished_asked if key[1] == event.frame]:
                self.finished.drop(uid, frame)
                self.finished_asked.discard((uid, frame))
        if event.mask is None:
            self.masks.drop(event.uid, event.frame)
            self.asked.discard((event.uid, event.frame))
            return
        self.masks.put(event.uid, event.frame, event.mask)
        if event.tracked:
            self.book.report(event.uid, event.frame, event.mask.presence)
            job.done += 1

    def _take_states(self, block: PlateBlock, event: StatesCame) -> None:
        self.book.replace(event.states)
        self.cuts = event.cuts
        # Frames whose masks were pushed out of memory may be asked for again.
        self.asked.clear()
        self.book.forget_lost(item.uid for item in plates.props(block).objects if _is_silent(item))
        self._write_states(block)

    def _write_states(self, block: PlateBlock) -> None:
        for item in plates.props(block).objects:
            text = frame_book.to_json(self.book.strips(item.uid))
            if item.states != text:
                item.states = text

    def _take_session(self, block: PlateBlock, event: SessionOpened) -> None:
        self.opened = event
        self.clip = event.clip
        self.asked.clear()
        if not event.resumed:
            self.masks.clear()
            self._forget_finished()
            self.book.lose()
        self.remind(block)
        self.notice = None
        told = [*event.clip.notices, *(each.reason for each in event.clip.unreadable)]
        if told:
            self.notice = Notice("; ".join(told), is_alarm=False)
        if event.replaced:
            self.notice = Notice(_REPLACED, is_alarm=False, remedy=Remedy.TRACK)

    def _complete(self, block: PlateBlock, held: Document) -> None:
        """Keep what the server alone knows; it is no change of what is said."""
        own = plates.props(block)
        for item in own.objects:
            item.take(completed((item.as_said(),), held)[0])
        if self.shot is not None:
            self.shot.request = replace(self.shot.request, wanted=own.document())

    def _take_back(self, block: PlateBlock, event: Refused) -> None:
        """Take out of the document what the server did not take."""
        own = plates.props(block)
        uid = event.edit.uid
        held = find(event.held, uid)
        item = own.object_of(uid)
        if held is None:
            own.remove(uid)
        elif item is not None:
            item.take(held)
        if self.shot is not None:
            self.shot.request = replace(self.shot.request, wanted=own.document())
        if not self.refusals:
            self.notice = notice_of(event.error)
        self.refusals.append(event.error)


def _is_silent(item: MaskletObject) -> bool:
    """True where nothing is said about an object, so that no track will bring its masks back."""
    try:
        return not item.prompts().frames
    except MaskletError:
        return False
