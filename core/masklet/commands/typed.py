"""What was typed about objects: prompts, locks and matte settings, in the order of the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand

from masklet.commands.matte_words import settings_from
from masklet.commands.prompt_words import (
    parse_box,
    parse_click,
    parse_range,
    parse_scribble,
    split_frame,
)
from masklet.errors import BadInputError
from masklet.mask_files import read_mask_file
from masklet.names import checked_object_name, free_object_name
from masklet.types import (
    Box,
    Click,
    FramePrompts,
    FrameRange,
    Mask,
    MemoryPolicy,
    ObjectInfo,
    PromptDocument,
    Scribble,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_TYPED_KEY = "masklet.typed"
_FLAGS = {
    "objects": "--object",
    "clicks": "--click",
    "boxes": "--box",
    "scribbles": "--scribble",
    "masks": "--mask",
    "locks": "--lock",
    "unlocks": "--unlock",
    "mattes": "--matte",
    "policies": "--policy",
}
_OF_A_FRAME = frozenset({"clicks", "boxes", "scribbles", "masks"})


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

    clicks: list[Click] = field(default_factory=list)
    scribbles: list[Scribble] = field(default_factory=list)
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
            here = said.setdefault((current, frame), _Said())
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
            FramePrompts(
                object_id,
                frame,
                tuple(here.clicks),
                here.box,
                here.mask,
                scribbles=tuple(here.scribbles),
            )
            for (object_id, frame), here in sorted(said.items(), key=lambda item: item[0])
        ]
    except ValueError as error:
        raise BadInputError(str(error)) from error
    order = tuple((names[object_id - 1], frame) for object_id, frame in said)
    return Typed(
        document_with(names, prompts), tuple(locks), tuple(finishes), tuple(notices), order, tuple(policies)
    )


def _policy(name: str) -> MemoryPolicy:
    try:
        return MemoryPolicy.named(name)
    except ValueError as error:
        raise BadInputError(str(error)) from error


def document_with(names: Sequence[str], prompts: Sequence[FramePrompts]) -> PromptDocument:
    """A document of objects, numbered from 1 in the order of their names, and their prompts."""
    objects = tuple(
        ObjectInfo(object_id, name, tuple(item.frame for item in prompts if item.object_id == object_id))
        for object_id, name in enumerate(names, 1)
    )
    return PromptDocument(objects, tuple(prompts))


def _say(here: _Said, option: str, value: str, rest: str) -> None:
    if option == "clicks":
        here.clicks.append(parse_click(value, rest))
    elif option == "scribbles":
        here.scribbles.append(parse_scribble(value, rest))
    else:
        here.box = parse_box(value, rest)
