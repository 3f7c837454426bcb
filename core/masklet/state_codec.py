"""Wire messages of what is known and wanted of frames, to values and back; ``codec`` builds on it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, TypeVar

from masklet.errors import BadInputError
from masklet.frame_runs import runs_of
from masklet.matte_settings import MatteSettings
from masklet.types import (
    CutPolicy,
    FrameRange,
    FrameState,
    LockedRange,
    MemoryPolicy,
    ObjectMatte,
    ObjectPolicy,
    Overscan,
    Presence,
    StateRange,
    UnreadableFrame,
)
from masklet.v1 import track_pb2, values_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

_T = TypeVar("_T")
_Number = TypeVar("_Number", bound=int)

_PRESENCE_TO_WIRE = {
    Presence.PRESENT: values_pb2.PRESENCE_PRESENT,
    Presence.UNCERTAIN: values_pb2.PRESENCE_UNCERTAIN,
    Presence.ABSENT: values_pb2.PRESENCE_ABSENT,
}
_PRESENCE_FROM_WIRE = {wire: value for value, wire in _PRESENCE_TO_WIRE.items()}
_STATE_TO_WIRE = {
    FrameState.PRESENT: values_pb2.FRAME_STATE_PRESENT,
    FrameState.UNCERTAIN: values_pb2.FRAME_STATE_UNCERTAIN,
    FrameState.ABSENT: values_pb2.FRAME_STATE_ABSENT,
    FrameState.CORRECTED: values_pb2.FRAME_STATE_CORRECTED,
    FrameState.LOCKED: values_pb2.FRAME_STATE_LOCKED,
    FrameState.STALE: values_pb2.FRAME_STATE_STALE,
    FrameState.UNTRACKED: values_pb2.FRAME_STATE_UNTRACKED,
    FrameState.RIVAL: values_pb2.FRAME_STATE_RIVAL,
}
_STATE_FROM_WIRE = {wire: value for value, wire in _STATE_TO_WIRE.items()}
_CUTS_TO_WIRE = {
    CutPolicy.STOP: values_pb2.CUT_POLICY_STOP,
    CutPolicy.REFIND: values_pb2.CUT_POLICY_REFIND,
    CutPolicy.IGNORE: values_pb2.CUT_POLICY_IGNORE,
}
_CUTS_FROM_WIRE = {
    values_pb2.CUT_POLICY_UNSPECIFIED: CutPolicy.STOP,
    **{wire: value for value, wire in _CUTS_TO_WIRE.items()},
}


def range_to_wire(frames: FrameRange) -> values_pb2.FrameRange:
    """The message of a range."""
    return values_pb2.FrameRange(first=frames.first, last=frames.last)


def received_to_wire(received: Mapping[int, Iterable[int]]) -> list[track_pb2.ReceivedMasks]:
    """Messages of the frames, by object, whose masks have arrived."""
    return [
        track_pb2.ReceivedMasks(object_id=object_id, frames=map(range_to_wire, runs_of(frames)))
        for object_id, frames in received.items()
    ]


def received_from_wire(
    messages: Iterable[track_pb2.ReceivedMasks], known: Callable[[int], Sequence[int]]
) -> dict[int, frozenset[int]]:
    """Frames, by object, whose masks have arrived, as far as there are such.

    Args:
        messages: What a client says.
        known: Gives the frames of an object that have masks, ascending.
    """
    received: dict[int, frozenset[int]] = {}
    for message in messages:
        frames = known(message.object_id)
        arrived: set[int] = set()
        for run in map(range_from_wire, message.frames):
            arrived.update(frames[bisect_left(frames, run.first) : bisect_right(frames, run.last)])
        received[message.object_id] = received.get(message.object_id, frozenset()) | arrived
    return received


def range_from_wire(message: values_pb2.FrameRange) -> FrameRange:
    """The range in a message."""
    return checked(lambda: FrameRange(message.first, message.last))


def presence_to_wire(presence: Presence) -> values_pb2.Presence.ValueType:
    """The number of a presence."""
    return _PRESENCE_TO_WIRE[presence]


def presence_from_wire(number: values_pb2.Presence.ValueType) -> Presence:
    """The presence of a number."""
    return looked_up(_PRESENCE_FROM_WIRE, number, "a presence")


def frame_state_to_wire(state: FrameState) -> values_pb2.FrameState.ValueType:
    """The number of a state."""
    return _STATE_TO_WIRE[state]


def frame_state_from_wire(number: values_pb2.FrameState.ValueType) -> FrameState:
    """The state of a number."""
    return looked_up(_STATE_FROM_WIRE, number, "a state")


def cut_policy_to_wire(policy: CutPolicy) -> values_pb2.CutPolicy.ValueType:
    """The number of a policy."""
    return _CUTS_TO_WIRE[policy]


def cut_policy_from_wire(number: values_pb2.CutPolicy.ValueType) -> CutPolicy:
    """The policy of a number; unspecified stops."""
    return looked_up(_CUTS_FROM_WIRE, number, "a way with cuts")


def state_to_wire(state: StateRange) -> values_pb2.StateRange:
    """The message of a run of frames in one state."""
    return values_pb2.StateRange(
        object_id=state.object_id,
        frames=range_to_wire(state.frames),
        presence=presence_to_wire(state.presence),
        prompted=state.prompted,
        locked=state.locked,
        stale=state.stale,
        untracked=not state.tracked,
        rival=state.rival,
    )


def state_from_wire(message: values_pb2.StateRange) -> StateRange:
    """The run of frames in a message."""
    return StateRange(
        message.object_id,
        range_from_wire(message.frames),
        presence_from_wire(message.presence),
        message.prompted,
        message.locked,
        message.stale,
        not message.untracked,
        message.rival,
    )


def lock_to_wire(lock: LockedRange) -> values_pb2.LockedRange:
    """The message of a locked range."""
    return values_pb2.LockedRange(object_id=lock.object_id, frames=range_to_wire(lock.frames))


def lock_from_wire(message: values_pb2.LockedRange) -> LockedRange:
    """The locked range in a message."""
    return LockedRange(message.object_id, range_from_wire(message.frames))


def matte_settings_to_wire(settings: MatteSettings) -> values_pb2.MatteSettings:
    """The message of matte settings."""
    return values_pb2.MatteSettings(
        fill_holes_px=settings.fill_holes_px,
        drop_specks_px=settings.drop_specks_px,
        grow_px=settings.grow_px,
        feather_px=settings.feather_px,
        black=settings.black,
        white=settings.white,
        gamma=settings.gamma,
        exclusive=settings.exclusive,
        invert=settings.invert,
        calm=settings.calm,
    )


def matte_settings_from_wire(message: values_pb2.MatteSettings) -> MatteSettings:
    """The matte settings in a message."""
    return checked(
        lambda: MatteSettings(
            fill_holes_px=message.fill_holes_px,
            drop_specks_px=message.drop_specks_px,
            grow_px=message.grow_px,
            feather_px=message.feather_px,
            black=message.black,
            white=message.white if message.HasField("white") else 1.0,
            gamma=message.gamma if message.HasField("gamma") else 1.0,
            exclusive=message.exclusive,
            invert=message.invert,
            calm=message.calm if message.HasField("calm") else 1.0,
        )
    )


def policy_to_wire(policy: ObjectPolicy) -> values_pb2.ObjectPolicy:
    """The message of how an object's memory is used."""
    return values_pb2.ObjectPolicy(object_id=policy.object_id, policy=policy.policy.value)


def policy_from_wire(message: values_pb2.ObjectPolicy) -> ObjectPolicy:
    """How an object's memory is used, as a message says."""
    return ObjectPolicy(message.object_id, memory_policy(message.policy))


def memory_policy(name: str) -> MemoryPolicy:
    """The policy of a name; BadInputError where there is none."""
    return checked(lambda: MemoryPolicy.named(name))


def matte_to_wire(matte: ObjectMatte) -> values_pb2.ObjectMatte:
    """The message of how an object's matte is finished."""
    return values_pb2.ObjectMatte(object_id=matte.object_id, settings=matte_settings_to_wire(matte.settings))


def matte_from_wire(message: values_pb2.ObjectMatte) -> ObjectMatte:
    """How an object's matte is finished, from its message."""
    return ObjectMatte(message.object_id, matte_settings_from_wire(message.settings))


def checked(make: Callable[[], _T]) -> _T:
    """What ``make`` gives; a value that refuses its arguments becomes a BadInputError."""
    try:
        return make()
    except ValueError as error:
        raise BadInputError(str(error)) from error


def looked_up(table: Mapping[_Number, _T], number: _Number, what: str) -> _T:
    """The value of a number on the wire; one that this version does not know is a BadInputError."""
    try:
        return table[number]
    except KeyError:
        raise BadInputError(f"{number} is not {what} that this version knows: update masklet") from None


def overscan_to_wire(overscan: Overscan) -> values_pb2.Overscan | None:
    """The message of overscan; None for none at all."""
    if overscan == Overscan():
        return None
    return values_pb2.Overscan(
        left_px=overscan.left_px,
        top_px=overscan.top_px,
        right_px=overscan.right_px,
        bottom_px=overscan.bottom_px,
    )


def overscan_from_wire(message: values_pb2.Overscan) -> Overscan:
    """The overscan in a message."""
    return Overscan(message.left_px, message.top_px, message.right_px, message.bottom_px)


def unreadable_to_wire(unreadable: UnreadableFrame) -> values_pb2.UnreadableFrame:
    """The message of a frame that cannot be used."""
    return values_pb2.UnreadableFrame(frame=unreadable.frame, reason=unreadable.reason)


def unreadable_from_wire(message: values_pb2.UnreadableFrame) -> UnreadableFrame:
    """The frame in a message."""
    return UnreadableFrame(message.frame, message.reason)
