"""``masklet find-again``: where an object may be on a frame, after an absence or a cut."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from masklet.candidates import MAX_CANDIDATES
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
from masklet.errors import BadInputError, NotPromptedError
from masklet.types import PromptDocument

if TYPE_CHECKING:
    from masklet.candidates import Candidate


def add_commands(app: typer.Typer) -> None:
    """Register ``find-again``."""
    app.command(name="find-again")(find_again)


def find_again(
    clip: Annotated[
        str, typer.Argument(help="plate.%04d.exr, plate.####.exr, a folder, a movie, a picture.")
    ],
    prompts: Annotated[
        Path, typer.Option("--prompts", metavar="FILE.json", help="Prompt document, as roto writes it.")
    ],
    frame: Annotated[int, typer.Option("--frame", help="Where to look: the object is back on it.")],
    name: Annotated[
        Optional[str], typer.Option("--object", help="Which object; may be left out where there is one.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MAX_CANDIDATES, help="How many places.")] = 3,
    accept: Annotated[
        Optional[int],
        typer.Option("--accept", min=1, help="Take this one, and write its click into the document."),
    ] = None,
    as_json: JsonOption = False,
    weights: WeightsOption = None,
    device: DeviceOption = None,
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
) -> None:
    """List the places on a frame that look like an object, the likeliest first.

    masklet find-again plate.%04d.exr --prompts shot.json --object hero --frame 1041

    A line is a place: its number, how much it looks like the object (up to 1), where to click, and the share
    of the picture that the click would select. --accept 1 writes that click into the document; the next
    masklet roto tracks from it, both ways.
    """
    saved = read_saved(prompts)
    if saved is None:
        raise BadInputError(f"there is no prompt document {prompts}: check the path")
    if not saved.document.prompts:
        raise NotPromptedError(f"{prompts} holds no prompts: click something with masklet roto first")
    chosen = _chosen(saved.document, name)
    check_clip(clip, server, saved.reading)
    progress = Progress()
    with (
        connect_as_asked(server, token_file, tls_ca, weights, device) as connected,
        open_as_asked(connected, clip, saved.reading, progress) as session,
    ):
        shot, _ = ShotRequest(clip, Typed(PromptDocument()), saved, reading=saved.reading).on(session.clip)
        session.load_prompts(shot.document)
        thing = session.object(chosen)
        found = thing.find_again(frame=frame, limit=limit)
        if accept is not None:
            if accept > len(found):
                raise BadInputError(f"there are {len(found)} places on frame {frame}, not {accept}")
            thing.accept(found[accept - 1])
            save(prompts, shot, session)
            progress.say(f"{chosen} is on frame {frame}: its click is in {prompts}")
    if as_json:
        print_json({"object": chosen, "frame": frame, "places": [_as_json(each) for each in found]})
        return
    for number, each in enumerate(found, start=1):
        typer.echo(_line(number, each))
    if not found:
        progress.say(f"nothing on frame {frame} looks like {chosen}")


def _chosen(document: PromptDocument, name: str | None) -> str:
    names = [info.name for info in document.objects]
    if name is None and len(names) != 1:
        raise BadInputError(f"say which object with --object: {', '.join(names)}")
    if name is not None and name not in names:
        raise BadInputError(f"there is no object {name}: the document has {', '.join(names)}")
    return name or names[0]


def _share(candidate: Candidate) -> float:
    coverage = candidate.update.mask.coverage()
    return float((coverage > 0.5).mean())


def _line(number: int, candidate: Candidate) -> str:
    click = candidate.prompts.clicks[0]
    return (
        f"{number}\t{candidate.likeness:.2f}\t{candidate.prompts.frame}:{click.x_px:.1f},{click.y_px:.1f}"
        f"\t{100 * _share(candidate):.1f} %"
    )


def _as_json(candidate: Candidate) -> dict[str, Any]:
    click = candidate.prompts.clicks[0]
    return {
        "likeness": round(candidate.likeness, 4),
        "click": {"x_px": click.x_px, "y_px": click.y_px},
        "share": round(_share(candidate), 6),
    }
