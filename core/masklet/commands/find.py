"""``masklet find``: everything in a picture, all that is like an object, and a whole shot of them."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from masklet.clip_reading import AS_FILES_SAY
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
    used_frames,
)
from masklet.commands.preview import copy_picture
from masklet.commands.progress import Progress
from masklet.commands.shot_request import ShotRequest, read_saved, save
from masklet.commands.summary import print_json
from masklet.commands.typed import Typed
from masklet.errors import BadInputError, MaskletError
from masklet.events import OverlayKind
from masklet.everything import Keyframe, find_everything, make_objects
from masklet.found import MAX_FOUND, MAX_LAYERS, FindOptions, Found
from masklet.found_things import MASKS, is_same, plane
from masklet.types import FrameRange, PromptDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from masklet.session import Session
    from masklet.tracked_object import TrackedObject

_ALL = "all"


def add_commands(app: typer.Typer) -> None:
    """Register ``find``."""
    app.command()(find)


def find(
    clip: Annotated[
        str, typer.Argument(help="plate.%04d.exr, plate.####.exr, a folder, a movie, a picture.")
    ],
    frame: Annotated[
        Optional[int], typer.Option("--frame", help="Where to look; else the first frame.")
    ] = None,
    every: Annotated[
        Optional[int],
        typer.Option("--every", min=1, metavar="FRAMES", help="Look again so often, to the end of the clip."),
    ] = None,
    like: Annotated[
        Optional[str],
        typer.Option("--like", metavar="OBJECT", help="Only what looks like this object of --prompts."),
    ] = None,
    words: Annotated[
        str, typer.Option("--words", help="Only what the studio's own model finds for these.")
    ] = "",
    prompts: Annotated[
        Optional[Path],
        typer.Option("--prompts", metavar="FILE.json", help="Prompt document: read if there, then written."),
    ] = None,
    take: Annotated[
        Optional[str],
        typer.Option("--take", metavar="1,3|all", help="Make these objects, and write them into --prompts."),
    ] = None,
    name: Annotated[
        str, typer.Option("--name", help="What new objects are called, before a number.")
    ] = "thing",
    sheet: Annotated[
        Optional[Path],
        typer.Option("--sheet", metavar="FILE.png", help="The picture with the masks over it."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MAX_FOUND, help="How many things.")] = 64,
    per_side: Annotated[
        int, typer.Option("--clicks", min=0, max=64, help="Along each side of the picture; 0: as usual.")
    ] = 0,
    layers: Annotated[
        int, typer.Option("--layers", min=0, max=MAX_LAYERS, help="Look for small things in parts, too.")
    ] = 0,
    as_json: JsonOption = False,
    weights: WeightsOption = None,
    device: DeviceOption = None,
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
) -> None:
    """Find everything in a picture, or all that looks like an object, without a click.

    masklet find plate.%04d.exr --frame 1001 --sheet look.png

    A line is a thing: its number, how sure the network is of it, where to click, its share of the picture,
    and with --like how much it looks like the object. --take 1,3 makes these objects of the document.
    --every 24 makes all things objects, looks again every 24 frames, keeps what is there already and takes
    up what is new; then masklet roto CLIP --prompts FILE --format cryptomatte tracks and writes them.
    """
    saved = read_saved(prompts)
    if (take or every or like) and prompts is None:
        raise BadInputError("--take, --every and --like need a document: add --prompts FILE.json")
    if every is not None and (take or like or words):
        raise BadInputError("--every makes everything an object: leave --take, --like and --words away")
    chosen = None if take is None else parse_numbers(take)
    reading = AS_FILES_SAY if saved is None else saved.reading
    document = PromptDocument() if saved is None else saved.document
    check_clip(clip, server, reading)
    progress = Progress()
    at = None if frame is None or every is not None else FrameRange(frame, frame)
    with (
        connect_as_asked(server, token_file, tls_ca, weights, device) as connected,
        open_as_asked(connected, clip, reading, progress, used=used_frames(at, document)) as session,
    ):
        request = ShotRequest(clip, Typed(PromptDocument()), saved, reading=reading)
        shot, _ = request.on(session.clip)
        session.load_prompts(shot.document)
        options = FindOptions(words=words, limit=limit, per_side=per_side, layers=layers)
        first = session.clip.first_frame if frame is None else frame
        if every is not None:
            most = connected.info().max_objects
            frames = range(first, session.clip.last_frame + 1, every)
            keyframes = [each for each in frames if each not in session.clip.missing]

            def keep() -> None:
                save(prompts, shot, session)

            found_on = find_on_keyframes(session, keyframes, options, most, name, progress, keep)
            if as_json:
                print_json({"keyframes": [vars(each) for each in found_on]})
            return
        things = _things(session, first, like, options, progress)
        if chosen is not None:
            made = _take(session, things, chosen, name, progress)
            save(prompts, shot, session)
            if made:
                progress.say(f"{', '.join(each.name for each in made)}: their prompts are in {prompts}")
        if sheet is not None:
            _draw(session, things, first, sheet)
    if as_json:
        print_json({"frame": first, "things": [_as_json(each) for each in things]})
        return
    for number, each in enumerate(things, start=1):
        typer.echo(_line(number, each))
    if not things:
        progress.say(f"nothing was found on frame {first}")


def parse_numbers(text: str) -> tuple[int, ...] | None:
    """Numbers of things in ``1,3``; empty for ``all``.

    Raises:
        BadInputError: It is neither.
    """
    if text == _ALL:
        return ()
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = (0,)
    if min(numbers) < 1:
        raise BadInputError(f"--take {text!r} names no things: write their numbers like 1,3, or all")
    return numbers


def _things(
    session: Session, frame: int, like: str | None, options: FindOptions, progress: Progress
) -> list[Found]:
    kind = None
    if like is not None:
        names = [each.name for each in session.objects()]
        if like not in names:
            raise BadInputError(f"there is no object {like}: the document has {', '.join(names) or 'none'}")
        kind = session.object(like)
    things: list[Found] = []
    with progress.bar(f"looking at frame {frame}") as bar:
        done = 0
        for event in session.find(frame=frame, like=kind, mask_format=MASKS, **options).events():
            if isinstance(event, Found):
                things.append(event)
            else:
                bar.total(event.total)
                bar.step(event.done - done)
                done = event.done
    return things


def find_on_keyframes(
    session: Session,
    keyframes: Sequence[int],
    options: FindOptions,
    most: int,
    name: str,
    progress: Progress,
    keep: Callable[[], None],
) -> list[Keyframe]:
    """Make everything on keyframes an object, and have it kept, also where a later one fails."""
    told: list[Keyframe] = []
    try:
        with progress.bar("finding and tracking") as bar:
            bar.total(len(keyframes))
            for each in find_everything(session, keyframes, options=options, max_objects=most, name=name):
                told.append(each)
                bar.step()
                back = f", back again: {', '.join(each.returned)}" if each.returned else ""
                progress.say(f"frame {each.frame}: {len(each.fresh)} new, {len(each.known)} known{back}")
                if each.left_over:
                    progress.say(f"{each.left_over} more were left out: this server takes {most} objects")
    except (MaskletError, KeyboardInterrupt):
        # Where the server is gone there is nothing to keep, and the first error is the one to tell.
        with suppress(MaskletError):
            if told:
                keep()
                progress.say(f"what was found up to frame {told[-1].frame} is kept")
        raise
    keep()
    return told


def _take(
    session: Session, things: list[Found], numbers: tuple[int, ...], name: str, progress: Progress
) -> list[TrackedObject]:
    """Make things objects, but those that are objects of the document already."""
    missing = [number for number in numbers if number > len(things)]
    if missing:
        raise BadInputError(f"there are {len(things)} things, not {missing[0]}")
    if not things:
        return []
    frame = things[0].prompts.frame
    masks = session.masks(frames=FrameRange(frame, frame), mask_format=MASKS)
    there = {update.object_name: plane(update) for update in masks}
    wanted: list[Found] = []
    for number in dict.fromkeys(numbers or range(1, len(things) + 1)):
        thing = things[number - 1]
        known = [own for own, mask in there.items() if is_same(mask, plane(thing.update))]
        if known:
            progress.say(f"thing {number} is {known[0]} already: it stays as it is")
        else:
            wanted.append(thing)
    return make_objects(session, wanted, name)


def _draw(session: Session, things: list[Found], frame: int, sheet: Path) -> None:
    """Write the frame with the masks over it; the session ends after this, so its objects do not matter."""
    session.load_prompts(PromptDocument())
    make_objects(session, things, "")
    with tempfile.TemporaryDirectory() as folder:
        files = session.export_overlay(folder, kind=OverlayKind.SHEET, frames=FrameRange(frame, frame)).files
        copy_picture(files[0], sheet)


def _share(thing: Found) -> float:
    return float((thing.update.mask.coverage() > 0.5).mean())


def place_of(thing: Found) -> tuple[float, float]:
    """Where to click: of a drawn thing its middle."""
    if thing.prompts.clicks:
        return thing.prompts.clicks[0].x_px, thing.prompts.clicks[0].y_px
    import numpy as np

    mask = thing.prompts.mask or thing.update.mask
    rows, columns = np.nonzero(mask.as_array() > 127)
    middle = len(rows) // 2
    return float(columns[middle]) + 0.5, float(rows[middle]) + 0.5


def _line(number: int, thing: Found) -> str:
    x_px, y_px = place_of(thing)
    place = f"{thing.prompts.frame}:{x_px:.1f},{y_px:.1f}"
    line = f"{number}\t{thing.score:.2f}\t{place}\t{100 * _share(thing):.1f} %"
    return f"{line}\t{thing.likeness:.2f}" if thing.likeness else line


def _as_json(thing: Found) -> dict[str, Any]:
    x_px, y_px = place_of(thing)
    said = {
        "score": round(thing.score, 4),
        "click": {"x_px": x_px, "y_px": y_px},
        "share": round(_share(thing), 6),
    }
    said |= {"likeness": round(thing.likeness, 4)} if thing.likeness else {}
    return said | ({"label": thing.label, "source": thing.source} if thing.source else {})
