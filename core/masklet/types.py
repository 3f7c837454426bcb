"""Values that clients, hosts and the server share, and THE convention they follow.

Coordinates
    Pixels of the plate's display window. The origin is the top-left corner of the top-left
    pixel, x grows to the right, y downwards, and pixel centres lie at half-integers: the
    centre of the top-left pixel is (0.5, 0.5), wherever the files' own coordinates put the
    window. Pixels outside of it, in the overscan, have negative coordinates or such beyond its
    size. Non-square pixels are not unsqueezed: one unit is one stored pixel in x and one in y.

Frames
    Frame numbers are the plate's own: the number in the file name of a sequence (1001 is
    normal, negative numbers are legal), and 0 for the first picture of a movie, unless
    the artist says where it begins. Ranges include both ends.

Only adapters and readers convert; nothing else does. This module needs nothing but the
standard library, so that it also works inside a host application's interpreter (Python 3.9+).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from masklet.frame_set import FrameSet
from masklet.mask import Mask as Mask
from masklet.mask import MaskDepth as MaskDepth
from masklet.matte_settings import MatteSettings

MAX_GRID_SIDE = 1024
MAX_POINTER_BYTES = 4096
MAX_FRAME = 2**31 - 1
"""Frame numbers take 32 bits with a sign, from ``-MAX_FRAME - 1``: as on the wire and in the hosts."""


def check_frame(frame: int) -> None:
    """See that a number can be a frame's.

    Raises:
        ValueError: It takes more than 32 bits.
    """
    if not -MAX_FRAME - 1 <= frame <= MAX_FRAME:
        raise ValueError(f"{frame} is no frame number, the largest is {MAX_FRAME}: check the digits")


class Presence(Enum):
    """What the tracker believes of one object on one frame."""

    PRESENT = "present"
    UNCERTAIN = "uncertain"
    ABSENT = "absent"


class FrameState(Enum):
    """What may be true of one object on one frame; several can be at a time."""

    PRESENT = "present"
    UNCERTAIN = "uncertain"
    ABSENT = "absent"
    CORRECTED = "corrected"
    """The artist prompted the object here."""
    LOCKED = "locked"
    """Tracking leaves it as it is."""
    STALE = "stale"
    """Prompts have changed since, in a way that reaches here: track again."""
    UNTRACKED = "untracked"
    """It has no mask yet, though others of the object were tracked."""


class CutPolicy(Enum):
    """What tracking does where a shot ends and another begins."""

    STOP = "stop"
    """Nothing is tracked across; frames behind the cut wait for a prompt of their own."""
    REFIND = "refind"
    """Goes on and looks for the object by its prompted frames alone."""
    IGNORE = "ignore"
    """No cut is looked for."""


class Direction(Enum):
    """Which way a track runs from the prompted frames."""

    FORWARD = "forward"
    BACKWARD = "backward"
    BOTH = "both"


@dataclass(frozen=True)
class Click:
    """A point that belongs to the object, or that does not.

    Attributes:
        x_px: Position from the left edge of the plate.
        y_px: Position from the top edge of the plate.
        positive: True on the object, False on something that must not be part of it.
    """

    x_px: float
    y_px: float
    positive: bool = True

    def __post_init__(self) -> None:
        if not (math.isfinite(self.x_px) and math.isfinite(self.y_px)):
            raise ValueError(
                f"a click needs finite coordinates, got ({self.x_px}, {self.y_px}): "
                "click again inside the picture"
            )


@dataclass(frozen=True)
class Box:
    """A rectangle around the object, edges in pixels."""

    left_px: float
    top_px: float
    right_px: float
    bottom_px: float

    def __post_init__(self) -> None:
        edges = (self.left_px, self.top_px, self.right_px, self.bottom_px)
        if not all(math.isfinite(edge) for edge in edges):
            raise ValueError(f"a box needs finite edges, got {edges}: draw it again inside the picture")
        if self.right_px <= self.left_px or self.bottom_px <= self.top_px:
            raise ValueError(
                f"a box needs left < right and top < bottom, got {edges}: draw it from corner to corner"
            )


@dataclass(frozen=True)
class TrackedMask:
    """A mask as tracking made it, on the network's own grid, packed: to be kept and given back, not drawn.

    Attributes:
        columns: Of the grid, to which the whole plate is stretched.
        rows: Of the grid.
        logits: Packed by the server; positive inside.
        presence: What the tracker believed.
        presence_logit: Positive when the object was believed visible.
        predicted_iou: The network's estimate of its own mask, 0 to 1.
        pointer: The network's summary of the object, little-endian float16; opaque.
    """

    columns: int
    rows: int
    logits: bytes
    presence: Presence = Presence.PRESENT
    presence_logit: float = 0.0
    predicted_iou: float = 0.0
    pointer: bytes = b""

    def __post_init__(self) -> None:
        if not (0 < self.columns <= MAX_GRID_SIDE and 0 < self.rows <= MAX_GRID_SIDE):
            raise ValueError(
                f"a tracked mask has 1 to {MAX_GRID_SIDE} columns and rows, got {self.columns} x {self.rows}"
            )
        if len(self.logits) > 4 * self.columns * self.rows + 1024 or len(self.pointer) > MAX_POINTER_BYTES:
            raise ValueError("a tracked mask has more bytes than its size allows: save the document again")


@dataclass(frozen=True)
class FramePrompts:
    """Everything the artist said about one object on one frame, in the order it was said.

    A mask excludes clicks and box: a click corrects what the network made, and there is
    nothing to correct in a mask drawn by hand.

    Attributes:
        object_id: Whose.
        frame: The plate's own number.
        clicks: In their order.
        box: Around the object.
        mask: Drawn by hand.
        base: What clicks correct: the tracked mask that stood there before the first prompt. The server sets
            it and answers with it; it goes when nothing is said any more. None where clicks start from
            nothing.
    """

    object_id: int
    frame: int
    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    mask: Mask | None = None
    base: TrackedMask | None = None

    def __post_init__(self) -> None:
        check_frame(self.frame)
        if self.mask is not None and (self.clicks or self.box is not None):
            raise ValueError("a frame takes a mask, or clicks and a box, not both: remove one of them")

    @property
    def is_empty(self) -> bool:
        """True when nothing was said."""
        return not self.clicks and self.box is None and self.mask is None


@dataclass(frozen=True)
class FrameRange:
    """Frames from ``first`` to ``last``, both included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        check_frame(self.first)
        check_frame(self.last)
        if self.last < self.first:
            raise ValueError(f"a range needs first <= last, got {self.first}-{self.last}")

    def __contains__(self, frame: int) -> bool:
        return self.first <= frame <= self.last

    def __len__(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Overscan:
    """How far the picture that is matted reaches beyond the display window, on each side."""

    left_px: int = 0
    top_px: int = 0
    right_px: int = 0
    bottom_px: int = 0


@dataclass(frozen=True)
class UnreadableFrame:
    """A frame whose picture cannot be used, and a sentence that says why."""

    frame: int
    reason: str


@dataclass(frozen=True)
class ClipInfo:
    """What is known of a clip before its pictures are read.

    Attributes:
        name: For people: the file or pattern without folders.
        width_px: Of the picture that is matted: the display window, and overscan where it was asked for.
        height_px: The same.
        first_frame: The plate's own number.
        last_frame: The plate's own number.
        missing_frames: Numbers inside the range that have no picture.
        pixel_aspect: Width of a pixel divided by its height.
        frames_per_s: None where neither the files nor the artist say; never a guess. The average where
            the rate varies.
        colour_space: The name of the input space that is in force.
        notices: Sentences for people about what was assumed or left out when the clip was opened.
        unreadable: Frames whose pictures turned out to be unusable. They are among the missing ones too.
        overscan: What of the picture lies outside the display window.
        display_origin_px: Where the files' own coordinates put the top-left corner of the display window.
        frame_times_us: Of a movie whose rate varies: when each picture is shown, in microseconds after
            the first one, a number for each frame. Empty where pictures follow each other evenly.
        quarter_turns: How often the movie asks for its stored pictures to be turned clockwise, 0 to 3,
            after mirroring. Sizes and masks are those of the picture as it is shown.
        mirrored: True where it asks for them to be mirrored left to right.
    """

    name: str
    width_px: int
    height_px: int
    first_frame: int
    last_frame: int
    missing_frames: tuple[int, ...] = ()
    pixel_aspect: float = 1.0
    frames_per_s: float | None = None
    colour_space: str = "sRGB"
    notices: tuple[str, ...] = ()
    unreadable: tuple[UnreadableFrame, ...] = ()
    overscan: Overscan = Overscan()
    display_origin_px: tuple[int, int] = (0, 0)
    frame_times_us: tuple[int, ...] = ()
    quarter_turns: int = 0
    mirrored: bool = False

    def __post_init__(self) -> None:
        if self.frame_times_us and len(self.frame_times_us) != len(self.frames):
            raise ValueError(
                f"{len(self.frame_times_us)} frame times for {len(self.frames)} frames: give one for each"
            )

    @property
    def display_width_px(self) -> int:
        """Of the display window: what a compositing application takes for the plate's format."""
        return self.width_px - self.overscan.left_px - self.overscan.right_px

    @property
    def display_height_px(self) -> int:
        """Of the display window."""
        return self.height_px - self.overscan.top_px - self.overscan.bottom_px

    @property
    def frames(self) -> FrameRange:
        """The whole clip, missing frames included."""
        return FrameRange(self.first_frame, self.last_frame)

    @cached_property
    def missing(self) -> FrameSet:
        """The missing frames as a set, which is asked fast and steps over gaps at once."""
        return FrameSet(self.missing_frames)

    @property
    def is_variable_rate(self) -> bool:
        """True where pictures do not follow each other evenly; their times are known then."""
        return bool(self.frame_times_us)

    def time_s(self, frame: int) -> float | None:
        """Seconds from the first picture to that of ``frame``; None where no rate is known.

        Frames outside of the clip lie where the rate would put them, before the first and after the last
        picture.
        """
        place = frame - self.first_frame
        if not self.frame_times_us:
            return None if self.frames_per_s is None else place / self.frames_per_s
        inside = min(max(place, 0), len(self.frame_times_us) - 1)
        beyond_s = (place - inside) / self.frames_per_s if self.frames_per_s else 0.0
        return self.frame_times_us[inside] / 1e6 + beyond_s


@dataclass(frozen=True)
class ObjectInfo:
    """One object of a session: the id is for ever, the name may change."""

    object_id: int
    name: str
    prompted_frames: tuple[int, ...] = ()


@dataclass(frozen=True)
class MaskUpdate:
    """One object's mask on one frame, as it is when it arrives.

    Attributes:
        object_id: Chosen by the session, unique in it, never reused.
        object_name: As it was when the update was made.
        frame: The plate's own number.
        mask: At the size that was asked for, the whole plate stretched to it.
        presence: What the tracker believes.
        presence_score: Probability from 0 to 1 that the object is visible.
        predicted_iou: The network's own estimate of its mask's quality, 0 to 1.
        prompted: True where the artist prompted this object on this frame.
        base: In an answer to prompts, what these correct; see :class:`FramePrompts`. None elsewhere.
    """

    object_id: int
    object_name: str
    frame: int
    mask: Mask
    presence: Presence
    presence_score: float
    predicted_iou: float
    prompted: bool = False
    base: TrackedMask | None = None


@dataclass(frozen=True)
class ModelInfo:
    """A set of weights the server can use."""

    name: str
    licence: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class ServerInfo:
    """What a server is and what it allows."""

    version: str
    device: str
    model: ModelInfo
    models: tuple[ModelInfo, ...]
    max_sessions: int
    max_objects: int
    max_side_px: int
    max_upload_bytes: int
    opens_paths: bool


@dataclass(frozen=True)
class MaskFormat:
    """The size and packing in which masks are wanted.

    Attributes:
        max_side_px: Longest side; the mask keeps the plate's proportions. 0: the plate's own size.
        bits: True for inside or outside only (an eighth of the bytes), False for 256 steps of coverage.
    """

    max_side_px: int = 0
    bits: bool = False


@dataclass(frozen=True)
class StateRange:
    """Consecutive frames of one object that are in the same state."""

    object_id: int
    frames: FrameRange
    presence: Presence
    prompted: bool
    locked: bool = False
    stale: bool = False
    tracked: bool = True

    @property
    def states(self) -> frozenset[FrameState]:
        """All that is true of these frames; nothing else is of those without a mask."""
        if not self.tracked:
            return frozenset((FrameState.UNTRACKED,))
        found = {FrameState(self.presence.value)}
        if self.prompted:
            found.add(FrameState.CORRECTED)
        if self.locked:
            found.add(FrameState.LOCKED)
        if self.stale:
            found.add(FrameState.STALE)
        return frozenset(found)


@dataclass(frozen=True)
class LockedRange:
    """Frames of one object that tracking leaves as they are; without a mask yet they get their first."""

    object_id: int
    frames: FrameRange


@dataclass(frozen=True)
class LockedMask:
    """The mask of a locked frame, as it was approved.

    Attributes:
        object_id: Whose.
        frame: The plate's own number.
        mask: What stays.
        stale: Prompts have changed since in a way that would reach here: seen once the frame is unlocked.
    """

    object_id: int
    frame: int
    mask: TrackedMask
    stale: bool = False


@dataclass(frozen=True)
class ObjectMatte:
    """How the matte of one object is finished."""

    object_id: int
    settings: MatteSettings


@dataclass(frozen=True)
class SessionSummary:
    """A session among others, as a list shows it.

    Attributes:
        session_id: To attach to it, or to close it.
        clip_name: Of the clip that it was opened on.
        objects: How many it has.
        idle_s: Since the last call; 0 while it is busy.
        is_busy: A call waits for the device, or a track runs.
    """

    session_id: str
    clip_name: str
    objects: int
    idle_s: float
    is_busy: bool


@dataclass(frozen=True)
class SessionInfo:
    """A session as the server holds it.

    Attributes:
        session_id: 32 hexadecimal digits.
        clip: What the session was opened on.
        objects: In the order in which they were added.
        states: By object, then frame; frames without a result are in no range.
        locks: By object, then frame; they may hold frames without a result.
        mattes: Of the objects whose mattes are not left as they are.
        cuts: First frames of new shots, as far as tracking has met any.
    """

    session_id: str
    clip: ClipInfo
    objects: tuple[ObjectInfo, ...] = ()
    states: tuple[StateRange, ...] = ()
    locks: tuple[LockedRange, ...] = ()
    mattes: tuple[ObjectMatte, ...] = ()
    cuts: tuple[int, ...] = ()


@dataclass(frozen=True)
class PromptDocument:
    """All prompts of a session; from it, and the clip, everything else can be rebuilt.

    Attributes:
        objects: In the order of their ids.
        prompts: In the order of object, then frame.
        locks: In the same order.
        mattes: Of the objects whose mattes are not left as they are.
        masks: Of locked frames, by object, then frame.
    """

    objects: tuple[ObjectInfo, ...] = ()
    prompts: tuple[FramePrompts, ...] = ()
    locks: tuple[LockedRange, ...] = ()
    mattes: tuple[ObjectMatte, ...] = ()
    masks: tuple[LockedMask, ...] = ()
