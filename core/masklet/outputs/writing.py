"""What a run writes, checked before hours of work and written after them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from masklet.delivery_folder import DeliveryFolder
from masklet.events import OverlayKind
from masklet.exchange.nuke import check_folder
from masklet.exchange.scene import ASSUMED_RATE
from masklet.names import clip_stem
from masklet.outputs.extra_exports import plan_extra_exports, write_extra_exports
from masklet.outputs.files import Files
from masklet.outputs.run_record import existing_record, record_plan, write_run_record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.deliveries import ExportPlan
    from masklet.holes import Hole
    from masklet.outputs.listening import Listener
    from masklet.outputs.output import Output
    from masklet.prompts import Shot
    from masklet.session import Session
    from masklet.types import CutPolicy


def check_output(session: Session, shot: Shot, output: Output) -> ExportPlan | None:
    """See that everything may be written.

    Returns:
        What an export of mattes would write; None where the server is too old to tell.

    Raises:
        ExistingFilesError: Files are there that may not be written over.
        BadInputError: Nuke would take a part of the folder's name for a frame number.
    """
    if "nuke" in output.extras.tools:
        check_folder(output.folder.resolve().as_posix())
    plan = session.check_export(
        output.folder,
        matte_format=output.matte_format,
        overlays=tuple(OverlayKind) if output.overlay else (),
        frames=shot.frames,
        objects=output.objects,
        base_name=output.stem,
        raw_edges=output.raw_edges,
        existing=output.existing,
    )
    if plan is not None:
        DeliveryFolder(output.folder, record_plan(plan), existing_record(output.existing))
    if plan is not None and not output.extras.is_nothing:
        extras = plan_extra_exports(
            session, output.extras, plan, raw_edges=output.raw_edges, objects=output.objects
        )
        DeliveryFolder(output.folder, extras, output.existing)
    return plan


def deliver(
    session: Session, shot: Shot, output: Output, progress: Listener, *, at_cuts: CutPolicy
) -> tuple[Files, tuple[Hole, ...]]:
    """Write what was asked for, and the record of the run; the frames without a matte come with it."""
    exported = session.export(
        output.folder,
        matte_format=output.matte_format,
        frames=shot.frames,
        objects=output.objects,
        base_name=output.stem,
        raw_edges=output.raw_edges,
        existing=output.existing,
        on_progress=progress.writing,
        on_look=progress.looking,
    )
    exports: tuple[Path, ...] = ()
    if not output.extras.is_nothing:
        exports = write_extra_exports(
            session,
            output.extras,
            output.folder,
            frames=shot.frames,
            name=output.stem or clip_stem(session.clip.name),
            mattes=exported,
            raw_edges=output.raw_edges,
            existing=output.existing,
            objects=output.objects,
            progress=progress,
        )
    overlays = [
        file
        for kind in (OverlayKind if output.overlay and exported.files else ())
        for file in session.export_overlay(
            output.folder,
            kind=kind,
            frames=shot.frames,
            objects=output.objects,
            base_name=output.stem,
            existing=output.existing,
            on_progress=progress.writing,
        ).files
    ]
    counting = assuming_a_rate(output, overlays)
    if counting and session.clip.frames_per_s is None:
        progress.say(
            f"nothing says how many frames a second the clip has: {counting} count {ASSUMED_RATE:g}; "
            "give the rate with --fps"
        )
    record = write_run_record(session, shot, output, exported, at_cuts)
    return Files(exported.files, exports, tuple(overlays), exported.removed, record=record), exported.holes


def assuming_a_rate(output: Output, overlays: Sequence[Path]) -> str:
    """What of a run's files has times in it, in words; empty for none."""
    words = {"ae": "files for After Effects", "otio": "files for OpenTimelineIO"}
    found = [word for tool, word in words.items() if tool in output.extras.tools]
    return " and ".join([*found, *(["the movie to look at"] if overlays else [])])
