"""The record of a run, left beside its mattes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.deliveries import Delivery, Existing, ExportPlan
from masklet.delivery_folder import DeliveryFolder
from masklet.publish.shot_record import (
    ExportsRequest,
    MatteRequest,
    ShotRecord,
    holes_to_json,
    plate_of_clip,
    record_name,
    states_of,
    write_record,
)

if TYPE_CHECKING:
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
    session: Session, shot: Shot, output: Output, exported: Exported, at_cuts: CutPolicy
) -> Path | None:
    """Write it; None where a server tells too little of what it wrote.

    Raises:
        OutputError: It cannot be written.
    """
    plan = exported.plan
    if plan is None or not plan.deliveries or not exported.files:
        return None
    info = session.info()
    frames = shot.frames or info.clip.frames
    extras = output.extras
    record = ShotRecord(
        plate_of_clip(info.clip, _whole_path(shot.clip)),
        MatteRequest(
            frames, output.matte_format.value, output.raw_edges, at_cuts.value, tuple(output.objects)
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
        holes_to_json(exported.holes),
    )
    told = record_plan(plan)
    place = DeliveryFolder(output.folder, told, existing_record(output.existing))
    name = told.deliveries[0].files
    place.about_to_write(name)
    data = write_record(output.folder / name, record)
    place.wrote(name, hashlib.sha256(data).hexdigest())
    place.finish()
    return output.folder / name


def _whole_path(clip: str) -> str:
    """Where the clip lies on this machine, links followed; empty where it is the server's alone."""
    path = Path(clip).expanduser()
    return (path.parent.resolve() / path.name).as_posix() if path.parent.is_dir() else ""
