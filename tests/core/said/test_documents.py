from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masklet.errors import BadInputError
from masklet.matte_settings import MatteSettings
from masklet.said.documents import (
    Document,
    SaidObject,
    by_uid,
    cleared,
    completed,
    find,
    from_prompts,
    said_from_json,
    said_to_json,
    to_prompts,
    with_base,
    with_box,
    with_click,
    with_lock,
    with_masks,
)
from masklet.said.edits import (
    AddClick,
    AddObject,
    Edit,
    RemoveObject,
    RenameObject,
    SetLock,
    SetPrompts,
    applied,
    differences,
)
from masklet.types import (
    Box,
    Click,
    CloseLook,
    FramePrompts,
    FrameRange,
    LockedMask,
    Mask,
    NearMask,
    TrackedMask,
)

CLICK = Click(10.0, 5.0)
HERO = SaidObject("u1", "hero", (FramePrompts(0, 1001, (CLICK,)),))


def frames(first: int, last: int) -> FrameRange:
    return FrameRange(first, last)


def test_one_more_click_is_sent_as_a_click() -> None:
    more = with_click(HERO, 1001, Click(20.0, 6.0, positive=False))
    assert differences((HERO,), (more,)) == (AddClick("u1", 1001, Click(20.0, 6.0, positive=False)),)


def test_a_box_keeps_the_clicks_of_its_frame_and_is_sent_whole() -> None:
    boxed = with_box(HERO, 1001, Box(1.0, 2.0, 30.0, 20.0))
    (edit,) = differences((HERO,), (boxed,))
    assert isinstance(edit, SetPrompts)
    assert edit.prompts == FramePrompts(0, 1001, (CLICK,), Box(1.0, 2.0, 30.0, 20.0))


def test_what_a_correction_corrects_is_kept_through_boxes_and_clicks_and_sent_to_a_new_server() -> None:
    base = TrackedMask(2, 2, b"base")
    said = with_base(with_click(SaidObject("u", "hero"), 4, Click(1, 1)), 4, base)

    boxed = with_click(with_box(said, 4, Box(0, 0, 5, 5)), 4, Click(2, 2))

    assert boxed.at(4).base == base
    (_added, sent) = differences((), (said,))
    assert sent == SetPrompts("u", said.at(4))
    # One that knows no base differs in nothing from one that does.
    assert differences((said,), (with_click(SaidObject("u", "hero"), 4, Click(1, 1)),)) == ()
    assert cleared(boxed, 4).at(4).base is None


def test_locked_frames_keep_their_masks_and_bring_them_to_a_new_server() -> None:
    masks = tuple(LockedMask(0, frame, TrackedMask(2, 2, bytes([frame]))) for frame in (3, 4, 5))
    said = with_masks(with_lock(SaidObject("u", "hero"), FrameRange(3, 4), locked=True), masks)

    assert [mask.frame for mask in said.masks] == [3, 4]
    assert differences((), (said,))[-1] == SetLock("u", FrameRange(3, 4), True, masks[:2])
    assert [mask.frame for mask in with_lock(said, FrameRange(3, 3), locked=False).masks] == [4]
    assert said_from_json("u", "hero", said_to_json(said)) == said


def test_taking_back_what_was_said_sends_empty_prompts() -> None:
    (edit,) = differences((HERO,), (cleared(HERO, 1001),))
    assert edit == SetPrompts("u1", FramePrompts(0, 1001))


def test_the_same_documents_in_another_order_differ_in_nothing() -> None:
    other = SaidObject("u2", "ball")
    assert differences((HERO, other), (other, HERO)) == ()


def test_a_range_is_opened_before_its_frames_are_corrected() -> None:
    locked = with_lock(HERO, frames(1000, 1010), locked=True)
    corrected = with_click(HERO, 1005, CLICK)
    kinds = [type(edit) for edit in differences((locked,), (corrected,))]
    assert kinds == [SetLock, AddClick]


def test_only_the_part_of_a_lock_that_changes_is_sent() -> None:
    before = with_lock(HERO, frames(1001, 1010), locked=True)
    after = with_lock(before, frames(1004, 1005), locked=False)
    assert differences((before,), (after,)) == (SetLock("u1", frames(1004, 1005), False),)


def test_objects_that_swap_their_names_never_share_one() -> None:
    a, b = SaidObject("u1", "left"), SaidObject("u2", "right")
    document: Document = (a, b)
    edits = differences(document, (SaidObject("u1", "right"), SaidObject("u2", "left")))
    for edit in edits:
        assert isinstance(edit, RenameObject)
        document = applied(document, edit)
        assert len({said.name for said in document}) == 2
    assert [said.name for said in document] == ["right", "left"]


@pytest.mark.parametrize(
    "change",
    [
        lambda said: with_click(said, 1003, CLICK),
        lambda said: with_box(said, 1003, Box(0.0, 0.0, 5.0, 5.0)),
        lambda said: cleared(said, 1003),
    ],
)
def test_a_locked_frame_refuses_changes_with_the_way_on(change: Callable[[SaidObject], SaidObject]) -> None:
    locked = with_lock(HERO, frames(1002, 1004), locked=True)
    with pytest.raises(BadInputError, match="frame 1003 is locked for hero: unlock it first"):
        change(locked)


def test_clicks_and_boxes_do_not_take_the_place_of_a_mask_drawn_by_hand() -> None:
    drawn = SaidObject("u1", "hero", (FramePrompts(0, 1001, mask=Mask(2, 1, b"\0\xff")),))
    with pytest.raises(BadInputError, match="clear this frame first"):
        with_click(drawn, 1001, CLICK)
    with pytest.raises(BadInputError, match="clear this frame first"):
        with_box(drawn, 1001, Box(0.0, 0.0, 1.0, 1.0))
    assert with_click(cleared(drawn, 1001), 1001, CLICK).at(1001).clicks == (CLICK,)


def test_a_text_that_was_damaged_is_told_and_an_empty_one_says_nothing() -> None:
    assert said_from_json("u1", "hero", "") == SaidObject("u1", "hero")
    with pytest.raises(BadInputError, match="is not JSON"):
        said_from_json("u1", "hero", "{broken")


_clicks = st.builds(Click, st.floats(0, 60), st.floats(0, 30), st.booleans())
_boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h),
    st.floats(0, 20),
    st.floats(0, 10),
    st.floats(1, 30),
    st.floats(1, 20),
)
_prompts = st.builds(
    lambda frame, clicks, box: FramePrompts(0, frame, tuple(clicks), box),
    st.integers(1001, 1008),
    st.lists(_clicks, max_size=3),
    st.none() | _boxes,
).filter(lambda prompts: not prompts.is_empty)


@st.composite
def _objects(draw: st.DrawFn, uid: str, name: str) -> SaidObject:
    said = draw(st.lists(_prompts, max_size=3, unique_by=lambda prompts: prompts.frame))
    item = SaidObject(uid, name, tuple(sorted(said, key=lambda prompts: prompts.frame)))
    for first in draw(st.lists(st.integers(1001, 1008), max_size=2)):
        item = with_lock(item, FrameRange(first, first + draw(st.integers(0, 3))), locked=True)
    matte = MatteSettings(grow_px=draw(st.sampled_from([0.0, 2.0])))
    return SaidObject(item.uid, item.name, item.frames, item.locks, matte)


@st.composite
def _documents(draw: st.DrawFn) -> Document:
    uids = draw(st.lists(st.sampled_from(["u1", "u2", "u3", "u4"]), unique=True))
    names = draw(st.permutations(["hero", "ball", "dog", "sky"]))
    return tuple(draw(_objects(uid, name)) for uid, name in zip(uids, names, strict=False))


@given(_documents(), _documents())
@settings(deadline=None, max_examples=60)
def test_the_differences_lead_from_any_document_to_any_other_and_each_step_is_allowed(
    held: Document, wanted: Document
) -> None:
    document = held
    for edit in differences(held, wanted):
        _allowed(document, edit)
        document = applied(document, edit)
    assert by_uid(document) == by_uid(wanted)


@given(_documents())
@settings(deadline=None, max_examples=60)
def test_a_document_survives_the_file_and_the_server(document: Document) -> None:
    for said in document:
        assert said_from_json(said.uid, said.name, said_to_json(said)) == said
    assert from_prompts(to_prompts(document), {said.name: said.uid for said in document}) == document


def _allowed(document: Document, edit: Edit) -> None:
    """What the server would refuse."""
    names = [said.name for said in document]
    if isinstance(edit, AddObject):
        assert edit.name not in names
        return
    said = find(document, edit.uid)
    assert said is not None
    if isinstance(edit, RenameObject):
        assert edit.name not in names
    elif isinstance(edit, AddClick):
        assert not said.is_locked(edit.frame)
    elif isinstance(edit, SetPrompts):
        assert not said.is_locked(edit.prompts.frame)
    elif isinstance(edit, RemoveObject):
        assert edit.uid in {known.uid for known in document}


def test_what_the_server_learns_of_a_locked_mask_comes_into_the_document_and_survives_it() -> None:
    mask, other = (TrackedMask(2, 2, bytes([value] * 8)) for value in (1, 2))
    look = CloseLook(1, 2, 30, 40, 2, 2, bytes(8))
    locked = with_lock(SaidObject("u", "hero"), FrameRange(5, 5), locked=True)
    own = with_masks(locked, [LockedMask(0, 5, mask, around=(NearMask(4, other),))])
    looked_at = LockedMask(0, 5, mask, around=(NearMask(4, other, (look,)),), looks=(look,))

    (told,) = completed((own,), (with_masks(locked, [looked_at]),))
    assert told.masks == (looked_at,)
    # Of another mask nothing is known here, and what the document has is not unlearned.
    changed = with_masks(locked, [LockedMask(0, 5, other, looks=(look,))])
    assert completed((own,), (changed,)) == (own,)
    assert completed((told,), (own,)) == (told,)
    assert said_from_json("u", "hero", said_to_json(told)).masks == (looked_at,)
