"""``masklet.v1.GeometryService``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

from masklet import geometry_codec, state_codec
from masklet.anchors import AnchorTrack
from masklet.events import WorkProgress
from masklet.shapes import ObjectShapes
from masklet.types import FrameRange
from masklet.v1 import geometry_pb2, geometry_pb2_grpc
from masklet_server.aside import waiting_for_disk
from masklet_server.service.access import current_user
from masklet_server.service.context import Context
from masklet_server.service.geometry import Report, Workshop, mattes_of
from masklet_server.service.overscan import (
    anchor_key_inside,
    anchor_outside,
    point_inside,
    shapes_outside,
)
from masklet_server.sessions.plan import range_in
from masklet_server.sessions.session import Session
from masklet_server.sessions.store import SessionStore

ANCHOR_MATTE_SIDE_PX = 1024
"""Anchors follow the plate; their mattes only say where to look."""
DEFAULT_TOLERANCE_PX = 1.0


class GeometryServicer(geometry_pb2_grpc.GeometryServiceServicer):
    """Makes shapes and anchors of mattes.

    Args:
        store: All sessions.
        disk_s: How long a plate's disk may take.
    """

    def __init__(self, store: SessionStore, *, disk_s: float) -> None:
        self._store = store
        self._workshop = Workshop(disk_s=disk_s)

    async def FitShapes(  # noqa: N802  (gRPC names methods)
        self, request: geometry_pb2.FitShapesRequest, context: Context
    ) -> AsyncIterator[geometry_pb2.FitShapesResponse]:
        """Fit shapes; leaving the stream stops the work."""
        session, frames = await self._read(request)
        # Refused at once where nothing is masked, before a thread and the plate are taken up.
        mattes_of(session, request.object_id, frames)
        name = session.object(request.object_id).name
        interpolation = geometry_codec.interpolation_from_wire(request.interpolation)
        tolerance_px = request.tolerance_px if request.HasField("tolerance_px") else DEFAULT_TOLERANCE_PX

        def work(report: Report) -> ObjectShapes:
            from masklet_server.shapes.fitting import fit_shapes

            # A clip of its own: the tracker's may be busy for as long as a track runs.
            source = None if request.raw_edges else session.open_source()
            try:
                shapes = fit_shapes(
                    mattes_of(session, request.object_id, frames, source=source),
                    name=name,
                    tolerance_px=tolerance_px,
                    pixel_aspect=session.clip.pixel_aspect,
                    interpolation=interpolation,
                    asked=frames,
                    on_progress=report.share,
                )
                return shapes_outside(shapes, session.clip)
            finally:
                if source is not None:
                    session.note_unreadable(source.info.unreadable)
                    source.close()

        with session.in_use():
            if not request.raw_edges:
                # Exports look again as well, and shapes must match them.
                async with aclosing(_look_again(session, request.object_id, frames)) as looks:
                    async for progress in looks:
                        for message in geometry_codec.shapes_event_to_wire(progress):
                            yield message
            async with aclosing(self._workshop.follow(work, user=session.user)) as events:
                async for event in events:
                    for message in geometry_codec.shapes_event_to_wire(event):
                        yield message

    async def TrackAnchor(  # noqa: N802
        self, request: geometry_pb2.TrackAnchorRequest, context: Context
    ) -> AsyncIterator[geometry_pb2.TrackAnchorResponse]:
        """Follow an object with a transform; leaving the stream stops the work."""
        session, frames = await self._read(request)
        mattes = mattes_of(session, request.object_id, frames, max_side_px=ANCHOR_MATTE_SIDE_PX)
        name = session.object(request.object_id).name
        kind = geometry_codec.anchor_kind_from_wire(request.kind)
        absence = geometry_codec.absence_from_wire(request.absence)
        clip = session.clip
        keys = [geometry_codec.anchor_key_from_wire(key) for key in request.manual_keys]
        point_px = None
        if request.HasField("point"):
            point_px = point_inside((request.point.x_px, request.point.y_px), clip)

        def work(report: Report) -> AnchorTrack:
            from masklet_server.anchors.track import track_anchor

            with waiting_for_disk():
                source = session.open_source()
            try:
                track = track_anchor(
                    source,
                    mattes,
                    kind=kind,
                    frames=list(clip.missing.without(range(frames.first, frames.last + 1))),
                    reference_frame=request.reference_frame if request.HasField("reference_frame") else None,
                    point_px=point_px,
                    absence=absence,
                    smoothing_frames=request.smoothing_frames,
                    manual_keys=[anchor_key_inside(key, clip) for key in keys],
                    object_name=name,
                    progress=report.count,
                    is_cancelled=report.stop.is_set,
                )
                return anchor_outside(track, clip)
            finally:
                session.note_unreadable(source.info.unreadable)
                source.close()

        with session.in_use():
            async with aclosing(self._workshop.follow(work, user=session.user)) as events:
                async for event in events:
                    yield geometry_codec.anchor_event_to_wire(event)

    async def _read(
        self, request: geometry_pb2.FitShapesRequest | geometry_pb2.TrackAnchorRequest
    ) -> tuple[Session, FrameRange]:
        session = await self._store.get(request.session_id, current_user.get())
        wanted = state_codec.range_from_wire(request.range) if request.HasField("range") else None
        return session, range_in(session.clip, wanted)


async def _look_again(
    session: Session, object_id: int, frames: FrameRange
) -> AsyncGenerator[WorkProgress, None]:
    async with (
        session.clip_beside() as source,
        aclosing(session.look_again([object_id], frames, source)) as looks,
    ):
        async for seen in looks:
            if (name := session.name_of(seen.object_id)) is not None:
                yield WorkProgress(seen.frames_done, seen.frames_total, name)
