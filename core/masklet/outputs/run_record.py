"""The record of a run, left beside its mattes."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.deliveries import Delivery, Existing, ExportPlan
from masklet.delivery_folder import DeliveryFolder
from masklet.errors import BadInputError
from masklet.publish.shot_record import (
    ExportsRequest,
    MatteRequest,
    ShotRecord,
    holes_to_json,
    plate_of_clip,
    read_record,
    record_name,
    states_of,
    write_record,
)

if TYPE_CHECKING:
    from typing import Any

    from masklet.matte_files import Exported
    from masklet.outputs.output import Output
    from masklet.prompts import Shot
    from masklet.session import Session
    from masklet.types import CutPolicy

KIND = "record"


def record_plan(plan: ExportPlan) -> ExportPlan:
    """What is noted of the record, beside mattes of which ``plan`` was told."""
    frames, layers = plan.deliveries[0].frames, plan.deliveries[0].layers
    return replace(plan, deliveries=(Delivery(record_name(plan.name), KIND, layers, 0, 0, frames),))


def existing_record(existing: Existing) -> Existing:
    """A longer run of the same prompts goes on in the same files, and its record then tells of all of it."""
    return Existing.UPDATE if existing is Existing.KEEP else existing


def write_run_record(
    session: Session,
    shot: Shot,
    output: Output,
    exported: Exported,
    at_cuts: CutPolicy,
    *,
    beside: tuple[str, ...] | None = None,
) -> Path | None:
    """Write it; None where a server tells too little of what it wrote.

    Args:
        session: That the mattes are of.
        shot: As the clip was opened.
        output: What was written, and where to.
        exported: What came of it.
        at_cuts: As it was tracked.
        beside: For a folder of a host's own, whose record is always written anew: names of other objects
            whose mattes were there before and stay. The record that is there tells of their holes.

    Raises:
        OutputError: It cannot be written.
    """
    plan = exported.plan
    if plan is None or not plan.deliveries or not exported.files:
        return None
    others = beside or ()
    info = session.info()
    frames = shot.frames or info.clip.frames
    extras = output.extras
    record = ShotRecord(
        plate_of_clip(info.clip, _whole_path(shot.clip)),
        MatteRequest(
            frames,
            output.matte_format.value,
            output.raw_edges,
            at_cuts.value,
            (*output.objects, *others),
        ),
        plan.run,
        # Of all objects, whichever are written: the mark is of all of them, and an exclusive one needs the
        # rest.
        replace(shot, document=session.prompts(), frames=frames),
        ExportsRequest(
            extras.tools,
            extras.shapes,
            extras.tolerance_px,
            tuple(kind.value for kind in extras.anchors),
            extras.absence.value,
        ),
        states_of(info),
        (
            *holes_to_json(exported.holes),
            *_holes_beside(output.folder / record_name(plan.name), others),
        ),
    )
    told = record_plan(plan)
    if beside is not None:
        with suppress(OSError):
            (output.folder / told.deliveries[0].files).unlink()
    place = DeliveryFolder(output.folder, told, existing_record(output.existing))
    name = told.deliveries[0].files
    place.about_to_write(name)
    data = write_record(output.folder / name, record)
    place.wrote(name, hashlib.sha256(data).hexdigest())
    place.finish()
    return output.folder / name


def _holes_beside(path: Path, beside: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    if not beside:
        return ()
    try:
        return tuple(hole for hole in read_record(path).holes if hole["object"] in beside)
    except BadInputError:
        # An earlier run that broke off left none.
        return ()


def _whole_path(clip: str) -> str:
    """Where the clip lies on this machine, links followed; empty where it is the server's alone."""
    path = Path(clip).expanduser()
    return (path.parent.resolve() / path.name).as_posix() if path.parent.is_dir() else ""
