"""Wire messages of shapes and anchors to values and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Union, cast

from masklet.anchors import Absence, AnchorKey, AnchorKind, AnchorTrack
from masklet.errors import ServerFaultError
from masklet.events import WorkProgress
from masklet.interpolation import Interpolation
from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.state_codec import checked, looked_up, range_from_wire, range_to_wire
from masklet.v1 import geometry_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from masklet.anchors import Corners, Matrix, Point

_KIND_TO_WIRE = {
    AnchorKind.CENTROID: geometry_pb2.ANCHOR_KIND_CENTROID,
    AnchorKind.TOP: geometry_pb2.ANCHOR_KIND_TOP,
    AnchorKind.BOTTOM: geometry_pb2.ANCHOR_KIND_BOTTOM,
    AnchorKind.LEFT: geometry_pb2.ANCHOR_KIND_LEFT,
    AnchorKind.RIGHT: geometry_pb2.ANCHOR_KIND_RIGHT,
    AnchorKind.BOX: geometry_pb2.ANCHOR_KIND_BOX,
    AnchorKind.SIMILARITY: geometry_pb2.ANCHOR_KIND_SIMILARITY,
    AnchorKind.AFFINE: geometry_pb2.ANCHOR_KIND_AFFINE,
    AnchorKind.PLANAR: geometry_pb2.ANCHOR_KIND_PLANAR,
    AnchorKind.POINT: geometry_pb2.ANCHOR_KIND_POINT,
}
_KIND_FROM_WIRE = {
    geometry_pb2.ANCHOR_KIND_UNSPECIFIED: AnchorKind.SIMILARITY,
    **{wire: value for value, wire in _KIND_TO_WIRE.items()},
}
_ABSENCE_TO_WIRE = {
    Absence.HOLD: geometry_pb2.ABSENCE_HOLD,
    Absence.EXTRAPOLATE: geometry_pb2.ABSENCE_EXTRAPOLATE,
    Absence.FADE: geometry_pb2.ABSENCE_FADE,
    Absence.CUT: geometry_pb2.ABSENCE_CUT,
}
_ABSENCE_FROM_WIRE = {
    geometry_pb2.ABSENCE_UNSPECIFIED: Absence.HOLD,
    **{wire: value for value, wire in _ABSENCE_TO_WIRE.items()},
}

_INTERPOLATION_TO_WIRE = {
    Interpolation.LINEAR: geometry_pb2.INTERPOLATION_LINEAR,
    Interpolation.NUKE_SMOOTH: geometry_pb2.INTERPOLATION_NUKE_SMOOTH,
}
_INTERPOLATION_FROM_WIRE = {
    geometry_pb2.INTERPOLATION_UNSPECIFIED: Interpolation.LINEAR,
    **{wire: value for value, wire in _INTERPOLATION_TO_WIRE.items()},
}

ShapesEvent = Union[WorkProgress, ObjectShapes]
AnchorEvent = Union[WorkProgress, AnchorTrack]


def anchor_kind_to_wire(kind: AnchorKind) -> geometry_pb2.AnchorKind.ValueType:
    """The number of a kind of anchor."""
    return _KIND_TO_WIRE[kind]


def anchor_kind_from_wire(number: geometry_pb2.AnchorKind.ValueType) -> AnchorKind:
    """The kind of anchor of a number; unspecified is a similarity."""
    return looked_up(_KIND_FROM_WIRE, number, "a kind of anchor")


def interpolation_to_wire(interpolation: Interpolation) -> geometry_pb2.Interpolation.ValueType:
    """The number of a rule between keys."""
    return _INTERPOLATION_TO_WIRE[interpolation]


def interpolation_from_wire(number: geometry_pb2.Interpolation.ValueType) -> Interpolation:
    """The rule of a number; unspecified is straight."""
    return looked_up(_INTERPOLATION_FROM_WIRE, number, "a rule between keys")


def absence_to_wire(absence: Absence) -> geometry_pb2.Absence.ValueType:
    """The number of a way with absence."""
    return _ABSENCE_TO_WIRE[absence]


def absence_from_wire(number: geometry_pb2.Absence.ValueType) -> Absence:
    """The way with absence of a number; unspecified holds."""
    return looked_up(_ABSENCE_FROM_WIRE, number, "a way with absence")


def anchor_key_to_wire(key: AnchorKey) -> geometry_pb2.AnchorKey:
    """The message of an anchor's key."""
    return geometry_pb2.AnchorKey(
        frame=key.frame,
        x_px=key.x_px,
        y_px=key.y_px,
        rotation_deg=key.rotation_deg,
        scale_x=key.scale_x,
        scale_y=key.scale_y,
        shear=key.shear,
        corners=[geometry_pb2.Point(x_px=x_px, y_px=y_px) for x_px, y_px in key.corners or ()],
        matrix=key.matrix or (),
        confidence=key.confidence,
        weight=key.weight,
        jump_px=key.jump_px,
        held=key.held,
        keyed=key.keyed,
    )


def anchor_key_from_wire(message: geometry_pb2.AnchorKey) -> AnchorKey:
    """The key in a message.

    Raises:
        BadInputError: It has a value that is no finite number, or not four corners.
    """

    def make() -> AnchorKey:
        corners = tuple((point.x_px, point.y_px) for point in message.corners)
        if len(corners) not in (0, 4) or len(message.matrix) not in (0, 9):
            raise ValueError(
                f"the anchor on frame {message.frame} needs four corners or none, and nine numbers or none"
            )
        return AnchorKey(
            frame=message.frame,
            x_px=message.x_px,
            y_px=message.y_px,
            rotation_deg=message.rotation_deg,
            scale_x=message.scale_x,
            scale_y=message.scale_y,
            shear=message.shear,
            corners=cast("Corners", corners) if corners else None,
            matrix=cast("Matrix", tuple(message.matrix)) if message.matrix else None,
            confidence=message.confidence,
            weight=message.weight,
            jump_px=message.jump_px,
            held=message.held,
            keyed=message.keyed,
        )

    return checked(make)


def anchor_event_to_wire(event: AnchorEvent) -> geometry_pb2.TrackAnchorResponse:
    """The message of one event of an anchor's making."""
    if isinstance(event, WorkProgress):
        return geometry_pb2.TrackAnchorResponse(progress=_progress_to_wire(event))
    track = geometry_pb2.AnchorTrack(
        name=event.name,
        object=event.object,
        kind=anchor_kind_to_wire(event.kind),
        reference_frame=event.reference_frame,
        keys=[anchor_key_to_wire(key) for key in event.keys],
        pixel_aspect=event.pixel_aspect,
        absence=absence_to_wire(event.absence),
    )
    return geometry_pb2.TrackAnchorResponse(finished=track)


def anchor_event_from_wire(message: geometry_pb2.TrackAnchorResponse) -> AnchorEvent:
    """The event in a message.

    Raises:
        ServerFaultError: The message holds no event.
    """
    kind = message.WhichOneof("event")
    if kind == "progress":
        return _progress_from_wire(message.progress)
    if kind != "finished":
        raise _unknown_event()
    track = message.finished
    keys = tuple(anchor_key_from_wire(key) for key in track.keys)
    return checked(
        lambda: AnchorTrack(
            name=track.name,
            object=track.object,
            kind=anchor_kind_from_wire(track.kind),
            reference_frame=track.reference_frame,
            keys=keys,
            pixel_aspect=track.pixel_aspect,
            absence=absence_from_wire(track.absence),
        )
    )


def point_to_wire(point: Point | None) -> geometry_pb2.Point | None:
    """The message of a position, None where there is none."""
    return None if point is None else geometry_pb2.Point(x_px=point[0], y_px=point[1])


def shapes_event_to_wire(event: ShapesEvent) -> Iterator[geometry_pb2.FitShapesResponse]:
    """The messages of one event of a fit: shapes are sent piece by piece, as together they may be large."""
    if isinstance(event, WorkProgress):
        yield geometry_pb2.FitShapesResponse(progress=_progress_to_wire(event))
        return
    for piece in event.pieces:
        yield geometry_pb2.FitShapesResponse(piece=_piece_to_wire(piece))
    report = event.report
    yield geometry_pb2.FitShapesResponse(
        finished=geometry_pb2.ObjectShapes(
            name=event.name,
            width_px=event.width_px,
            height_px=event.height_px,
            pixel_aspect=event.pixel_aspect,
            report=geometry_pb2.ShapeReport(
                tolerance_px=report.tolerance_px,
                mean_iou=report.mean_iou,
                worst_iou=report.worst_iou,
                worst_frame=report.worst_frame,
                largest_distance_px=report.largest_distance_px,
                vertices=report.vertices,
                keyframes=report.keyframes,
                frames=report.frames,
                left_out=report.left_out,
                gaps=[range_to_wire(gap) for gap in report.gaps],
                interpolation=interpolation_to_wire(report.interpolation),
                largest_between_keys_px=report.largest_between_keys_px,
            ),
        )
    )


def shapes_events_from_wire(
    messages: Iterable[geometry_pb2.FitShapesResponse], pieces: list[Piece] | None = None
) -> Iterator[ShapesEvent]:
    """The events in a stream of messages, pieces put together.

    Args:
        messages: As they come.
        pieces: Where pieces are put until the last has come; emptied by whoever begins the stream anew.

    Raises:
        ServerFaultError: A message holds no event.
    """
    pieces = [] if pieces is None else pieces
    for message in messages:
        kind = message.WhichOneof("event")
        if kind == "progress":
            yield _progress_from_wire(message.progress)
        elif kind == "piece":
            pieces.append(_piece_from_wire(message.piece))
        elif kind == "finished":
            yield _shapes_from_wire(message.finished, tuple(pieces))
        else:
            raise _unknown_event()


def _shapes_from_wire(message: geometry_pb2.ObjectShapes, pieces: tuple[Piece, ...]) -> ObjectShapes:
    report = message.report
    return ObjectShapes(
        name=message.name,
        width_px=message.width_px,
        height_px=message.height_px,
        pixel_aspect=message.pixel_aspect,
        pieces=pieces,
        report=ShapeReport(
            tolerance_px=report.tolerance_px,
            mean_iou=report.mean_iou,
            worst_iou=report.worst_iou,
            worst_frame=report.worst_frame if report.HasField("worst_frame") else None,
            largest_distance_px=report.largest_distance_px,
            vertices=report.vertices,
            keyframes=report.keyframes,
            frames=report.frames,
            left_out=report.left_out,
            gaps=tuple(range_from_wire(gap) for gap in report.gaps),
            interpolation=interpolation_from_wire(report.interpolation),
            largest_between_keys_px=report.largest_between_keys_px,
        ),
    )


def _piece_to_wire(piece: Piece) -> geometry_pb2.Piece:
    return geometry_pb2.Piece(
        name=piece.name,
        hole=piece.hole,
        visible=[range_to_wire(frames) for frames in piece.visible],
        keys=[
            geometry_pb2.ShapeKey(
                frame=key.frame, vertices=[_vertex_to_wire(vertex) for vertex in key.vertices]
            )
            for key in piece.keys
        ],
        interpolation=interpolation_to_wire(piece.interpolation),
    )


def _piece_from_wire(message: geometry_pb2.Piece) -> Piece:
    return checked(
        lambda: Piece(
            name=message.name,
            hole=message.hole,
            visible=tuple(range_from_wire(frames) for frames in message.visible),
            keys=tuple(
                ShapeKey(key.frame, tuple(_vertex_from_wire(vertex) for vertex in key.vertices))
                for key in message.keys
            ),
            interpolation=interpolation_from_wire(message.interpolation),
        )
    )


def _vertex_to_wire(vertex: BezierVertex) -> geometry_pb2.BezierVertex:
    return geometry_pb2.BezierVertex(
        x_px=vertex.x_px,
        y_px=vertex.y_px,
        in_dx_px=vertex.in_dx_px,
        in_dy_px=vertex.in_dy_px,
        out_dx_px=vertex.out_dx_px,
        out_dy_px=vertex.out_dy_px,
        feather_px=vertex.feather_px,
    )


def _vertex_from_wire(message: geometry_pb2.BezierVertex) -> BezierVertex:
    return BezierVertex(
        message.x_px,
        message.y_px,
        message.in_dx_px,
        message.in_dy_px,
        message.out_dx_px,
        message.out_dy_px,
        message.feather_px,
    )


def _progress_to_wire(progress: WorkProgress) -> geometry_pb2.WorkProgress:
    return geometry_pb2.WorkProgress(
        done=progress.done, total=progress.total, looking_at=progress.looking_at or ""
    )


def _progress_from_wire(message: geometry_pb2.WorkProgress) -> WorkProgress:
    return WorkProgress(message.done, message.total, message.looking_at or None)


def _unknown_event() -> ServerFaultError:
    return ServerFaultError("the server sent an event that this version does not know: update masklet")
