from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet import codec, geometry_codec, state_codec
from masklet.anchors import Absence, AnchorKey, AnchorKind, AnchorTrack, Matrix
from masklet.errors import BadInputError, ServerFaultError
from masklet.events import WorkProgress
from masklet.interpolation import Interpolation
from masklet.matte_settings import MatteSettings
from masklet.shapes import BezierVertex, ObjectShapes, Piece, ShapeKey, ShapeReport
from masklet.types import (
    ClipInfo,
    CutPolicy,
    FrameRange,
    FrameState,
    LockedRange,
    ObjectInfo,
    ObjectMatte,
    Presence,
    PromptDocument,
    SessionInfo,
    StateRange,
)
from masklet.v1 import geometry_pb2, values_pb2

numbers = st.floats(-1e6, 1e6, allow_nan=False)
vertices = st.builds(
    BezierVertex, numbers, numbers, numbers, numbers, numbers, numbers, st.floats(0.0, 100.0)
)


@st.composite
def pieces(draw: st.DrawFn) -> Piece:
    count = draw(st.integers(2, 4))
    frames = sorted(draw(st.sets(st.integers(-10, 2000), min_size=1, max_size=3)))
    keys = tuple(
        ShapeKey(frame, tuple(draw(st.lists(vertices, min_size=count, max_size=count)))) for frame in frames
    )
    return Piece(
        "piece 1",
        draw(st.booleans()),
        (FrameRange(-10, 3), FrameRange(5, 9)),
        keys,
        draw(st.sampled_from(Interpolation)),
    )


@given(st.lists(pieces(), max_size=2))
def test_shapes_travel_piece_by_piece_and_exactly(made: list[Piece]) -> None:
    report = ShapeReport(0.5, 0.99, 0.9, None, 1.25, 8, 2, 10, 3, (), Interpolation.NUKE_SMOOTH, 0.75)
    shapes = ObjectShapes("hero", 1920, 1080, 2.0, tuple(made), report)

    messages = [*geometry_codec.shapes_event_to_wire(WorkProgress(1, 4))]
    messages += geometry_codec.shapes_event_to_wire(WorkProgress(2, 9, "hero"))
    messages += geometry_codec.shapes_event_to_wire(shapes)

    assert len(messages) == 3 + len(made)
    assert list(geometry_codec.shapes_events_from_wire(messages)) == [
        WorkProgress(1, 4),
        WorkProgress(2, 9, "hero"),
        shapes,
    ]


@given(st.sampled_from(AnchorKind), st.sampled_from(Absence), st.tuples(*[numbers] * 9))
def test_anchors_travel_exactly(
    kind: AnchorKind,
    absence: Absence,
    matrix: Matrix,
) -> None:
    corners = ((0.0, 0.0), (4.0, 0.5), (4.0, 3.0), (0.0, 3.0))
    keys = (
        AnchorKey(-10, 1.5, 2.5, 370.0, 1.1, 0.9, 0.01, corners, matrix, 0.5, 0.25, 3.0, held=True),
        AnchorKey(-9, 1.5, 2.5, keyed=True),
    )
    track = AnchorTrack("hero_x", "hero", kind, -10, keys, 2.0)

    for event in (track, WorkProgress(0, 0)):
        assert geometry_codec.anchor_event_from_wire(geometry_codec.anchor_event_to_wire(event)) == event
    assert geometry_codec.absence_from_wire(geometry_codec.absence_to_wire(absence)) is absence


def test_anchors_that_make_no_sense_are_refused() -> None:
    point = geometry_pb2.Point(x_px=1.0)

    for message in (
        geometry_pb2.AnchorKey(x_px=float("nan")),
        geometry_pb2.AnchorKey(corners=[point, point]),
        geometry_pb2.AnchorKey(matrix=[1.0]),
    ):
        with pytest.raises(BadInputError):
            geometry_codec.anchor_key_from_wire(message)
    with pytest.raises(BadInputError, match="not a kind of anchor"):
        geometry_codec.anchor_kind_from_wire(99)  # type: ignore[arg-type]
    with pytest.raises(ServerFaultError):
        geometry_codec.anchor_event_from_wire(geometry_pb2.TrackAnchorResponse())
    with pytest.raises(ServerFaultError):
        list(geometry_codec.shapes_events_from_wire([geometry_pb2.FitShapesResponse()]))


def test_states_locks_cuts_and_matte_settings_travel() -> None:
    settings = MatteSettings(4, 9, -1.5, 3.25, 0.1, 0.9, 2.0, exclusive=True, invert=True, calm=0.25)
    clip = ClipInfo("a.%04d.exr", 64, 48, -3, 9)
    states = (StateRange(1, FrameRange(-3, 0), Presence.ABSENT, prompted=False, locked=True, stale=True),)
    locks, mattes = (LockedRange(1, FrameRange(-3, 0)),), (ObjectMatte(1, settings),)
    session = SessionInfo("ab" * 16, clip, (ObjectInfo(1, "hero"),), states, locks, mattes, (-1, 4))
    document = PromptDocument((ObjectInfo(1, "hero"),), (), locks, mattes)

    assert codec.session_from_wire(codec.session_to_wire(session)) == session
    assert codec.document_from_wire(codec.document_to_wire(document)) == document
    for state in FrameState:
        assert state_codec.frame_state_from_wire(state_codec.frame_state_to_wire(state)) is state
    for policy in CutPolicy:
        assert state_codec.cut_policy_from_wire(state_codec.cut_policy_to_wire(policy)) is policy
    assert state_codec.cut_policy_from_wire(values_pb2.CUT_POLICY_UNSPECIFIED) is CutPolicy.STOP


def test_matte_settings_that_say_nothing_change_nothing_and_bad_ones_are_refused() -> None:
    assert state_codec.matte_settings_from_wire(values_pb2.MatteSettings()).is_plain
    with pytest.raises(BadInputError, match="black < white"):
        state_codec.matte_settings_from_wire(values_pb2.MatteSettings(black=0.9, white=0.2))


@pytest.mark.parametrize(
    "values",
    [
        {"grow_px": float("inf")},
        {"grow_px": 1e6},
        {"feather_px": -1.0},
        {"fill_holes_px": -1},
        {"drop_specks_px": 2.5},
        {"gamma": 0.0},
        {"white": 1.5},
        {"calm": 1.5},
        {"calm": float("nan")},
    ],
)
def test_matte_settings_out_of_bounds_are_no_value(values: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"correct|use less|give a number"):
        MatteSettings(**values)  # type: ignore[arg-type]
