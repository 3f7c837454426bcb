"""Shapes and anchors that are under way when a server dies: an artist sees a pause, and each piece once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from masklet import geometry_codec
from masklet.anchors import Absence, AnchorKey, AnchorKind, AnchorTrack
from masklet.errors import ServerUnreachableError
from masklet.events import WorkProgress
from masklet.interpolation import Interpolation
from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.transport.endpoint import Endpoint
from masklet.transport.grpc import GrpcTransport
from masklet.transport.grpc_channel import Channel
from masklet.transport.interface import AnchorRequest
from masklet.types import FrameRange
from masklet.v1 import geometry_pb2_grpc

VERTEX = BezierVertex(1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0)
PIECES = tuple(
    Piece(name, True, (FrameRange(1, 2),), (ShapeKey(1, (VERTEX, VERTEX)),), Interpolation.LINEAR)
    for name in ("a", "b")
)
REPORT = ShapeReport(0.5, 0.9, 0.9, None, 1.0, 4, 2, 2, 0, (), Interpolation.LINEAR, 0.5)
SHAPES = ObjectShapes("hero", 64, 48, 1.0, PIECES, REPORT)
ANCHOR = AnchorTrack("anchor", "hero", AnchorKind.CENTROID, 1, (AnchorKey(1, 3.0, 4.0),), 1.0, Absence.HOLD)


class Dying(geometry_pb2_grpc.GeometryServiceServicer):
    """Breaks off in the middle as often as it is told, as a process does that is killed.

    Attributes:
        deaths: How often it will.
        request_ids: Of every attempt.
    """

    def __init__(self) -> None:
        self.deaths = 0
        self.request_ids: list[str] = []

    def FitShapes(self, request, context):  # type: ignore[no-untyped-def]
        self.request_ids.append(request.request_id)
        yield from geometry_codec.shapes_event_to_wire(WorkProgress(1, 2))
        messages = list(geometry_codec.shapes_event_to_wire(SHAPES))
        yield messages[0]
        self._die(context)
        yield from messages[1:]

    def TrackAnchor(self, request, context):  # type: ignore[no-untyped-def]
        self.request_ids.append(request.request_id)
        yield geometry_codec.anchor_event_to_wire(WorkProgress(1, 2))
        self._die(context)
        yield geometry_codec.anchor_event_to_wire(ANCHOR)

    def _die(self, context: grpc.ServicerContext) -> None:
        if self.deaths:
            self.deaths -= 1
            context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")


@pytest.fixture
def dying() -> Dying:
    return Dying()


@pytest.fixture
def transport(dying: Dying) -> Iterator[GrpcTransport]:
    server = grpc.server(ThreadPoolExecutor(2))
    geometry_pb2_grpc.add_GeometryServiceServicer_to_server(dying, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    channel = Channel(Endpoint(f"127.0.0.1:{port}", plaintext=True), why_dead=lambda: None)
    yield GrpcTransport(channel)
    channel.close()
    server.stop(None).wait()


def test_shapes_are_made_again_and_each_piece_comes_once(dying: Dying, transport: GrpcTransport) -> None:
    dying.deaths = 2

    events = list(transport.fit_shapes("s", 1, None, tolerance_px=1.0))

    assert events[-1] == SHAPES
    assert events[:-1] == [WorkProgress(1, 2)] * 3
    assert len(dying.request_ids) == 3


def test_an_anchor_is_made_again(dying: Dying, transport: GrpcTransport) -> None:
    dying.deaths = 1

    events = list(transport.track_anchor("s", AnchorRequest(1, AnchorKind.CENTROID)))

    assert events[-1] == ANCHOR
    assert len(set(dying.request_ids)) == 1


def test_a_server_that_does_not_come_back_is_said(dying: Dying, transport: GrpcTransport) -> None:
    channel = transport._channel
    channel._why_dead = lambda: "it has gone"
    dying.deaths = 1

    with pytest.raises(ServerUnreachableError, match="it has gone"):
        list(transport.fit_shapes("s", 1, None, tolerance_px=1.0))
