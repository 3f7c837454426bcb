"""What an artist has said about a plate, as values: how it is kept, compared and changed.

The .blend file is where it lives; the server is made to follow. So there is one way to the server for a
click, an undo, a file that is opened again and a server that was replaced: compare what it holds with what
is wanted, and send the difference. Standard library only; nothing here knows Blender.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Union

from masklet.drawn_masks import check_mask_stays
from masklet.errors import BadInputError
from masklet.matte_settings import MatteSettings
from masklet.prompts import Shot, from_json, to_json
from masklet.types import (
    Box,
    Click,
    FramePrompts,
    FrameRange,
    LockedMask,
    LockedRange,
    ObjectInfo,
    ObjectMatte,
    PromptDocument,
    TrackedMask,
)

from .frame_ranges import joined, minus

_NO_ID = 0


@dataclass(frozen=True)
class SaidObject:
    """One object and everything said about it.

    Attributes:
        uid: Of the object in the .blend file, for ever; servers number objects anew.
        name: Of layers and files.
        frames: Ascending, none of them empty; their object id means nothing.
        locks: Ascending, apart from each other.
        matte: How the matte is finished.
        masks: Of locked frames, ascending, as the server gave them; their object id means nothing.
    """

    uid: str
    name: str
    frames: tuple[FramePrompts, ...] = ()
    locks: tuple[FrameRange, ...] = ()
    matte: MatteSettings = MatteSettings()
    masks: tuple[LockedMask, ...] = ()

    def at(self, frame: int) -> FramePrompts:
        """What is said on a frame; empty prompts where nothing is."""
        for prompts in self.frames:
            if prompts.frame == frame:
                return prompts
        return FramePrompts(_NO_ID, frame)

    def is_locked(self, frame: int) -> bool:
        """True where tracking and prompts leave the frame alone."""
        return any(frame in frames for frames in self.locks)


Document = tuple[SaidObject, ...]


@dataclass(frozen=True)
class AddObject:
    """A new object."""

    uid: str
    name: str


@dataclass(frozen=True)
class RemoveObject:
    """An object goes, with all that is said about it."""

    uid: str


@dataclass(frozen=True)
class RenameObject:
    """An object gets another name."""

    uid: str
    name: str


@dataclass(frozen=True)
class AddClick:
    """One click more than the server knows of."""

    uid: str
    frame: int
    click: Click


@dataclass(frozen=True)
class SetPrompts:
    """All that is said on one frame; empty prompts take it back."""

    uid: str
    prompts: FramePrompts


@dataclass(frozen=True)
class SetLock:
    """A range is locked, with the masks that it is to keep, or let go."""

    uid: str
    frames: FrameRange
    locked: bool
    masks: tuple[LockedMask, ...] = ()


@dataclass(frozen=True)
class SetMatte:
    """The matte is finished in another way."""

    uid: str
    settings: MatteSettings


Edit = Union[AddObject, RemoveObject, RenameObject, AddClick, SetPrompts, SetLock, SetMatte]


def new_uid() -> str:
    """A name that no other object or plate has."""
    return uuid.uuid4().hex


def find(document: Document, uid: str) -> SaidObject | None:
    """The object of this uid."""
    return next((said for said in document if said.uid == uid), None)


def by_uid(document: Document) -> dict[str, SaidObject]:
    """The objects without their order, which is the interface's own affair."""
    return {said.uid: said for said in document}


def differences(held: Document, wanted: Document) -> tuple[Edit, ...]:
    """The edits that make what is held into what is wanted, in an order in which each is allowed.

    Locked frames take no prompts, so ranges open before and close after them; names become free
    before others take them.
    """
    edits: list[Edit] = [RemoveObject(said.uid) for said in held if find(wanted, said.uid) is None]
    kept = [(before, after) for before in held for after in (find(wanted, before.uid),) if after is not None]
    edits.extend(_renamings(kept))
    for after in wanted:
        before = find(held, after.uid)
        if before is None:
            edits.append(AddObject(after.uid, after.name))
            before = SaidObject(after.uid, after.name)
        said = tuple(_prompt_edits(before, after))
        # Frames that are locked before and after, and still say something else: an undo can do that.
        pierced = [FrameRange(frame, frame) for frame in map(_frame_of, said) if before.is_locked(frame)]
        kept_locks = minus(minus(before.locks, minus(before.locks, after.locks)), pierced)
        edits.extend(SetLock(after.uid, frames, False) for frames in minus(before.locks, kept_locks))
        edits.extend(said)
        if before.matte != after.matte:
            edits.append(SetMatte(after.uid, after.matte))
        edits.extend(
            SetLock(after.uid, frames, True, _masks_in(after.masks, (frames,)))
            for frames in minus(after.locks, kept_locks)
        )
    return tuple(edits)


def applied(document: Document, edit: Edit) -> Document:
    """The document after an edit."""
    if isinstance(edit, AddObject):
        return (*document, SaidObject(edit.uid, edit.name))
    if isinstance(edit, RemoveObject):
        return tuple(said for said in document if said.uid != edit.uid)
    return tuple(_changed(said, edit) if said.uid == edit.uid else said for said in document)


def with_click(said: SaidObject, frame: int, click: Click) -> SaidObject:
    """The object with one click more on a frame.

    Raises:
        BadInputError: The frame is locked, or holds a mask drawn by hand.
    """
    prompts = _open_frame(said, frame)
    check_mask_stays(prompts, FramePrompts(_NO_ID, frame, (click,)), said.name)
    return with_prompts(said, replace(prompts, clicks=(*prompts.clicks, click)))


def with_box(said: SaidObject, frame: int, box: Box) -> SaidObject:
    """The object with a box on a frame; clicks of that frame stay.

    Raises:
        BadInputError: The frame is locked, or holds a mask drawn by hand.
    """
    prompts = _open_frame(said, frame)
    check_mask_stays(prompts, FramePrompts(_NO_ID, frame, box=box), said.name)
    return with_prompts(said, replace(prompts, box=box, mask=None))


def cleared(said: SaidObject, frame: int) -> SaidObject:
    """The object with nothing said on a frame.

    Raises:
        BadInputError: The frame is locked.
    """
    _open_frame(said, frame)
    return with_prompts(said, FramePrompts(_NO_ID, frame))


def with_prompts(said: SaidObject, prompts: FramePrompts) -> SaidObject:
    """The object with these prompts in place of what was said on their frame."""
    others = [other for other in said.frames if other.frame != prompts.frame]
    if not prompts.is_empty:
        others.append(replace(prompts, object_id=_NO_ID))
    return replace(said, frames=tuple(sorted(others, key=lambda other: other.frame)))


def with_lock(said: SaidObject, frames: FrameRange, *, locked: bool) -> SaidObject:
    """The object with a range locked, or let go."""
    rest = list(minus(said.locks, (frames,)))
    if locked:
        rest.append(frames)
    locks = joined(rest)
    return replace(said, locks=locks, masks=_masks_in(said.masks, locks))


def with_masks(said: SaidObject, masks: Iterable[LockedMask]) -> SaidObject:
    """The object with other masks for its locked frames; those of frames that are not locked go."""
    kept = {mask.frame: replace(mask, object_id=_NO_ID) for mask in masks}
    return replace(said, masks=_masks_in([kept[frame] for frame in sorted(kept)], said.locks))


def with_base(said: SaidObject, frame: int, base: TrackedMask | None) -> SaidObject:
    """The object with what the prompts on a frame correct, as the server answered; None changes nothing."""
    prompts = said.at(frame)
    if base is None or prompts.is_empty or prompts.base == base:
        return said
    return with_prompts(said, replace(prompts, base=base))


def said_to_json(said: SaidObject) -> str:
    """All that is said about one object, as a prompt document of one object."""
    return to_json(Shot("", to_prompts((said,))))


def said_from_json(uid: str, name: str, text: str) -> SaidObject:
    """The object whose words a text holds; nothing is said in an empty one.

    Raises:
        BadInputError: The text was damaged, or a later masklet wrote it.
    """
    if not text:
        return SaidObject(uid, name)
    (said,) = from_prompts(from_json(text).document, {name: uid}) or (SaidObject(uid, name),)
    return replace(said, uid=uid, name=name)


def to_prompts(document: Document) -> PromptDocument:
    """The document as the library knows it; objects are numbered from 1."""
    objects: list[ObjectInfo] = []
    prompts: list[FramePrompts] = []
    locks: list[LockedRange] = []
    mattes: list[ObjectMatte] = []
    masks: list[LockedMask] = []
    for object_id, said in enumerate(document, 1):
        objects.append(ObjectInfo(object_id, said.name, tuple(frame.frame for frame in said.frames)))
        prompts.extend(replace(frame, object_id=object_id) for frame in said.frames)
        locks.extend(LockedRange(object_id, frames) for frames in said.locks)
        if not said.matte.is_plain:
            mattes.append(ObjectMatte(object_id, said.matte))
        masks.extend(replace(mask, object_id=object_id) for mask in said.masks)
    return PromptDocument(tuple(objects), tuple(prompts), tuple(locks), tuple(mattes), tuple(masks))


def from_prompts(document: PromptDocument, uids: Mapping[str, str]) -> Document:
    """What a session or file says.

    Args:
        document: Of a session or a file.
        uids: By name, of the objects that are known here; others get new ones.
    """
    mattes = {matte.object_id: matte.settings for matte in document.mattes}
    return tuple(
        SaidObject(
            uids.get(info.name) or new_uid(),
            info.name,
            tuple(
                replace(prompts, object_id=_NO_ID)
                for prompts in sorted(document.prompts, key=lambda prompts: prompts.frame)
                if prompts.object_id == info.object_id and not prompts.is_empty
            ),
            joined(lock.frames for lock in document.locks if lock.object_id == info.object_id),
            mattes.get(info.object_id, MatteSettings()),
            tuple(
                replace(mask, object_id=_NO_ID)
                for mask in sorted(document.masks, key=lambda mask: mask.frame)
                if mask.object_id == info.object_id
            ),
        )
        for info in document.objects
    )


def _changed(said: SaidObject, edit: Edit) -> SaidObject:
    if isinstance(edit, RenameObject):
        return replace(said, name=edit.name)
    if isinstance(edit, AddClick):
        prompts = said.at(edit.frame)
        return with_prompts(said, replace(prompts, clicks=(*prompts.clicks, edit.click)))
    if isinstance(edit, SetPrompts):
        return with_prompts(said, edit.prompts)
    if isinstance(edit, SetLock):
        changed = with_lock(said, edit.frames, locked=edit.locked)
        return with_masks(changed, (*changed.masks, *edit.masks)) if edit.masks else changed
    if isinstance(edit, SetMatte):
        return replace(said, matte=edit.settings)
    return said


def _open_frame(said: SaidObject, frame: int) -> FramePrompts:
    if said.is_locked(frame):
        raise BadInputError(f"frame {frame} is locked for {said.name}: unlock it first, then correct it")
    return said.at(frame)


def _frame_of(edit: AddClick | SetPrompts) -> int:
    return edit.frame if isinstance(edit, AddClick) else edit.prompts.frame


def _prompt_edits(before: SaidObject, after: SaidObject) -> Iterable[AddClick | SetPrompts]:
    for frame in sorted({prompts.frame for prompts in (*before.frames, *after.frames)}):
        held, wanted = before.at(frame), after.at(frame)
        # Without a base of its own a frame takes the one that the server has or makes.
        if wanted.base is None:
            wanted = replace(wanted, base=held.base)
        if held == wanted:
            continue
        one_more = (
            wanted.mask is None
            and held.mask is None
            and (wanted.box, wanted.base)
            == (
                held.box,
                held.base,
            )
        )
        if one_more and wanted.clicks[:-1] == held.clicks and wanted.clicks:
            yield AddClick(after.uid, frame, wanted.clicks[-1])
        else:
            yield SetPrompts(after.uid, wanted)


def _renamings(kept: list[tuple[SaidObject, SaidObject]]) -> Iterable[Edit]:
    """Renamings in an order in which every name is free; objects that swap names meet on a third one."""
    waiting = {before.uid: (before.name, after.name) for before, after in kept if before.name != after.name}
    while waiting:
        taken = {old for old, _ in waiting.values()}
        ready = next((uid for uid, (_, new) in waiting.items() if new not in taken), None)
        if ready is None:
            uid, (_, new) = next(iter(waiting.items()))
            parked = f"{new[:40]}-{uid[:8]}"
            waiting[uid] = (parked, new)
            yield RenameObject(uid, parked)
        else:
            yield RenameObject(ready, waiting.pop(ready)[1])


def _masks_in(masks: Iterable[LockedMask], ranges: Iterable[FrameRange]) -> tuple[LockedMask, ...]:
    """The masks of frames in some ranges."""
    held = tuple(ranges)
    return tuple(mask for mask in masks if any(mask.frame in frames for frames in held))
