"""What a session holds of what was said, and how it is made to hold what is wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, LimitError, NameTakenError
from masklet.hosting.shown.overlay_masks import packed_for_overlay
from masklet.hosting.work.plate_events import Event, MaskCame, MasksOutdated, Refused, StatesCame
from masklet.phrases import phrase
from masklet.said.documents import Document, by_uid, completed, find, from_prompts, with_base, with_masks
from masklet.said.edits import (
    AddClick,
    AddObject,
    Edit,
    RemoveObject,
    RenameObject,
    SetLock,
    SetMatte,
    SetPolicy,
    SetPrompts,
    applied,
    differences,
)
from masklet.types import MaskFormat

if TYPE_CHECKING:
    from masklet.session import Session
    from masklet.tracked_object import TrackedObject
    from masklet.types import LockedMask, MaskUpdate, SessionInfo, StateRange, TrackedMask

_REFUSALS = (BadInputError, NameTakenError, LimitError)


class HeldSaid:
    """The document of one session.

    Args:
        session: On the server.
        known: Documents in which its objects have their uids.
        max_side_px: Of masks for the overlay.

    Attributes:
        said: What the server holds, as far as is known.
        max_side_px: As given; may change.
    """

    def __init__(self, session: Session, known: Document, max_side_px: int) -> None:
        self._session = session
        self.max_side_px = max_side_px
        self._base: TrackedMask | None = None
        self.said: Document = ()
        self._objects: dict[str, TrackedObject] = {}
        # What was held before each edit, and after each that was taken back: as deep as the server's own.
        self._past: list[Document] = []
        self._future: list[Document] = []
        self.look(known)

    def states(self) -> StatesCame:
        """The state of every frame, as the server tells it now."""
        info: SessionInfo = self._session.info()
        uids = self.uids()
        states: dict[str, list[StateRange]] = {uid: [] for uid in uids.values()}
        for state in info.states:
            if state.object_id in uids:
                states[uids[state.object_id]].append(state)
        return StatesCame({uid: tuple(own) for uid, own in states.items()}, info.cuts)

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

    def look(self, *known: Document) -> None:
        """Learn what the session holds; objects are recognised by their names."""
        uids = {said.name: said.uid for document in known for said in document}
        self.said = from_prompts(self._session.prompts(), uids)
        by_name = {item.name: item for item in self._session.objects()}
        self._objects = {said.uid: by_name[said.name] for said in self.said if said.name in by_name}

    def learn_masks(self) -> None:
        """Take the masks of locked frames from the server."""
        uids = self.uids()
        masks: dict[str, list[LockedMask]] = {}
        for mask in self._session.prompts().masks:
            masks.setdefault(uids.get(mask.object_id, ""), []).append(mask)
        self.said = tuple(with_masks(said, masks.get(said.uid, ())) for said in self.said)

    def follow(self, wanted: Document) -> Iterator[Event]:
        """Make the server hold what is wanted; what it refuses is told as :class:`Refused`."""
        # A step through the server's own history brings masks back that prompts alone would not.
        if self._past and says_same(wanted, self._past[-1]):
            yield from self.step(undo=True)
        elif self._future and says_same(wanted, self._future[-1]):
            yield from self.step(undo=False)
        edits = differences(self.said, wanted)
        for edit in edits:
            before = self.said
            try:
                event = self._send(edit)
            except _REFUSALS as error:
                yield Refused(edit, self.said, error)
                continue
            self.said = applied(before, edit)
            if isinstance(edit, (AddClick, SetPrompts)):
                self._take_base(edit)
            self._past.append(before)
            self._future.clear()
            if event is not None:
                yield event
        if any(isinstance(edit, SetLock) and edit.locked for edit in edits):
            self.learn_masks()
        if edits:
            yield self.states()

    def _take_base(self, edit: AddClick | SetPrompts) -> None:
        """Keep what the server says that the prompts correct; a correction of nothing else is the same."""
        frame = edit.frame if isinstance(edit, AddClick) else edit.prompts.frame
        self.said = tuple(
            with_base(said, frame, self._base) if said.uid == edit.uid else said for said in self.said
        )

    def _send(self, edit: Edit) -> Event | None:
        if isinstance(edit, AddObject):
            self._objects[edit.uid] = self._session.object(edit.name)
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
        if isinstance(edit, SetPolicy):
            item.set_policy(edit.policy)
            return None
        return self._say(item, edit)

    def _say(self, item: TrackedObject, edit: AddClick | SetPrompts) -> Event:
        if isinstance(edit, AddClick):
            frame, click = edit.frame, edit.click
            update: MaskUpdate | None = item.click(
                frame=frame,
                x_px=click.x_px,
                y_px=click.y_px,
                positive=click.positive,
                mask_format=self._shown_size,
            )
        else:
            frame = edit.prompts.frame
            # Whether a drawn mask may go was settled when the document took the change.
            prompts = replace(edit.prompts, object_id=item.object_id)
            update = item.prompt(prompts, replace=True, mask_format=self._shown_size)
        self._base = None if update is None else update.base
        return self._mask(edit.uid, frame, update)

    @property
    def _shown_size(self) -> MaskFormat:
        """A mask of plate size would be carried for nothing: the overlay keeps a smaller one."""
        return MaskFormat(max_side_px=self.max_side_px)

    def can_step(self, *, undo: bool) -> bool:
        """True where there is something to take back, or to make again."""
        return bool(self._past if undo else self._future)

    def step(self, *, undo: bool) -> Iterator[Event]:
        """Take a step through the server's history."""
        back, forth = (self._past, self._future) if undo else (self._future, self._past)
        before, after = self.said, back.pop()
        try:
            take = self._session.undo if undo else self._session.redo
            step = take(mask_format=self._shown_size)
        except BadInputError:
            # The server's history is shorter than ours; what is wanted is sent as differences.
            back.clear()
            return
        forth.append(before)
        self.look(before, after)
        uid = self.uids().get(step.object_id)
        if step.prompts is not None and uid is not None:
            yield self._mask(uid, step.prompts.frame, step.update)
        for said in (*before, *self.said):
            was, now = find(before, said.uid), find(self.said, said.uid)
            if was is None or now is None or was.matte != now.matte:
                yield MasksOutdated(said.uid)
        yield self.states()

    def _mask(self, uid: str, frame: int, update: MaskUpdate | None) -> MaskCame:
        packed = None if update is None else packed_for_overlay(update, self.max_side_px)
        return MaskCame(uid, frame, packed)


def says_same(wanted: Document, held: Document) -> bool:
    """True where two documents say the same; what the server alone knows may be missing in the first."""
    return by_uid(completed(wanted, held)) == by_uid(held)
