"""Nuke text, proved by a reader written from the grammar."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.exchange_scenes import (
    CLIP,
    HEIGHT_PX,
    draw_paths,
    expected_matte,
    iou,
    random_shapes,
    random_tracks,
    scene,
    similarity,
    true_paths,
    widest_feathers_px,
)
from fakes.nuke_text import NukeNode, read_beziers, read_curve, read_feathers_px, read_nodes, read_paths
from masklet.anchors import AnchorTrack
from masklet.exchange.nuke import write_nk
from masklet.exchange.scene import ExchangeScene
from masklet.interpolation import Interpolation
from masklet.shapes import ObjectShapes


def _node(nodes: list[NukeNode], name: str) -> NukeNode:
    return next(node for node in nodes if node.knobs["name"] == name)


WITHIN_PX = 0.1
"""What the fit of these shapes left of its tolerance, which their redrawing may use up."""


@settings(max_examples=15, deadline=None)
@given(random_shapes(st.sampled_from(Interpolation)))
def test_under_nukes_own_curve_every_vertex_and_handle_is_where_it_was_on_every_visible_frame(
    shapes: ObjectShapes,
) -> None:
    nodes = read_nodes(write_nk(ExchangeScene(CLIP, shapes=(shapes,))))

    for frame in range(CLIP.first_frame, CLIP.last_frame + 1):
        wanted, found = true_paths(shapes, frame), read_paths(nodes, frame, HEIGHT_PX)
        assert [hole for hole, _ in found] == [hole for hole, _ in wanted]
        assert read_feathers_px(nodes, frame) == pytest.approx(widest_feathers_px(shapes, frame), abs=1e-3)
        for (_, path), (_, true) in zip(found, wanted, strict=True):
            for vertex, true_vertex in zip(path, true, strict=True):
                # Vertex and handle end each keep within it; a handle is told from its vertex.
                assert vertex == pytest.approx(true_vertex, abs=2 * WITHIN_PX + 1e-3)


@settings(max_examples=15, deadline=None)
@given(random_shapes(st.just(Interpolation.NUKE_SMOOTH)))
def test_shapes_that_were_fitted_for_nuke_come_back_exactly_with_no_key_added(shapes: ObjectShapes) -> None:
    nodes = read_nodes(write_nk(ExchangeScene(CLIP, shapes=(shapes,))))

    for frame in range(CLIP.first_frame, CLIP.last_frame + 1):
        for (_, path), (_, true) in zip(
            read_paths(nodes, frame, HEIGHT_PX), true_paths(shapes, frame), strict=True
        ):
            for vertex, true_vertex in zip(path, true, strict=True):
                assert vertex == pytest.approx(true_vertex, abs=1e-3)


@settings(max_examples=10, deadline=None)
@given(random_shapes(st.sampled_from(Interpolation)))
def test_the_curve_is_the_same_whether_nuke_heeds_the_stored_slopes_or_not(shapes: ObjectShapes) -> None:
    nodes = read_nodes(write_nk(ExchangeScene(CLIP, shapes=(shapes,))))

    for node in nodes:
        for bezier in node.beziers if node.kind == "Roto" else ():
            for slot in range(len(bezier.slots)):
                for frame in range(bezier.first, bezier.last + 1):
                    own, stored = (
                        bezier.value(slot, 0, frame, stored_slopes=heeded) for heeded in (False, True)
                    )
                    assert own == pytest.approx(stored, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(random_tracks())
def test_every_number_of_an_anchor_comes_back(track: AnchorTrack) -> None:
    nodes = read_nodes(write_nk(ExchangeScene(CLIP, anchors=(track,))))
    knobs = _node(nodes, "any_anchor").knobs
    start = track.key_at(track.reference_frame)
    assert start is not None

    x, y = (read_curve(channel) for channel in knobs["translate"])
    center_x, center_y = (float(str(word)) for word in knobs["center"])
    for key in track.keys:
        assert center_x + x[key.frame] == pytest.approx(key.x_px, abs=1e-3)
        assert HEIGHT_PX - center_y - y[key.frame] == pytest.approx(key.y_px, abs=1e-3)
        if track.is_animated_in_size:
            assert -read_curve(knobs["rotate"][0])[key.frame] == pytest.approx(key.rotation_deg, abs=1e-3)
            sizes = [read_curve(channel)[key.frame] for channel in knobs["scale"]]
            assert sizes == pytest.approx([key.scale_x, key.scale_y], abs=1e-3)
        if key.corners is not None:
            pin = _node(nodes, "any_anchor_corner_pin").knobs
            for number, corner in zip((4, 3, 2, 1), key.corners, strict=True):
                across, up = (read_curve(channel)[key.frame] for channel in pin[f"to{number}"])
                assert (across, HEIGHT_PX - up) == pytest.approx(corner, abs=1e-3)


def test_an_anchor_that_fades_takes_what_hangs_on_it_away() -> None:
    track = similarity()
    weights = {-3: 1.0, -2: 0.5, -1: 0.0}
    fading = replace(
        track, keys=tuple(replace(key, weight=weights.get(key.frame, 1.0)) for key in track.keys)
    )

    nodes = read_nodes(write_nk(ExchangeScene(CLIP, anchors=(fading,))))
    plain = read_nodes(write_nk(ExchangeScene(CLIP, anchors=(track,))))

    kinds = [node.kind for node in nodes]
    assert kinds == ["Transform", "Multiply", "Tracker4", "CornerPin2D", "Multiply"]
    for node in (nodes[1], nodes[4]):
        # Fed by the node before it.
        assert (node.knobs["inputs"], node.knobs["channels"]) == ("1", "all")
        values = read_curve(node.knobs["value"][0])
        assert [values[frame] for frame in (-3, -2, -1, 0)] == [1.0, 0.5, 0.0, 1.0]
    assert "Multiply" not in [node.kind for node in plain]


def test_what_is_drawn_from_the_text_is_the_matte() -> None:
    shot = scene()
    nodes = read_nodes(write_nk(shot))

    for frame in (-3, 0, 2, 3, 6, 8):
        assert (
            iou(draw_paths(read_paths(nodes, frame, HEIGHT_PX)), expected_matte(shot.shapes[0], frame)) > 0.97
        )


def test_merges_take_holes_away_and_add_islands_with_the_object_so_far_as_their_b_side() -> None:
    nodes = read_nodes(write_nk(scene()))

    stack: list[str] = []
    for node in nodes:
        name = str(node.knobs["name"])
        if node.kind == "Roto":
            stack.append(name)
        elif node.kind == "Merge2":
            # Input 0, called B, is the node that was written last.
            b, a = stack.pop(), stack.pop()
            stack.append(f"({b} {node.knobs['operation']} {a})")
    assert stack == ["((hero_1_a_roto stencil hero_1_a_holes) max hero_1_a_roto_3)"]


def test_the_mattes_are_read_raw_with_the_plates_frame_numbers() -> None:
    read = next(node for node in read_nodes(write_nk(scene())) if node.kind == "Read")

    assert read.knobs["file"] == "50%_d [a]/shot_mattes.%04d.exr"
    # The files that were written, not the clip.
    assert (read.knobs["first"], read.knobs["last"], read.knobs["raw"]) == ("-2", "7", "true")
    assert read.knobs["label"] == "masklet mattes\nlayers: hero\nno files on 3-4"


def test_a_transform_carries_the_anchor_from_its_reference_with_y_and_rotation_turned_over() -> None:
    transform = _node(read_nodes(write_nk(scene())), "hero_similarity")
    track = similarity()

    translate, rotate = transform.knobs["translate"], transform.knobs["rotate"]
    assert isinstance(translate, list)
    assert isinstance(rotate, list)
    x, y, turn = read_curve(translate[0]), read_curve(translate[1]), read_curve(rotate[0])
    reference = track.key_at(0)
    assert reference is not None
    for key in track.keys:
        assert x[key.frame] == pytest.approx(key.x_px - reference.x_px, abs=1e-3)
        assert y[key.frame] == pytest.approx(reference.y_px - key.y_px, abs=1e-3)
        assert turn[key.frame] == pytest.approx(-key.rotation_deg, abs=1e-3)
    assert transform.knobs["center"] == ["160", str(HEIGHT_PX - 140)]


def test_a_tracker_has_31_columns_and_the_anchors_path() -> None:
    tracks = _node(read_nodes(write_nk(scene())), "hero_similarity_tracker").knobs["tracks"]
    assert isinstance(tracks, list)
    head, columns, rows = tracks
    assert head == ["1", "31", "1"]
    assert len(columns) == 31
    row = rows[0]
    assert isinstance(row, list)
    assert len(row) == 31

    x, y = read_curve(row[2]), read_curve(row[3])

    for key in similarity().keys:
        assert (x[key.frame], HEIGHT_PX - y[key.frame]) == pytest.approx((key.x_px, key.y_px), abs=1e-3)


def test_a_corner_pin_runs_from_the_bottom_left_counter_clockwise() -> None:
    pin = _node(read_nodes(write_nk(scene())), "hero_similarity_corner_pin")
    to1 = pin.knobs["to1"]
    assert isinstance(to1, list)

    assert pin.knobs["from1"] == ["100", str(HEIGHT_PX - 200)]
    assert pin.knobs["from3"] == ["220", str(HEIGHT_PX - 80)]
    assert read_curve(to1[0])[4] == pytest.approx(100 + 30)
    assert read_curve(to1[1])[4] == pytest.approx(HEIGHT_PX - (200 - 9))


def test_an_object_that_is_never_there_gives_an_empty_roto() -> None:
    empty = ObjectShapes("ghost", 640, 360, 1.0, (), scene().shapes[0].report)

    nodes = read_nodes(write_nk(ExchangeScene(CLIP, shapes=(empty,))))

    assert [node.kind for node in nodes] == ["Roto"]
    assert read_beziers(nodes[0].knobs["curves"]) == []
