"""Changes of what is said, and which of them make one document into another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Union

from masklet.frame_runs import runs_minus
from masklet.matte_settings import MatteSettings
from masklet.said.documents import Document, SaidObject, find, masks_in, with_lock, with_masks, with_prompts
from masklet.types import Click, FramePrompts, FrameRange, LockedMask, MemoryPolicy


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


@dataclass(frozen=True)
class SetPolicy:
    """The memory is used in another way."""

    uid: str
    policy: MemoryPolicy


Edit = Union[AddObject, RemoveObject, RenameObject, AddClick, SetPrompts, SetLock, SetMatte, SetPolicy]


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
        kept_locks = runs_minus(runs_minus(before.locks, runs_minus(before.locks, after.locks)), pierced)
        edits.extend(SetLock(after.uid, frames, False) for frames in runs_minus(before.locks, kept_locks))
        edits.extend(said)
        if before.matte != after.matte:
            edits.append(SetMatte(after.uid, after.matte))
        if before.policy is not after.policy:
            edits.append(SetPolicy(after.uid, after.policy))
        edits.extend(
            SetLock(after.uid, frames, True, masks_in(after.masks, (frames,)))
            for frames in runs_minus(after.locks, kept_locks)
        )
    return tuple(edits)


def applied(document: Document, edit: Edit) -> Document:
    """The document after an edit."""
    if isinstance(edit, AddObject):
        return (*document, SaidObject(edit.uid, edit.name))
    if isinstance(edit, RemoveObject):
        return tuple(said for said in document if said.uid != edit.uid)
    return tuple(_changed(said, edit) if said.uid == edit.uid else said for said in document)


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
    if isinstance(edit, SetPolicy):
        return replace(said, policy=edit.policy)
    return said


def _frame_of(edit: AddClick | SetPrompts) -> int:
    return edit.frame if isinstance(edit, AddClick) else edit.prompts.frame


def _prompt_edits(before: SaidObject, after: SaidObject) -> Iterable[AddClick | SetPrompts]:
    frames = {prompts.frame for prompts in (*before.frames, *after.frames)}
    # What starts from nothing goes first: said later, it would be given what the others make of its frame.
    for frame in sorted(frames, key=lambda frame: (after.at(frame).base is not None, frame)):
        held, wanted = before.at(frame), after.at(frame)
        # Without a base of its own a frame takes the one that the server has or makes.
        if wanted.base is None:
            wanted = replace(wanted, base=held.base)
        if held == wanted:
            continue
        last = wanted.clicks[-1:]
        # Whatever else there is to be said, now or one day, has to be the same.
        if last and wanted.mask is None and wanted == replace(held, clicks=(*held.clicks, *last)):
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
