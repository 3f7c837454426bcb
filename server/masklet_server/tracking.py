"""What sessions and the engine know of each other: values and protocols, no torch.

A session owns prompts and results; a tracker owns the network's state over time. They meet
here. Whatever satisfies :class:`Tracker` can stand behind a session: the real engine, or a
fake one in a test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from masklet.types import ClipInfo, FramePrompts, FrameRange, Presence, UnreadableFrame
from masklet_server.sightings import ObjectLook, Part, Sighting

RIVAL_FROM = 0.3
"""From here on a rival counts as near: the object's box is 70 % of the one that holds both, or less."""


@dataclass(frozen=True, eq=False)
class ObjectFrame:
    """One object's result on one frame, as the network gave it.

    Attributes:
        object_id: Whose mask this is.
        frame: The plate's own number.
        logits: ``(h, w)`` float16 at the network's mask resolution, positive inside; the whole
            plate is stretched to this grid.
        presence_logit: Positive when the object is believed visible.
        predicted_iou: The network's estimate of its own mask, 0 to 1.
        presence: The verdict drawn from both.
        pointer: ``(c,)`` float16, the object's summary vector on this frame. Opaque to all but
            the engine, which rebuilds its memory from it.
        prompted: True when the frame carries prompts for the object.
        rival: How near something that looks like the object came, 0 to 1: by how much the object's box
            would have to grow to hold it as well. Exact in float32.
    """

    object_id: int
    frame: int
    logits: NDArray[np.float16]
    presence_logit: float
    predicted_iou: float
    presence: Presence
    pointer: NDArray[np.float16]
    prompted: bool = False
    rival: float = 0.0


class DeviceMemoryError(Exception):
    """The device has no memory left for a call. What it would have changed is as before, or was given back.

    Whoever catches it must do so before anything else is tried: the tracker is to be parked first.
    """


@dataclass(frozen=True)
class Holdings:
    """What a tracker holds, in bytes.

    Attributes:
        frames_bytes: Pictures read ahead.
        features_bytes: Of the frames used last, and of prompts that are only drafted.
        memories_bytes: Of objects, on the device.
        workspace_bytes: The most that one call needed beside all that, as far as the device tells.
        host_bytes: Memories that were moved from the device to the machine's own memory.
    """

    frames_bytes: int = 0
    features_bytes: int = 0
    memories_bytes: int = 0
    workspace_bytes: int = 0
    host_bytes: int = 0

    @property
    def held_bytes(self) -> int:
        """On the device between calls."""
        return self.frames_bytes + self.features_bytes + self.memories_bytes


class Relief(Enum):
    """What a tracker can give back at once, without waiting for a disk; the cheapest first."""

    FEATURES = "features"
    """Made again from the pictures."""
    MEMORIES = "memories"
    """Moved to the machine's own memory; the next call moves them back."""
    ALL = "all"
    """Made again from prompts and stored results; only a picture that is being read ahead stays."""


@dataclass(frozen=True)
class Proposal:
    """A place on a frame that looks like an object.

    Attributes:
        x_px: In pixels of the plate.
        y_px: Likewise.
        likeness: Up to 1.
    """

    x_px: float
    y_px: float
    likeness: float


class FrameSource(Protocol):
    """Gives pictures of one clip, in any order. Calls come from one thread at a time."""

    @property
    def info(self) -> ClipInfo:
        """Size, range and numbering of the clip."""
        ...

    def read(self, frame: int) -> NDArray[np.uint8] | NDArray[np.float32]:
        """The picture of ``frame`` as ``(height, width, 3)`` display-referred sRGB.

        uint8 spans 0 to 255, float32 spans 0 to 1.

        Raises:
            FrameMissingError: The clip has no such frame, or its picture cannot be used; ``info`` then
                counts it as missing.
        """
        ...


class ResultReader(Protocol):
    """Where a tracker finds results that it no longer holds itself."""

    def find(self, object_id: int, frame: int) -> ObjectFrame | None:
        """The stored result, or None where the object has none on this frame."""
        ...

    def has(self, object_id: int, frame: int) -> bool:
        """True where there is a result."""
        ...

    def frames_of(self, object_id: int) -> Sequence[int]:
        """Frame numbers with a result, ascending."""
        ...


class Seeker(Protocol):
    """Looks for things in the pictures of one clip; every call is short, and changes nothing."""

    def propose(self, object_id: int, frame: int, limit: int) -> Sequence[Proposal]:
        """Places on a frame that look like an object on its nearest prompted frame, the likeliest first."""
        ...

    def sight(
        self,
        frame: int,
        part: Part,
        places_px: Sequence[tuple[float, float]],
        like: ObjectLook | None = None,
    ) -> Sequence[Sighting]:
        """Masks that clicks at some places in a part of the plate give, as far as they are good enough."""
        ...

    def alike(self, frame: int, look: ObjectLook) -> NDArray[np.float32]:
        """``(h, w)``: how much each cell of a frame looks like an object, up to 1."""
        ...

    def look_of(self, object_id: int, frame: int | None = None) -> ObjectLook:
        """What an object looks like on its prompted frame nearest to a frame; on its first for None."""
        ...


class Tracker(Protocol):
    """The network's state for one clip.

    One caller at a time; every call handles at most one frame, so that whoever schedules can
    stop after any of them. Results go out as return values; the tracker keeps only what the
    maths still reads and finds anything older through its :class:`ResultReader`.
    """

    @property
    def seeker(self) -> Seeker:
        """Looks for things in the same pictures."""
        ...

    def prompt(self, prompts: FramePrompts) -> ObjectFrame:
        """Take all prompts of one object on one frame (they replace earlier ones) and segment it."""
        ...

    def restore(self, prompts: FramePrompts, result: ObjectFrame) -> None:
        """Take prompts that an earlier tracker made ``result`` of; the network works only where it has to."""
        ...

    def draft(self, prompts: FramePrompts) -> bool:
        """Do one click's work towards :meth:`prompt` with these; False when no more than that is left.

        Nothing else can tell that it was done.
        """
        ...

    def preview(self, prompts: FramePrompts) -> ObjectFrame:
        """What :meth:`prompt` would give for these; nothing changes."""
        ...

    def check_policy(self, policy: str) -> None:
        """See that there is such a policy for the memory of an object.

        Raises:
            BadInputError: There is none.
        """
        ...

    def set_policy(self, object_id: int, policy: str) -> None:
        """Have the memory of an object used so from now on; its results stay what they are."""
        ...

    def look(self, object_id: int, frame: int) -> ObjectFrame:
        """What prompts on the neighbouring frames alone make of a frame that was not tracked."""
        ...

    def forget_prompts(self, object_id: int, frame: int) -> None:
        """Drop the prompts of one object on one frame, as if they had never been given."""
        ...

    def track(
        self, frame: int, object_ids: Sequence[int], *, backward: bool, since: int | None = None
    ) -> Sequence[ObjectFrame]:
        """Segment the objects on ``frame`` from memory, all in one batch.

        Frames are expected in order, each next to the one before in the direction of travel,
        starting next to (or at) a prompted frame. Frames before ``since`` on the way are no memories,
        as those of another shot; None for no such limit. For an object that is followed on several paths
        results of earlier frames may come too, before that of ``frame``: they take the place of others.
        """
        ...

    def forget_tracked(self, object_id: int, frames: FrameRange) -> None:
        """Drop what is held of tracked results on some frames: they were replaced or taken away."""
        ...

    def let_go(self, object_id: int, frames: FrameRange) -> None:
        """Drop the note that some frames were tracked: nobody will ask for them again.

        What was made of them stays: a frame that a policy keeps for good is read as before.
        """
        ...

    def remove(self, object_id: int) -> None:
        """Drop everything about one object; the others do not notice."""
        ...

    def park(self) -> None:
        """Give back all memory. The next call rebuilds it from prompts and stored results."""
        ...

    def relieve(self, relief: Relief) -> None:
        """Give back some of the device's memory; nothing happens where there is nothing to gain."""
        ...

    @property
    def memory_bytes(self) -> int:
        """What the tracker holds of the device now, features and memories together."""
        ...

    @property
    def holdings(self) -> Holdings:
        """The same in detail."""
        ...


def with_unreadable(clip: ClipInfo, unreadable: Mapping[int, UnreadableFrame]) -> ClipInfo:
    """The clip with more frames that cannot be used, which count as missing."""
    known = {each.frame for each in clip.unreadable}
    more = [each for frame, each in unreadable.items() if frame not in known]
    if not more:
        return clip
    return replace(
        clip,
        missing_frames=tuple(sorted({*clip.missing_frames, *(each.frame for each in more)})),
        unreadable=tuple(sorted((*clip.unreadable, *more), key=lambda each: each.frame)),
    )
