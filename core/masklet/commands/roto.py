"""``masklet roto``: from a clip and clicks to mattes."""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from masklet.anchors import Absence
from masklet.better_weights import tell_of_better
from masklet.clip_reading import AS_FILES_SAY
from masklet.commands.extra_options import (
    AbsenceOption,
    AnchorsOption,
    AtCutsOption,
    ShapesOption,
    ToleranceOption,
    ToolsOption,
)
from masklet.commands.extra_words import existing_as_asked, parse_extra_exports
from masklet.commands.locking import with_locked_masks
from masklet.commands.merging import check_alike, earlier_run, merged_range, merged_shot
from masklet.commands.options import (
    ColourOption,
    DeviceOption,
    FirstFrameOption,
    FrameRateOption,
    JsonOption,
    LayerOption,
    OverscanOption,
    QualityOption,
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
from masklet.commands.prompt_words import parse_range
from masklet.commands.rebuild import check_weights
from masklet.commands.shot_request import Fit, ShotRequest, parse_offset, parse_scale, read_saved, save
from masklet.commands.stills import check_still_words, roto_stills, stills_in, tell_stills
from masklet.commands.summary import RunSummary, print_json
from masklet.commands.tracking import say, track
from masklet.commands.typed import OrderedCommand, typed_in
from masklet.commands.typed_options import (
    BoxOption,
    ClickOption,
    LockOption,
    MaskOption,
    MatteOption,
    ObjectOption,
    PolicyOption,
    ScribbleOption,
    UnlockOption,
)
from masklet.commands.typed_over import merged
from masklet.delivery_folder import make_next_version
from masklet.events import MatteFormat
from masklet.matte_files import kept_if_used, prepared_folder
from masklet.names import checked_stem
from masklet.outputs.output import Output
from masklet.outputs.writing import check_output, deliver
from masklet.types import CutPolicy, Direction, PromptDocument

if TYPE_CHECKING:
    pass


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
    scribbles: ScribbleOption = None,
    masks: MaskOption = None,
    locks: LockOption = None,
    unlocks: UnlockOption = None,
    mattes: MatteOption = None,
    policies: PolicyOption = None,
    only: Annotated[
        bool,
        typer.Option("--only", help="What is typed replaces what the document says of its frames."),
    ] = False,
    prompts: Annotated[
        Optional[Path],
        typer.Option("--prompts", metavar="FILE.json", help="Prompt document: read if there, then written."),
    ] = None,
    offset: Annotated[
        str, typer.Option("--offset", metavar="FRAMES|fit", help="Move the document's frame numbers.")
    ] = "0",
    scale: Annotated[
        str,
        typer.Option("--scale", metavar="FACTOR|fit", help="Convert a document made on another plate size."),
    ] = "1",
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
    shapes: ShapesOption = False,
    tolerance_px: ToleranceOption = 1.0,
    anchors: AnchorsOption = None,
    absence: AbsenceOption = Absence.HOLD,
    tools: ToolsOption = None,
    at_cuts: AtCutsOption = CutPolicy.STOP,
    farm: Annotated[
        bool, typer.Option("--farm", help="Nobody waits for it: take what artists leave of the server.")
    ] = False,
    stills: Annotated[
        bool,
        typer.Option("--stills", help="A folder of pictures: frame N is the N-th; nothing is tracked."),
    ] = False,
    overlay: Annotated[bool, typer.Option("--overlay", help="Also a movie and a contact sheet.")] = False,
    replacing: Annotated[
        bool, typer.Option("--replace", help="Write over what an earlier run left in the folder.")
    ] = False,
    merging: Annotated[
        bool, typer.Option("--merge", help="Also make the objects of the run whose mattes are in the folder.")
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
    as_json: JsonOption = False,
    stop_when_doubtful: Annotated[
        bool,
        typer.Option(
            "--stop-when-doubtful", help="Track nothing where the mask of a single click may be poor."
        ),
    ] = False,
    weights: WeightsOption = None,
    device: DeviceOption = None,
    quality: QualityOption = None,
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
) -> None:
    """Cut objects out of a clip and write their mattes.

    masklet roto plate.%04d.exr --object hero --click 1001:640,360 --click 1050:600,300:- --out mattes

    With --prompts shot.json, a further run only needs what is new: clicks are added to those that are there.
    Ctrl-C stops after the frame in hand and writes what is finished.
    """
    del (
        objects,
        clicks,
        boxes,
        scribbles,
        masks,
        locks,
        unlocks,
        mattes,
        policies,
    )  # in their order they come from the context
    extras = parse_extra_exports(
        shapes=shapes, tolerance_px=tolerance_px, anchors=anchors, absence=absence, tools=tools
    )
    saved = read_saved(prompts)
    reading = reading_as_asked(
        saved.reading if saved is not None else AS_FILES_SAY,
        colour_space,
        first_frame,
        fps,
        layer=layer,
        view=view,
        overscan=overscan,
    )
    if stills:
        check_still_words(
            {
                "--range": frames,
                "--direction": direction,
                "--name": name,
                "--shapes": shapes,
                "--anchors": anchors,
                "--export": tools,
                "--overlay": overlay,
                "--merge": merging,
                "--version": version,
            }
        )
        document = merged(PromptDocument() if saved is None else saved.document, typed_in(context), only=only)
        pictures = stills_in(Path(clip))
        with connect_as_asked(server, token_file, tls_ca, weights, device, quality) as connected:
            done = roto_stills(
                connected,
                pictures,
                document,
                out,
                reading=reading,
                matte_format=matte_format,
                raw_edges=raw_edges,
                existing=existing_as_asked(replacing=replacing, version=False),
                progress=Progress(),
            )
        tell_stills(done, as_json=as_json)
        return
    typed_range = None if frames is None else parse_range(frames)
    record = None
    if merging:
        name, record = earlier_run(out, None if name is None else checked_stem(name))
        check_alike(record, matte_format=matte_format.value, raw_edges=raw_edges, at_cuts=at_cuts.value)
        saved, typed_range = merged_shot(saved, record), merged_range(typed_range, record)
    request = ShotRequest(
        clip,
        typed_in(context),
        saved,
        only=only,
        frames=typed_range,
        direction=direction,
        reading=reading,
        offset=parse_offset(offset),
        scale=parse_scale(scale),
    )
    output = Output(
        out,
        matte_format,
        None if name is None else checked_stem(name),
        raw_edges,
        extras,
        overlay,
        existing_as_asked(replacing=replacing, version=version, merging=merging),
    )
    draft = request.draft()
    check_clip(clip, server, request.reading)
    progress = Progress()
    progress.say("opening the clip")
    # Where the prompts are moved to fit the clip, nobody knows yet which of its frames are used.
    used = None if request.offset is Fit.FIT else used_frames(draft.frames, draft.document)
    with (
        nullcontext() if version else prepared_folder(out),
        connect_as_asked(server, token_file, tls_ca, weights, device, quality) as connected,
        open_as_asked(connected, clip, request.reading, progress, used=used) as session,
        ExitStack() as new_version,
    ):
        if record is not None:
            check_weights(connected, record)
        shot, told = request.on(session.clip)
        for sentence in (*shot.notes, *told, *request.typed.notices):
            progress.say(sentence)
        shot = with_locked_masks(session, request, shot, progress, at_cuts=at_cuts)
        say(session, shot, request.corrections(shot.document, session.clip), progress, at_cuts=at_cuts)
        if version:
            # Not before: a run that is refused is no version.
            output = replace(output, folder=make_next_version(out))
            new_version.enter_context(kept_if_used([output.folder]))
            progress.say(f"this is {output.folder}")
        # Now, and not when hours of tracking are done.
        check_output(session, shot, output)
        # Not before: what server or folder refuse must not stand in the document, or the same command
        # with --replace would say it twice.
        save(prompts, shot, session)
        tracked = track(
            session, shot, progress, at_cuts=at_cuts, farm=farm, stop_when_doubtful=stop_when_doubtful
        )
        files, holes = deliver(session, shot, output, progress, at_cuts=at_cuts)
        save(prompts, shot, session)
        info, model = session.info(), connected.info().model.name
    summary = RunSummary(
        info,
        shot.frames or info.clip.frames,
        tracked,
        holes,
        (*shot.notes, *told),
        replace(files, prompts=prompts),
    )
    for sentence in summary.sentences():
        progress.say(sentence)
    tell_of_better(model, progress.say)
    if as_json:
        print_json(summary.as_json())
    if summary.exit_code:
        raise typer.Exit(int(summary.exit_code))
