"""``masklet review``: which frames are worth a look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.commands.options import (
    ColourOption,
    DeviceOption,
    FirstFrameOption,
    FrameRateOption,
    LayerOption,
    OverscanOption,
    ServerOption,
    TlsCaOption,
    TokenFileOption,
    ViewOption,
    WeightsOption,
    connect_as_asked,
    open_as_asked,
    reading_as_asked,
    used_frames,
)
from masklet.commands.progress import Progress
from masklet.commands.roto import EXIT_INTERRUPTED, track
from masklet.errors import NotPromptedError
from masklet.holes import HoleReason, find_holes
from masklet.prompts import read_shot
from masklet.types import CutPolicy, FrameState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from masklet.holes import Hole
    from masklet.types import FrameRange, StateRange

WORTH_A_LOOK = frozenset({FrameState.UNCERTAIN, FrameState.STALE})


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
    at_cuts: Annotated[
        CutPolicy, typer.Option("--at-cuts", help="Where one shot ends and another begins.")
    ] = CutPolicy.STOP,
    colour_space: ColourOption = None,
    first_frame: FirstFrameOption = None,
    fps: FrameRateOption = None,
    layer: LayerOption = None,
    view: ViewOption = None,
    overscan: OverscanOption = None,
    weights: WeightsOption = None,
    device: DeviceOption = None,
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
) -> None:
    """Track a shot and list, for each object, what is known of its frames.

    masklet review plate.%04d.exr --prompts shot.json

    One line per run of frames goes to standard output: object, first and last frame, states; a star marks
    those worth a look. Frames without a matte are lines too, with the reason in place of states.
    """
    shot = read_shot(prompts)
    if not shot.document.prompts:
        raise NotPromptedError(
            f"{prompts} holds no prompts: click something with masklet roto --prompts first"
        )
    reading = reading_as_asked(
        shot.reading, colour_space, first_frame, fps, layer=layer, view=view, overscan=overscan
    )
    progress = Progress()
    progress.say("opening the clip")
    with (
        connect_as_asked(server, token_file, tls_ca, weights, device) as connected,
        open_as_asked(
            connected, clip, reading, progress, used=used_frames(shot.frames, shot.document)
        ) as session,
    ):
        session.load_prompts(shot.document)
        interrupted = track(session, shot, progress, at_cuts=at_cuts)
        info = session.info()
    names = {item.object_id: item.name for item in info.objects}
    for line in listed(info.states, names, find_holes(info, shot.frames)):
        typer.echo(line)
    if info.cuts:
        typer.echo("cuts at " + ", ".join(map(str, info.cuts)))
    if interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)


def listed(states: Iterable[StateRange], names: dict[int, str], holes: Iterable[Hole] = ()) -> list[str]:
    """One line per run of frames, tab-separated, by object and then frame."""
    lines: list[tuple[int, int, str]] = []
    for state in states:
        mark = "*" if state.states & WORTH_A_LOOK and not state.locked else ""
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
