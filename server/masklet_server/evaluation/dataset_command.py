"""``masklet-server dataset export|check|stats``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_Data = Annotated[Path, typer.Argument(help="Folder of annotated sequences.")]


def add_dataset_commands(app: typer.Typer) -> None:
    """Add the group ``dataset``."""
    group = typer.Typer(help="Training data: from finished shots, checked, counted.", no_args_is_help=True)
    group.command("export")(export)
    group.command("check")(check)
    group.command("stats")(stats)
    app.add_typer(group, name="dataset")


def export(
    prompts: Annotated[Path, typer.Argument(help="Prompt document of the shot.")],
    clip: Annotated[str, typer.Option(help="The plate: a pattern, a folder or a movie.")],
    mattes: Annotated[Path, typer.Option(help="Folder of the exported mattes.")],
    out: Annotated[Path, typer.Option(help="The data set; it grows by one video.")],
    name: Annotated[str, typer.Option(help="Name of the video in the data set.")],
    seconds: Annotated[
        list[str] | None, typer.Option(help="Time spent, as OBJECT=SECONDS; may be repeated.")
    ] = None,
    step: Annotated[int, typer.Option(help="Annotate every so manieth frame; SA-V has 4.", min=1)] = 1,
    colour: Annotated[str | None, typer.Option(help="Input colour space of the plate.")] = None,
    first_frame: Annotated[
        int | None, typer.Option("--first-frame", help="Of a movie's first picture; else the document says.")
    ] = None,
    fps: Annotated[
        str | None, typer.Option("--fps", help="Of the plate; else document or files say.")
    ] = None,
) -> None:
    """Write a finished shot as training data in SA-V's layout."""
    from masklet.errors import BadInputError, OutputError
    from masklet.prompts import read_shot
    from masklet_server.evaluation.show import MatteFolder, export_shot
    from masklet_server.media.source import open_clip

    shot = read_shot(prompts)
    spent = _seconds_by_object(seconds or [], {one.name: one.object_id for one in shot.document.objects})
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out.name} cannot be made ({error.strerror}): check the path.") from error
    try:
        reading = shot.reading.typed_over(colour_space=colour, first_frame=first_frame, frame_rate=fps)
    except ValueError as error:
        raise BadInputError(str(error)) from error
    with open_clip(
        clip,
        colour=reading.colour_space,
        first_frame=reading.first_frame,
        frame_rate=reading.frame_rate,
        layer=reading.layer,
        view=reading.view,
    ) as source:
        report = export_shot(
            out,
            video=name,
            source=source,
            document=shot.document,
            mattes=MatteFolder(mattes, shot.document.objects),
            edit_seconds=spent,
            frame_step=step,
            frames=shot.frames,
        )
    typer.echo(
        f"{report.video}: {report.objects} objects, {report.annotated_frames} of {report.frames} frames "
        f"annotated, {report.edited_frames} edited by hand"
    )


def check(data: _Data) -> None:
    """Read every picture and every mask of a data set; exit code 1 when something is wrong."""
    from masklet_server.evaluation.datasets import read_clips
    from masklet_server.evaluation.inspection import find_faults

    clips = read_clips(data)
    faults = 0
    for fault in find_faults(clips):
        typer.echo(fault)
        faults += 1
    typer.echo(f"{len(clips)} sequences, {faults} faults" if faults else f"{len(clips)} sequences, no fault")
    if faults:
        raise typer.Exit(1)


def stats(data: _Data) -> None:
    """Count what is in a data set."""
    from dataclasses import asdict

    from masklet_server.evaluation.datasets import read_clips
    from masklet_server.evaluation.inspection import dataset_stats

    counted = dataset_stats(read_clips(data))
    for key, value in asdict(counted).items():
        shown = "not recorded" if value is None else f"{value:.4g}" if isinstance(value, float) else value
        typer.echo(f"{key}: {shown}")
    if counted.edit_seconds is not None:
        typer.echo(f"edit_seconds_per_frame: {counted.edit_seconds / counted.annotated_frames:.2f}")


def _seconds_by_object(given: list[str], ids: dict[str, int]) -> dict[int, float]:
    from masklet.errors import BadInputError

    spent = {}
    for text in given:
        name, _, value = text.rpartition("=")
        if name not in ids:
            raise BadInputError(f"the shot has no object {name or text}: it has {', '.join(ids)}.")
        try:
            spent[ids[name]] = float(value)
        except ValueError:
            raise BadInputError(f"{value!r} is no time in seconds: give a number.") from None
    return spent
