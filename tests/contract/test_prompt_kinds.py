"""A kind of prompt that is added to ``FramePrompts`` and forgotten elsewhere is named here, kind by kind.

Whoever adds one gives an example of it; everything else goes through all fields.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet import codec
from masklet.errors import BadInputError
from masklet.hosting.sentences import state_parts
from masklet.prompts import Shot, from_json, to_json
from masklet.prompts_digest import prompts_sha256
from masklet.said.documents import SaidObject, with_prompts
from masklet.said.edits import SetPrompts, applied, differences
from masklet.transport.bridge_values import decode, encode
from masklet.types import (
    Box,
    Click,
    ClipInfo,
    FramePrompts,
    Mask,
    ObjectInfo,
    Overscan,
    PromptDocument,
    Scribble,
)
from masklet_server.service.overscan import prompts_inside
from masklet_server.sessions.said import Said

EXAMPLES: dict[str, Any] = {
    "clicks": (Click(3.5, 4.5), Click(1.0, 2.0, positive=False)),
    "box": Box(1.0, 2.0, 30.0, 40.0),
    "mask": Mask(4, 2, bytes(range(0, 240, 30))),
    "scribbles": (Scribble(((1.0, 2.0), (3.0, 8.0)), 2.5), Scribble(((5.0, 5.0),), 4.0, positive=False)),
}
_NO_KINDS = ("object_id", "frame", "base", "source")
KINDS = [field.name for field in fields(FramePrompts) if field.name not in _NO_KINDS]
every_kind = pytest.mark.parametrize("kind", KINDS)


def said(kind: str) -> FramePrompts:
    return FramePrompts(1, 7, **{kind: EXAMPLES[kind]})


def document(prompts: FramePrompts) -> PromptDocument:
    return PromptDocument((ObjectInfo(1, "hero", (7,)),), (prompts,))


def test_every_kind_has_an_example() -> None:
    assert set(KINDS) == set(EXAMPLES)


@every_kind
def test_whoever_says_it_has_said_something(kind: str) -> None:
    assert not said(kind).is_empty
    # A mask leaves no room for any other kind.
    if kind != "mask":
        with pytest.raises(ValueError, match="a frame takes a mask, or"):
            replace(said(kind), mask=EXAMPLES["mask"])


@every_kind
def test_it_travels_over_the_wire_the_bridge_and_in_documents(kind: str) -> None:
    prompts = said(kind)
    blobs: list[bytes] = []

    assert codec.prompts_from_wire(codec.prompts_to_wire(prompts)) == prompts
    assert from_json(to_json(Shot("a", document(prompts)))).document.prompts == (prompts,)
    encoded = encode(prompts, blobs)
    assert decode(encoded, blobs) == prompts


@every_kind
def test_the_model_that_proposed_it_stays_named_and_changes_no_mask(kind: str) -> None:
    prompts = replace(said(kind), source="boxes of words 2.1")
    blobs: list[bytes] = []

    assert codec.prompts_from_wire(codec.prompts_to_wire(prompts)) == prompts
    assert from_json(to_json(Shot("a", document(prompts)))).document.prompts == (prompts,)
    assert decode(encode(prompts, blobs), blobs) == prompts
    assert Said.of(prompts).prompts == prompts
    assert prompts.moved(across=2.0).source == prompts.source
    assert prompts_sha256(document(prompts)) == prompts_sha256(document(said(kind)))
    with pytest.raises(ValueError, match="one line"):
        replace(prompts, source="two\nlines")


@every_kind
def test_it_is_an_edit_of_what_is_said(kind: str) -> None:
    before = SaidObject("u", "hero")
    after = with_prompts(before, said(kind))

    (edit,) = differences((before,), (after,))

    assert isinstance(edit, SetPrompts)
    assert applied((before,), edit) == (after,)
    assert differences((after,), (after,)) == ()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("clicks", "mask")])
def test_a_click_and_another_kind_at_once_are_no_click_alone(kind: str) -> None:
    click = Click(9.0, 9.0)
    before = with_prompts(SaidObject("u", "hero"), FramePrompts(0, 7, (click,)))
    after = with_prompts(before, replace(said(kind), clicks=(click, click)))

    (edit,) = differences((before,), (after,))

    assert isinstance(edit, SetPrompts)


@every_kind
def test_the_server_keeps_it_whole_and_names_it_in_headers(kind: str) -> None:
    prompts = said(kind)

    assert Said.of(prompts).prompts == prompts
    # What grows with what is drawn counts towards what undoing may keep; a box is four numbers.
    assert (kind == "box") or Said.of(prompts).size_bytes > Said.of(FramePrompts(1, 7)).size_bytes
    assert prompts_sha256(document(prompts)) != prompts_sha256(document(FramePrompts(1, 7)))


@every_kind
def test_it_moves_with_the_picture(kind: str) -> None:
    prompts = said(kind)

    moved = prompts.moved(across=2.0, down=3.0, x_px=10.0, y_px=20.0)

    # A drawn mask is resampled by whoever knows the other picture's size.
    assert (moved == prompts) is (kind == "mask")
    assert moved.moved(across=0.5, down=1 / 3, x_px=-5.0, y_px=-20 / 3).is_empty is False


@every_kind
def test_people_are_told_of_it(kind: str) -> None:
    assert len(state_parts(said(kind), None)) > len(state_parts(FramePrompts(1, 7), None))


def test_a_document_with_strokes_is_refused_by_whom_it_would_tell_something_else() -> None:
    text = to_json(Shot("a", document(said("scribbles"))))

    assert '"masklet_prompts": 3' in text
    assert '"masklet_prompts": 2' in to_json(Shot("a", document(said("clicks"))))
    with pytest.raises(BadInputError, match="'lassos' is nothing that this masklet knows"):
        from_json(text.replace("scribbles", "lassos"))


def test_overscan_moves_strokes_like_clicks() -> None:
    clip = ClipInfo("a", 120, 110, 1, 9, overscan=Overscan(10, 5, 10, 5))

    inside = prompts_inside(said("scribbles"), clip)

    assert inside.scribbles[0].points_px == ((11.0, 7.0), (13.0, 13.0))
    assert inside.scribbles[0].width_px == 2.5


points = st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))


@given(st.lists(points, min_size=1, max_size=12), st.floats(0.5, 200.0), st.integers(1, 8))
def test_positions_along_a_stroke_lie_on_it_and_apart(
    places: list[tuple[float, float]], width_px: float, most: int
) -> None:
    stroke = Scribble(tuple(places), width_px)

    found = stroke.sampled(most)

    assert 1 <= len(found) <= most
    ends = list(pairwise(places)) or [(places[0], places[0])]
    for x, y in found:
        assert min(_distance((x, y), *end) for end in ends) <= 1e-6 * 1e4


def _distance(point: tuple[float, float], start: tuple[float, float], end: tuple[float, float]) -> float:
    length = math.dist(start, end) ** 2
    along = 0.0
    if length:
        dot = sum((p - s) * (e - s) for p, s, e in zip(point, start, end, strict=True))
        along = min(1.0, max(0.0, dot / length))
    nearest = (start[0] + along * (end[0] - start[0]), start[1] + along * (end[1] - start[1]))
    return math.dist(point, nearest)


@pytest.mark.parametrize(
    ("given_points", "width_px", "sentence"),
    [
        ((), 2.0, "a stroke has 1 to 4096 points"),
        (((math.nan, 1.0),), 2.0, "finite coordinates"),
        (((1.0, 1.0),), 0.0, "choose another brush"),
        (((1.0, 1.0),), math.nan, "choose another brush"),
    ],
)
def test_what_makes_no_stroke_is_refused(given_points: Any, width_px: float, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Scribble(given_points, width_px)
