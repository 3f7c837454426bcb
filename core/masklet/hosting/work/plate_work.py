"""Long work on a plate's session: track, fetch masks, write mattes, fit splines, follow with an anchor.

Each is a generator for a job's thread: the session is brought up to date first, then events are told.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.errors import CancelledError, MaskletError
from masklet.events import MatteFormat, TrackFinished, TrackStarted, Waiting
from masklet.hosting.matte_folders import Delivery
from masklet.hosting.notices import LessHeldError
from masklet.hosting.plate_files import fingerprint_of
from masklet.hosting.shown.overlay_masks import pack, packed_for_overlay
from masklet.hosting.work.plate_events import (
    Ended,
    Event,
    FinishedCame,
    MaskCame,
    Planned,
    ResultCame,
    TrackRequest,
)
from masklet.hosting.work.plate_session import PlateSession
from masklet.hosting.work.shot_records import keep_record
from masklet.interpolation import Interpolation
from masklet.phrases import phrase
from masklet.said.documents import find
from masklet.types import FrameRange, MaskFormat, MaskUpdate, Presence

_LOOK_EVERY_S = 0.3
_LOOK_COUNTS_S = 30.0
"""The server forgets where somebody looks after a minute."""

if TYPE_CHECKING:
    from masklet.anchors import Absence, AnchorKind
    from masklet.client import Server
    from masklet.hosting.matte_folders import Owner
    from masklet.hosting.work.jobs import Job
    from masklet.matte_files import Exported
    from masklet.tracked_object import TrackedObject

_TOGETHER = (MatteFormat.EXR_LAYERS, MatteFormat.CRYPTOMATTE)
"""Formats of files that hold all objects."""


def track(plate: PlateSession, job: Job, server: Server, request: TrackRequest) -> Iterator[Event]:
    """Track, and tell each mask as it comes; what is finished is kept however it ends."""
    yield from plate.synchronise(server, make_sure=True, on_progress=job.count, on_waiting=job.wait_in_line)
    if job.is_cancelled:
        return
    failure: MaskletError | None = None
    try:
        for go in _goes(plate, request):
            yield from _track(plate, job, request, go)
            if job.is_cancelled:
                break
    except CancelledError:
        yield Ended(TrackFinished(0, 0, cancelled=True))
    except MaskletError as error:
        failure = error
    try:
        yield plate.states()
        yield from plate.keep_masks()
    except MaskletError as error:
        failure = failure or error
    if failure is not None:
        raise failure


@dataclass(frozen=True)
class _Go:
    """What is tracked at a time; a stale one follows only what is out of date."""

    frames: FrameRange
    objects: tuple[TrackedObject, ...]
    stale_only: bool


def _goes(plate: PlateSession, request: TrackRequest) -> list[_Go]:
    """What is tracked at a time: frames, objects, and whether only what is out of date.

    Frames whose masks the server has lost are what has changed most: they are tracked first, objects with
    the same frames together.
    """
    frames = request.frames_in(plate.session.clip)
    objects = tuple(plate.object(uid) for uid in request.uids)
    if not request.stale_only:
        return [_Go(frames, objects, stale_only=False)]
    together: dict[FrameRange, list[TrackedObject]] = {}
    for uid, lost in plate.lacking(request.uids or tuple(plate.uids().values())).items():
        first, last = max(lost[0].first, frames.first), min(lost[-1].last, frames.last)
        if first <= last:
            together.setdefault(FrameRange(first, last), []).append(plate.object(uid))
    again = [_Go(hull, tuple(lost), stale_only=False) for hull, lost in together.items()]
    return [*again, _Go(frames, objects, stale_only=True)]


def _track(plate: PlateSession, job: Job, request: TrackRequest, go: _Go) -> Iterator[Event]:
    uids, max_side_px = plate.uids(), plate.request.max_side_px
    track = plate.session.track(
        frames=go.frames,
        objects=go.objects,
        direction=request.direction,
        mask_format=MaskFormat(max_side_px=max_side_px),
        stale_only=go.stale_only,
    )
    job.stops_by(track.cancel)
    looking = _Looking(plate)
    try:
        for event in track.events():
            if isinstance(event, Waiting):
                job.wait_in_line(event)
                continue
            job.waiting = None
            looking.tell()
            if isinstance(event, TrackStarted):
                yield Planned(event.updates)
            elif isinstance(event, MaskUpdate):
                uid = uids.get(event.object_id)
                if uid is not None:
                    yield MaskCame(uid, event.frame, packed_for_overlay(event, max_side_px), tracked=True)
            else:
                yield Ended(event)
    finally:
        job.stops_by(None)


class _Looking:
    """Tells the server which frame the viewer shows, when that changes and not too often."""

    def __init__(self, plate: PlateSession) -> None:
        self._plate = plate
        self._told: int | None = None
        self._told_s = -_LOOK_COUNTS_S

    def tell(self) -> None:
        frame, now_s = self._plate.looked_at, time.monotonic()
        pause_s = _LOOK_COUNTS_S if frame == self._told else _LOOK_EVERY_S
        if frame is None or now_s - self._told_s < pause_s:
            return
        self._told, self._told_s = frame, now_s
        # A track is worth more than the order in which it goes.
        with suppress(MaskletError):
            self._plate.session.look_at(frame)


def come_back(plate: PlateSession, job: Job, server: Server) -> Iterator[Event]:
    """Look whether the session that the file remembers is still there, and go on with it if so."""
    del job
    yield from plate.come_back(server)


def check_nothing_is_lost(plate: PlateSession, uids: Iterable[str]) -> None:
    """Refuse to make results of fewer masks than the file knows of.

    Raises:
        LessHeldError: The server has lost some.
    """
    for uid, lost in plate.lacking(uids).items():
        said = find(plate.request.wanted, uid)
        count = sum(len(frames) for frames in lost)
        raise LessHeldError(
            phrase(
                "the server no longer holds masks of {name} on {count} frames that this file knows of, so "
                "nothing was replaced: track again, then get the results",
                name=uid if said is None else said.name,
                count=count,
            )
        )


def fetch(
    plate: PlateSession, job: Job, server: Server, uids: Iterable[str], frames: FrameRange
) -> Iterator[Event]:
    """Tell the masks that the server has in a range."""
    yield from plate.synchronise(server, make_sure=True, on_progress=job.count, on_waiting=job.wait_in_line)
    session, known = plate.session, plate.uids()
    objects = plate.objects(uids)
    if not objects:
        return
    max_side_px = plate.request.max_side_px
    masks = session.masks(frames=frames, objects=objects, mask_format=MaskFormat(max_side_px))
    for update in masks:
        if job.is_cancelled:
            masks.close()
            return
        if update.object_id in known:
            yield MaskCame(known[update.object_id], update.frame, packed_for_overlay(update, max_side_px))


def preview(
    plate: PlateSession, job: Job, server: Server, uids: Iterable[str], frame: int
) -> Iterator[Event]:
    """Tell the mattes of one frame as an export would write them, with the edges of the plate."""
    from masklet.png import read_mask

    yield from plate.synchronise(server, make_sure=True, on_progress=job.count, on_waiting=job.wait_in_line)
    max_side_px = plate.request.max_side_px
    with tempfile.TemporaryDirectory(prefix="masklet-") as folder:
        for number, uid in enumerate(uids):
            exported = plate.session.export(
                Path(folder) / str(number),
                matte_format=MatteFormat.PNG8,
                frames=FrameRange(frame, frame),
                objects=[plate.object(uid)],
                base_name="preview",
            )
            for file in exported.files:
                mask = read_mask(file.read_bytes())
                yield FinishedCame(uid, frame, pack(mask, Presence.PRESENT, max_side_px=max_side_px))


def export(
    plate: PlateSession,
    job: Job,
    server: Server,
    wanted: Path,
    *,
    owner: Owner,
    earlier: Iterable[tuple[Path, str]],
    uids: Iterable[str],
    matte_format: MatteFormat,
    base_name: str,
) -> Iterator[Event]:
    """Write mattes and tell where they are, as :class:`~.results.Delivered`.

    Whole sequences come to their place when all are done; however it ends, nothing that lies there is lost.
    The record of the run is left beside them, as the command line does, so that they can be published.

    Args:
        plate: The plate.
        job: Told the progress.
        server: Where.
        wanted: The plate's folder.
        owner: Whose results they are; a fingerprint that is not known yet is filled in.
        earlier: Where the document knows mattes, folders and patterns.
        uids: Of the objects.
        matte_format: What files hold them. Files that hold all objects are told under the first uid.
        base_name: First part of file names.
    """
    yield from plate.synchronise(server, make_sure=True, on_progress=job.count, on_waiting=job.wait_in_line)
    wanted_uids = tuple(uids)
    check_nothing_is_lost(plate, wanted_uids)
    groups = [wanted_uids] if matte_format in _TOGETHER else [(uid,) for uid in wanted_uids]
    owner = replace(owner, fingerprint=fingerprint_of(plate.request.plate))
    whole: dict[str, tuple[Path, ...]] = {}
    exports: list[Exported] = []
    known = plate.uids().values()
    with Delivery(wanted, owner, earlier) as delivery:
        try:
            for group in groups:
                exported = plate.session.export(
                    delivery.staging,
                    matte_format=matte_format,
                    objects=[plate.object(uid) for uid in group],
                    base_name=base_name,
                    on_progress=job.count,
                    on_look=job.count_look,
                )
                whole[group[0]] = exported.files
                exports.append(exported)
        except MaskletError:
            part = delivery.part_of(file for files in whole.values() for file in files)
            interrupted = next(group[0] for group in groups if group[0] not in whole)
            if whole or part:
                yield ResultCame(delivery.deliver(whole, {interrupted: part} if part else {}, known=known))
            raise
        delivered = delivery.deliver(whole, {}, known=known)
        try:
            keep_record(plate, delivered, exports, uids=wanted_uids, matte_format=matte_format)
        finally:
            # Mattes without a record are worth as much to the host's nodes.
            yield ResultCame(delivered)


def shapes(
    plate: PlateSession,
    job: Job,
    server: Server,
    uid: str,
    *,
    tolerance_px: float,
    interpolation: Interpolation = Interpolation.LINEAR,
) -> Iterator[Event]:
    """Fit shapes to an object's mattes and tell them; they hold under the host's own way between keys."""
    yield from plate.synchronise(server, make_sure=True, on_progress=job.count, on_waiting=job.wait_in_line)
    check_nothing_is_lost(plate, (uid,))
    shapes = plate.session.shapes(
        plate.object(uid),
        tolerance_px=tolerance_px,
        interpolation=interpolation,
        on_progress=job.count,
        on_look=job.count_look,
    )
    yield ResultCame(shapes)


def anchor(
    plate: PlateSession,
    job: Job,
    server: Server,
    uid: str,
    *,
    kind: AnchorKind,
    absence: Absence,
    reference_frame: int | None,
    point_px: tuple[float, float] | None,
    smoothing_frames: float,
) -> Iterator[Event]:
    """Follow an object with a transform and tell it."""
    yield from plate.synchronise(server, make_sure=True, on_progress=job.count, on_waiting=job.wait_in_line)
    check_nothing_is_lost(plate, (uid,))
    anchor = plate.session.anchor(
        plate.object(uid),
        kind,
        reference_frame=reference_frame,
        point_px=point_px,
        absence=absence,
        smoothing_frames=smoothing_frames,
        on_progress=job.count,
    )
    yield ResultCame(anchor)
