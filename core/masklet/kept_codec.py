"""Wire messages of masks that documents keep, to values and back; ``codec`` builds on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.errors import BadInputError
from masklet.state_codec import checked, presence_from_wire, presence_to_wire
from masklet.types import CloseLook, LockedMask, NearMask, TrackedMask
from masklet.v1 import values_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Named = Mapping[tuple[int, int], LockedMask]


def tracked_mask_to_wire(mask: TrackedMask) -> values_pb2.TrackedMask:
    """The message of a mask as tracking made it."""
    return values_pb2.TrackedMask(
        columns=mask.columns,
        rows=mask.rows,
        logits=mask.logits,
        presence=presence_to_wire(mask.presence),
        presence_logit=mask.presence_logit,
        predicted_iou=mask.predicted_iou,
        pointer=mask.pointer,
        rival=mask.rival,
    )


def tracked_mask_from_wire(message: values_pb2.TrackedMask) -> TrackedMask:
    """The mask in a message, still packed."""
    return checked(
        lambda: TrackedMask(
            message.columns,
            message.rows,
            message.logits,
            presence_from_wire(message.presence),
            message.presence_logit,
            message.predicted_iou,
            message.pointer,
            message.rival,
        )
    )


def locked_masks_to_wire(masks: Sequence[LockedMask]) -> list[values_pb2.LockedMask]:
    """The messages of what locked frames keep; what calms a frame is sent once where it is locked too."""
    named = {(mask.object_id, mask.frame): mask for mask in masks}
    return [
        values_pb2.LockedMask(
            object_id=locked.object_id,
            frame=locked.frame,
            mask=tracked_mask_to_wire(locked.mask),
            stale=locked.stale,
            around=[_near_to_wire(near, locked.object_id, named) for near in locked.around or ()],
            has_around=locked.around is not None,
            looks=[_look_to_wire(look) for look in locked.looks or ()],
            has_looks=locked.looks is not None,
        )
        for locked in masks
    ]


def locked_masks_from_wire(messages: Iterable[values_pb2.LockedMask]) -> tuple[LockedMask, ...]:
    """What locked frames keep, from their messages.

    Raises:
        BadInputError: A message makes no valid value, or speaks of a locked frame that is not among them.
    """
    listed = list(messages)
    named = {
        (message.object_id, message.frame): (tracked_mask_from_wire(message.mask), _looks(message.looks))
        for message in listed
    }

    def near(message: values_pb2.NearMask, object_id: int) -> NearMask:
        if message.HasField("mask"):
            return NearMask(message.frame, tracked_mask_from_wire(message.mask), _looks(message.looks))
        if (object_id, message.frame) not in named:
            raise BadInputError(
                f"the locked masks speak of frame {message.frame}, which is not among them: save the "
                "document again"
            )
        return NearMask(message.frame, *named[object_id, message.frame])

    return tuple(
        LockedMask(
            message.object_id,
            message.frame,
            named[message.object_id, message.frame][0],
            message.stale,
            tuple(near(each, message.object_id) for each in message.around) if message.has_around else None,
            _looks(message.looks) if message.has_looks else None,
        )
        for message in listed
    )


def is_named(near: NearMask, object_id: int, named: Named) -> bool:
    """True where a locked frame among ``named`` keeps the very mask and looks that calm another."""
    locked = named.get((object_id, near.frame))
    return locked is not None and (locked.mask, locked.looks or ()) == (near.mask, near.looks)


def _near_to_wire(near: NearMask, object_id: int, named: Named) -> values_pb2.NearMask:
    if is_named(near, object_id, named):
        return values_pb2.NearMask(frame=near.frame)
    return values_pb2.NearMask(
        frame=near.frame,
        mask=tracked_mask_to_wire(near.mask),
        looks=[_look_to_wire(look) for look in near.looks],
    )


def _look_to_wire(look: CloseLook) -> values_pb2.CloseLook:
    return values_pb2.CloseLook(
        left_px=look.left_px,
        top_px=look.top_px,
        width_px=look.width_px,
        height_px=look.height_px,
        columns=look.columns,
        rows=look.rows,
        logits=look.logits,
    )


def _looks(messages: Iterable[values_pb2.CloseLook]) -> tuple[CloseLook, ...]:
    return tuple(
        checked(
            lambda message=message: CloseLook(  # type: ignore[misc]
                message.left_px,
                message.top_px,
                message.width_px,
                message.height_px,
                message.columns,
                message.rows,
                message.logits,
            )
        )
        for message in messages
    )
