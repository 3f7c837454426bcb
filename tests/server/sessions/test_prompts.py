from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.errors import BadInputError, FrameMissingError, MaskletError, ObjectNotFoundError
from masklet.matte_settings import MatteSettings
from masklet.prompts_digest import prompts_sha256
from masklet.types import (
    Box,
    Click,
    ClipInfo,
    FramePrompts,
    FrameRange,
    LockedMask,
    LockedRange,
    Mask,
    MaskDepth,
    NearMask,
    ObjectInfo,
    ObjectMatte,
    PromptDocument,
    TrackedMask,
)
from masklet_server.sessions.prompts import MAX_CLICKS, PromptBook

CLIP = ClipInfo("clip", 64, 48, 1, 10, missing_frames=(4,))


@pytest.fixture
def book() -> PromptBook:
    book = PromptBook(CLIP, max_objects=8)
    book.add_object("hero")
    return book


def test_a_box_is_cut_at_the_edge_of_the_picture(book: PromptBook) -> None:
    checked = book.check(FramePrompts(1, 1, box=Box(-5.0, 10.0, 70.0, 60.0)))

    assert checked.box == Box(0.0, 10.0, 64.0, 48.0)


@pytest.mark.parametrize(
    ("prompts", "words"),
    [
        (FramePrompts(1, 1, box=Box(70.0, 0.0, 80.0, 10.0)), "outside the picture"),
        (FramePrompts(1, 1, (Click(1.0, 49.0),)), "outside the picture"),
        (FramePrompts(1, 1, mask=Mask(2, 2, bytes(4))), "2 x 2 and the picture 64 x 48"),
        (FramePrompts(1, 1, (Click(1.0, 1.0),) * (MAX_CLICKS + 1)), "at most 64 clicks"),
        (FramePrompts(1, 0, (Click(1.0, 1.0),)), "1-10"),
        (FramePrompts(1, 4, (Click(1.0, 1.0),)), "no picture for frame 4"),
    ],
)
def test_prompts_that_cannot_be_meant_are_refused(
    book: PromptBook, prompts: FramePrompts, words: str
) -> None:
    with pytest.raises((BadInputError, FrameMissingError), match=words):
        book.check(prompts)


def test_clicks_and_boxes_never_take_the_place_of_a_mask_drawn_by_hand(book: PromptBook) -> None:
    book.put(FramePrompts(1, 1, mask=Mask(64, 48, bytes(64 * 48))))

    with pytest.raises(BadInputError, match="hero has a mask drawn by hand on frame 1"):
        book.with_click(1, 1, Click(1.0, 1.0))
    with pytest.raises(BadInputError, match="draw the mask again"):
        book.check_mask_stays(FramePrompts(1, 1, box=Box(0.0, 0.0, 5.0, 5.0)))
    book.check_mask_stays(FramePrompts(1, 1))
    book.check_mask_stays(FramePrompts(1, 1, mask=Mask(64, 48, bytes(64 * 48))))


def test_every_kind_of_edit_can_be_taken_back_and_made_again(book: PromptBook) -> None:
    other = book.add_object("other").object_id
    book.put(FramePrompts(other, 1, (Click(1.0, 1.0),)))
    book.rename_object(other, "third")
    book.set_lock(other, FrameRange(2, 5), locked=True)
    book.set_matte(other, MatteSettings(grow_px=2.0))
    book.remove_object(other)
    documents = [book.document()]

    while book.history.undo_left:
        book.take_back()
        documents.append(book.document())

    assert book.objects() == ()
    # Adding and removing the only other object are the two that look alike.
    assert len(documents) == 8
    assert len(set(map(repr, documents))) == 7
    for document in reversed(documents[:-1]):
        book.make_again()
        assert book.document() == document
    assert book.history.redo_left == 0


def test_a_new_edit_ends_what_could_be_made_again(book: PromptBook) -> None:
    book.rename_object(1, "villain")
    book.take_back()
    book.rename_object(1, "clown")

    with pytest.raises(BadInputError, match="nothing to make again"):
        book.history.last_undone()


def test_what_changes_nothing_is_no_edit(book: PromptBook) -> None:
    book.rename_object(1, "hero")
    book.set_lock(1, FrameRange(1, 3), locked=False)
    book.set_matte(1, MatteSettings())

    assert book.history.undo_left == 1


@given(st.lists(st.tuples(st.integers(1, 10), st.integers(1, 10), st.booleans()), max_size=8))
def test_locks_are_what_was_locked_last(said: list[tuple[int, int, bool]]) -> None:
    book = PromptBook(CLIP, max_objects=8)
    book.add_object("hero")
    expected: set[int] = set()
    for one, other, locked in said:
        frames = FrameRange(min(one, other), max(one, other))
        book.set_lock(1, frames, locked=locked)
        covered = set(range(frames.first, frames.last + 1))
        expected = expected | covered if locked else expected - covered

    ranges = [lock.frames for lock in book.locks()]

    assert {frame for frames in ranges for frame in range(frames.first, frames.last + 1)} == expected
    assert all(left.last + 1 < right.first for left, right in itertools.pairwise(ranges))


def test_a_locked_frame_takes_no_prompts_and_a_lock_stays_inside_the_clip(book: PromptBook) -> None:
    book.set_lock(1, FrameRange(2, 3), locked=True)

    with pytest.raises(BadInputError, match="frame 3 is locked for hero: unlock it"):
        book.check(FramePrompts(1, 3, (Click(1.0, 1.0),)))
    with pytest.raises(BadInputError, match="which has 1-10"):
        book.set_lock(1, FrameRange(9, 11), locked=True)
    with pytest.raises(ObjectNotFoundError):
        book.set_lock(7, FrameRange(2, 3), locked=True)


def test_ids_are_never_given_twice(book: PromptBook) -> None:
    book.remove_object(1)
    second = book.add_object("hero").object_id
    (third,) = book.replaced_by(PromptDocument((ObjectInfo(1, "hero"),))).object_ids

    assert [second, third, book.add_object("ball").object_id] == [2, 3, 4]


def test_a_name_may_be_kept_when_renaming_and_freed_by_it(book: PromptBook) -> None:
    assert book.rename_object(1, "hero").name == "hero"
    assert book.rename_object(1, "villain").name == "villain"
    assert book.add_object("hero").object_id == 2


@pytest.mark.parametrize(
    "document",
    [
        PromptDocument((ObjectInfo(1, "a"), ObjectInfo(1, "b"))),
        PromptDocument((ObjectInfo(1, "a"), ObjectInfo(2, "a"))),
        PromptDocument((ObjectInfo(1, "a"),), (FramePrompts(1, 1),)),
        PromptDocument((ObjectInfo(1, "a"),), (FramePrompts(1, 1, (Click(1, 1),)),) * 2),
        PromptDocument((ObjectInfo(1, "a/b"),)),
        PromptDocument((ObjectInfo(1, "a"),), (FramePrompts(1, 99, (Click(1, 1),)),)),
        PromptDocument((ObjectInfo(1, "a"),), locks=(LockedRange(2, FrameRange(1, 2)),)),
        PromptDocument((ObjectInfo(1, "a"),), locks=(LockedRange(1, FrameRange(1, 20)),)),
        PromptDocument((ObjectInfo(1, "a"),), mattes=(ObjectMatte(2, MatteSettings(invert=True)),)),
    ],
)
def test_documents_that_make_no_sense_are_refused(book: PromptBook, document: PromptDocument) -> None:
    with pytest.raises(MaskletError):
        book.replaced_by(document)

    assert [info.name for info in book.objects()] == ["hero"]


def test_the_digest_follows_what_was_said_and_not_the_ids() -> None:
    document = PromptDocument((ObjectInfo(3, "a"),), (FramePrompts(3, 1, (Click(1.0, 2.0),)),))
    elsewhere = PromptDocument((ObjectInfo(9, "a"),), (FramePrompts(9, 1, (Click(1.0, 2.0),)),))
    negative = replace(document.prompts[0], clicks=(Click(1.0, 2.0, positive=False),))

    digests = {
        prompts_sha256(document),
        prompts_sha256(elsewhere),
        prompts_sha256(replace(document, prompts=(negative,))),
        prompts_sha256(replace(document, objects=(ObjectInfo(3, "b"),))),
    }
    assert len(digests) == 3


def test_the_digest_tells_masks_of_the_same_bytes_apart_by_their_depth() -> None:
    def digest(depth: MaskDepth) -> str:
        drawn = FramePrompts(1, 1, mask=Mask(1, 1, b"\x01\x00", depth))
        return prompts_sha256(PromptDocument((ObjectInfo(1, "a"),), (drawn,)))

    assert digest(MaskDepth.BITS_16) != digest(MaskDepth.HALF)


def test_the_digest_follows_what_clicks_correct_and_what_locks_hold_against_the_prompts() -> None:
    click = FramePrompts(3, 1, (Click(1.0, 2.0),))
    one, other = (TrackedMask(2, 2, bytes([value] * 8)) for value in (1, 2))
    document = PromptDocument((ObjectInfo(3, "a"),), (click,))

    def corrects(base: TrackedMask) -> PromptDocument:
        return replace(document, prompts=(replace(click, base=base),))

    def holds(mask: TrackedMask, *, stale: bool) -> PromptDocument:
        return replace(document, masks=(LockedMask(3, 2, mask, stale),))

    different = [
        document,
        corrects(one),
        corrects(other),
        holds(one, stale=True),
        holds(other, stale=True),
        replace(document, masks=(LockedMask(3, 2, one, stale=True, around=(NearMask(3, other),)),)),
    ]
    assert len({prompts_sha256(each) for each in different}) == 6
    # A lock on what tracking makes anyway changes nothing.
    assert prompts_sha256(holds(one, stale=False)) == prompts_sha256(document)


def _painted(side_px: int, row: int, depth: MaskDepth = MaskDepth.BITS_8) -> Mask:
    """A stroke that was drawn by hand, row by row another one."""
    value = {MaskDepth.BITS_8: b"\xff", MaskDepth.BITS_16: b"\xff\xff", MaskDepth.HALF: b"\x00\x3c"}[depth]
    empty = bytes(side_px * side_px * depth.bytes_per_pixel)
    return Mask(side_px, side_px, (empty[: row * side_px] + side_px * value + empty)[: len(empty)], depth)


@pytest.mark.parametrize("depth", MaskDepth)
def test_drawn_masks_come_back_as_they_were_drawn(depth: MaskDepth) -> None:
    book = PromptBook(replace(CLIP, width_px=64, height_px=64), max_objects=8)
    book.add_object("hero")
    prompts = FramePrompts(1, 1, mask=_painted(64, 3, depth))
    book.put(prompts)

    assert book.find(1, 1) == prompts
    assert book.document().prompts == (prompts,)
    book.put(FramePrompts(1, 1))
    book.take_back()
    assert book.find(1, 1) == prompts


def test_strokes_of_a_brush_take_little_memory_and_are_counted() -> None:
    side_px = 1024
    book = PromptBook(replace(CLIP, width_px=side_px, height_px=side_px), max_objects=8)
    book.add_object("hero")
    for row in range(20):
        book.put(FramePrompts(1, 1, mask=_painted(side_px, row)))

    assert 19 * 1_000 < book.history.size_bytes < side_px * side_px
    assert book.history.undo_left == 21


def test_the_oldest_steps_are_given_up_where_they_take_too_much_and_that_is_said() -> None:
    book = PromptBook(replace(CLIP, width_px=512, height_px=512), max_objects=8, undo_bytes=10_000)
    book.add_object("hero")
    for row in range(40):
        book.put(FramePrompts(1, 1, mask=_painted(512, row)))

    assert book.history.size_bytes <= 10_000
    left = book.history.undo_left
    assert 1 < left < 40
    for _ in range(left):
        book.take_back()
    assert book.find(1, 1) == FramePrompts(1, 1, mask=_painted(512, 39 - left))
    with pytest.raises(BadInputError, match=rf"nothing more to take back: .*; {41 - left} older ones"):
        book.take_back()


def test_a_step_that_takes_more_than_all_may_can_still_be_taken_back() -> None:
    book = PromptBook(replace(CLIP, width_px=512, height_px=512), max_objects=8, undo_bytes=1)
    book.add_object("hero")
    for row in range(3):
        book.put(FramePrompts(1, 1, mask=_painted(512, row)))

    book.take_back()
    assert book.find(1, 1) == FramePrompts(1, 1, mask=_painted(512, 1))
