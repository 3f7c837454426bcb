"""``masklet roto``: from a clip and clicks to mattes."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from masklet.anchors import Absence
from masklet.commands.options import (
    BoxOption,
    ClickOption,
    ColourOption,
    DeviceOption,
    FirstFrameOption,
    FrameRateOption,
    LayerOption,
    MaskOption,
    ObjectOption,
    OrderedCommand,
    OverscanOption,
    ServerOption,
    TlsCaOption,
    TokenFileOption,
    ViewOption,
    WeightsOption,
    connect_as_asked,
    merged,
    open_as_asked,
    parse_range,
    reading_as_asked,
    typed_prompts,
    used_frames,
)
from masklet.commands.progress import Progress
from masklet.commands.takeaway import parse_wishes, plan_takeaway, write_takeaway
from masklet.deliveries import Existing
from masklet.delivery_folder import DeliveryFolder, make_next_version
from masklet.errors import BadInputError, NotPromptedError
from masklet.events import MatteFormat, OverlayKind, TrackStarted
from masklet.holes import hole_sentences
from masklet.matte_files import prepare_folder
from masklet.names import checked_stem, clip_stem
from masklet.prompts import Shot, read_shot, write_shot
from masklet.types import CutPolicy, Direction, MaskFormat, MaskUpdate, Presence, PromptDocument

if TYPE_CHECKING:
    from masklet.session import Session

EXIT_INTERRUPTED = 130

# Progress needs no picture, and a small one costs the stream next to nothing.
_PROGRESS_MASKS = MaskFormat(max_side_px=64, bits=True)


def add_commands(app: typer.Typer) -> None:
    """Register ``roto``."""
    app.command(cls=OrderedCommand)(roto)


def roto(
    context: typer.Context,
    clip: Annotated[
        str, typer.Argument(help="plate.%04d.exr, plate.####.exr, a folder, a movie, a picture.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where mattes go; made if need be.")],
    objects: ObjectOption = None,
    clicks: ClickOption = None,
    boxes: BoxOption = None,
    masks: MaskOption = None,
    prompts: Annotated[
        Optional[Path],
        typer.Option("--prompts", metavar="FILE.json", help="Prompt document: read if there, then written."),
    ] = None,
    frames: Annotated[
        Optional[str], typer.Option("--range", metavar="FIRST-LAST", help="Frames to track; else all.")
    ] = None,
    direction: Annotated[
        Optional[Direction], typer.Option(help="From the prompted frames.", show_default="both")
    ] = None,
    matte_format: Annotated[
        MatteFormat, typer.Option("--format", help="exr: one file per frame, one layer per object.")
    ] = MatteFormat.EXR_LAYERS,
    name: Annotated[Optional[str], typer.Option(help="First part of file names; else the clip's.")] = None,
    raw_edges: Annotated[
        bool,
        typer.Option("--raw-edges", help="Mattes and shapes of the network's own edges, not the plate's."),
    ] = False,
    shapes: Annotated[bool, typer.Option("--shapes", help="Also Bezier shapes of every object.")] = False,
    tolerance_px: Annotated[
        float, typer.Option("--tolerance", metavar="PIXELS", help="How far shapes may lie off the edge.")
    ] = 1.0,
    anchors: Annotated[
        Optional[str],
        typer.Option("--anchors", metavar="KIND,…", help="Also transforms: similarity, planar, centroid, …"),
    ] = None,
    absence: Annotated[
        Absence, typer.Option("--absence", help="What anchors do while their object is not seen.")
    ] = Absence.HOLD,
    tools: Annotated[
        Optional[str],
        typer.Option("--export", metavar="TOOL,…", help="Write them for nuke, fusion, ae, json, otio."),
    ] = None,
    at_cuts: Annotated[
        CutPolicy, typer.Option("--at-cuts", help="Where one shot ends and another begins.")
    ] = CutPolicy.STOP,
    overlay: Annotated[bool, typer.Option("--overlay", help="Also a movie and a contact sheet.")] = False,
    replacing: Annotated[
        bool, typer.Option("--replace", help="Write over what an earlier run left in the folder.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Write into the next version: FOLDER/v001, v002, …")
    ] = False,
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
    """Cut objects out of a clip and write their mattes.

    masklet roto plate.%04d.exr --object hero --click 1001:640,360 --click 1050:600,300:- --out mattes

    Ctrl-C stops after the frame in hand and writes what is finished.
    """
    del objects, clicks, boxes, masks  # in the order they were typed, they come from the context
    wishes = parse_wishes(
        shapes=shapes, tolerance_px=tolerance_px, anchors=anchors, absence=absence, tools=tools
    )
    shot = Shot(clip, PromptDocument())
    if prompts is not None and prompts.exists():
        shot = replace(read_shot(prompts), clip=clip)
    shot = replace(shot, document=merged(shot.document, typed_prompts(context)))
    if frames is not None:
        shot = replace(shot, frames=parse_range(frames))
    if direction is not None:
        shot = replace(shot, direction=direction)
    shot = replace(
        shot,
        reading=reading_as_asked(
            shot.reading, colour_space, first_frame, fps, layer=layer, view=view, overscan=overscan
        ),
    )
    stem = checked_stem(name) if name is not None else None
    existing = _existing(replacing=replacing, version=version)
    if not shot.document.prompts:
        raise NotPromptedError(
            "nothing says what to cut out: add --object NAME --click FRAME:X,Y, or --prompts with a document"
        )
    if prompts is not None:
        write_shot(prompts, shot)

    progress = Progress()
    if version:
        out = make_next_version(out)
        progress.say(f"this is {out}")
    prepare_folder(out)
    progress.say("opening the clip")
    with (
        connect_as_asked(server, token_file, tls_ca, weights, device) as connected,
        open_as_asked(
            connected, clip, shot.reading, progress, used=used_frames(shot.frames, shot.document)
        ) as session,
    ):
        session.load_prompts(shot.document)
        # Now, and not when hours of tracking are done.
        plan = session.check_export(
            out,
            matte_format=matte_format,
            overlays=tuple(OverlayKind) if overlay else (),
            frames=shot.frames,
            base_name=stem,
            raw_edges=raw_edges,
            existing=existing,
        )
        if plan is not None and not wishes.is_nothing:
            DeliveryFolder(out, plan_takeaway(session, wishes, plan, raw_edges=raw_edges), existing)
        interrupted = track(session, shot, progress, at_cuts=at_cuts)
        exported = session.export(
            out,
            matte_format=matte_format,
            frames=shot.frames,
            base_name=stem,
            raw_edges=raw_edges,
            existing=existing,
            on_progress=progress.writing,
            on_look=progress.looking,
        )
        progress.say(f"{len(exported.files)} files in {out}")
        if exported.removed:
            progress.say(f"{len(exported.removed)} files of an earlier run were deleted")
        for sentence in hole_sentences(exported.holes):
            progress.say(sentence)
        if not wishes.is_nothing:
            for file in write_takeaway(
                session,
                wishes,
                out,
                frames=shot.frames,
                name=stem or clip_stem(session.clip.name),
                mattes=exported,
                raw_edges=raw_edges,
                existing=existing,
                progress=progress,
            ):
                progress.say(f"wrote {file}")
        if overlay:
            for kind in OverlayKind:
                for file in session.export_overlay(
                    out,
                    kind=kind,
                    frames=shot.frames,
                    base_name=stem,
                    existing=existing,
                    on_progress=progress.writing,
                ).files:
                    progress.say(f"look at {file}")
    if interrupted:
        raise typer.Exit(EXIT_INTERRUPTED)


def _existing(*, replacing: bool, version: bool) -> Existing:
    if replacing and version:
        raise BadInputError("--replace writes over what is there and --version beside it: choose one")
    return Existing.REPLACE if replacing else Existing.KEEP


def track(session: Session, shot: Shot, progress: Progress, *, at_cuts: CutPolicy = CutPolicy.STOP) -> bool:
    """Track the shot with a progress bar; True when Ctrl-C stopped it."""
    running = session.track(
        frames=shot.frames, direction=shot.direction, mask_format=_PROGRESS_MASKS, at_cuts=at_cuts
    )
    uncertain: dict[str, list[int]] = {}
    started_s = time.monotonic()
    frames_seen: set[int] = set()
    # Several objects on one frame are one step, which their masks share.
    steps_per_mask = 1.0
    interrupted = False
    try:
        with progress.bar("tracking") as bar:
            for event in running.events():
                if isinstance(event, TrackStarted):
                    bar.total(event.steps)
                    steps_per_mask = event.steps / max(event.updates, 1)
                    progress.say(f"tracking {event.steps} frames")
                    known = {each.frame for each in session.clip.unreadable}
                    for missing in (each for each in event.missing_frames if each not in known):
                        progress.say(f"frame {missing} is missing from the clip and was left out")
                elif isinstance(event, MaskUpdate):
                    frames_seen.add(event.frame)
                    bar.step(steps_per_mask)
                    if event.presence is Presence.UNCERTAIN:
                        uncertain.setdefault(event.object_name, []).append(event.frame)
    except KeyboardInterrupt:
        interrupted = True
        progress.say("stopped; writing what is finished")
    seconds = time.monotonic() - started_s
    speed_fps = len(frames_seen) / max(seconds, 1e-3)
    progress.say(f"tracked {len(frames_seen)} frames in {seconds:.1f} s ({speed_fps:.1f} fps)")
    if running.finished is not None:
        for each in running.finished.unreadable:
            if each not in session.clip.unreadable:
                progress.say(f"left out: {each.reason}")
    if running.finished is not None and running.finished.cuts:
        shown = ", ".join(map(str, running.finished.cuts))
        way = "stopped there; click again behind it" if at_cuts is CutPolicy.STOP else "went on"
        progress.say(f"a new shot begins at {shown}: tracking {way}")
    for name, frames in uncertain.items():
        progress.say(f"look at {name} on {shown_frames(frames)}: it may be lost there")
    return interrupted


def shown_frames(frames: list[int]) -> str:
    """Frame numbers for people, runs written as ranges: ``1003, 1010-1014``."""
    runs: list[list[int]] = []
    for frame in sorted(set(frames)):
        if runs and frame == runs[-1][1] + 1:
            runs[-1][1] = frame
        else:
            runs.append([frame, frame])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)
