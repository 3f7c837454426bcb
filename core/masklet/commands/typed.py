"""What was typed about objects: prompts, locks and matte settings, in the order of the command line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from typer.core import TyperCommand

from masklet.commands.matte_words import settings_from
from masklet.commands.prompt_words import parse_box, parse_click, parse_range, split_frame
from masklet.drawn_masks import check_mask_stays
from masklet.errors import BadInputError
from masklet.frame_runs import runs_joined, runs_minus
from masklet.mask_files import read_mask_file
from masklet.matte_settings import MatteSettings
from masklet.names import checked_object_name, free_object_name
from masklet.types import (
    Box,
    Click,
    FramePrompts,
    FrameRange,
    LockedRange,
    Mask,
    MemoryPolicy,
    ObjectInfo,
    ObjectMatte,
    ObjectPolicy,
    PromptDocument,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TYPED_KEY = "masklet.typed"
_FLAGS = {
    "objects": "--object",
    "clicks": "--click",
    "boxes": "--box",
    "masks": "--mask",
    "locks": "--lock",
    "unlocks": "--unlock",
    "mattes": "--matte",
    "policies": "--policy",
}
_OF_A_FRAME = frozenset({"clicks", "boxes", "masks"})


ObjectOption = Annotated[
    Optional[list[str]],
    typer.Option("--object", metavar="NAME", help="Start an object; what follows it is its own."),
]
ClickOption = Annotated[
    Optional[list[str]],
    typer.Option("--click", metavar="FRAME:X,Y[:-]", help="A point on the object, or off it with ':-'."),
]
BoxOption = Annotated[
    Optional[list[str]],
    typer.Option("--box", metavar="FRAME:LEFT,TOP,RIGHT,BOTTOM", help="A rectangle around the object."),
]
MaskOption = Annotated[
    Optional[list[str]],
    typer.Option("--mask", metavar="FRAME:FILE", help="The object drawn by hand: PNG, EXR or TIFF."),
]
LockOption = Annotated[
    Optional[list[str]],
    typer.Option("--lock", metavar="FIRST-LAST", help="Frames that later runs leave as they are."),
]
UnlockOption = Annotated[
    Optional[list[str]],
    typer.Option("--unlock", metavar="FIRST-LAST", help="Frames that tracking may change again."),
]
MatteOption = Annotated[
    Optional[list[str]],
    typer.Option(
        "--matte",
        metavar="NAME=VALUE,…",
        help="Finish of the matte: grow=-1.5,feather=2,calm=0,exclusive, …; 'plain' for none.",
    ),
]


PolicyOption = Annotated[
    Optional[list[str]],
    typer.Option(
        "--policy",
        metavar="NAME",
        help="How the object's memory is used: editor, gated, distractor, motion or guarded.",
    ),
]


class OrderedCommand(TyperCommand):
    """A command that also remembers the order in which options about objects were typed.

    The parser hands over all clicks and all objects as two lists; which click followed which
    object is only in the command line itself.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse as usual, and keep ``(option, value)`` pairs in order beside it."""
        values, _, order = self.make_parser(ctx).parse_args(args=list(args))
        left = {name: iter(values.get(name) or ()) for name in _FLAGS}
        ctx.meta[_TYPED_KEY] = [
            (parameter.name, next(left[parameter.name])) for parameter in order if parameter.name in _FLAGS
        ]
        return list(super().parse_args(ctx, args))


@dataclass(frozen=True)
class Lock:
    """A range that was typed; no name stands for all objects."""

    name: str | None
    frames: FrameRange
    locked: bool


@dataclass(frozen=True)
class Chosen:
    """A policy that was typed; no name stands for all objects."""

    name: str | None
    policy: MemoryPolicy


@dataclass(frozen=True)
class Finish:
    """Matte settings that were typed; no name stands for all objects."""

    name: str | None
    words: str


@dataclass(frozen=True)
class Typed:
    """Everything typed about objects.

    Attributes:
        prompts: Objects, and what was said on their frames.
        locks: In the order in which they were typed.
        finishes: Likewise.
        notices: Sentences about what was assumed of masks out of files.
        order: Names and frames of the prompts, in the order in which they were typed first.
        policies: In the order in which they were typed.
    """

    prompts: PromptDocument
    locks: tuple[Lock, ...] = ()
    finishes: tuple[Finish, ...] = ()
    notices: tuple[str, ...] = ()
    order: tuple[tuple[str, int], ...] = ()
    policies: tuple[Chosen, ...] = ()


def typed_in(context: typer.Context) -> Typed:
    """What stands on the command line of an :class:`OrderedCommand`.

    Raises:
        BadInputError: Something cannot be understood; the message quotes it.
    """
    return read_typed(context.meta[_TYPED_KEY])


@dataclass
class _Said:
    """What was said about one object on one frame so far."""

    clicks: list[Click]
    box: Box | None = None
    mask: Mask | None = None


def read_typed(typed: Sequence[tuple[str, str]]) -> Typed:
    """What was typed, from options and values in their order.

    Raises:
        BadInputError: Something cannot be understood; the message quotes it.
    """
    names: list[str] = []
    said: dict[tuple[int, int], _Said] = {}
    locks: list[Lock] = []
    finishes: list[Finish] = []
    policies: list[Chosen] = []
    notices: list[str] = []
    current = 0
    for option, value in typed:
        if option == "objects":
            name = checked_object_name(value)
            if name not in names:
                names.append(name)
            current = names.index(name) + 1
        elif option in _OF_A_FRAME:
            if not current:
                names.append(free_object_name(names))
                current = len(names)
            frame, rest = split_frame(_FLAGS[option], value)
            here = said.setdefault((current, frame), _Said([]))
            if option == "masks":
                found = read_mask_file(Path(rest), object_name=names[current - 1])
                here.mask = found.mask
                notices += [f"{Path(rest).name}: {found.notice}"] if found.notice else []
            else:
                _say(here, option, value, rest)
        else:
            name_or_all = names[current - 1] if current else None
            if option == "mattes":
                settings_from(value)
                finishes.append(Finish(name_or_all, value))
            elif option == "policies":
                policies.append(Chosen(name_or_all, _policy(value)))
            else:
                frames = parse_range(value, flag=_FLAGS[option])
                locks.append(Lock(name_or_all, frames, locked=option == "locks"))
    try:
        prompts = [
            FramePrompts(object_id, frame, tuple(here.clicks), here.box, here.mask)
            for (object_id, frame), here in sorted(said.items(), key=lambda item: item[0])
        ]
    except ValueError as error:
        raise BadInputError(str(error)) from error
    order = tuple((names[object_id - 1], frame) for object_id, frame in said)
    return Typed(
        _document(names, prompts), tuple(locks), tuple(finishes), tuple(notices), order, tuple(policies)
    )


def _policy(name: str) -> MemoryPolicy:
    try:
        return MemoryPolicy.named(name)
    except ValueError as error:
        raise BadInputError(str(error)) from error


def merged(saved: PromptDocument, typed: Typed, *, only: bool = False) -> PromptDocument:
    """A saved document with what was typed.

    A click is added to what the document says of its frame, unless it is there already; a box takes the
    place of a box and a drawn mask that of a drawn mask. Clicks and boxes never take the place of a mask,
    nor a mask theirs, and nothing changes on locked frames.

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
    document = _document(names, [prompts[key] for key in sorted(prompts)])
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
                f"{name} has clicks or a box on frame {typed.frame}, which the mask would replace: add --only"
            )
        return typed
    clicks = (*before.clicks, *(click for click in typed.clicks if click not in before.clicks))
    return replace(before, clicks=clicks, box=typed.box or before.box)


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


def _document(names: Sequence[str], prompts: Sequence[FramePrompts]) -> PromptDocument:
    objects = tuple(
        ObjectInfo(object_id, name, tuple(item.frame for item in prompts if item.object_id == object_id))
        for object_id, name in enumerate(names, 1)
    )
    return PromptDocument(objects, tuple(prompts))


def _say(here: _Said, option: str, value: str, rest: str) -> None:
    if option == "clicks":
        here.clicks.append(parse_click(value, rest))
    else:
        here.box = parse_box(value, rest)
