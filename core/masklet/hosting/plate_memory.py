"""What is known of one plate while a host runs, beyond what its document keeps; the main thread's alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic

from masklet.doubtful_clicks import advice_on
from masklet.errors import MaskletError
from masklet.hosting.notices import Notice, Remedy, notice_of
from masklet.hosting.ports import KeepsDocuments, KeptSession, P
from masklet.hosting.shown import frame_book
from masklet.hosting.shown.overlay_masks import MaskStore
from masklet.hosting.shown.track_versions import TrackVersions
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

if TYPE_CHECKING:
    from masklet.hosting.shown.found_things import FoundThings
    from masklet.hosting.work.jobs import Job
    from masklet.hosting.work.plate_session import PlateSession
    from masklet.said.documents import Document
    from masklet.types import ClipInfo, Presence, UnreadableFrame


_REPLACED = phrase(
    "The server no longer held this session: your prompts were sent again, track again for the masks. "
    "Mattes, splines and anchors in this file are untouched."
)
_LOST = phrase(
    "The masks of this file are no longer on the server: track again to see them. "
    "Mattes, splines and anchors in this file are untouched."
)


def _gives_way(notice: Notice | None) -> bool:
    """What went wrong, what has a button and what stays are worth more than advice."""
    if notice is None:
        return True
    return not notice.is_alarm and not notice.stays and notice.remedy is Remedy.NONE


@dataclass
class PlateMemory(Generic[P]):
    """What is known of one plate beyond what its document keeps.

    Attributes:
        keeper: Of the document.
        session: Its session, for jobs.
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
        versions: Of the track, for hosts that show them; None keeps none.
        found: Things that were found and not taken yet; None for none.
    """

    keeper: KeepsDocuments[P]
    session: PlateSession | None = None
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
    versions: TrackVersions | None = None
    found: FoundThings | None = None
    _advised: dict[str, tuple[int, Notice]] = field(default_factory=dict)
    _tracked_by: tuple[Job, Document] | None = None

    def take(self, plate: P, job: Job, event: object) -> None:
        """Take one event of a job into memory, and into what the file keeps."""
        if isinstance(event, MaskCame):
            self._take_mask(plate, job, event)
        elif isinstance(event, FinishedCame):
            self.finished.put(event.uid, event.frame, event.mask)
        elif isinstance(event, StatesCame):
            self._take_states(plate, event)
        elif isinstance(event, MasksOutdated):
            self.masks.drop_object(event.uid)
            self.book.forget_qualities(event.uid)
            self.asked = {key for key in self.asked if key[0] != event.uid}
            # Exclusive objects take pixels from each other.
            self._forget_finished()
        elif isinstance(event, SessionOpened):
            job.waiting = None
            self._take_session(plate, event)
        elif isinstance(event, SessionLost):
            self.lose_session()
        elif isinstance(event, Refused):
            self._take_back(plate, event)
        elif isinstance(event, Completed):
            self._complete(plate, event.held)
        elif isinstance(event, Planned):
            self._keep_version(plate, job)
            # A track may take several goes.
            job.total = job.done + event.total
        elif isinstance(event, Ended):
            self.cuts = event.finished.cuts or self.cuts
            self.left_out = (*self.left_out, *event.finished.unreadable)

    def recall(self, plate: P) -> None:
        """Begin with the states that the file keeps, until the server is asked."""
        told = {}
        for uid, text in self.keeper.states(plate).items():
            try:
                told[uid] = frame_book.from_json(text)
            except MaskletError as error:
                self.notice = notice_of(error)
        self.book.recall(told)

    def remind(self, plate: P) -> None:
        """Write what is known of the session into the file; an undo goes back before it was known."""
        if self.opened is not None:
            clip = self.opened.clip
            session = KeptSession(self.opened.session_id, self.opened.fingerprint, self.opened.path)
            self.keeper.keep_session(plate, session, (clip.display_width_px, clip.display_height_px))
        self._write_states(plate)

    def forget_session(self) -> None:
        """Drop what came from a session that is no more."""
        self.session, self.opened = None, None
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

    def forget_lost(self, plate: P) -> None:
        """Take for gone what the server has lost: results are made of what is left."""
        self.book.forget_lost(self.keeper.uids(plate))
        self.notice = None
        self._write_states(plate)

    def _keep_version(self, plate: P, job: Job) -> None:
        """Keep what a track is about to change, with what had been said when it was tracked."""
        if self.versions is None or (self._tracked_by is not None and self._tracked_by[0] is job):
            return
        strips = {uid: self.book.strips(uid) for uid in self.keeper.uids(plate)}
        said = None if self._tracked_by is None else self._tracked_by[1]
        self.versions.keep(self.masks, strips, said)
        wanted = self.keeper.document(plate) if self.session is None else self.session.request.wanted
        self._tracked_by = (job, wanted)

    def _forget_finished(self) -> None:
        self.finished.clear()
        self.finished_asked.clear()

    def _advise(self, plate: P, uid: str, frame: int, presence: Presence) -> None:
        """Say once of an object what helps where the mask of its click is doubtful."""
        said = find(self.keeper.document(plate), uid)
        advice = None if said is None else advice_on(said.at(frame), presence, said.name)
        if advice is None:
            self._take_advice_back(uid, frame)
        elif uid not in self._advised and _gives_way(self.notice):
            self.notice = Notice(advice, is_alarm=False)
            self._advised[uid] = (frame, self.notice)

    def _take_advice_back(self, uid: str, frame: int) -> None:
        """Another mask came where there was a doubtful one, or none is left."""
        advised_on, notice = self._advised.get(uid, (None, None))
        if advised_on == frame:
            del self._advised[uid]
            if self.notice is notice:
                self.notice = None

    def _take_mask(self, plate: P, job: Job, event: MaskCame) -> None:
        if not job.is_fetch:
            for uid, frame in [key for key in self.finished_asked if key[1] == event.frame]:
                self.finished.drop(uid, frame)
                self.finished_asked.discard((uid, frame))
        if event.mask is None:
            self._take_advice_back(event.uid, event.frame)
            self.masks.drop(event.uid, event.frame)
            self.asked.discard((event.uid, event.frame))
            return
        self.masks.put(event.uid, event.frame, event.mask)
        self.book.rate(event.uid, event.frame, event.mask.quality)
        if not event.tracked and not job.is_fetch:
            self._advise(plate, event.uid, event.frame, event.mask.presence)
        if event.tracked:
            self.book.report(event.uid, event.frame, event.mask.presence)
            # A frame may come again, when what came later says something else of it.
            job.done = min(job.done + 1, job.total or job.done + 1)

    def _take_states(self, plate: P, event: StatesCame) -> None:
        self.book.replace(event.states)
        self.cuts = event.cuts
        # Frames whose masks were pushed out of memory may be asked for again.
        self.asked.clear()
        self.book.forget_lost(uid for uid in self.keeper.uids(plate) if self._is_silent(plate, uid))
        self._write_states(plate)

    def _write_states(self, plate: P) -> None:
        strips = {uid: self.book.strips(uid) for uid in self.keeper.uids(plate)}
        self.keeper.keep_states(plate, {uid: frame_book.to_json(own) for uid, own in strips.items()})

    def _take_session(self, plate: P, event: SessionOpened) -> None:
        self.opened = event
        self.clip = event.clip
        self.asked.clear()
        if not event.resumed:
            self.masks.clear()
            self._forget_finished()
            self.book.lose()
        self.remind(plate)
        self.notice = self.notice if self.notice is not None and self.notice.stays else None
        told = [*event.clip.notices, *(each.reason for each in event.clip.unreadable)]
        if told and self.notice is None:
            self.notice = Notice("; ".join(told), is_alarm=False)
        if event.replaced and self.keeper.uids(plate):
            self.notice = Notice(_REPLACED, is_alarm=False, remedy=Remedy.TRACK)

    def _complete(self, plate: P, held: Document) -> None:
        """Keep what the server alone knows; it is no change of what is said."""
        self._say(plate, completed(self.keeper.document(plate), held))

    def _take_back(self, plate: P, event: Refused) -> None:
        """Take out of the document what the server did not take."""
        uid = event.edit.uid
        held = find(event.held, uid)
        document = (held if said.uid == uid else said for said in self.keeper.document(plate))
        self._say(plate, tuple(said for said in document if said is not None))
        if not self.refusals:
            self.notice = notice_of(event.error)
        self.refusals.append(event.error)

    def _say(self, plate: P, document: Document) -> None:
        """Make the document say this, as the server does."""
        self.keeper.take(plate, document)
        if self.session is not None:
            self.session.request = replace(self.session.request, wanted=self.keeper.document(plate))

    def _is_silent(self, plate: P, uid: str) -> bool:
        """True where nothing is said about an object, so that no track will bring its masks back."""
        try:
            return not self.keeper.prompts(plate, uid).frames
        except MaskletError:
            return False
