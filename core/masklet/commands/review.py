"""``masklet review``: which frames are worth a look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.bad_frames import is_worth_a_look
from masklet.commands.extra_options import AtCutsOption
from masklet.commands.options import (
    ColourOption,
    DeviceOption,
    FirstFrameOption,
    FrameRateOption,
    JsonOption,
    LayerOption,
    OverscanOption,
    ServerOption,
    TlsCaOption,
    TokenFileOption,
    ViewOption,
    WeightsOption,
    check_clip,
    connect_as_asked,
    open_as_asked,
    reading_as_asked,
    used_frames,
)
from masklet.commands.progress import Progress
from masklet.commands.shot_request import ShotRequest, read_saved
from masklet.commands.summary import RunSummary, print_json
from masklet.commands.tracking import track
from masklet.commands.typed import Typed
from masklet.errors import BadInputError, NotPromptedError
from masklet.holes import HoleReason, find_holes
from masklet.types import CutPolicy, FrameState, PromptDocument

if TYPE_CHECKING:
    from collections.abc import Iterable

    from masklet.holes import Hole
    from masklet.types import FrameRange, StateRange


def add_commands(app: typer.Typer) -> None:
    """Register ``review``."""
    app.command()(review)


def review(
    clip: Annotated[
        str, typer.Argument(help="plate.%04d.exr, plate.####.exr, a folder, a movie, a picture.")
    ],
    prompts: Annotated[
        Path, typer.Option("--prompts", metavar="FILE.json", help="Prompt document, as roto writes it.")
    ],
    at_cuts: AtCutsOption = CutPolicy.STOP,
    colour_space: ColourOption = None,
    first_frame: FirstFrameOption = None,
    fps: FrameRateOption = None,
    layer: LayerOption = None,
    view: ViewOption = None,
    overscan: OverscanOption = None,
    as_json: JsonOption = False,
    weights: WeightsOption = None,
    device: DeviceOption = None,
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
) -> None:
    """Track a shot and list, for each object, what is known of its frames.

    masklet review plate.%04d.exr --prompts shot.json

    One line per run of frames goes to standard output: object, first and last frame, states; a star marks
    those worth a look. Frames without a matte are lines too, with the reason in place of states. With --json
    the summary of the run goes there instead.
    """
    saved = read_saved(prompts)
    if saved is None:
        raise BadInputError(f"there is no prompt document {prompts}: check the path")
    if not saved.document.prompts:
        raise NotPromptedError(
            f"{prompts} holds no prompts: click something with masklet roto --prompts first"
        )
    reading = reading_as_asked(
        saved.reading, colour_space, first_frame, fps, layer=layer, view=view, overscan=overscan
    )
    check_clip(clip, server, reading)
    progress = Progress()
    progress.say("opening the clip")
    with (
        connect_as_asked(server, token_file, tls_ca, weights, device) as connected,
        open_as_asked(
            connected, clip, reading, progress, used=used_frames(saved.frames, saved.document)
        ) as session,
    ):
        shot, told = ShotRequest(clip, Typed(PromptDocument()), saved, reading=reading).on(session.clip)
        for sentence in (*shot.notes, *told):
            progress.say(sentence)
        session.load_prompts(shot.document)
        tracked = track(session, shot, progress, at_cuts=at_cuts)
        info = session.info()
    holes = find_holes(info, shot.frames)
    summary = RunSummary(info, shot.frames or info.clip.frames, tracked, holes, (*shot.notes, *told))
    for sentence in summary.sentences():
        progress.say(sentence)
    if as_json:
        print_json(summary.as_json())
    else:
        for line in listed(info.states, {item.object_id: item.name for item in info.objects}, holes):
            typer.echo(line)
        if info.cuts:
            typer.echo("cuts at " + ", ".join(map(str, info.cuts)))
    if summary.exit_code:
        raise typer.Exit(int(summary.exit_code))


def listed(states: Iterable[StateRange], names: dict[int, str], holes: Iterable[Hole] = ()) -> list[str]:
    """One line per run of frames, tab-separated, by object and then frame."""
    lines: list[tuple[int, int, str]] = []
    for state in states:
        mark = "*" if is_worth_a_look(state) else ""
        words = ",".join(one.value for one in FrameState if one in state.states)
        lines.append(_line(state.object_id, names[state.object_id], state.frames, words, mark))
    for hole in holes:
        # Nobody can track where there is no picture.
        mark = "" if hole.reason is HoleReason.NO_PICTURE else "*"
        lines.append(_line(hole.object_id, hole.object_name, hole.frames, hole.words, mark))
    places = {object_id: place for place, object_id in enumerate(names)}
    lines.sort(key=lambda line: (places.get(line[0], len(places)), line[1]))
    return [text for _, _, text in lines]


def _line(object_id: int, name: str, frames: FrameRange, words: str, mark: str) -> tuple[int, int, str]:
    text = f"{name}\t{frames.first}\t{frames.last}\t{words}\t{mark}".rstrip()
    return object_id, frames.first, text
