"""What an artist has said about a plate, as values: how it is kept, compared and changed.

A host's document is where it lives; the server is made to follow. So there is one way to the server for a
click, an undo, a file that is opened again and a server that was replaced: compare what it holds with what
is wanted, and send the difference. Standard library only; nothing here knows any host.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from masklet.drawn_masks import check_mask_stays
from masklet.errors import BadInputError
from masklet.frame_runs import runs_joined, runs_minus
from masklet.matte_settings import MatteSettings
from masklet.phrases import phrase
from masklet.prompts import Shot, from_json, to_json
from masklet.types import (
    Box,
    Click,
    FramePrompts,
    FrameRange,
    LockedMask,
    LockedRange,
    MemoryPolicy,
    ObjectInfo,
    ObjectMatte,
    ObjectPolicy,
    PromptDocument,
    Scribble,
    TrackedMask,
)

_NO_ID = 0


@dataclass(frozen=True)
class SaidObject:
    """One object and everything said about it.

    Attributes:
        uid: Of the object in the document, for ever; servers number objects anew.
        name: Of layers and files.
        frames: Ascending, none of them empty; their object id means nothing.
        locks: Ascending, apart from each other.
        matte: How the matte is finished.
        masks: Of locked frames, ascending, as the server gave them; their object id means nothing.
        policy: How its memory is used while it is tracked.
    """

    uid: str
    name: str
    frames: tuple[FramePrompts, ...] = ()
    locks: tuple[FrameRange, ...] = ()
    matte: MatteSettings = field(default_factory=MatteSettings)
    masks: tuple[LockedMask, ...] = ()
    policy: MemoryPolicy = MemoryPolicy.EDITOR

    def at(self, frame: int) -> FramePrompts:
        """What is said on a frame; empty prompts where nothing is."""
        for prompts in self.frames:
            if prompts.frame == frame:
                return prompts
        return FramePrompts(_NO_ID, frame)

    def is_locked(self, frame: int) -> bool:
        """True where tracking and prompts leave the frame alone."""
        return any(frame in frames for frames in self.locks)


Document = tuple[SaidObject, ...]


def new_uid() -> str:
    """A name that no other object or plate has."""
    return uuid.uuid4().hex


def find(document: Document, uid: str) -> SaidObject | None:
    """The object of this uid."""
    return next((said for said in document if said.uid == uid), None)


def by_uid(document: Document) -> dict[str, SaidObject]:
    """The objects without their order, which is the interface's own affair."""
    return {said.uid: said for said in document}


def with_click(said: SaidObject, frame: int, click: Click) -> SaidObject:
    """The object with one click more on a frame.

    Raises:
        BadInputError: The frame is locked, or holds a mask drawn by hand.
    """
    prompts = _open_frame(said, frame)
    check_mask_stays(prompts, FramePrompts(_NO_ID, frame, (click,)), said.name)
    return with_prompts(said, replace(prompts, clicks=(*prompts.clicks, click)))


def with_box(said: SaidObject, frame: int, box: Box) -> SaidObject:
    """The object with a box on a frame; clicks of that frame stay.

    Raises:
        BadInputError: The frame is locked, or holds a mask drawn by hand.
    """
    prompts = _open_frame(said, frame)
    check_mask_stays(prompts, FramePrompts(_NO_ID, frame, box=box), said.name)
    return with_prompts(said, replace(prompts, box=box, mask=None))


def with_scribble(said: SaidObject, frame: int, scribble: Scribble) -> SaidObject:
    """The object with one stroke more on a frame.

    Raises:
        BadInputError: The frame is locked, or holds a mask drawn by hand.
    """
    prompts = _open_frame(said, frame)
    check_mask_stays(prompts, FramePrompts(_NO_ID, frame, scribbles=(scribble,)), said.name)
    return with_prompts(said, replace(prompts, scribbles=(*prompts.scribbles, scribble)))


def cleared(said: SaidObject, frame: int) -> SaidObject:
    """The object with nothing said on a frame.

    Raises:
        BadInputError: The frame is locked.
    """
    _open_frame(said, frame)
    return with_prompts(said, FramePrompts(_NO_ID, frame))


def with_prompts(said: SaidObject, prompts: FramePrompts) -> SaidObject:
    """The object with these prompts in place of what was said on their frame."""
    others = [other for other in said.frames if other.frame != prompts.frame]
    if not prompts.is_empty:
        others.append(replace(prompts, object_id=_NO_ID))
    return replace(said, frames=tuple(sorted(others, key=lambda other: other.frame)))


def with_lock(said: SaidObject, frames: FrameRange, *, locked: bool) -> SaidObject:
    """The object with a range locked, or let go."""
    rest = list(runs_minus(said.locks, (frames,)))
    if locked:
        rest.append(frames)
    locks = runs_joined(rest)
    return replace(said, locks=locks, masks=masks_in(said.masks, locks))


def with_masks(said: SaidObject, masks: Iterable[LockedMask]) -> SaidObject:
    """The object with other masks for its locked frames; those of frames that are not locked go."""
    kept = {mask.frame: replace(mask, object_id=_NO_ID) for mask in masks}
    return replace(said, masks=masks_in([kept[frame] for frame in sorted(kept)], said.locks))


def with_base(said: SaidObject, frame: int, base: TrackedMask | None) -> SaidObject:
    """The object with what the prompts on a frame correct, as the server answered; None changes nothing."""
    prompts = said.at(frame)
    if base is None or prompts.is_empty or prompts.base == base:
        return said
    return with_prompts(said, replace(prompts, base=base))


def completed(document: Document, held: Document) -> Document:
    """The document with what the server alone knows: what prompts correct, and the masks of locked frames.

    What is said stays as it is; only what is missing is taken from what the server holds.
    """
    known = by_uid(held)
    return tuple(_completed(said, known[said.uid]) if said.uid in known else said for said in document)


def _completed(said: SaidObject, held: SaidObject) -> SaidObject:
    for prompts in said.frames:
        if prompts.base is None and prompts.mask is None:
            said = with_base(said, prompts.frame, held.at(prompts.frame).base)
    own = {mask.frame: mask for mask in said.masks}
    missing = [mask for mask in held.masks if mask.frame not in own or _knows_more(mask, own[mask.frame])]
    return with_masks(said, (*said.masks, *missing)) if missing else said


def _knows_more(held: LockedMask, own: LockedMask) -> bool:
    """True where the server has had a second look since at the mask that the document keeps."""
    return held.mask == own.mask and own.looks is None and held.looks is not None


def said_to_json(said: SaidObject) -> str:
    """All that is said about one object, as a prompt document of one object."""
    return to_json(Shot("", to_prompts((said,))))


def said_from_json(uid: str, name: str, text: str) -> SaidObject:
    """The object whose words a text holds; nothing is said in an empty one.

    Raises:
        BadInputError: The text was damaged, or a later masklet wrote it.
    """
    if not text:
        return SaidObject(uid, name)
    (said,) = from_prompts(from_json(text).document, {name: uid}) or (SaidObject(uid, name),)
    return replace(said, uid=uid, name=name)


def to_prompts(document: Document) -> PromptDocument:
    """The document as the library knows it; objects are numbered from 1."""
    objects: list[ObjectInfo] = []
    prompts: list[FramePrompts] = []
    locks: list[LockedRange] = []
    mattes: list[ObjectMatte] = []
    masks: list[LockedMask] = []
    policies: list[ObjectPolicy] = []
    for object_id, said in enumerate(document, 1):
        objects.append(ObjectInfo(object_id, said.name, tuple(frame.frame for frame in said.frames)))
        prompts.extend(replace(frame, object_id=object_id) for frame in said.frames)
        locks.extend(LockedRange(object_id, frames) for frames in said.locks)
        if not said.matte.is_plain:
            mattes.append(ObjectMatte(object_id, said.matte))
        if said.policy is not MemoryPolicy.EDITOR:
            policies.append(ObjectPolicy(object_id, said.policy))
        masks.extend(replace(mask, object_id=object_id) for mask in said.masks)
    return PromptDocument(
        tuple(objects), tuple(prompts), tuple(locks), tuple(mattes), tuple(masks), tuple(policies)
    )


def from_prompts(document: PromptDocument, uids: Mapping[str, str]) -> Document:
    """What a session or file says.

    Args:
        document: Of a session or a file.
        uids: By name, of the objects that are known here; others get new ones.
    """
    mattes = {matte.object_id: matte.settings for matte in document.mattes}
    policies = {own.object_id: own.policy for own in document.policies}
    return tuple(
        SaidObject(
            uids.get(info.name) or new_uid(),
            info.name,
            tuple(
                replace(prompts, object_id=_NO_ID)
                for prompts in sorted(document.prompts, key=lambda prompts: prompts.frame)
                if prompts.object_id == info.object_id and not prompts.is_empty
            ),
            runs_joined(lock.frames for lock in document.locks if lock.object_id == info.object_id),
            mattes.get(info.object_id, MatteSettings()),
            tuple(
                replace(mask, object_id=_NO_ID)
                for mask in sorted(document.masks, key=lambda mask: mask.frame)
                if mask.object_id == info.object_id
            ),
            policies.get(info.object_id, MemoryPolicy.EDITOR),
        )
        for info in document.objects
    )


def _open_frame(said: SaidObject, frame: int) -> FramePrompts:
    if said.is_locked(frame):
        raise BadInputError(
            phrase(
                "frame {frame} is locked for {name}: unlock it first, then correct it",
                frame=frame,
                name=said.name,
            )
        )
    return said.at(frame)


def masks_in(masks: Iterable[LockedMask], ranges: Iterable[FrameRange]) -> tuple[LockedMask, ...]:
    """The masks of frames in some ranges."""
    held = tuple(ranges)
    return tuple(mask for mask in masks if any(mask.frame in frames for frames in held))
