"""Nuke text, proved by a reader written from the grammar."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from fakes.exchange_scenes import (
    CLIP,
    HEIGHT_PX,
    draw_paths,
    expected_matte,
    iou,
    random_shapes,
    scene,
    similarity,
    true_paths,
)
from fakes.nuke_text import NukeNode, read_beziers, read_curve, read_nodes, read_paths
from masklet.exchange.nuke import write_nk
from masklet.exchange.scene import ExchangeScene
from masklet.shapes import ObjectShapes


def _node(nodes: list[NukeNode], name: str) -> NukeNode:
    return next(node for node in nodes if node.knobs["name"] == name)


@settings(max_examples=40, deadline=None)
@given(random_shapes())
def test_every_vertex_and_handle_comes_back_on_every_visible_frame(shapes: ObjectShapes) -> None:
    nodes = read_nodes(write_nk(ExchangeScene(CLIP, shapes=(shapes,))))

    for frame in range(CLIP.first_frame, CLIP.last_frame + 1):
        wanted, found = true_paths(shapes, frame), read_paths(nodes, frame, HEIGHT_PX)
        assert [hole for hole, _ in found] == [hole for hole, _ in wanted]
        for (_, path), (_, true) in zip(found, wanted, strict=True):
            for vertex, true_vertex in zip(path, true, strict=True):
                assert vertex == pytest.approx(true_vertex, abs=1e-3)


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

    assert read.knobs["file"] == "mattes/shot [a].%04d.exr"
    assert (read.knobs["first"], read.knobs["last"], read.knobs["raw"]) == ("-3", "8", "true")


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
