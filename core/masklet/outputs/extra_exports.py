"""Shapes, anchors and files for other tools, beside mattes."""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from masklet.anchors import Absence, AnchorKind
from masklet.deliveries import Delivery, Existing, ExportPlan, RunMark
from masklet.delivery_folder import DeliveryFolder
from masklet.errors import OutputError
from masklet.exchange.files import SHAPE_TOOLS, exchange_files, file_names
from masklet.exchange.gap_words import anchor_gaps, shape_gaps
from masklet.exchange.record import Outcome, record_of
from masklet.exchange.redrawing import rule_of
from masklet.exchange.scene import ExchangeScene, MatteSequence
from masklet.frame_runs import counted, part_in, runs_of
from masklet.interpolation import Interpolation
from masklet.types import FrameRange

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from masklet.anchors import AnchorTrack
    from masklet.matte_files import Exported
    from masklet.outputs.listening import Listener
    from masklet.session import Session
    from masklet.shapes import ObjectShapes
    from masklet.types import StateRange

_FRAME_FIELD = re.compile(r"\.(-?\d{3,})\.(\w+)$")
DEFAULT_TOOL = "json"
"""Whom shapes and anchors are written for where nobody says."""


@dataclass(frozen=True)
class ExtraExports:
    """What is wanted besides mattes.

    Attributes:
        shapes: Fit shapes to every object.
        tolerance_px: How far they may lie from the matte's edge.
        anchors: Kinds of anchors, for every object.
        absence: What they do while their object is not seen.
        tools: Whom to write for.
    """

    shapes: bool
    tolerance_px: float
    anchors: tuple[AnchorKind, ...]
    absence: Absence
    tools: tuple[str, ...]

    @property
    def curves(self) -> tuple[Interpolation, ...]:
        """How the tools that get shapes draw between keys: the shapes are fitted under each."""
        rules = [rule_of(tool) for tool in self.tools if tool in SHAPE_TOOLS]
        return tuple(dict.fromkeys(rules or [Interpolation.LINEAR])) if self.shapes else ()

    @property
    def is_nothing(self) -> bool:
        """True when mattes are all that is wanted."""
        return not (self.shapes or self.anchors or self.tools)


def plan_extra_exports(
    session: Session,
    extras: ExtraExports,
    mattes: ExportPlan,
    *,
    raw_edges: bool,
    objects: Collection[str] = (),
) -> ExportPlan:
    """What :func:`write_extra_exports` may write.

    Args:
        session: With all its objects.
        extras: What is wanted.
        mattes: What was said of the mattes: the same run, range and name.
        raw_edges: Whether edges are as the network gave them.
        objects: Names; none given means all.
    """
    names = tuple(item.name for item in session.objects() if not objects or item.name in objects)
    anchors = [f"{item}_{kind.value}" for item in names for kind in extras.anchors]
    settings = {
        "mattes": mattes.run.settings,
        "tolerance_px": extras.tolerance_px if extras.shapes else None,
        "anchors": [kind.value for kind in extras.anchors],
        "absence": extras.absence.value,
        "raw_edges": raw_edges,
    }
    frames = mattes.deliveries[0].frames
    deliveries = tuple(
        Delivery(file, tool, names, 0, 0, frames)
        for file, tool in file_names(
            extras.tools, name=mattes.name, shapes=extras.shapes, anchors=anchors
        ).items()
    )
    run = replace(mattes.run, settings=json.dumps(settings, sort_keys=True))
    return ExportPlan(mattes.name, run, deliveries)


def write_extra_exports(
    session: Session,
    extras: ExtraExports,
    folder: Path,
    *,
    frames: FrameRange | None,
    name: str,
    mattes: Exported,
    raw_edges: bool = False,
    existing: Existing = Existing.KEEP,
    objects: Collection[str] = (),
    progress: Listener,
) -> tuple[Path, ...]:
    """Make what is wanted of every object with a mask and write it into ``folder``.

    Args:
        session: Tracked.
        extras: What is wanted.
        folder: Where to.
        frames: None for the whole clip.
        name: First part of file names.
        mattes: What was exported already.
        raw_edges: They have edges as the network gave them, and so shall the shapes.
        existing: What becomes of files that are there.
        objects: Names; none given means all.
        progress: Told what goes on.

    Raises:
        ExistingFilesError: A file is there that may not be written over.
        OutputError: A file cannot be written.
    """
    info = session.info()
    seen = {state.object_id for state in info.states if frames is None or part_in(state.frames, frames)}
    # Keys that hold for one curve hardly hold for another: each gets a fit of its own.
    shapes: dict[Interpolation, list[ObjectShapes]] = {curve: [] for curve in extras.curves}
    anchors: list[AnchorTrack] = []
    for item in session.objects():
        if objects and item.name not in objects:
            continue
        if item.object_id not in seen:
            progress.say(f"{item.name} has no mask: no shapes and no anchors of it")
            continue
        for curve, fitted in shapes.items():
            made = session.shapes(
                item,
                tolerance_px=extras.tolerance_px,
                frames=frames,
                raw_edges=raw_edges,
                interpolation=curve,
                on_look=progress.looking,
            )
            fitted.append(made)
            report = made.report
            progress.say(
                f"{item.name}: {len(made.pieces)} shapes, {report.vertices} vertices, "
                f"{report.keyframes} keys on {counted(report.frames)}, IoU {report.mean_iou:.3f} "
                f"(worst {report.worst_iou:.3f}); {report.interpolation.words} at most "
                f"{report.largest_between_keys_px:.2f} px off on frames without a key"
            )
            if (gaps := shape_gaps(made)) and curve is extras.curves[0]:
                progress.say(f"{item.name}: {gaps}")
        for kind in extras.anchors:
            track = session.anchor(item, kind, frames=frames, absence=extras.absence)
            anchors.append(track)
            gaps = anchor_gaps(track)
            progress.say(f"{track.name}: {counted(len(track.keys))}" + (f"; {gaps}" if gaps else ""))
    scene = ExchangeScene(
        clip=info.clip,
        anchors=tuple(anchors),
        mattes=matte_sequences(mattes),
        holes=mattes.holes,
        states=_inside(info.states, frames),
        object_names=tuple((item.object_id, item.name) for item in info.objects),
    )
    files: dict[str, str] = {}
    for tool in extras.tools:
        fitted = shapes.get(rule_of(tool)) or next(iter(shapes.values()), [])
        own = replace(scene, shapes=tuple(fitted))
        files.update(exchange_files(own, [tool], name=name))
        for entry in record_of(own, tool):
            if entry.outcome is not Outcome.KEPT:
                progress.say(f"for {tool}: {entry.sentence}")
    told = mattes.plan or ExportPlan(name, RunMark(), (_unknown(frames or session.clip.frames),))
    plan = replace(plan_extra_exports(session, extras, told, raw_edges=raw_edges, objects=objects), name=name)
    place = DeliveryFolder(folder, plan, existing)
    written = []
    for file, text in files.items():
        place.about_to_write(file)
        written.append(_write(folder / file, text))
        place.wrote(file, hashlib.sha256(text.encode()).hexdigest())
    place.finish()
    return tuple(written)


def _unknown(frames: FrameRange) -> Delivery:
    """What a server that tells no plan would have said of its mattes."""
    return Delivery("", "", (), 0, 0, frames)


def matte_sequences(exported: Exported) -> tuple[MatteSequence, ...]:
    """The sequences that an export wrote, with the frames that have files."""
    told = exported.plan.deliveries if exported.plan is not None else ()
    about = {PurePosixPath(item.files).name: item for item in told}
    found: dict[tuple[str, str], list[int]] = {}
    for file in exported.files:
        match = _FRAME_FIELD.search(file.name)
        if match is not None:
            names = f"{file.name[: match.start()]}.%04d.{match[2]}"
            found.setdefault((file.resolve().parent.as_posix(), names), []).append(int(match[1]))
    sequences = []
    for (folder, names), frames in found.items():
        item = about.get(names)
        layers, kind = (item.layers, item.kind) if item is not None else ((), Path(names).suffix[1:])
        sequences.append(MatteSequence(folder, names, runs_of(frames), layers, kind))
    return tuple(sequences)


def _write(file: Path, text: str) -> Path:
    temporary = file.with_name(f".{file.name}.{uuid.uuid4().hex}")
    try:
        try:
            temporary.write_bytes(text.encode("utf-8"))
            temporary.replace(file)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{file} cannot be written ({error.strerror}): check folder, rights and space"
        ) from error
    return file


def _inside(states: Sequence[StateRange], frames: FrameRange | None) -> tuple[StateRange, ...]:
    """What of the states lies in the range: what was not exported is not mentioned."""
    if frames is None:
        return tuple(states)
    parts = ((state, part_in(state.frames, frames)) for state in states)
    return tuple(replace(state, frames=part) for state, part in parts if part is not None)
