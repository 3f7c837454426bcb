"""How tracking is cut into tasks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from masklet.farm.pieces import cut_into_pieces
from masklet.types import Click, ClipInfo, Direction, FramePrompts, FrameRange, ObjectInfo, PromptDocument
from masklet_server.sessions.plan import Ground, plan_track

_FRAMES = st.frozensets(st.integers(1, 40), min_size=1, max_size=5)


def _document(*said: frozenset[int]) -> PromptDocument:
    infos = tuple(
        ObjectInfo(place, f"thing{place}", tuple(sorted(frames))) for place, frames in enumerate(said, 1)
    )
    prompts = tuple(
        FramePrompts(info.object_id, frame, (Click(1.0, 1.0),))
        for info in infos
        for frame in info.prompted_frames
    )
    return PromptDocument(infos, prompts)


@given(
    st.lists(_FRAMES, min_size=1, max_size=4),
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(Direction),
    st.integers(1, 3),
    st.integers(1, 80),
)
def test_every_frame_of_an_object_that_the_server_would_track_is_in_one_way(
    said: list[frozenset[int]], first: int, last: int, direction: Direction, together: int, steps: int
) -> None:
    frames = FrameRange(min(first, last), max(first, last))
    document = _document(*said)
    pieces = cut_into_pieces(
        document, frames, direction, objects_per_task=together, steps_per_task=float(steps)
    )
    assert [piece.number for piece in pieces] == list(range(1, len(pieces) + 1))
    assert all(len(piece.objects) <= together for piece in pieces)
    clip = ClipInfo("plate.%04d.png", 64, 36, 1, 40)
    for info in document.objects:
        ground = Ground(info.prompted_frames)
        plan = plan_track({info.object_id: ground}, clip, frames=frames, direction=direction)
        wanted = {step.frame for step in (*plan.steps, *plan.prompted) if step.frame in frames}
        ways = [way for piece in pieces if info.name in piece.objects for way in piece.ways]
        found = [frame for way in ways for frame in range(way.frames.first, way.frames.last + 1)]
        assert len(found) == len(set(found))
        assert set(found) == wanted


@given(st.lists(_FRAMES, min_size=1, max_size=3), st.sampled_from(Direction))
def test_a_way_goes_the_way_that_the_server_goes(said: list[frozenset[int]], direction: Direction) -> None:
    document = _document(*said)
    pieces = cut_into_pieces(
        document, FrameRange(1, 40), direction, objects_per_task=4, steps_per_task=1000.0
    )
    clip = ClipInfo("plate.%04d.png", 64, 36, 1, 40)
    for info in document.objects:
        plan = plan_track({info.object_id: Ground(info.prompted_frames)}, clip, direction=direction)
        backward = {step.frame for step in plan.steps if step.backward}
        for way in (way for piece in pieces if info.name in piece.objects for way in piece.ways):
            inside = set(range(way.frames.first, way.frames.last + 1)) - set(info.prompted_frames)
            assert inside <= backward if way.backward else not inside & backward


def test_objects_that_are_prompted_on_the_same_frames_are_tracked_together_up_to_a_number() -> None:
    same, other = frozenset({5}), frozenset({9})
    pieces = cut_into_pieces(
        _document(same, same, same, other),
        FrameRange(1, 10),
        Direction.BOTH,
        objects_per_task=2,
        steps_per_task=1000.0,
    )
    assert [piece.objects for piece in pieces] == [("thing1", "thing2"), ("thing3",), ("thing4",)]


def test_ways_of_a_long_shot_become_tasks_of_their_own() -> None:
    pieces = cut_into_pieces(
        _document(frozenset({100, 300})),
        FrameRange(1, 400),
        Direction.BOTH,
        objects_per_task=4,
        steps_per_task=120.0,
    )
    assert [[way.frames.shown for way in piece.ways] for piece in pieces] == [
        ["1-99"],
        ["100-200"],
        ["201-299"],
        ["300-400"],
    ]
