"""``masklet farm …``: shots go to a farm with their prompts, and come back as mattes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from masklet.anchors import Absence
from masklet.commands.exits import ExitCode
from masklet.commands.extra_options import (
    AbsenceOption,
    AnchorsOption,
    AtCutsOption,
    ShapesOption,
    ToleranceOption,
    ToolsOption,
)
from masklet.commands.extra_words import parse_extra_exports
from masklet.commands.farm_engine import add_engine_commands
from masklet.commands.farm_job import add_job_commands
from masklet.commands.farm_prompts import prompted
from masklet.commands.options import DeviceOption, JsonOption, QualityOption, WeightsOption
from masklet.commands.progress import Progress
from masklet.commands.prompt_words import parse_range
from masklet.commands.summary import print_json
from masklet.errors import BadInputError
from masklet.events import MatteFormat
from masklet.settings import read_settings
from masklet.types import CutPolicy


def add_commands(app: typer.Typer) -> None:
    """Register ``farm`` with its subcommands."""
    farm = typer.Typer(
        no_args_is_help=True, help="Many shots at night: submit, run, watch, retry, cancel, report."
    )
    farm.command()(submit)
    add_job_commands(farm)
    add_engine_commands(farm)
    app.add_typer(farm, name="farm")


def submit(
    documents: Annotated[
        list[Path], typer.Argument(metavar="SHOT.masklet.json …", help="Prompt documents, one for each shot.")
    ],
    job: Annotated[
        Path, typer.Option("--job", metavar="FOLDER", help="The job's new folder, where all workers see it.")
    ],
    clip: Annotated[
        Optional[str],
        typer.Option("--clip", metavar="CLIP", help="The plate of the one shot, where it was moved."),
    ] = None,
    find_every: Annotated[
        Optional[int],
        typer.Option("--find", min=1, metavar="FRAMES", help="Plates: make everything in them an object."),
    ] = None,
    carry_from: Annotated[
        Optional[Path],
        typer.Option("--carry", metavar="FILE.json", help="Plates: look for the objects of this shot."),
    ] = None,
    frames: Annotated[
        Optional[str],
        typer.Option("--range", metavar="FIRST-LAST", help="Frames to make; else as documents say."),
    ] = None,
    matte_format: Annotated[
        MatteFormat, typer.Option("--format", help="exr: one file per frame, one layer per object.")
    ] = MatteFormat.EXR_LAYERS,
    raw_edges: Annotated[
        bool, typer.Option("--raw-edges", help="Mattes of the network's own edges, not the plate's.")
    ] = False,
    shapes: ShapesOption = False,
    tolerance_px: ToleranceOption = 1.0,
    anchors: AnchorsOption = None,
    absence: AbsenceOption = Absence.HOLD,
    tools: ToolsOption = None,
    at_cuts: AtCutsOption = CutPolicy.STOP,
    publish: Annotated[
        bool, typer.Option("--publish", help="Shots that pass the check become versions.")
    ] = False,
    template: Annotated[
        Optional[str],
        typer.Option(
            "--template", metavar="PATH", help="Where versions go; else published beside the document."
        ),
    ] = None,
    values: Annotated[
        Optional[list[str]],
        typer.Option("--set", metavar="NAME=VALUE", help="What the template asks for: --set show=abc."),
    ] = None,
    comment: Annotated[str, typer.Option("--comment", help="For the manifests.")] = "",
    accepting: Annotated[
        Optional[list[str]],
        typer.Option("--accept", metavar="CHECK", help="Right whatever this check finds: such as reviewed."),
    ] = None,
    objects_per_task: Annotated[
        int, typer.Option("--objects-per-task", min=1, max=64, help="That one worker tracks together.")
    ] = 4,
    chunk_s: Annotated[
        float, typer.Option("--chunk", metavar="SECONDS", min=5, help="Work after which it is kept.")
    ] = 300.0,
    frame_s: Annotated[
        float,
        typer.Option("--frame-time", metavar="SECONDS", min=0.001, help="Of one object on one frame, about."),
    ] = 1.0,
    gpu_memory_gib: Annotated[
        float,
        typer.Option("--gpu-memory", metavar="GIB", min=0, help="Of the workers' graphics cards at least."),
    ] = 0.0,
    to: Annotated[
        str, typer.Option("--to", metavar="ENGINE", help="openjd: a bundle for any of its engines; opencue.")
    ] = "openjd",
    weights: WeightsOption = None,
    device: DeviceOption = None,
    quality: QualityOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a job of prompt documents: mattes, shapes, anchors, a check and versions of every shot.

    masklet farm submit shots/*.masklet.json --job /shows/abc/farm/tuesday --publish
    """
    from masklet.farm.checking import check_acceptable
    from masklet.farm.request import FarmRequest
    from masklet.farm.submitting import submit as make_job

    progress = Progress()
    # What this user works with is what the workers are to make the mattes with.
    here = read_settings()
    check_acceptable(accepting or ())
    if to not in ("openjd", "opencue"):
        raise BadInputError(f"--to {to!r} is no engine that is known: choose openjd or opencue")
    if clip is not None and len(documents) > 1:
        raise BadInputError("--clip is for one shot: submit the others by themselves")
    try:
        request = FarmRequest(
            None if frames is None else parse_range(frames),
            matte_format,
            raw_edges,
            at_cuts,
            parse_extra_exports(
                shapes=shapes, tolerance_px=tolerance_px, anchors=anchors, absence=absence, tools=tools
            ),
            publish,
            template or "",
            _values(values or ()),
            comment,
            tuple(accepting or ()),
            objects_per_task,
            chunk_s,
            frame_s,
            gpu_memory_gib,
            weights or here.weights,
            device,
            quality or here.quality,
        )
    except ValueError as error:
        raise BadInputError(str(error)) from error
    made = prompted(documents, find_every=find_every, carry_from=carry_from, weights=weights, device=device)
    clips = {} if clip is None else {made.documents[0]: clip}
    submitted = make_job(made.documents, request, job, clips=clips, doubts=made.doubts)
    for note in submitted.notes:
        progress.say(note)
    count = len(submitted.job.shots)
    progress.say(f"the job of {count} {'shot' if count == 1 else 'shots'} is {submitted.bundle}")
    told: str | None = None
    if to == "opencue":
        from masklet.farm.opencue import launch

        told = launch(submitted.bundle)
        progress.say(f"OpenCue has it as {told}")
    else:
        progress.say(f"next: masklet farm run {job}, or deadline bundle submit {job}")
    if as_json:
        print_json(
            {
                "ok": True,
                "exit_code": int(ExitCode.DONE),
                "job": str(submitted.bundle),
                "engine_job": told,
                "shots": [shot.name for shot in submitted.job.shots],
                "told": list(submitted.notes),
            }
        )


def _values(words: list[str] | tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    found = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise BadInputError(f"--set {word!r} is not understood: write NAME=VALUE, such as show=abc")
        found.append((name, value))
    return tuple(found)
