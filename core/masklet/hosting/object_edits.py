"""What a list of objects does to a document: name, order, copy, merge, lock, and how mattes are finished."""

from __future__ import annotations

import sys
from array import array
from dataclasses import replace
from typing import TYPE_CHECKING

from masklet.errors import BadInputError, NameTakenError
from masklet.frame_runs import runs_joined
from masklet.names import checked_object_name
from masklet.phrases import phrase
from masklet.said.documents import SaidObject, find, new_uid, with_lock
from masklet.types import Box, Click, FramePrompts, Mask, Scribble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from masklet.matte_settings import MatteSettings
    from masklet.said.documents import Document
    from masklet.types import FrameRange

    Covers = Callable[[str, int, float, float], bool | None]
    """Told an object, a frame and a place: whether its mask covers that; None where it is not known."""


def renamed(document: Document, uid: str, name: str) -> Document:
    """The document with another name for an object.

    Raises:
        BadInputError: It cannot be a layer.
        NameTakenError: Another object has it.
    """
    taken = [said.name for said in document if said.uid != uid]
    checked = checked_object_name(name, taken)
    return tuple(replace(said, name=checked) if said.uid == uid else said for said in document)


def removed(document: Document, uids: Iterable[str]) -> Document:
    """The document without some objects."""
    gone = frozenset(uids)
    return tuple(said for said in document if said.uid not in gone)


def moved(document: Document, uid: str, place: int) -> Document:
    """The document with an object at another place among the others, from 0."""
    said = find(document, uid)
    if said is None:
        return document
    others = [other for other in document if other.uid != uid]
    others.insert(min(max(place, 0), len(others)), said)
    return tuple(others)


def duplicated(document: Document, uid: str) -> tuple[Document, str]:
    """The document with a copy behind an object, and the copy's uid.

    The copy says the same and has no locks: those keep masks that it has not got yet.
    """
    place, said = next((place, said) for place, said in enumerate(document) if said.uid == uid)
    copy = replace(said, uid=new_uid(), name=_copy_name(said.name, document), locks=(), masks=())
    return (*document[: place + 1], copy, *document[place + 1 :]), copy.uid


def merged(document: Document, uids: Sequence[str], covers: Covers = lambda *_: None) -> Document:
    """The document with one object that is all of several.

    It keeps the name, the matte settings and the uid of the first. On each frame it is what any of them was
    told to be: boxes become the box around them, masks drawn by hand one mask. A click or a stroke that took
    away what is another one's is not kept, for that belongs to the object now.

    Args:
        document: What is said.
        uids: Of at least two objects.
        covers: Tells where masks are, as far as they are known.

    Raises:
        BadInputError: Frames are locked, or on one there is a mask drawn by hand and something else.
    """
    parts = [said for uid in uids if (said := find(document, uid)) is not None]
    if len(parts) < 2:
        raise BadInputError(phrase("one object is chosen: choose two or more to make one of them"))
    for said in parts:
        if said.locks:
            raise BadInputError(
                phrase(
                    "{name} is locked on frames {first} to {last}: unlock it first, then merge",
                    name=said.name,
                    first=said.locks[0].first,
                    last=said.locks[0].last,
                )
            )
    numbers = sorted({prompts.frame for said in parts for prompts in said.frames})
    frames = tuple(_merged_frame(parts, frame, covers) for frame in numbers)
    whole = replace(parts[0], frames=tuple(prompts for prompts in frames if not prompts.is_empty))
    gone = {said.uid for said in parts[1:]}
    return tuple(whole if said.uid == whole.uid else said for said in document if said.uid not in gone)


def locked(document: Document, uids: Iterable[str], frames: FrameRange, *, locks: bool) -> Document:
    """The document with a range of some objects locked, or let go."""
    chosen = frozenset(uids)
    return tuple(with_lock(said, frames, locked=locks) if said.uid in chosen else said for said in document)


def lock_runs(document: Document, uids: Iterable[str]) -> tuple[FrameRange, ...]:
    """Frames that are locked in any of some objects."""
    chosen = frozenset(uids)
    return runs_joined(lock for said in document if said.uid in chosen for lock in said.locks)


def with_matte(document: Document, uids: Iterable[str], settings: MatteSettings) -> Document:
    """The document with mattes of some objects finished in this way."""
    chosen = frozenset(uids)
    return tuple(replace(said, matte=settings) if said.uid in chosen else said for said in document)


def _copy_name(name: str, document: Document) -> str:
    taken = [said.name for said in document]
    number = 2
    while True:
        try:
            return checked_object_name(f"{name} {number}", taken)
        except (BadInputError, NameTakenError):
            if number > len(document) + 2:
                # A name as long as names may be leaves no room for a number.
                name = name[:-4]
                number = 1
        number += 1


def _merged_frame(parts: Sequence[SaidObject], frame: int, covers: Covers) -> FramePrompts:
    said = [(item, prompts) for item in parts if not (prompts := item.at(frame)).is_empty]
    drawn = [prompts.mask for _, prompts in said if prompts.mask is not None]
    if drawn and len(drawn) < len(said):
        raise BadInputError(
            phrase(
                "frame {frame} has a mask drawn by hand and clicks or a box of another object: take one of "
                "them back there, then merge",
                frame=frame,
            )
        )
    if drawn:
        return FramePrompts(parts[0].at(frame).object_id, frame, mask=_union(drawn, frame))
    clicks: list[Click] = []
    scribbles: list[Scribble] = []
    for item, prompts in said:
        others = [other for other in parts if other.uid != item.uid]

        def stays(mark: Click | Scribble, others: list[SaidObject] = others) -> bool:
            return mark.positive or not any(_belongs(other, frame, mark, covers) for other in others)

        clicks += filter(stays, prompts.clicks)
        scribbles += filter(stays, prompts.scribbles)
    boxes = [prompts.box for _, prompts in said if prompts.box is not None]
    number = parts[0].at(frame).object_id
    return FramePrompts(number, frame, tuple(clicks), _around(boxes), scribbles=tuple(scribbles))


def _belongs(other: SaidObject, frame: int, mark: Click | Scribble, covers: Covers) -> bool:
    """True where most of a mark is another object's, by its box or its mask."""
    places = [(mark.x_px, mark.y_px)] if isinstance(mark, Click) else list(mark.points_px)
    box = other.at(frame).box

    def is_its(x_px: float, y_px: float) -> bool:
        boxed = box is not None and (
            box.left_px <= x_px <= box.right_px and box.top_px <= y_px <= box.bottom_px
        )
        return boxed or bool(covers(other.uid, frame, x_px, y_px))

    return 2 * sum(is_its(*place) for place in places) > len(places)


def _around(boxes: Sequence[Box]) -> Box | None:
    if not boxes:
        return None
    return Box(
        min(box.left_px for box in boxes),
        min(box.top_px for box in boxes),
        max(box.right_px for box in boxes),
        max(box.bottom_px for box in boxes),
    )


def _union(masks: Sequence[Mask], frame: int) -> Mask:
    """Whatever any mask covers."""
    first = masks[0]
    if len({(mask.width_px, mask.height_px, mask.depth) for mask in masks}) > 1:
        raise BadInputError(
            phrase(
                "the masks drawn by hand on frame {frame} differ in size or depth: draw one of them again, "
                "then merge",
                frame=frame,
            )
        )
    # The codes of every depth are in the order of what they cover.
    codes = [_codes(mask) for mask in masks]
    alpha = array(codes[0].typecode, map(max, *codes))
    if sys.byteorder == "big":
        alpha.byteswap()
    return Mask(first.width_px, first.height_px, alpha.tobytes(), first.depth)


def _codes(mask: Mask) -> array[int]:
    codes = array("B" if mask.depth.bytes_per_pixel == 1 else "H")
    codes.frombytes(mask.alpha)
    if sys.byteorder == "big":
        codes.byteswap()
    return codes
