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

from dataclasses import dataclass, replace
from enum import Enum

from masklet.clip_info import ClipInfo as ClipInfo
from masklet.clip_info import Overscan as Overscan
from masklet.clip_info import UnreadableFrame as UnreadableFrame
from masklet.frame_range import MAX_FRAME as MAX_FRAME
from masklet.frame_range import FrameRange as FrameRange
from masklet.frame_range import check_frame as check_frame
from masklet.frame_states import FrameState as FrameState
from masklet.frame_states import Presence as Presence
from masklet.frame_states import StateRange as StateRange
from masklet.kept_masks import CloseLook as CloseLook
from masklet.kept_masks import LockedMask as LockedMask
from masklet.kept_masks import NearMask as NearMask
from masklet.kept_masks import TrackedMask as TrackedMask
from masklet.mask import Mask as Mask
from masklet.mask import MaskDepth as MaskDepth
from masklet.matte_settings import MatteSettings
from masklet.policies import MemoryPolicy as MemoryPolicy
from masklet.prompt_kinds import Box as Box
from masklet.prompt_kinds import Click as Click
from masklet.prompt_kinds import Scribble as Scribble
from masklet.session_list import SessionSummary as SessionSummary
from masklet.session_list import Share as Share

MAX_SOURCE = 512


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
class FramePrompts:
    """Everything the artist said about one object on one frame, each kind in the order it was said.

    A mask excludes all other kinds: a click corrects what the network made, and there is
    nothing to correct in a mask drawn by hand.

    Whoever adds a kind adds it here; ``tests/contract/test_prompt_kinds.py`` then names every place that
    forgets it.

    Attributes:
        object_id: Whose.
        frame: The plate's own number.
        clicks: In their order.
        box: Around the object.
        mask: Drawn by hand.
        base: What clicks and strokes correct: the tracked mask that stood there before the first prompt. The
            server sets it and answers with it; it goes when nothing is said any more. None where they start
            from nothing.
        scribbles: Freehand strokes, in their order. They are shown to the network after box and clicks.
        source: Name and version of the studio's model that proposed them; empty where a person or our network
            did. No mask follows from it: it stands in the record of mattes.
    """

    object_id: int
    frame: int
    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    mask: Mask | None = None
    base: TrackedMask | None = None
    scribbles: tuple[Scribble, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        check_frame(self.frame)
        if len(self.source) > MAX_SOURCE or not self.source.isprintable():
            raise ValueError(f"the name of a model is one line of at most {MAX_SOURCE} letters")
        if self.mask is not None and (self.clicks or self.scribbles or self.box is not None):
            raise ValueError("a frame takes a mask, or clicks, strokes and a box, not both: remove one")

    @property
    def marks(self) -> tuple[Click | Scribble, ...]:
        """All that is positive or negative: clicks, then strokes."""
        return (*self.clicks, *self.scribbles)

    @property
    def is_empty(self) -> bool:
        """True when nothing was said."""
        return not self.marks and self.box is None and self.mask is None

    @property
    def only_corrects(self) -> bool:
        """True for clicks and strokes without a box or a drawn mask: they correct what stands there."""
        return bool(self.marks) and self.box is None and self.mask is None

    @property
    def only_takes_away(self) -> bool:
        """True where all that is said is what does not belong to the object."""
        return self.only_corrects and not any(mark.positive for mark in self.marks)

    def begun(self, count: int) -> FramePrompts:
        """The same with the first ``count`` of its marks only."""
        rest = max(0, count - len(self.clicks))
        return replace(self, clicks=self.clicks[:count], scribbles=self.scribbles[:rest])

    def moved(
        self, *, across: float = 1.0, down: float = 1.0, x_px: float = 0.0, y_px: float = 0.0
    ) -> FramePrompts:
        """The same in the pixels of another picture: scaled, then moved. A drawn mask and a base stay."""
        way = (across, down, x_px, y_px)
        return replace(
            self,
            clicks=tuple(click.moved(*way) for click in self.clicks),
            box=None if self.box is None else self.box.moved(*way),
            scribbles=tuple(scribble.moved(*way) for scribble in self.scribbles),
        )


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
    settings: str = ""
    """What decides about masks besides the weights, as JSON: servers of other settings make other masks."""


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
class LockedRange:
    """Frames of one object that tracking leaves as they are; without a mask yet they get their first."""

    object_id: int
    frames: FrameRange


@dataclass(frozen=True)
class ObjectMatte:
    """How the matte of one object is finished."""

    object_id: int
    settings: MatteSettings


@dataclass(frozen=True)
class ObjectPolicy:
    """How the memory of one object is used."""

    object_id: int
    policy: MemoryPolicy


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
        policies: Of the objects whose memory is not used as it is without any.
    """

    session_id: str
    clip: ClipInfo
    objects: tuple[ObjectInfo, ...] = ()
    states: tuple[StateRange, ...] = ()
    locks: tuple[LockedRange, ...] = ()
    mattes: tuple[ObjectMatte, ...] = ()
    cuts: tuple[int, ...] = ()
    policies: tuple[ObjectPolicy, ...] = ()


@dataclass(frozen=True)
class PromptDocument:
    """All prompts of a session; from it, and the clip, everything else can be rebuilt.

    Attributes:
        objects: In the order of their ids.
        prompts: In the order of object, then frame.
        locks: In the same order.
        mattes: Of the objects whose mattes are not left as they are.
        masks: Of locked frames, by object, then frame.
        policies: Of the objects whose memory is not used as it is without any.
    """

    objects: tuple[ObjectInfo, ...] = ()
    prompts: tuple[FramePrompts, ...] = ()
    locks: tuple[LockedRange, ...] = ()
    mattes: tuple[ObjectMatte, ...] = ()
    masks: tuple[LockedMask, ...] = ()
    policies: tuple[ObjectPolicy, ...] = ()
