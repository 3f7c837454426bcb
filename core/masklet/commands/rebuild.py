"""``masklet rebuild``: the same mattes again, from the record of a run or the manifest of a version alone."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from masklet.anchors import Absence, AnchorKind
from masklet.commands.exits import ExitCode
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
from masklet.commands.progress import Progress
from masklet.commands.shot_request import ShotRequest
from masklet.commands.summary import RunSummary, print_json
from masklet.commands.tracking import track
from masklet.commands.typed import Typed
from masklet.deliveries import Existing
from masklet.errors import BadInputError, WeightsError
from masklet.events import MatteFormat
from masklet.matte_files import prepared_folder
from masklet.matte_settings import CALM_SPAN
from masklet.outputs.extra_exports import ExtraExports
from masklet.outputs.output import Output
from masklet.outputs.writing import check_output, deliver
from masklet.publish.collected import find_records
from masklet.publish.manifest import SUFFIX, read_manifest
from masklet.publish.shot_record import RECORD_SUFFIX, read_record, record_name
from masklet.types import CutPolicy, FrameRange, PromptDocument

if TYPE_CHECKING:
    from collections.abc import Mapping

    from masklet.client import Server
    from masklet.deliveries import ExportPlan
    from masklet.publish.shot_record import ShotRecord


OWN_QUALITY = "own"
"""As the model was trained: what a server of one's own is told whatever the environment says."""


@dataclass(frozen=True)
class Recipe:
    """What is made again.

    Attributes:
        name: First part of file names.
        record: Of the run.
        sha256: Of the mattes as they were published, by file name; empty for a run that was not.
    """

    name: str
    record: ShotRecord
    sha256: Mapping[str, str]


def add_commands(app: typer.Typer) -> None:
    """Register ``rebuild``."""
    app.command()(rebuild)


def rebuild(
    source: Annotated[
        Path, typer.Argument(help=f"A version's folder or its *{SUFFIX}, or a run's *{RECORD_SUFFIX}.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where mattes go; made if need be.")],
    clip: Annotated[
        Optional[str], typer.Option("--clip", metavar="CLIP", help="The plate, where it was moved.")
    ] = None,
    replacing: Annotated[
        bool, typer.Option("--replace", help="Write over what an earlier run left in the folder.")
    ] = False,
    as_json: JsonOption = False,
    weights: WeightsOption = None,
    device: DeviceOption = None,
    server: ServerOption = None,
    token_file: TokenFileOption = None,
    tls_ca: TlsCaOption = None,
) -> None:
    """Make mattes again from the record of a run, and compare them with those that were published.

    masklet rebuild published/shot/v003 --out again
    """
    recipe = read_recipe(source)
    record = recipe.record
    quality = quality_in(record.run.settings)
    plate = clip or record.plate.path or record.shot.clip
    progress = Progress()
    check_clip(plate, server, record.shot.reading)
    output = _output(recipe, out, Existing.REPLACE if replacing else Existing.KEEP)
    at_cuts = CutPolicy(record.mattes.at_cuts)
    tracked_frames = with_calming(record)
    request = ShotRequest(
        plate,
        Typed(PromptDocument()),
        record.shot,
        frames=record.mattes.frames,
        reading=record.shot.reading,
    )
    with (
        prepared_folder(out),
        connect_as_asked(server, token_file, tls_ca, weights, device, quality) as connected,
        open_as_asked(
            connected,
            plate,
            record.shot.reading,
            progress,
            used=used_frames(tracked_frames, record.shot.document),
        ) as session,
    ):
        check_weights(connected, record)
        shot, told = request.on(session.clip)
        for sentence in (*shot.notes, *told):
            progress.say(sentence)
        session.load_prompts(shot.document)
        check_quality(check_output(session, shot, output), quality)
        tracked = track(session, replace(shot, frames=tracked_frames), progress, at_cuts=at_cuts)
        files, holes = deliver(session, shot, output, progress, at_cuts=at_cuts)
        info = session.info()
    summary = RunSummary(info, record.mattes.frames, tracked, holes, (*shot.notes, *told), files)
    for sentence in summary.sentences():
        progress.say(sentence)
    code = summary.exit_code
    if recipe.sha256 and code is ExitCode.DONE:
        other = differing(files.mattes, recipe.sha256)
        count = len(files.mattes)
        if other:
            code = ExitCode.FAILED
            progress.say(
                f"{len(other)} of {count} mattes are not the same bytes as those that were published "
                f"({', '.join(other[:3])}{', …' if len(other) > 3 else ''}): see that the plate and "
                "the device are the same"
            )
        else:
            progress.say(f"all {count} mattes are the same bytes as those that were published")
    if as_json:
        print_json({**summary.as_json(), "ok": code is ExitCode.DONE, "exit_code": int(code)})
    if code:
        raise typer.Exit(int(code))


def read_recipe(source: Path) -> Recipe:
    """What a version's folder, its manifest, or a run's record tells to make.

    Raises:
        BadInputError: It is none of these.
    """
    if source.is_dir() and not list(source.glob(f"*{SUFFIX}")) and (names := find_records(source)):
        source = source / record_name(names[0])
    if source.name.endswith(RECORD_SUFFIX):
        return Recipe(source.name[: -len(RECORD_SUFFIX)], read_record(source), {})
    manifest = read_manifest(source)
    mattes = (part for part in manifest.parts if part.role in ("mattes", "cryptomatte"))
    return Recipe(
        manifest.name,
        manifest.record,
        {file: digest for part in mattes for file, digest in part.sha256.items()},
    )


def with_calming(record: ShotRecord) -> FrameRange:
    """The frames of a run, and those beside them whose masks calmed its first and last mattes.

    As far as all of the run's objects had masks there, in one piece: what had none must get none.
    """
    names = {one.name for one in record.states}

    def had_masks(frame: int) -> bool:
        return bool(names) and names == {one.name for one in record.states if frame in one.frames}

    first, last = record.mattes.frames.first, record.mattes.frames.last
    for _ in range(CALM_SPAN):
        first -= had_masks(first - 1)
        last += had_masks(last + 1)
    return FrameRange(first, last)


def check_weights(server: Server, record: ShotRecord) -> None:
    """Refuse other weights than those of the run: they make other mattes.

    Raises:
        WeightsError: The server has others.
    """
    model = server.info().model
    if record.run.weights_sha256 and model.sha256 != record.run.weights_sha256:
        raise WeightsError(
            f"the mattes were made with {record.run.model} ({record.run.weights_sha256[:12]}…) and the "
            f"server has {model.name} ({model.sha256[:12]}…): give them with --weights, or use a server with "
            "them"
        )


def quality_in(settings: str) -> str:
    """How closely a server looked at pictures, from what it noted of its settings."""
    with suppress(ValueError, TypeError, AttributeError):
        return str(json.loads(settings).get("quality", OWN_QUALITY))
    return OWN_QUALITY


def check_quality(plan: ExportPlan | None, quality: str) -> None:
    """Refuse a server that looks at pictures more or less closely than that of the run: its masks are others.

    Raises:
        BadInputError: It does.
    """
    has = quality if plan is None else quality_in(plan.run.settings)
    if has != quality:
        raise BadInputError(
            f"the mattes were made with the quality {quality} and the server works with {has}: use one that "
            f"was started with --quality {quality}, or leave --server out"
        )


def differing(files: tuple[Path, ...], sha256: Mapping[str, str]) -> list[str]:
    """Names of files that are not the same bytes as those of the same name, or are not there."""
    made = {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    wanted = {Path(name).name: digest for name, digest in sha256.items()}
    return sorted(name for name in {*made, *wanted} if made.get(name) != wanted.get(name))


def _output(recipe: Recipe, out: Path, existing: Existing) -> Output:
    record = recipe.record
    exports = record.exports
    return Output(
        out,
        MatteFormat(record.mattes.matte_format),
        recipe.name,
        record.mattes.raw_edges,
        ExtraExports(
            shapes=exports.shapes,
            tolerance_px=exports.tolerance_px,
            anchors=tuple(map(AnchorKind, exports.anchors)),
            absence=Absence(exports.absence),
            tools=exports.tools,
        ),
        False,
        existing,
        record.mattes.objects,
    )
