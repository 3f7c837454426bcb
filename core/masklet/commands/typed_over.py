"""What was typed, on top of what a document says."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.commands.matte_words import settings_from
from masklet.commands.typed import document_with
from masklet.drawn_masks import check_mask_stays
from masklet.errors import BadInputError
from masklet.frame_runs import runs_joined, runs_minus
from masklet.matte_settings import MatteSettings
from masklet.names import checked_object_name
from masklet.types import (
    FramePrompts,
    FrameRange,
    LockedRange,
    MemoryPolicy,
    ObjectMatte,
    ObjectPolicy,
    PromptDocument,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from masklet.commands.typed import Finish, Lock, Typed


def merged(saved: PromptDocument, typed: Typed, *, only: bool = False) -> PromptDocument:
    """A saved document with what was typed.

    A click or a stroke is added to what the document says of its frame, unless it is there already; a box
    takes the place of a box and a drawn mask that of a drawn mask. Clicks, strokes and boxes never take the
    place of a mask, nor a mask theirs, and nothing changes on locked frames.

    Args:
        saved: The document.
        typed: Objects are the same where their names are.
        only: What was typed takes the place of everything that the document says of these frames.

    Raises:
        BadInputError: Something would be lost that nobody said may go, a frame is locked, or an object that
            is only locked or finished is not in the document.
    """
    names = [checked_object_name(info.name) for info in saved.objects]
    prompted = {item.object_id for item in typed.prompts.prompts}
    for info in typed.prompts.objects:
        if info.name in names:
            continue
        if info.object_id not in prompted:
            raise BadInputError(
                f"nothing is known of {info.name!r}: click it with --object {info.name} --click FRAME:X,Y"
                + (f", or name one of {', '.join(names)}" if names else "")
            )
        names.append(info.name)
    ids = {name: place for place, name in enumerate(names, 1)}
    places = {info.object_id: place for place, info in enumerate(saved.objects, 1)}
    prompts = {
        (places[item.object_id], item.frame): replace(item, object_id=places[item.object_id])
        for item in saved.prompts
    }
    locks = tuple(LockedRange(places[lock.object_id], lock.frames) for lock in saved.locks)
    # What is clicked and locked in one command was not locked when it was clicked.
    held = _locked(locks, [change for change in typed.locks if not change.locked], ids)
    locks = _locked(locks, typed.locks, ids)
    name_of = {info.object_id: info.name for info in typed.prompts.objects}
    for item in typed.prompts.prompts:
        name = name_of[item.object_id]
        key = (ids[name], item.frame)
        said = _together(prompts.get(key), replace(item, object_id=key[0]), name, only=only)
        if said != prompts.get(key) and _is_in(held, *key):
            raise BadInputError(
                f"frame {item.frame} is locked for {name}: add --unlock {item.frame} to correct it"
            )
        prompts[key] = said
    masks = tuple(replace(mask, object_id=places[mask.object_id]) for mask in saved.masks)
    kept = tuple(mask for mask in masks if _is_in(locks, mask.object_id, mask.frame))
    mattes = {places[matte.object_id]: matte.settings for matte in saved.mattes}
    mattes = _finished(mattes, typed.finishes, ids)
    policies = {places[own.object_id]: own.policy for own in saved.policies}
    for chosen in typed.policies:
        policies |= dict.fromkeys(ids.values() if chosen.name is None else (ids[chosen.name],), chosen.policy)
    document = document_with(names, [prompts[key] for key in sorted(prompts)])
    return replace(
        document,
        locks=locks,
        mattes=tuple(ObjectMatte(owner, own) for owner, own in sorted(mattes.items()) if not own.is_plain),
        masks=kept,
        policies=tuple(
            ObjectPolicy(owner, own)
            for owner, own in sorted(policies.items())
            if own is not MemoryPolicy.EDITOR
        ),
    )


def _together(before: FramePrompts | None, typed: FramePrompts, name: str, *, only: bool) -> FramePrompts:
    """What is said on a frame from now on."""
    if before is None:
        return typed
    typed = replace(typed, base=before.base)
    if only:
        return typed
    check_mask_stays(before, typed, name)
    if typed.mask is not None:
        if before.mask is None and not before.is_empty:
            raise BadInputError(
                f"{name} has clicks, strokes or a box on frame {typed.frame}, which the mask would replace: "
                "add --only"
            )
        return typed
    clicks = (*before.clicks, *(click for click in typed.clicks if click not in before.clicks))
    strokes = (*before.scribbles, *(one for one in typed.scribbles if one not in before.scribbles))
    return replace(before, clicks=clicks, box=typed.box or before.box, scribbles=strokes)


def _locked(
    saved: tuple[LockedRange, ...], typed: Iterable[Lock], ids: dict[str, int]
) -> tuple[LockedRange, ...]:
    frames: dict[int, tuple[FrameRange, ...]] = {}
    for lock in saved:
        frames[lock.object_id] = (*frames.get(lock.object_id, ()), lock.frames)
    for change in typed:
        for owner in ids.values() if change.name is None else (ids[change.name],):
            rest = runs_minus(frames.get(owner, ()), (change.frames,))
            frames[owner] = runs_joined((*rest, change.frames)) if change.locked else rest
    return tuple(LockedRange(owner, run) for owner in sorted(frames) for run in frames[owner])


def _finished(
    saved: dict[int, MatteSettings], typed: Iterable[Finish], ids: dict[str, int]
) -> dict[int, MatteSettings]:
    mattes = dict(saved)
    for finish in typed:
        for owner in ids.values() if finish.name is None else (ids[finish.name],):
            mattes[owner] = settings_from(finish.words, mattes.get(owner, MatteSettings()))
    return mattes


def _is_in(locks: Iterable[LockedRange], object_id: int, frame: int) -> bool:
    return any(lock.object_id == object_id and frame in lock.frames for lock in locks)
