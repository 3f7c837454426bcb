"""Wire messages of long calls, and of what is asked of exports, to values and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet import state_codec
from masklet.deliveries import Delivery, Existing, ExportPlan, RunMark
from masklet.errors import BadInputError, ServerFaultError
from masklet.events import (
    EditKind,
    ExportEvent,
    ExportFinished,
    ExportProgress,
    FileChunk,
    FileWritten,
    MatteFormat,
    OverlayKind,
    TrackEvent,
    TrackFinished,
    TrackStarted,
    Waiting,
)
from masklet.holes import Hole, HoleReason
from masklet.mask_codec import update_from_wire, update_to_wire
from masklet.state_codec import range_from_wire, range_to_wire
from masklet.types import MaskUpdate
from masklet.v1 import export_pb2, prompt_pb2, track_pb2, values_pb2

if TYPE_CHECKING:
    from masklet.mask_codec import GetShared

_FORMAT_TO_WIRE = {
    MatteFormat.EXR_LAYERS: export_pb2.MATTE_FORMAT_EXR_LAYERS,
    MatteFormat.EXR_PER_OBJECT: export_pb2.MATTE_FORMAT_EXR_PER_OBJECT,
    MatteFormat.CRYPTOMATTE: export_pb2.MATTE_FORMAT_CRYPTOMATTE,
    MatteFormat.PNG8: export_pb2.MATTE_FORMAT_PNG8,
    MatteFormat.PNG16: export_pb2.MATTE_FORMAT_PNG16,
}
_FORMAT_FROM_WIRE = {
    export_pb2.MATTE_FORMAT_UNSPECIFIED: MatteFormat.EXR_LAYERS,
    **{wire: value for value, wire in _FORMAT_TO_WIRE.items()},
}
_OVERLAY_TO_WIRE = {
    OverlayKind.MOVIE: export_pb2.OVERLAY_KIND_MOVIE,
    OverlayKind.SHEET: export_pb2.OVERLAY_KIND_SHEET,
}
_OVERLAY_FROM_WIRE = {
    export_pb2.OVERLAY_KIND_UNSPECIFIED: OverlayKind.MOVIE,
    **{wire: value for value, wire in _OVERLAY_TO_WIRE.items()},
}
_REASON_TO_WIRE = {
    HoleReason.BEHIND_CUT: export_pb2.HOLE_REASON_BEHIND_CUT,
    HoleReason.NOT_TRACKED: export_pb2.HOLE_REASON_NOT_TRACKED,
    HoleReason.NOT_PROMPTED: export_pb2.HOLE_REASON_NOT_PROMPTED,
    HoleReason.NO_PICTURE: export_pb2.HOLE_REASON_NO_PICTURE,
    HoleReason.UNREADABLE: export_pb2.HOLE_REASON_UNREADABLE,
    HoleReason.REMOVED: export_pb2.HOLE_REASON_REMOVED,
}
_REASON_FROM_WIRE = {wire: value for value, wire in _REASON_TO_WIRE.items()}
_EXISTING_TO_WIRE = {
    Existing.KEEP: export_pb2.EXISTING_KEEP,
    Existing.REPLACE: export_pb2.EXISTING_REPLACE,
    Existing.UPDATE: export_pb2.EXISTING_UPDATE,
}
_EXISTING_FROM_WIRE = {
    export_pb2.EXISTING_UNSPECIFIED: Existing.KEEP,
    **{wire: value for value, wire in _EXISTING_TO_WIRE.items()},
}
_EDIT_TO_WIRE = {
    EditKind.PROMPTS: prompt_pb2.EDIT_KIND_PROMPTS,
    EditKind.ADD_OBJECT: prompt_pb2.EDIT_KIND_ADD_OBJECT,
    EditKind.REMOVE_OBJECT: prompt_pb2.EDIT_KIND_REMOVE_OBJECT,
    EditKind.RENAME_OBJECT: prompt_pb2.EDIT_KIND_RENAME_OBJECT,
    EditKind.LOCKS: prompt_pb2.EDIT_KIND_LOCKS,
    EditKind.MATTE: prompt_pb2.EDIT_KIND_MATTE,
    EditKind.POLICY: prompt_pb2.EDIT_KIND_POLICY,
    EditKind.DOCUMENT: prompt_pb2.EDIT_KIND_DOCUMENT,
}
_EDIT_FROM_WIRE = {wire: value for value, wire in _EDIT_TO_WIRE.items()}


def edit_kind_to_wire(kind: EditKind) -> prompt_pb2.EditKind.ValueType:
    """The number of a kind of edit."""
    return _EDIT_TO_WIRE[kind]


def edit_kind_from_wire(number: prompt_pb2.EditKind.ValueType) -> EditKind:
    """The kind of edit of a number; unspecified is one of prompts."""
    return _EDIT_FROM_WIRE.get(number, EditKind.PROMPTS)


def track_event_to_wire(event: TrackEvent, *, bits: bool = False) -> track_pb2.TrackResponse:
    """The message of one event of a track; ``bits`` as in :func:`masklet.mask_codec.mask_to_wire`."""
    if isinstance(event, TrackStarted):
        started = track_pb2.TrackStarted(
            steps=event.steps, updates=event.updates, missing_frames=event.missing_frames
        )
        return track_pb2.TrackResponse(started=started)
    if isinstance(event, MaskUpdate):
        return track_pb2.TrackResponse(update=update_to_wire(event, bits=bits))
    if isinstance(event, Waiting):
        return track_pb2.TrackResponse(waiting=waiting_to_wire(event))
    finished = track_pb2.TrackFinished(
        steps=event.steps,
        updates=event.updates,
        cancelled=event.cancelled,
        cuts=event.cuts,
        unreadable=[state_codec.unreadable_to_wire(each) for each in event.unreadable],
    )
    return track_pb2.TrackResponse(finished=finished)


def track_event_from_wire(message: track_pb2.TrackResponse, get: GetShared | None = None) -> TrackEvent:
    """The event in a message; ``get`` as in :func:`masklet.mask_codec.mask_from_wire`.

    Raises:
        ServerFaultError: The message holds no event.
    """
    kind = message.WhichOneof("event")
    if kind == "started":
        started = message.started
        return TrackStarted(started.steps, started.updates, tuple(started.missing_frames))
    if kind == "update":
        return update_from_wire(message.update, get)
    if kind == "waiting":
        return waiting_from_wire(message.waiting)
    if kind == "finished":
        finished = message.finished
        return TrackFinished(
            finished.steps,
            finished.updates,
            cancelled=finished.cancelled,
            cuts=tuple(finished.cuts),
            unreadable=tuple(state_codec.unreadable_from_wire(each) for each in finished.unreadable),
        )
    raise ServerFaultError("the server sent an event that this version does not know: update masklet")


def track_events_from_wire(
    message: track_pb2.TrackResponse, get: GetShared | None = None
) -> tuple[TrackEvent, ...]:
    """All that a message tells: as :func:`track_event_from_wire`, and masks that came with it."""
    return (track_event_from_wire(message, get), *(update_from_wire(more, get) for more in message.more))


def waiting_to_wire(waiting: Waiting) -> values_pb2.Waiting:
    """The message of a place in a queue."""
    return values_pb2.Waiting(place=waiting.place, expected_s=waiting.expected_s or 0.0)


def waiting_from_wire(message: values_pb2.Waiting) -> Waiting:
    """The place in a message."""
    return Waiting(message.place, message.expected_s or None)


def matte_format_to_wire(matte_format: MatteFormat) -> export_pb2.MatteFormat.ValueType:
    """The number of a matte format."""
    return _FORMAT_TO_WIRE[matte_format]


def matte_format_from_wire(number: export_pb2.MatteFormat.ValueType) -> MatteFormat:
    """The matte format of a number; unspecified is one multi-layer EXR per frame."""
    if number not in _FORMAT_FROM_WIRE:
        raise BadInputError(f"{number} is not a matte format that this version knows: update masklet")
    return _FORMAT_FROM_WIRE[number]


def overlay_kind_to_wire(kind: OverlayKind) -> export_pb2.OverlayKind.ValueType:
    """The number of a kind of overlay."""
    return _OVERLAY_TO_WIRE[kind]


def overlay_kind_from_wire(number: export_pb2.OverlayKind.ValueType) -> OverlayKind:
    """The kind of overlay of a number; unspecified is a movie."""
    if number not in _OVERLAY_FROM_WIRE:
        raise BadInputError(f"{number} is not a kind of overlay that this version knows: update masklet")
    return _OVERLAY_FROM_WIRE[number]


def existing_to_wire(existing: Existing) -> export_pb2.Existing.ValueType:
    """The number of a way with files that are there."""
    return _EXISTING_TO_WIRE[existing]


def existing_from_wire(number: export_pb2.Existing.ValueType) -> Existing:
    """The way with files that are there of a number; unspecified keeps them."""
    if number not in _EXISTING_FROM_WIRE:
        raise BadInputError(f"{number} is not a way with files that this version knows: update masklet")
    return _EXISTING_FROM_WIRE[number]


def export_event_to_wire(event: ExportEvent) -> export_pb2.ExportEvent:
    """The message of one event of an export."""
    if isinstance(event, ExportPlan):
        return export_pb2.ExportEvent(started=_plan_to_wire(event))
    if isinstance(event, ExportProgress):
        progress = export_pb2.ExportProgress(
            frames_done=event.frames_done, frames_total=event.frames_total, looking_at=event.looking_at or ""
        )
        return export_pb2.ExportEvent(progress=progress)
    if isinstance(event, FileWritten):
        written = export_pb2.FileWritten(relative_name=event.relative_name, size_bytes=event.size_bytes)
        return export_pb2.ExportEvent(written=written)
    if isinstance(event, FileChunk):
        chunk = export_pb2.FileChunk(
            relative_name=event.relative_name, data=event.data, size_bytes=event.size_bytes, last=event.last
        )
        return export_pb2.ExportEvent(chunk=chunk)
    finished = export_pb2.ExportFinished(
        files=event.files,
        empty_frames=event.empty_frames,
        holes=[_hole_to_wire(hole) for hole in event.holes],
        removed=event.removed,
    )
    return export_pb2.ExportEvent(finished=finished)


def export_event_from_wire(message: export_pb2.ExportEvent) -> ExportEvent:
    """The event in a message.

    Raises:
        ServerFaultError: The message holds no event.
    """
    kind = message.WhichOneof("event")
    if kind == "progress":
        progress = message.progress
        return ExportProgress(progress.frames_done, progress.frames_total, progress.looking_at or None)
    if kind == "written":
        return FileWritten(message.written.relative_name, message.written.size_bytes)
    if kind == "chunk":
        chunk = message.chunk
        return FileChunk(chunk.relative_name, chunk.data, chunk.size_bytes, chunk.last)
    if kind == "finished":
        finished = message.finished
        holes = tuple(_hole_from_wire(hole) for hole in finished.holes)
        removed = tuple(finished.removed)
        return ExportFinished(finished.files, tuple(finished.empty_frames), holes, removed)
    if kind == "started":
        return _plan_from_wire(message.started)
    raise ServerFaultError("the server sent an event that this version does not know: update masklet")


def _hole_to_wire(hole: Hole) -> export_pb2.Hole:
    return export_pb2.Hole(
        object_id=hole.object_id,
        object_name=hole.object_name,
        frames=range_to_wire(hole.frames),
        reason=_REASON_TO_WIRE[hole.reason],
        cut=hole.cut,
    )


def _hole_from_wire(message: export_pb2.Hole) -> Hole:
    return Hole(
        message.object_id,
        message.object_name,
        range_from_wire(message.frames),
        # A later server may know more reasons.
        _REASON_FROM_WIRE.get(message.reason, HoleReason.NOT_TRACKED),
        message.cut if message.HasField("cut") else None,
    )


def _plan_to_wire(plan: ExportPlan) -> export_pb2.ExportStarted:
    run = plan.run
    return export_pb2.ExportStarted(
        name=plan.name,
        run=export_pb2.RunMark(
            prompts_sha256=run.prompts_sha256,
            model=run.model,
            weights_sha256=run.weights_sha256,
            settings=run.settings,
        ),
        deliveries=[
            export_pb2.Delivery(
                files=item.files,
                kind=item.kind,
                layers=item.layers,
                width_px=item.width_px,
                height_px=item.height_px,
                frames=range_to_wire(item.frames),
            )
            for item in plan.deliveries
        ],
        checked=plan.checked,
    )


def _plan_from_wire(message: export_pb2.ExportStarted) -> ExportPlan:
    run = message.run
    return ExportPlan(
        message.name,
        RunMark(run.prompts_sha256, run.model, run.weights_sha256, run.settings),
        tuple(
            Delivery(
                item.files,
                item.kind,
                tuple(item.layers),
                item.width_px,
                item.height_px,
                range_from_wire(item.frames),
            )
            for item in message.deliveries
        ),
        message.checked,
    )
