"""One plate's session on the server, made to follow what the artist wants. Runs in the threads of jobs.

Everything here yields events, which Blender's main thread applies; nothing here knows Blender.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

from masklet.errors import (
    BadInputError,
    CancelledError,
    LimitError,
    MaskletError,
    NameTakenError,
    SessionNotFoundError,
)
from masklet.events import MatteFormat, TrackFinished, TrackStarted
from masklet.matte_files import prepare_folder
from masklet.types import ClipInfo, Direction, FrameRange, MaskFormat, MaskUpdate, StateRange

from .documents import (
    AddClick,
    AddObject,
    Document,
    Edit,
    RemoveObject,
    RenameObject,
    SetLock,
    SetMatte,
    SetPrompts,
    applied,
    differences,
    find,
    from_prompts,
)
from .masks import PackedMask, pack
from .plate_files import PlateSource, fingerprint_of

if TYPE_CHECKING:
    from pathlib import Path

    from masklet.anchors import Absence, AnchorKind
    from masklet.client import Server
    from masklet.session import Session
    from masklet.tracked_object import TrackedObject
    from masklet.types import SessionInfo

    from .jobs import Job

_REFUSALS = (BadInputError, NameTakenError, LimitError)


@dataclass(frozen=True)
class Errand:
    """What the main thread wants of a plate, as it was when it was asked.

    Attributes:
        plate: Where the pictures are.
        wanted: What the artist has said.
        session_id: Of the session that the .blend file remembers; empty for none.
        fingerprint: Of the plate that the prompts were made on; empty to take any.
        max_side_px: Of masks for the overlay.
    """

    plate: PlateSource
    wanted: Document
    session_id: str
    fingerprint: str
    max_side_px: int


@dataclass(frozen=True)
class SessionOpened:
    """The plate has a session now.

    Attributes:
        session_id: By which to come back.
        clip: What the server knows of the plate.
        resumed: True where the server still held the session with its masks.
        replaced: True where the file remembered a session that is no more.
        fingerprint: Of the plate.
    """

    session_id: str
    clip: ClipInfo
    resumed: bool
    replaced: bool
    fingerprint: str


@dataclass(frozen=True)
class MaskCame:
    """A mask for the overlay; None where the object has none on this frame any more."""

    uid: str
    frame: int
    mask: PackedMask | None
    tracked: bool = False


@dataclass(frozen=True)
class MasksOutdated:
    """All masks of an object that were kept show what is no longer so."""

    uid: str


@dataclass(frozen=True)
class StatesCame:
    """The state of every frame with a mask, by object, and the cuts that tracking has met."""

    states: Mapping[str, tuple[StateRange, ...]]
    cuts: tuple[int, ...]


@dataclass(frozen=True)
class Refused:
    """The server did not take an edit; the document without it is what it holds."""

    edit: Edit
    held: Document
    error: MaskletError


@dataclass(frozen=True)
class Planned:
    """How many masks a track will bring."""

    total: int


@dataclass(frozen=True)
class Ended:
    """How a track ended."""

    finished: TrackFinished


@dataclass(frozen=True)
class Made:
    """What a work was for, at its end."""

    value: object


Event = Union[SessionOpened, MaskCame, MasksOutdated, StatesCame, Refused, Planned, Ended, Made]


@dataclass(frozen=True)
class TrackWish:
    """What to track.

    Attributes:
        first: Plate frame to begin at; None for the clip's first. What lies outside the clip is cut off.
        last: Plate frame to end at; None for the clip's last.
        uids: Of the objects; none given means all with prompts.
        direction: Which way from the prompts.
        stale_only: Only what prompts have overtaken.
    """

    first: int | None = None
    last: int | None = None
    uids: tuple[str, ...] = ()
    direction: Direction = Direction.BOTH
    stale_only: bool = False

    def frames_in(self, clip: ClipInfo) -> FrameRange:
        """The range inside a clip.

        Raises:
            BadInputError: The range and the clip share no frame.
        """
        first = clip.first_frame if self.first is None else max(self.first, clip.first_frame)
        last = clip.last_frame if self.last is None else min(self.last, clip.last_frame)
        if first > last:
            raise BadInputError(
                f"the range lies outside the plate, which has frames {clip.first_frame}-{clip.last_frame}: "
                "move the time cursor onto the plate, or set another range"
            )
        return FrameRange(first, last)


class Shot:
    """One plate on the server.

    Attributes:
        errand: What is wanted now; the main thread replaces it, jobs read it once.
    """

    def __init__(self, errand: Errand) -> None:
        self.errand = errand
        self._lock = threading.RLock()
        self._server: Server | None = None
        self._session: Session | None = None
        self._held: Document = ()
        self._objects: dict[str, TrackedObject] = {}
        # What was held before each edit, and after each that was taken back: as deep as the server's own.
        self._past: list[Document] = []
        self._future: list[Document] = []

    def synchronise(self, server: Server) -> Iterator[Event]:
        """Make the server hold what is wanted; open or resume the session first where there is none.

        Raises:
            MaskletError: The plate cannot be opened, or the server is out of reach. Single edits that
                it refuses are told as :class:`Refused` and raise nothing.
        """
        with self._lock:
            errand = self.errand
            try:
                yield from self._open(server, errand)
                yield from self._send_differences(errand)
            except SessionNotFoundError:
                self._session = None
                yield from self._open(server, errand)
                yield from self._send_differences(errand)

    def track(self, job: Job, server: Server, wish: TrackWish) -> Iterator[Event]:
        """Track, and tell each mask as it comes; what is finished is kept however it ends."""
        yield from self.synchronise(server)
        if job.is_cancelled:
            return
        session, uids = self._ready(), self._uids()
        errand = self.errand
        track = session.track(
            frames=wish.frames_in(session.clip),
            objects=[self._object(uid) for uid in wish.uids],
            direction=wish.direction,
            mask_format=MaskFormat(max_side_px=errand.max_side_px),
            stale_only=wish.stale_only,
        )
        job.stops_by(track.cancel)
        failure: MaskletError | None = None
        try:
            for event in track.events():
                if isinstance(event, TrackStarted):
                    yield Planned(event.updates)
                elif isinstance(event, MaskUpdate):
                    uid = uids.get(event.object_id)
                    if uid is not None:
                        yield MaskCame(uid, event.frame, _packed(event, errand.max_side_px), tracked=True)
                else:
                    yield Ended(event)
        except CancelledError:
            yield Ended(TrackFinished(0, 0, cancelled=True))
        except MaskletError as error:
            failure = error
        finally:
            job.stops_by(None)
        try:
            yield self._states()
        except MaskletError as error:
            failure = failure or error
        if failure is not None:
            raise failure

    def fetch(self, job: Job, server: Server, uids: Iterable[str], frames: FrameRange) -> Iterator[Event]:
        """Tell the masks that the server has in a range."""
        yield from self.synchronise(server)
        session, known = self._ready(), self._uids()
        objects = [self._objects[uid] for uid in uids if uid in self._objects]
        if not objects:
            return
        max_side_px = self.errand.max_side_px
        masks = session.masks(frames=frames, objects=objects, mask_format=MaskFormat(max_side_px))
        for update in masks:
            if job.is_cancelled:
                masks.close()
                return
            if update.object_id in known:
                yield MaskCame(known[update.object_id], update.frame, _packed(update, max_side_px))

    def undo(self, server: Server) -> Iterator[Event]:
        """Take back the last edit on the server; the document that is held then is told by :meth:`held`.

        Raises:
            BadInputError: There is nothing to take back.
        """
        yield from self._step(server, self._past, self._future, "take back")

    def redo(self, server: Server) -> Iterator[Event]:
        """Make the last edit that was taken back again.

        Raises:
            BadInputError: There is none.
        """
        yield from self._step(server, self._future, self._past, "make again")

    def close(self) -> None:
        """Have the server forget the session; it is opened anew when it is needed."""
        with self._lock:
            session, self._session = self._session, None
            if session is not None:
                session.close()

    @property
    def held(self) -> Document:
        """What the server holds, as far as is known."""
        return self._held

    def export(
        self,
        job: Job,
        server: Server,
        folder: Path,
        *,
        uids: Iterable[str],
        matte_format: MatteFormat,
        base_name: str,
    ) -> Iterator[Event]:
        """Write mattes into a folder, which is made, and tell each object's with its uid."""
        prepare_folder(folder)
        yield from self.synchronise(server)
        for uid in uids:
            exported = self._ready().export(
                folder,
                matte_format=matte_format,
                objects=[self._object(uid)],
                base_name=base_name,
                on_progress=_progress(job),
            )
            yield Made((uid, exported))

    def shapes(self, job: Job, server: Server, uid: str, *, tolerance_px: float) -> Iterator[Event]:
        """Fit shapes to an object's mattes and tell them."""
        yield from self.synchronise(server)
        shapes = self._ready().shapes(
            self._object(uid), tolerance_px=tolerance_px, on_progress=_progress(job)
        )
        yield Made(shapes)

    def anchor(
        self,
        job: Job,
        server: Server,
        uid: str,
        *,
        kind: AnchorKind,
        absence: Absence,
        reference_frame: int | None,
        point_px: tuple[float, float] | None,
        smoothing_frames: float,
    ) -> Iterator[Event]:
        """Follow an object with a transform and tell it."""
        yield from self.synchronise(server)
        anchor = self._ready().anchor(
            self._object(uid),
            kind,
            reference_frame=reference_frame,
            point_px=point_px,
            absence=absence,
            smoothing_frames=smoothing_frames,
            on_progress=_progress(job),
        )
        yield Made(anchor)

    def _open(self, server: Server, errand: Errand) -> Iterator[Event]:
        if self._session is not None and self._server is server:
            return
        fingerprint = fingerprint_of(errand.plate)
        if errand.fingerprint and fingerprint != errand.fingerprint:
            raise BadInputError(
                f"{errand.plate.name} is another plate than the one these prompts were made on: put the old "
                "one back, or choose Use This Plate to keep the prompts"
            )
        session, document = _resumed(server, errand)
        resumed = session is not None
        if session is None:
            session = server.open(errand.plate.path, colour_space=errand.plate.colour_space or None)
        self._server, self._session = server, session
        uids = {said.name: said.uid for said in errand.wanted}
        self._held = from_prompts(document, uids) if document is not None else ()
        self._objects = {uids[item.name]: item for item in session.objects() if item.name in uids}
        for said in self._held:
            if said.uid not in self._objects:
                self._objects[said.uid] = session.object(said.name)
        self._past, self._future = [], []
        yield SessionOpened(
            session.session_id, session.clip, resumed, bool(errand.session_id) and not resumed, fingerprint
        )
        if resumed:
            yield self._states()

    def _send_differences(self, errand: Errand) -> Iterator[Event]:
        if errand.wanted == self._held:
            return
        if self._past and errand.wanted == self._past[-1]:
            yield from self._step_here(self._past, self._future, undo=True)
            return
        if self._future and errand.wanted == self._future[-1]:
            yield from self._step_here(self._future, self._past, undo=False)
            return
        for edit in differences(self._held, errand.wanted):
            before = self._held
            try:
                event = self._send(edit)
            except _REFUSALS as error:
                yield Refused(edit, self._held, error)
                continue
            self._held = applied(before, edit)
            self._past.append(before)
            self._future.clear()
            if event is not None:
                yield event
        yield self._states()

    def _send(self, edit: Edit) -> Event | None:
        if isinstance(edit, AddObject):
            self._objects[edit.uid] = self._ready().object(edit.name)
            return None
        item = self._object(edit.uid)
        if isinstance(edit, RemoveObject):
            item.remove()
            del self._objects[edit.uid]
            return MasksOutdated(edit.uid)
        if isinstance(edit, RenameObject):
            item.rename(edit.name)
            return None
        if isinstance(edit, SetLock):
            change = item.lock if edit.locked else item.unlock
            change(first=edit.frames.first, last=edit.frames.last)
            return None
        if isinstance(edit, SetMatte):
            item.set_matte(edit.settings)
            return MasksOutdated(edit.uid)
        return self._say(item, edit)

    def _say(self, item: TrackedObject, edit: AddClick | SetPrompts) -> Event:
        from dataclasses import replace

        if isinstance(edit, AddClick):
            frame = edit.frame
            update: MaskUpdate | None = item.click(
                frame=frame, x_px=edit.click.x_px, y_px=edit.click.y_px, positive=edit.click.positive
            )
        else:
            frame = edit.prompts.frame
            update = item.prompt(replace(edit.prompts, object_id=item.object_id))
        mask = None if update is None else _packed(update, self.errand.max_side_px)
        return MaskCame(edit.uid, frame, mask)

    def _step(
        self, server: Server, back: list[Document], forth: list[Document], words: str
    ) -> Iterator[Event]:
        with self._lock:
            yield from self._open(server, self.errand)
            yield from self._send_differences(self.errand)
            if not back:
                raise BadInputError(f"there is no edit to {words} since this session was opened")
            yield from self._step_here(back, forth, undo=back is self._past)

    def _step_here(self, back: list[Document], forth: list[Document], *, undo: bool) -> Iterator[Event]:
        session = self._ready()
        step = session.undo() if undo else session.redo()
        before, after = self._held, back.pop()
        forth.append(before)
        self._held = after
        by_name = {item.name: item for item in session.objects()}
        self._objects = {said.uid: by_name[said.name] for said in after if said.name in by_name}
        if step.prompts is not None:
            uid = self._uids().get(step.object_id)
            update = step.update
            if uid is not None:
                mask = None if update is None else _packed(update, self.errand.max_side_px)
                yield MaskCame(uid, step.prompts.frame, mask)
        else:
            for said in (*before, *after):
                if find(before, said.uid) != find(after, said.uid):
                    yield MasksOutdated(said.uid)
        yield self._states()

    def _states(self) -> StatesCame:
        info: SessionInfo = self._ready().info()
        uids = self._uids()
        states: dict[str, list[StateRange]] = {uid: [] for uid in uids.values()}
        for state in info.states:
            if state.object_id in uids:
                states[uids[state.object_id]].append(state)
        return StatesCame({uid: tuple(own) for uid, own in states.items()}, info.cuts)

    def _uids(self) -> dict[int, str]:
        return {item.object_id: uid for uid, item in self._objects.items()}

    def _ready(self) -> Session:
        if self._session is None:
            raise SessionNotFoundError("the plate has no session: reconnect to the server")
        return self._session

    def _object(self, uid: str) -> TrackedObject:
        if uid not in self._objects:
            raise BadInputError("the server did not take this object: see the message before, and correct it")
        return self._objects[uid]


def _resumed(server: Server, errand: Errand):  # type: ignore[no-untyped-def]
    """The remembered session and what it holds, if the server still has it and it is of this plate."""
    if not errand.session_id:
        return None, None
    try:
        session = server.resume(errand.session_id)
        clip = session.clip
        if (clip.width_px, clip.height_px) != (errand.plate.width_px, errand.plate.height_px):
            return None, None
        return session, session.prompts()
    except SessionNotFoundError:
        return None, None


def _packed(update: MaskUpdate, max_side_px: int) -> PackedMask:
    return pack(update.mask, update.presence, max_side_px=max_side_px)


def _progress(job: Job) -> Callable[[int, int], None]:
    """Notes progress on a job, and ends its call once the job is cancelled."""

    def tell(done: int, total: int) -> None:
        if job.is_cancelled:
            raise CancelledError(f"{job.name.lower()} was cancelled; what was finished is kept")
        job.done, job.total = done, total

    return tell
