"""Native nodes: made once, found again, true between keys, one step of undo."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.exchange_scenes import (
    CLIP,
    HEIGHT_PX,
    WIDTH_PX,
    at_frame,
    draw_paths,
    ellipse,
    expected_matte,
    iou,
    position,
    random_shapes,
    scene,
    similarity,
)
from fakes.nuke import FakeNuke, rotopaint
from fakes.nuke.nodes import FakeNode
from masklet.errors import BadInputError
from masklet.interpolation import Interpolation
from masklet.shapes import ObjectShapes, Piece
from masklet.types import FrameRange
from masklet_nuke.anchor_nodes import attach, make_anchor
from masklet_nuke.masklet_node import make_node
from masklet_nuke.results import Results, Wanted, frame_results
from masklet_nuke.rotos import make_rotos
from masklet_nuke.shifting import shifted_anchor, shifted_shapes
from masklet_nuke.undoing import one_step

SHAPES = scene().shapes[0]
ANY = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def results(nuke: FakeNuke, node: FakeNode) -> Results:
    return Results(nuke, node, "u1")


def drawn(
    nodes: tuple[FakeNode, ...], frame: int, shift: int = 0
) -> list[tuple[bool, list[tuple[float, ...]]]]:
    """Paths as Nuke would draw them on a frame, in the plate's coordinates; True for holes."""
    found = []
    for node in nodes:
        for shape in node["curves"].rootLayer:
            alive = shape.attributes.values["ltn"] <= frame + shift <= shape.attributes.values["ltm"]
            if not alive or shape.attributes.values["ltt"] != 4:
                continue
            path = []
            for point in shape:
                at, before, after = (
                    side.getPosition(frame + shift)
                    for side in (point.center, point.leftTangent, point.rightTangent)
                )
                path.append((at.x, HEIGHT_PX - at.y, before.x, -before.y, after.x, -after.y))
            found.append(("holes" in node.name(), path))
    return found


@ANY
@given(random_shapes(st.sampled_from(Interpolation)))
def test_every_vertex_and_handle_is_where_it_was_on_every_frame_between_keys(shapes: ObjectShapes) -> None:
    nuke = FakeNuke()
    made = make_rotos(nuke, rotopaint, Results(nuke, make_node(nuke), "u1"), shapes)

    # What the fit left of its tolerance may be used up by keys that were added.
    assert made.off_px < 1e-6
    assert not made.is_every_frame
    for frame in range(CLIP.first_frame, CLIP.last_frame + 1):
        wanted = expected_matte(shapes, frame)
        found = draw_paths(drawn(made.nodes, frame))
        assert iou(found, wanted) > 0.99 or abs(int(found.sum()) - int(wanted.sum())) < 30


def test_what_is_drawn_is_the_matte_with_its_hole_and_island(nuke: FakeNuke, results: Results) -> None:
    made = make_rotos(nuke, rotopaint, results, SHAPES)

    for frame in (-3, 0, 2, 3, 6, 8):
        assert iou(draw_paths(drawn(made.nodes, frame)), expected_matte(SHAPES, frame)) > 0.97
    assert made.nodes[0].format().height() == 36, "the plate's format, not the script's"
    merge = results.find("merge 3")
    assert merge is not None
    assert [merge.input(index).name() for index in (0, 1)] == [
        "masklet_hero_1_a_matte_2",
        "masklet_hero_1_a_roto_3",
    ]


def test_a_nuke_that_draws_otherwise_between_keys_gets_a_key_on_every_frame(
    nuke: FakeNuke, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotopaint.AnimControlPoint, "rule", Interpolation.LINEAR)
    keys = tuple(at_frame(ellipse((100 + frame**2, 150), (40, 30)), frame) for frame in (0, 3, 5, 8))
    piece = Piece("piece 1", False, (FrameRange(0, 8),), keys, Interpolation.NUKE_SMOOTH)

    made = make_rotos(nuke, rotopaint, results, replace(SHAPES, pieces=(piece,)))

    assert made.is_every_frame
    assert made.keys == 9
    assert made.off_px < 1e-6


def test_shapes_stand_on_the_frames_of_the_script(nuke: FakeNuke, results: Results) -> None:
    made = make_rotos(nuke, rotopaint, results, shifted_shapes(SHAPES, 1000))

    assert drawn(made.nodes, 0) == []
    assert iou(draw_paths(drawn(made.nodes, 0, 1000)), expected_matte(SHAPES, 0)) > 0.97


def test_a_roto_that_is_made_again_is_the_same_node_and_keeps_the_artists_own_shapes(
    nuke: FakeNuke, results: Results
) -> None:
    (first, *_) = make_rotos(nuke, rotopaint, results, SHAPES).nodes
    first.setXYpos(1234, 77)
    first.setName("my_roto")
    own = rotopaint.Shape(first["curves"])
    own.name = "garbage"
    first["curves"].rootLayer.append(own)
    before = len(nuke.allNodes())

    (again, *_) = make_rotos(nuke, rotopaint, results, SHAPES).nodes

    assert again is first
    assert (again.name(), again.xpos(), len(nuke.allNodes())) == ("my_roto", 1234, before)
    names = [shape.name for shape in again["curves"].rootLayer]
    assert names.count("garbage") == 1
    assert len(names) == len(set(names)) == 1 + len(drawn_names(SHAPES))


def drawn_names(shapes: ObjectShapes) -> list[str]:
    first = [piece for piece in shapes.pieces if not piece.hole][:2]
    return [f"{piece.name} {number}" for piece in first for number, _ in enumerate(piece.visible)]


def test_holes_that_are_gone_take_their_nodes_along(nuke: FakeNuke, results: Results) -> None:
    make_rotos(nuke, rotopaint, results, SHAPES)
    assert results.find("merge 3") is not None

    make_rotos(nuke, rotopaint, results, replace(SHAPES, pieces=SHAPES.pieces[:2]))

    assert results.find("merge 2") is None
    assert results.find("roto 2") is None
    assert results.find("roto 1") is not None


def test_an_anchor_is_a_transform_a_tracker_and_a_corner_pin_with_y_upwards(
    nuke: FakeNuke, results: Results
) -> None:
    track = similarity()
    transform, tracker, pin = make_anchor(results, track, HEIGHT_PX)

    assert [node.kind for node in (transform, tracker, pin)] == ["Transform", "Tracker4", "CornerPin2D"]
    for key in track.keys:
        assert transform["translate"].getValueAt(key.frame, 1) == pytest.approx(140 - key.y_px, abs=1e-3)
        assert transform["rotate"].getValueAt(key.frame) == pytest.approx(-key.rotation_deg, abs=1e-3)
        # Ours run from the top left clockwise, Nuke's from the bottom left counter-clockwise.
        assert key.corners is not None
        assert pin["to4"].getValueAt(key.frame, 0) == pytest.approx(key.corners[0][0], abs=1e-3)
        assert pin["to1"].getValueAt(key.frame, 1) == pytest.approx(HEIGHT_PX - key.corners[3][1], abs=1e-3)
    assert tracker["tracks"].raw[0] == ["1", "31", "1"]


def test_a_stabiliser_moves_the_picture_the_other_way_beside_what_follows(
    nuke: FakeNuke, results: Results
) -> None:
    follows = make_anchor(results, similarity(), HEIGHT_PX)
    holds = make_anchor(results, similarity(), HEIGHT_PX, stabilise=True)

    assert [node.kind for node in holds] == ["Transform", "CornerPin2D"]
    assert holds[0]["invert_matrix"].value() is True
    assert holds[1]["invert"].value() is True
    assert follows[0]["invert_matrix"].value() is False


def test_an_anchor_of_the_script_is_where_its_frames_are(nuke: FakeNuke, results: Results) -> None:
    (transform, *_) = make_anchor(results, shifted_anchor(position(), 990), HEIGHT_PX)

    assert transform["translate"].getValueAt(994, 0) == pytest.approx(4.0)
    assert transform["translate"].getValueAt(990, 0) == pytest.approx(0.0)
    # Where the plate has no picture it goes straight.
    assert transform["translate"].getValueAt(992, 0) == pytest.approx(2.0)


def test_a_fade_is_a_multiply_below_what_moves(nuke: FakeNuke, results: Results) -> None:
    track = similarity()
    fading = replace(track, keys=tuple(replace(key, weight=0.5) for key in track.keys))

    make_anchor(results, fading, HEIGHT_PX)

    weight = results.find("weight similarity follow transform similarity follow")
    assert weight is not None
    assert weight.input(0) is results.find("transform similarity follow")
    assert weight["value"].getValueAt(0) == 0.5


def test_attached_nodes_follow_by_values_and_again_when_attached_again(
    nuke: FakeNuke, node: FakeNode, read: FakeNode
) -> None:
    blur = nuke.nodes.Blur(inputs=[read])
    grade = nuke.nodes.Grade(inputs=[blur])
    track = similarity()

    (follows,) = attach(nuke, node, track, [blur, node], HEIGHT_PX, "u1")

    assert (follows.input(0), grade.input(0)) == (blur, follows)
    assert follows["translate"].getValueAt(4, 0) == pytest.approx(30.0)
    slower = replace(track, keys=tuple(replace(key, x_px=160 + key.frame) for key in track.keys))
    assert follows["translate"].getValueAt(4, 0) == pytest.approx(30.0)
    (again,) = attach(nuke, node, slower, [blur], HEIGHT_PX, "u1")
    assert again is follows
    assert again["translate"].getValueAt(4, 0) == pytest.approx(4.0)


def test_nothing_to_attach_is_told(nuke: FakeNuke, node: FakeNode) -> None:
    with pytest.raises(BadInputError, match="select the nodes that are to follow hero"):
        attach(nuke, node, similarity(), [node], HEIGHT_PX, "u1")


def test_an_object_that_was_never_seen_gives_no_anchor(nuke: FakeNuke, results: Results) -> None:
    with pytest.raises(BadInputError, match="was never seen"):
        make_anchor(results, replace(similarity(), keys=()), HEIGHT_PX)


def test_all_results_are_one_step_of_undo_before_one_backdrop(
    nuke: FakeNuke, node: FakeNode, results: Results
) -> None:
    before = [each.name() for each in nuke.allNodes()]
    with one_step(nuke, "masklet: roto"):
        make_rotos(nuke, rotopaint, results, SHAPES)
        make_anchor(results, similarity(), HEIGHT_PX)
        frame_results(nuke, node, ["u1"], "p1")
        frame_results(nuke, node, ["u1"], "p1")

    (backdrop,) = nuke.allNodes("BackdropNode")
    for made in nuke.allNodes():
        if made.knob("masklet_result") is not None and made is not backdrop:
            assert backdrop.xpos() < made.xpos() < backdrop.xpos() + backdrop["bdwidth"].value()
            assert backdrop.ypos() < made.ypos() < backdrop.ypos() + backdrop["bdheight"].value()
    assert [name for name, _ in nuke.Undo.steps] == ["masklet: roto"]
    nuke.Undo.take_back()
    assert [each.name() for each in nuke.allNodes()] == before


def test_a_result_that_the_artist_deleted_is_made_anew(nuke: FakeNuke, results: Results) -> None:
    wanted = [Wanted("mattes", "Read", "hero mattes", ("raw true",))]
    (first,) = results.make(wanted)
    nuke.delete(first)

    (second,) = results.make(wanted)

    assert second is not first
    assert second["raw"].value() is True


def test_a_plate_of_another_size_is_flipped_at_its_own_height() -> None:
    from masklet_nuke.spaces import PlateSpace

    assert PlateSpace(WIDTH_PX, 480).to_nuke(10.5, 479.5) == (10.5, 0.5)
    assert PlateSpace(WIDTH_PX, 480).to_plate(10.5, 0.5) == (10.5, 479.5)
