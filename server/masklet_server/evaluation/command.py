"""``masklet-server evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet_server.evaluation import frames_command
from masklet_server.evaluation.dataset_command import add_dataset_commands
from masklet_server.evaluation.find_command import evaluate_find
from masklet_server.evaluation.finetune_command import finetune
from masklet_server.evaluation.presence_command import evaluate_presence

if TYPE_CHECKING:
    from rich.table import Table

    from masklet_server.evaluation.report import ClipReport, Report
    from masklet_server.evaluation.scores import Figures
    from masklet_server.evaluation.sheet import Tile

_WEAKNESSES = "occlusion, exit, crowd, look-alike, camera, cut, thin or long"
_PROTOCOLS = "mask, box, click, 3clicks, 5clicks, offline, online or image"


def add_commands(app: typer.Typer) -> None:
    """Add the commands of this package to the server's command line."""
    app.command("evaluate")(evaluate)
    app.command("evaluate-presence")(evaluate_presence)
    app.command("evaluate-find")(evaluate_find)
    app.command("finetune")(finetune)
    frames_command.add_commands(app)
    add_dataset_commands(app)


def evaluate(
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of annotated sequences: DAVIS, YouTube-VOS, MOSE, LVOS, SA-V."),
    ] = None,
    protocol: Annotated[str, typer.Option(help=f"What is prompted: {_PROTOCOLS}.")] = "mask",
    weights: Annotated[str, typer.Option(help="Name in the weight store, or a file.")] = "masklet_embedded",
    limit: Annotated[
        int | None, typer.Option(help="Frames (images: annotated frames) of each sequence.")
    ] = None,
    sequences: Annotated[str, typer.Option(help="Only these, separated by commas.")] = "",
    without: Annotated[str, typer.Option(help="All but these, separated by commas.")] = "",
    split: Annotated[str | None, typer.Option(help="Only the data set's own list, such as val.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write all figures to this file.")] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Write a picture of the worst frames to this PNG.")
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option(help="Images: a report of --json, of --protocol offline say, for the same table."),
    ] = None,
    side: Annotated[int | None, typer.Option(help="Side of the network's input in pixels.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, …")] = "auto",
    profile: Annotated[str, typer.Option(help="editor, reference or benchmark.")] = "editor",
    jobs: Annotated[int, typer.Option(help="Processes, each with a network of its own.")] = 1,
    baselines: Annotated[bool, typer.Option(help="Measure copying and optical flow too.")] = True,
    flicker: Annotated[bool, typer.Option(help="Measure flicker too (slow).")] = False,
    refined: Annotated[
        bool, typer.Option("--refined", help="Judge mattes as exports write them (slow); tracking only.")
    ] = False,
    hard: Annotated[
        bool, typer.Option("--hard", help="Measure on generated clips of what is hard, in place of --data.")
    ] = False,
    policies: Annotated[
        str, typer.Option(help="Hard clips: what to compare, separated by commas.")
    ] = "editor,reference",
    weaknesses: Annotated[
        str, typer.Option(help=f"Hard clips: only these, separated by commas: {_WEAKNESSES}.")
    ] = "",
    clips_each: Annotated[int, typer.Option("--clips", help="Hard clips: how many of each weakness.")] = 4,
    seed: Annotated[int, typer.Option(help="Hard clips: another one gives others.")] = 1,
    photographs: Annotated[
        Path | None,
        typer.Option(help="Hard clips: take things and grounds from this folder, as `material pack` does."),
    ] = None,
) -> None:
    """Measure how good weights are on annotated sequences, or hard clips, beside two baselines."""
    from functools import partial

    from rich.console import Console

    from masklet.errors import BadInputError
    from masklet_server.evaluation.datasets import open_dataset
    from masklet_server.evaluation.evaluator import Assignment, evaluate_clips
    from masklet_server.evaluation.hard_command import HardAssignment, evaluate_hard
    from masklet_server.evaluation.image_table import image_table, read_beside
    from masklet_server.evaluation.protocols import ProtocolName
    from masklet_server.evaluation.report import Report, measured_with, write_json
    from masklet_server.evaluation.sheet import write_sheet
    from masklet_server.evaluation.trackers import network_trackers

    if hard:
        evaluate_hard(
            HardAssignment(
                weights=weights,
                policies=_names(policies),
                weaknesses=_names(weaknesses),
                clips=clips_each,
                frames=limit or 5000,
                seed=seed,
                photographs=photographs,
                side_px=side,
                device=device,
                baselines=baselines,
                flicker=flicker,
                json_file=json_file,
                sheet=sheet,
            )
        )
        return
    if data is None:
        raise BadInputError("there is nothing to measure on: name a folder with --data, or give --hard.")
    console = Console()
    if protocol not in [name.value for name in ProtocolName]:
        raise BadInputError(f"there is no protocol {protocol}: it is one of {_PROTOCOLS}.")
    name = ProtocolName(protocol)
    on_images = name is ProtocolName.IMAGE
    if refined and on_images:
        raise BadInputError("edges are refined on tracked frames: --refined has no place with images.")
    if beside is not None and not on_images:
        raise BadInputError("--beside is for --protocol image: it puts other figures into its table")
    others = None if beside is None else read_beside(beside, data.name)
    clips = open_dataset(
        data,
        sequences=_names(sequences),
        without=_names(without),
        split=split,
        frame_limit=None if on_images else limit,
    )
    assignment = Assignment(
        name,
        images=limit if on_images else None,
        baselines=baselines,
        flicker=flicker,
        tiles=sheet is not None,
        refined=refined,
    )
    load = partial(
        network_trackers,
        weights,
        profile=profile,
        side_px=side,
        device=device,
        keep_features=name is ProtocolName.OFFLINE,
    )
    reports: list[ClipReport] = []
    tiles: list[Tile] = []
    with console.status("loading the network") as status:
        for report, worst in evaluate_clips(clips, assignment, load, jobs=jobs):
            reports.append(report)
            tiles += worst
            status.update(f"{len(reports)} of {len(clips)} sequences, last: {report.name}")
    result = Report(data.name, protocol, Path(weights).name, tuple(reports), refined)
    console.print(image_table(result, others) if on_images else _table(result))
    for line in _remarks(result):
        console.print(line)
    if json_file is not None:
        write_json(json_file, {**result.as_json(), **measured_with(weights)})
    if sheet is not None and tiles:
        write_sheet(sheet, sorted(tiles, key=lambda tile: tile.j))


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _table(report: Report) -> Table:
    from rich.table import Table

    from masklet_server.evaluation.scores import figures

    table = Table(title=f"{report.data}, {report.protocol}, {report.weights}")
    table.add_column("sequence", no_wrap=True)
    baselines = report.baselines()
    flicker = any(clip.flicker is not None for clip in report.clips)
    headings = ["J", "F", "J&F", "edge px", "frames/s"]
    headings += ["flicker", "of truth"] if flicker else []
    for heading in (*headings, *baselines):
        table.add_column(heading, justify="right")
    for clip in report.clips:
        cells = _cells(figures(clip.outcome.objects), clip.frames_per_s)
        if flicker:
            cells += [f"{value:.1f}" for value in clip.flicker] if clip.flicker else ["", ""]
        cells += [
            f"{figures(list(clip.baselines[name])).j_and_f:.1f}" if clip.baselines.get(name) else ""
            for name in baselines
        ]
        table.add_row(clip.name, *cells)
    table.add_section()
    last = _cells(report.overall, report.frames_per_s) + ([""] * 2 if flicker else [])
    table.add_row("overall", *last, *(f"{value.j_and_f:.1f}" for value in baselines.values()), style="bold")
    return table


def _cells(value: Figures, frames_per_s: float) -> list[str]:
    edge = "" if value.boundary_error_px is None else f"{value.boundary_error_px:.1f}"
    return [f"{value.j:.1f}", f"{value.f:.1f}", f"{value.j_and_f:.1f}", edge, f"{frames_per_s:.1f}"]


def _remarks(report: Report) -> list[str]:
    from masklet_server.evaluation.interaction import SA_V_SECONDS_PER_FRAME

    lines = [f"Convention: {report.convention}."]
    if report.baselines():
        lines.append("copy, flow: J&F of the first true mask copied, and warped by DIS optical flow.")
    if rounds := report.rounds():
        lines.append("J&F by interacted frames: " + ", ".join(f"{value:.1f}" for value in rounds))
    if (seconds := report.annotation_s_per_frame()) is not None:
        known = ", ".join(f"{name} {value}" for name, value in SA_V_SECONDS_PER_FRAME.items())
        lines.append(f"An annotator would need {seconds:.2f} s a frame (SA-V took: {known}).")
    if ious := report.iou_after_clicks():
        lines.append(
            "mIoU: " + ", ".join(f"{value:.1f} after {clicks}" for clicks, value in ious.items()) + " clicks"
        )
    return lines
