"""One plate's session on the server, made to follow what the artist wants. Runs in the threads of jobs.

Everything here yields events, which Blender's main thread applies; nothing here knows Blender.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.errors import (
    BadInputError,
    ClipError,
    LimitError,
    MaskletError,
    NameTakenError,
    ObjectNotFoundError,
    SessionNotFoundError,
)
from masklet.frame_runs import runs_minus

from .clip_match import check_match
from .documents import Document, by_uid, completed, find, from_prompts, with_base, with_masks
from .edits import (
    AddClick,
    AddObject,
    Edit,
    RemoveObject,
    RenameObject,
    SetLock,
    SetMatte,
    SetPrompts,
    applied,
    differences,
)
from .masks import packed_for_overlay
from .notices import PlateChangedError
from .plate_files import fingerprint_of, is_still_at
from .shot_events import (
    Completed,
    Errand,
    Event,
    MaskCame,
    MasksOutdated,
    Refused,
    SessionLost,
    SessionOpened,
    StatesCame,
)
from .words import phrase

if TYPE_CHECKING:
    from masklet.client import Server
    from masklet.session import Session
    from masklet.tracked_object import TrackedObject
    from masklet.types import FrameRange, LockedMask, MaskUpdate, SessionInfo, StateRange, TrackedMask

_REFUSALS = (BadInputError, NameTakenError, LimitError)
_LOST = (SessionNotFoundError, ObjectNotFoundError)
"""The server restarted, or somebody else has changed the session: look again at what it holds."""


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
        self._last_id = ""
        self._path = ""
        self._is_resumed = False
        self._base: TrackedMask | None = None
        self._held: Document = ()
        self._objects: dict[str, TrackedObject] = {}
        # What was held before each edit, and after each that was taken back: as deep as the server's own.
        self._past: list[Document] = []
        self._future: list[Document] = []

    @property
    def held(self) -> Document:
        """What the server holds, as far as is known."""
        return self._held

    @property
    def session_id(self) -> str:
        """Of the open session; empty where there is none."""
        session = self._session
        return "" if session is None else session.session_id

    @property
    def session(self) -> Session:
        """The open session.

        Raises:
            SessionNotFoundError: There is none.
        """
        if self._session is None:
            raise SessionNotFoundError(phrase("the plate has no session: reconnect to the server"))
        return self._session

    def object(self, uid: str) -> TrackedObject:
        """The object as the server knows it.

        Raises:
            BadInputError: The server did not take it.
        """
        if uid not in self._objects:
            raise BadInputError(
                phrase("the server did not take this object: see the message before, and correct it")
            )
        return self._objects[uid]

    def objects(self, uids: Iterable[str]) -> list[TrackedObject]:
        """Those of the objects that the server has."""
        return [self._objects[uid] for uid in uids if uid in self._objects]

    def uids(self) -> dict[int, str]:
        """Our names of the server's objects."""
        return {item.object_id: uid for uid, item in self._objects.items()}

    def states(self) -> StatesCame:
        """The state of every frame, as the server tells it now."""
        info: SessionInfo = self.session.info()
        uids = self.uids()
        states: dict[str, list[StateRange]] = {uid: [] for uid in uids.values()}
        for state in info.states:
            if state.object_id in uids:
                states[uids[state.object_id]].append(state)
        return StatesCame({uid: tuple(own) for uid, own in states.items()}, info.cuts)

    def lacking(self, uids: Iterable[str]) -> dict[str, tuple[FrameRange, ...]]:
        """Frames that had a mask once and have none in this session, by object; only objects with any."""
        held = self.states().states
        found = {}
        for uid in uids:
            known = self.errand.known.get(uid)
            if known is None or not self._says_something(uid):
                continue
            # A session that was come back to has dropped by itself what it does not hold.
            once = known.lost if self._is_resumed else (*known.held, *known.lost)
            left = runs_minus(once, [state.frames for state in held.get(uid, ())])
            if left:
                found[uid] = left
        return found

    def come_back(self, server: Server) -> Iterator[Event]:
        """Go on with the session that the file remembers, if it is still there; send and open nothing."""
        with self._lock:
            errand = self.errand
            if self._session is not None:
                return
            session = _resumed(server, errand.session_id, errand, errand.session_path)
            if session is None or fingerprint_of(errand.plate) != errand.fingerprint:
                yield SessionLost()
                return
            yield from self._take(server, session, errand, errand.fingerprint, resumed=True)

    def synchronise(
        self,
        server: Server,
        *,
        make_sure: bool = False,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Iterator[Event]:
        """Make the server hold what is wanted; open or resume the session first where there is none.

        Args:
            server: Where.
            make_sure: Ask whether the server still has the session, and look whether the plate is still the
                same, even if there is nothing to send.
            on_progress: Told what is done and what there is in all while the plate's files are sent.

        Raises:
            MaskletError: The plate cannot be opened, or the server is out of reach. Single edits that
                it refuses are told as :class:`Refused` and raise nothing.
        """
        with self._lock:
            errand = self.errand
            try:
                if make_sure and self._session is not None and self._server is server:
                    _checked_fingerprint(errand)
                    self._session.info()
                yield from self._open(server, errand, on_progress)
                yield from self._send_differences(errand)
            except _LOST:
                self._session = None
                yield from self._open(server, errand, on_progress)
                yield from self._send_differences(errand)

    def undo(self, server: Server) -> Iterator[Event]:
        """Take back the last edit on the server; :attr:`held` is what it holds then.

        Raises:
            BadInputError: There is nothing to take back.
        """
        yield from self._step(server, undo=True)

    def redo(self, server: Server) -> Iterator[Event]:
        """Make the last edit that was taken back again.

        Raises:
            BadInputError: There is none.
        """
        yield from self._step(server, undo=False)

    def close(self) -> None:
        """Have the server forget the session; it is opened anew when it is needed."""
        with self._lock:
            session, self._session, self._last_id = self._session, None, ""
            if session is not None:
                session.close()

    def _open(
        self, server: Server, errand: Errand, on_progress: Callable[[int, int], None] | None = None
    ) -> Iterator[Event]:
        if self._session is not None and self._server is server and _reads(self._path, errand):
            return
        fingerprint = _checked_fingerprint(errand)
        last_id = self._last_id or errand.session_id
        session = _resumed(server, last_id, errand, self._path or errand.session_path)
        resumed = session is not None
        if session is None:
            said = errand.plate.reading
            session = server.open(
                errand.plate.path,
                colour_space=said.colour_space,
                first_frame=said.first_frame,
                frame_rate=said.frame_rate,
                layer=said.layer,
                view=said.view,
                on_progress=on_progress,
            )
            _check_match(session, errand)
        replaced = bool(last_id) and not resumed
        yield from self._take(server, session, errand, fingerprint, resumed=resumed, replaced=replaced)

    def _take(
        self,
        server: Server,
        session: Session,
        errand: Errand,
        fingerprint: str,
        *,
        resumed: bool,
        replaced: bool = False,
    ) -> Iterator[Event]:
        """Work with this session from now on."""
        self._server, self._session, self._last_id = server, session, session.session_id
        self._is_resumed, self._path = resumed, errand.plate.path
        self._past, self._future = [], []
        self._look(errand.wanted)
        yield SessionOpened(session.session_id, session.clip, resumed, replaced, fingerprint, self._path)
        if resumed:
            yield self.states()

    def _says_something(self, uid: str) -> bool:
        said = find(self.errand.wanted, uid)
        return said is not None and bool(said.frames)

    def _look(self, *known: Document) -> None:
        """Learn what the session holds; objects are recognised by their names."""
        session = self.session
        uids = {said.name: said.uid for document in known for said in document}
        self._held = from_prompts(session.prompts(), uids)
        by_name = {item.name: item for item in session.objects()}
        self._objects = {said.uid: by_name[said.name] for said in self._held if said.name in by_name}

    def _send_differences(self, errand: Errand) -> Iterator[Event]:
        if not _says(errand.wanted, self._held):
            yield from self._follow(errand)
        yield from self._complete(errand)

    def keep_masks(self) -> Iterator[Event]:
        """Learn the masks of locked frames, which the document has to keep for a server that starts anew."""
        with self._lock:
            if any(said.locks for said in self._held):
                self._learn_masks()
                yield from self._complete(self.errand)

    def _complete(self, errand: Errand) -> Iterator[Event]:
        """Tell what the server alone knows of what is said."""
        if completed(errand.wanted, self._held) != errand.wanted:
            yield Completed(self._held)

    def _learn_masks(self) -> None:
        uids = self.uids()
        masks: dict[str, list[LockedMask]] = {}
        for mask in self.session.prompts().masks:
            masks.setdefault(uids.get(mask.object_id, ""), []).append(mask)
        self._held = tuple(with_masks(said, masks.get(said.uid, ())) for said in self._held)

    def _follow(self, errand: Errand) -> Iterator[Event]:
        # A step through the server's own history brings masks back that prompts alone would not.
        if self._past and _says(errand.wanted, self._past[-1]):
            yield from self._step_once(undo=True)
        elif self._future and _says(errand.wanted, self._future[-1]):
            yield from self._step_once(undo=False)
        edits = differences(self._held, errand.wanted)
        for edit in edits:
            before = self._held
            try:
                event = self._send(edit)
            except _REFUSALS as error:
                yield Refused(edit, self._held, error)
                continue
            self._held = applied(before, edit)
            if isinstance(edit, (AddClick, SetPrompts)):
                self._take_base(edit)
            self._past.append(before)
            self._future.clear()
            if event is not None:
                yield event
        if any(isinstance(edit, SetLock) and edit.locked for edit in edits):
            self._learn_masks()
        if edits:
            yield self.states()

    def _take_base(self, edit: AddClick | SetPrompts) -> None:
        """Keep what the server says that the prompts correct; a correction of nothing else is the same."""
        frame = edit.frame if isinstance(edit, AddClick) else edit.prompts.frame
        self._held = tuple(
            with_base(said, frame, self._base) if said.uid == edit.uid else said for said in self._held
        )

    def _send(self, edit: Edit) -> Event | None:
        if isinstance(edit, AddObject):
            self._objects[edit.uid] = self.session.object(edit.name)
            return None
        item = self.object(edit.uid)
        if isinstance(edit, RemoveObject):
            item.remove()
            del self._objects[edit.uid]
            return MasksOutdated(edit.uid)
        if isinstance(edit, RenameObject):
            item.rename(edit.name)
            return None
        if isinstance(edit, SetLock):
            first, last = edit.frames.first, edit.frames.last
            if edit.locked:
                item.lock(first=first, last=last, masks=edit.masks)
            else:
                item.unlock(first=first, last=last)
            return None
        if isinstance(edit, SetMatte):
            item.set_matte(edit.settings)
            return MasksOutdated(edit.uid)
        return self._say(item, edit)

    def _say(self, item: TrackedObject, edit: AddClick | SetPrompts) -> Event:
        if isinstance(edit, AddClick):
            frame, click = edit.frame, edit.click
            update: MaskUpdate | None = item.click(
                frame=frame, x_px=click.x_px, y_px=click.y_px, positive=click.positive
            )
        else:
            frame = edit.prompts.frame
            # Whether a drawn mask may go was settled when the .blend file took the change.
            update = item.prompt(replace(edit.prompts, object_id=item.object_id), replace=True)
        self._base = None if update is None else update.base
        return self._mask(edit.uid, frame, update)

    def _step(self, server: Server, *, undo: bool) -> Iterator[Event]:
        with self._lock:
            yield from self._open(server, self.errand)
            yield from self._send_differences(self.errand)
            if not (self._past if undo else self._future):
                raise BadInputError(
                    phrase("there is nothing to take back since this plate's session was opened")
                    if undo
                    else phrase("there is nothing to make again since this plate's session was opened")
                )
            yield from self._step_once(undo=undo)

    def _step_once(self, *, undo: bool) -> Iterator[Event]:
        back, forth = (self._past, self._future) if undo else (self._future, self._past)
        before, after = self._held, back.pop()
        try:
            step = self.session.undo() if undo else self.session.redo()
        except BadInputError:
            # The server's history is shorter than ours; what is wanted is sent as differences.
            back.clear()
            return
        forth.append(before)
        self._look(before, after)
        uid = self.uids().get(step.object_id)
        if step.prompts is not None and uid is not None:
            yield self._mask(uid, step.prompts.frame, step.update)
        for said in (*before, *self._held):
            was, now = find(before, said.uid), find(self._held, said.uid)
            if was is None or now is None or was.matte != now.matte:
                yield MasksOutdated(said.uid)
        yield self.states()

    def _mask(self, uid: str, frame: int, update: MaskUpdate | None) -> MaskCame:
        packed = None if update is None else packed_for_overlay(update, self.errand.max_side_px)
        return MaskCame(uid, frame, packed)


def _says(wanted: Document, held: Document) -> bool:
    """True where two documents say the same; what the server alone knows may be missing in the first."""
    return by_uid(completed(wanted, held)) == by_uid(held)


def _checked_fingerprint(errand: Errand) -> str:
    """The plate's fingerprint.

    Raises:
        PlateChangedError: The prompts were made on other pictures.
        ClipError: There are none, or they cannot be read.
    """
    fingerprint = fingerprint_of(errand.plate)
    if errand.fingerprint and fingerprint != errand.fingerprint:
        raise PlateChangedError(
            phrase(
                "{name} is another plate than the one these prompts were made on: put the old one back, or "
                "choose Use This Plate to keep the prompts",
                name=errand.plate.name,
            )
        )
    return fingerprint


def _check_match(session: Session, errand: Errand) -> None:
    """Refuse a plate that the server reads differently; its session goes again.

    Raises:
        ClipError: As :func:`.clip_match.check_match`.
    """
    if errand.plate.shown is None:
        return
    try:
        check_match(errand.plate.shown, session.clip)
    except ClipError:
        with suppress(MaskletError):
            session.close()
        raise


def _resumed(server: Server, session_id: str, errand: Errand, path: str) -> Session | None:
    """The remembered session, if the server still has it, it is of this plate and it can read on.

    Args:
        server: Where.
        session_id: Remembered; empty for none.
        errand: What is wanted.
        path: Of the plate when that session was opened; empty where it is not known.
    """
    if not session_id:
        return None
    try:
        session = server.resume(session_id)
    except SessionNotFoundError:
        return None
    if errand.plate.shown is not None:
        try:
            check_match(errand.plate.shown, session.clip)
        except ClipError:
            return None
    if _reads(path, errand):
        return session
    with suppress(MaskletError):
        session.close()
    return None


def _reads(path: str, errand: Errand) -> bool:
    """False for a session on a path from which the plate was moved: the server would look for it there."""
    return path in ("", errand.plate.path) or is_still_at(path)
