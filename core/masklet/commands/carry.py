"""``masklet carry``: the objects of one shot proposed in the next."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from masklet.carrying import Carried, looks_of
from masklet.carrying import carry as carried_to
from masklet.clip_reading import AS_FILES_SAY
from masklet.commands.find import place_of
from masklet.commands.options import (
    DeviceOption,
    JsonOption,
    ServerOption,
    TlsCaOption,
    TokenFileOption,
    WeightsOption,
    check_clip,
    connect_as_asked,
    open_as_asked,
)
from masklet.commands.progress import Progress
from masklet.commands.shot_request import ShotRequest, read_saved, save
from masklet.commands.summary import print_json
from masklet.commands.typed import Typed
from masklet.errors import BadInputError
from masklet.types import PromptDocument

if TYPE_CHECKING:
    from masklet.found import Found


def add_commands(app: typer.Typer) -> None:
    """Register ``carry``."""
    app.command()(carry)


def carry(
    clip: Annotated[str, typer.Argument(help="The shot that has prompts.")],
    to: Annotated[str, typer.Argument(help="The shot that gets them.")],
    prompts: Annotated[
        Path, typer.Option("--prompts", metavar="FILE.json", help="Prompt document of the first.")
    ],
    out: Annotated[
        Optional[Path],
        typer.Option("--out", metavar="FILE.json", help="Write the likeliest of each object there."),
    ] = None,
    frame: Annotated[
        Optional[int], typer.Option("--frame", help="Of the second shot; else its first.")
    ] = None,
    objects: Annotated[
        Optional[list[str]], typer.Option("--object", metavar="NAME", help="Only this one; may be repeated.")
    ] = None,
    as_json: JsonOption = False,
    weights: WeightsOption = None,
    device: DeviceOption = None,
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
) -> tuple[Carried, ...]:
    """Propose where the objects of one shot are in the next, by what they look like.

    masklet carry sh010.%04d.exr sh020.%04d.exr --prompts sh010.json --out sh020.json

    A line is a place: object, number, likeness, where to click. Look at them before you track: a look-alike
    looks alike. What is in --out already stays, as far as its objects have other names.
    """
    saved = read_saved(prompts)
    if saved is None or not saved.document.prompts:
        raise BadInputError(f"{prompts} holds no prompts: click something in the first shot")
    known = [each.name for each in saved.document.objects]
    unknown = [name for name in objects or () if name not in known]
    if unknown:
        raise BadInputError(f"there is no object {unknown[0]}: the document has {', '.join(known)}")
    kept = read_saved(out)
    check_clip(clip, server, saved.reading)
    check_clip(to, server, AS_FILES_SAY if kept is None else kept.reading)
    progress = Progress()
    with connect_as_asked(server, token_file, tls_ca, weights, device) as connected:
        with open_as_asked(connected, clip, saved.reading, progress) as first:
            shot, _ = ShotRequest(clip, Typed(PromptDocument()), saved, reading=saved.reading).on(first.clip)
            first.load_prompts(shot.document)
            looks = looks_of(first, frame=first.clip.last_frame, names=objects or ())
        reading = AS_FILES_SAY if kept is None else kept.reading
        with open_as_asked(connected, to, reading, progress) as second:
            other, _ = ShotRequest(to, Typed(PromptDocument()), kept, reading=reading).on(second.clip)
            second.load_prompts(other.document)
            at = second.clip.first_frame if frame is None else frame
            found = carried_to(looks, second, frame=at)
            there = {each.name for each in second.objects()}
            if out is not None:
                for each in found:
                    if each.things and each.name not in there:
                        second.object(each.name).accept(each.things[0])
                save(out, replace(other, clip=to), second)
                progress.say(f"the likeliest of each object is in {out}: look at them, then track")
    if as_json:
        print_json(
            {
                "frame": at,
                "objects": {each.name: [_as_json(thing) for thing in each.things] for each in found},
                "doubts": {each.name: each.doubt for each in found if each.doubt is not None},
            }
        )
        return found
    for each in found:
        if each.doubt is not None:
            progress.say(each.doubt)
        for number, thing in enumerate(each.things, start=1):
            x_px, y_px = place_of(thing)
            typer.echo(f"{each.name}\t{number}\t{thing.likeness:.2f}\t{at}:{x_px:.1f},{y_px:.1f}")
    return found


def _as_json(thing: Found) -> dict[str, Any]:
    x_px, y_px = place_of(thing)
    return {"likeness": round(thing.likeness, 4), "click": {"x_px": x_px, "y_px": y_px}}
