"""From the plate's frames to a composition's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.exchange_scenes import CLIP, random_shapes, random_tracks, scene
from masklet.anchors import AnchorTrack
from masklet.shapes import ObjectShapes
from masklet_resolve.time_base import TimeBase

times = st.builds(
    TimeBase,
    plate_first=st.integers(-100, 100_000),
    comp_first=st.integers(-1000, 100_000),
    speed=st.sampled_from([1.0, 0.5, 2.0, 0.8, 1.25, 4.0]),
    frames=st.integers(1, 300),
)


@settings(deadline=None)
@given(times)
def test_a_frame_of_the_composition_shows_one_of_the_plate_and_comes_back_to_it(time: TimeBase) -> None:
    for frame in list(time.comp_frames)[:50]:
        assert abs(time.comp_of(time.plate_of(frame)) - frame) <= max(1, 1 / time.speed)
    assert time.plate_of(time.comp_first) == time.plate_first
    assert time.comp_of(time.plate_first) == time.comp_first


@settings(deadline=None, max_examples=40)
@given(st.integers(-3, 8), st.integers(0, 86400), random_shapes())
def test_shapes_are_in_the_composition_where_the_plate_shows_them(
    first: int, start: int, shapes: ObjectShapes
) -> None:
    time = TimeBase(first, start, 1.0, CLIP.last_frame - first + 1)
    moved = time.shapes(shapes)

    by_name = {piece.name: piece for piece in moved.pieces}
    for piece in shapes.pieces:
        for frame in time.comp_frames:
            plate = time.plate_of(frame)
            there = by_name.get(piece.name)
            assert piece.is_visible(plate) == (there is not None and there.is_visible(frame))
            if there is not None and piece.is_visible(plate):
                for one, other in zip(there.path_at(frame), piece.path_at(plate), strict=True):
                    assert one.as_tuple() == pytest.approx(other.as_tuple())


@pytest.mark.parametrize("speed", [0.5, 2.0])
def test_a_retimed_clip_gets_a_key_on_every_frame(speed: float) -> None:
    shapes = scene().shapes[0]
    time = TimeBase(CLIP.first_frame, 0, speed, round(12 / speed))

    moved = time.shapes(shapes)

    outer = moved.pieces[0]
    assert [key.frame for key in outer.keys] == [
        frame for frame in time.comp_frames if shapes.pieces[0].is_visible(time.plate_of(frame))
    ]
    for key in outer.keys:
        assert key.vertices == shapes.pieces[0].path_at(time.plate_of(key.frame))


@settings(deadline=None, max_examples=40)
@given(random_tracks(), st.integers(0, 1000))
def test_an_anchor_has_the_plates_values_on_the_compositions_frames(track: AnchorTrack, start: int) -> None:
    time = TimeBase(CLIP.first_frame, start, 1.0, len(CLIP.frames))

    moved = time.anchor(track)

    shift = start - CLIP.first_frame
    assert moved.keys == tuple(replace(key, frame=key.frame + shift) for key in track.keys)
    assert moved.reference_frame == track.reference_frame + shift


@pytest.mark.parametrize("bad", [{"speed": 0.0}, {"speed": -1.0}, {"speed": float("nan")}, {"frames": 0}])
def test_a_clip_without_time_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no time of its own"):
        TimeBase(**{"plate_first": 0, "comp_first": 0, "speed": 1.0, "frames": 1, **bad})  # type: ignore[arg-type]
