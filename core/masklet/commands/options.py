"""Options that several commands share, and prompts in the order in which they were typed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer
from typer.core import TyperCommand

from masklet.clip_reading import ClipReading
from masklet.errors import BadInputError
from masklet.png import read_mask
from masklet.types import (
    Box,
    Click,
    FramePrompts,
    FrameRange,
    LockedRange,
    Mask,
    ObjectInfo,
    ObjectMatte,
    PromptDocument,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.client import Server
    from masklet.commands.progress import Progress
    from masklet.session import Session

_TYPED_KEY = "masklet.typed_prompts"
_PROMPT_OPTIONS = frozenset({"objects", "clicks", "boxes", "masks"})
_DEFAULT_NAME = "object1"

_RANGE = re.compile(r"(-?\d+)(?:-(-?\d+))?")
_FRAME = re.compile(r"(-?\d+):(.+)", re.DOTALL)

ObjectOption = Annotated[
    Optional[list[str]],
    typer.Option("--object", metavar="NAME", help="Start an object; the prompts after it are its own."),
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
    typer.Option("--mask", metavar="FRAME:FILE.png", help="The object drawn by hand, white on black."),
]
ServerOption = Annotated[
    Optional[str],
    typer.Option("--server", metavar="HOST:PORT", help="A running server; else one is started here."),
]
TokenFileOption = Annotated[
    Optional[Path], typer.Option("--token-file", help="File with the server's token (or MASKLET_TOKEN).")
]
TlsCaOption = Annotated[
    Optional[Path], typer.Option("--tls-ca", help="Certificate of the authority that signed the server's.")
]
WeightsOption = Annotated[
    Optional[str],
    typer.Option(
        "--weights", metavar="NAME|FILE", help="For a server started here; see masklet-server weights."
    ),
]
DeviceOption = Annotated[
    Optional[str], typer.Option("--device", metavar="cpu|cuda", help="For a server started here.")
]
ColourOption = Annotated[
    Optional[str],
    typer.Option("--colour-space", metavar="NAME", help="Input space of the clip; else the files say."),
]
FirstFrameOption = Annotated[
    Optional[int],
    typer.Option("--first-frame", metavar="NUMBER", help="Of a movie's first picture, such as 1001; else 0."),
]
FrameRateOption = Annotated[
    Optional[str],
    typer.Option("--fps", metavar="RATE", help="Such as 24 or 24000/1001; else the files say, if they do."),
]
LayerOption = Annotated[
    Optional[str],
    typer.Option("--layer", metavar="NAME", help="Of an EXR: layer or part; else the one its name tells."),
]
ViewOption = Annotated[
    Optional[str],
    typer.Option("--view", metavar="NAME", help="Of a stereo EXR; else its first."),
]
OverscanOption = Annotated[
    Optional[bool],
    typer.Option("--overscan/--no-overscan", help="Matte what the files hold beyond the format, too."),
]


class OrderedCommand(TyperCommand):
    """A command that also remembers the order in which prompt options were typed.

    The parser hands over all clicks and all objects as two lists; which click followed which
    object is only in the command line itself.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse as usual, and keep ``(option, value)`` pairs in order beside it."""
        values, _, order = self.make_parser(ctx).parse_args(args=list(args))
        left = {name: iter(values.get(name) or ()) for name in _PROMPT_OPTIONS}
        ctx.meta[_TYPED_KEY] = [
            (parameter.name, next(left[parameter.name]))
            for parameter in order
            if parameter.name in _PROMPT_OPTIONS
        ]
        return list(super().parse_args(ctx, args))


def typed_prompts(context: typer.Context) -> PromptDocument:
    """The objects and prompts on the command line of an :class:`OrderedCommand`.

    Raises:
        BadInputError: A prompt cannot be understood; the message quotes it.
    """
    return document_of(context.meta[_TYPED_KEY])


@dataclass
class _Said:
    """What was said about one object on one frame so far."""

    clicks: list[Click]
    box: Box | None = None
    mask: Mask | None = None


def document_of(typed: Sequence[tuple[str, str]]) -> PromptDocument:
    """The objects and prompts of options in the order in which they were typed.

    Raises:
        BadInputError: A prompt cannot be understood; the message quotes it.
    """
    names: list[str] = []
    said: dict[tuple[int, int], _Said] = {}
    current = 0
    for option, value in typed:
        if option == "objects":
            if value not in names:
                names.append(value)
            current = names.index(value) + 1
            continue
        if not current:
            names.append(_DEFAULT_NAME)
            current = 1
        frame, rest = _split_frame(option, value)
        here = said.setdefault((current, frame), _Said([]))
        if option == "clicks":
            here.clicks.append(_parse_click(value, rest))
        elif option == "boxes":
            here.box = _parse_box(value, rest)
        else:
            here.mask = _read_mask_file(Path(rest))
    try:
        prompts = tuple(
            FramePrompts(object_id, frame, tuple(here.clicks), here.box, here.mask)
            for (object_id, frame), here in sorted(said.items(), key=lambda item: item[0])
        )
    except ValueError as error:
        raise BadInputError(str(error)) from error
    objects = tuple(
        ObjectInfo(
            object_id,
            name,
            tuple(prompts.frame for prompts in prompts if prompts.object_id == object_id),
        )
        for object_id, name in enumerate(names, 1)
    )
    return PromptDocument(objects, prompts)


def merged(saved: PromptDocument, typed: PromptDocument) -> PromptDocument:
    """Both documents as one: on an object's frame that both speak of, what was typed replaces."""
    names = [info.name for info in saved.objects]
    names += [info.name for info in typed.objects if info.name not in names]
    prompts: dict[tuple[int, int], FramePrompts] = {}
    for document in (saved, typed):
        name_of = {info.object_id: info.name for info in document.objects}
        for item in document.prompts:
            object_id = names.index(name_of[item.object_id]) + 1
            before = prompts.get((object_id, item.frame))
            base = item.base if before is None else before.base
            prompts[object_id, item.frame] = replace(item, object_id=object_id, base=base)
    ordered = tuple(prompts[key] for key in sorted(prompts))
    # Only a saved document holds locks and matte settings; its objects keep their places.
    places = {info.object_id: place for place, info in enumerate(saved.objects, 1)}
    locks = tuple(LockedRange(places[lock.object_id], lock.frames) for lock in saved.locks)
    mattes = tuple(ObjectMatte(places[matte.object_id], matte.settings) for matte in saved.mattes)
    masks = tuple(replace(mask, object_id=places[mask.object_id]) for mask in saved.masks)
    objects = tuple(
        ObjectInfo(object_id, name, tuple(item.frame for item in ordered if item.object_id == object_id))
        for object_id, name in enumerate(names, 1)
    )
    return PromptDocument(objects, ordered, locks, mattes, masks)


def parse_range(text: str) -> FrameRange:
    """The range in ``1001-1100``, ``-5--1`` or ``1001``.

    Raises:
        BadInputError: It is no range, or it ends before it begins.
    """
    match = _RANGE.fullmatch(text.strip())
    if match is None:
        raise BadInputError(f"--range {text!r} is no range: write it like 1001-1100")
    first = int(match[1])
    last = int(match[2]) if match[2] is not None else first
    if last < first:
        raise BadInputError(f"--range {text!r} ends before it begins: write it like 1001-1100")
    try:
        return FrameRange(first, last)
    except ValueError as error:
        raise BadInputError(f"--range {text!r}: {error}") from error


def reading_as_asked(
    said: ClipReading,
    colour_space: str | None,
    first_frame: int | None,
    frame_rate: str | None,
    *,
    layer: str | None = None,
    view: str | None = None,
    overscan: bool | None = None,
) -> ClipReading:
    """How the shared options want the clip to be read; what they leave out is as ``said`` before.

    Raises:
        BadInputError: An option has a value that makes no sense; the message quotes it.
    """
    try:
        return said.typed_over(
            colour_space=colour_space,
            first_frame=first_frame,
            frame_rate=frame_rate,
            layer=layer,
            view=view,
            overscan=overscan,
        )
    except ValueError as error:
        raise BadInputError(str(error)) from error


def used_frames(frames: FrameRange | None, document: PromptDocument) -> FrameRange | None:
    """The frames of a clip that a run has to do with; None for all of them."""
    if frames is None:
        return None
    said = [item.frame for item in document.prompts]
    said += [edge for lock in document.locks for edge in (lock.frames.first, lock.frames.last)]
    return FrameRange(min(frames.first, *said), max(frames.last, *said)) if said else frames


def open_as_asked(
    server: Server, clip: str, reading: ClipReading, progress: Progress, *, used: FrameRange | None = None
) -> Session:
    """A session on the clip, read as the shared options or a prompt document say; says what was assumed.

    Raises:
        MaskletError: See :meth:`masklet.client.Server.open`.
    """
    session = server.open(
        clip,
        colour_space=reading.colour_space,
        first_frame=reading.first_frame,
        frame_rate=reading.frame_rate,
        layer=reading.layer,
        view=reading.view,
        overscan=reading.overscan,
        frames=used,
    )
    for notice in session.clip.notices:
        progress.say(notice)
    for unreadable in session.clip.unreadable:
        progress.say(f"left out: {unreadable.reason}")
    return session


def connect_as_asked(
    server: str | None,
    token_file: Path | None = None,
    tls_ca: Path | None = None,
    weights: str | None = None,
    device: str | None = None,
) -> Server:
    """The server that the shared options name.

    Raises:
        MaskletError: See :func:`masklet.client.connect`.
    """
    from masklet.client import connect
    from masklet.settings import read_token

    token = read_token(token_file) if token_file is not None else None
    return connect(server, token=token, tls_ca_file=tls_ca, weights=weights, device=device)


def _split_frame(option: str, value: str) -> tuple[int, str]:
    match = _FRAME.fullmatch(value)
    if match is None:
        flag = {"clicks": "--click", "boxes": "--box", "masks": "--mask"}[option]
        raise BadInputError(f"{flag} {value!r} names no frame: begin with its number, like 1001:…")
    return int(match[1]), match[2]


def _parse_click(value: str, rest: str) -> Click:
    place, _, sign = rest.partition(":")
    numbers = _numbers(place)
    if len(numbers) != 2 or sign not in ("", "+", "-"):
        raise BadInputError(
            f"--click {value!r} is no click: write 1001:640,360, or 1001:640,360:- for a point off the object"
        )
    try:
        return Click(numbers[0], numbers[1], positive=sign != "-")
    except ValueError as error:
        raise BadInputError(f"--click {value!r}: {error}") from error


def _parse_box(value: str, rest: str) -> Box:
    numbers = _numbers(rest)
    if len(numbers) != 4:
        raise BadInputError(f"--box {value!r} is no box: write 1001:left,top,right,bottom in pixels")
    try:
        return Box(*numbers)
    except ValueError as error:
        raise BadInputError(f"--box {value!r}: {error}") from error


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        return []


def _read_mask_file(file: Path) -> Mask:
    try:
        return read_mask(file.read_bytes())
    except OSError as error:
        raise BadInputError(f"the mask {file} cannot be read ({error.strerror}): check the path") from error
