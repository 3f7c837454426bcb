"""The record of a plate's run beside mattes that a host keeps for its nodes: what publishing reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.anchors import Absence
from masklet.deliveries import Existing
from masklet.matte_files import Exported
from masklet.outputs.extra_exports import ExtraExports
from masklet.outputs.output import Output
from masklet.outputs.run_record import write_run_record
from masklet.prompts import PlateShape, Shot
from masklet.types import CutPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.events import MatteFormat
    from masklet.hosting.matte_folders import Delivered
    from masklet.hosting.work.plate_session import PlateSession
    from masklet.types import FrameRange


def shot_of(plate: PlateSession, frames: FrameRange | None) -> Shot:
    """The plate and all that is said of it, as its session has them now; None is the whole plate."""
    session, request = plate.session, plate.request
    clip = session.clip
    return Shot(
        request.plate.path,
        session.prompts(),
        frames=frames,
        reading=request.plate.reading,
        plate=PlateShape(clip.display_width_px, clip.display_height_px, clip.frames),
    )


def keep_record(
    plate: PlateSession,
    delivered: Delivered,
    exports: Sequence[Exported],
    *,
    uids: Sequence[str],
    matte_format: MatteFormat,
) -> None:
    """Leave the record beside mattes that came to their place; nothing where the server told too little.

    Args:
        plate: The plate.
        delivered: Where they lie.
        exports: What made them, all of one run.
        uids: Of the objects that were asked for.
        matte_format: What files hold them.

    Raises:
        OutputError: It cannot be written; the mattes stay.
    """
    plans = [exported.plan for exported in exports if exported.plan is not None]
    if len(plans) < len(exports) or len({plan.run for plan in plans}) != 1:
        return
    known = set(plate.uids().values())
    output = Output(
        delivered.folder,
        matte_format,
        plans[0].name,
        raw_edges=False,
        extras=ExtraExports(False, 1.0, (), Absence.HOLD, ()),
        overlay=False,
        existing=Existing.UPDATE,
        objects=tuple(plate.object(uid).name for uid in uids),
    )
    whole = Exported(
        tuple(file for exported in exports for file in exported.files),
        holes=tuple(hole for exported in exports for hole in exported.holes),
        plan=replace(plans[0], deliveries=tuple(each for plan in plans for each in plan.deliveries)),
    )
    beside = tuple(plate.object(uid).name for uid in delivered.beside if uid in known)
    write_run_record(plate.session, shot_of(plate, None), output, whole, CutPolicy.STOP, beside=beside)
