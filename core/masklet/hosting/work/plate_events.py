"""What is asked of a plate's session, and what its work tells the main thread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Union

from masklet.errors import BadInputError
from masklet.phrases import phrase
from masklet.types import Direction, FrameRange

if TYPE_CHECKING:
    from masklet.errors import MaskletError
    from masklet.events import TrackFinished
    from masklet.hosting.plate_files import PlateSource
    from masklet.hosting.shown.frame_book import Known
    from masklet.hosting.shown.overlay_masks import PackedMask
    from masklet.said.documents import Document
    from masklet.said.edits import Edit
    from masklet.types import ClipInfo, StateRange


@dataclass(frozen=True)
class PlateRequest:
    """What the main thread wants of a plate, as it was when it was asked.

    Attributes:
        plate: Where the pictures are.
        wanted: What the artist has said.
        session_id: Of the session that the document remembers; empty for none.
        fingerprint: Of the plate that the prompts were made on; empty to take any.
        max_side_px: Of masks for the overlay.
        known: Which frames had a mask once, by object.
        session_path: The plate's path when that session was opened; empty where it is not known.
    """

    plate: PlateSource
    wanted: Document
    session_id: str
    fingerprint: str
    max_side_px: int
    known: Mapping[str, Known] = field(default_factory=dict)
    session_path: str = ""


@dataclass(frozen=True)
class SessionOpened:
    """The plate has a session now.

    Attributes:
        session_id: By which to come back.
        clip: What the server knows of the plate.
        resumed: True where the server still held the session with its masks.
        replaced: True where the file remembered a session that is no more.
        fingerprint: Of the plate.
        path: Of the plate, as the session was opened on it.
    """

    session_id: str
    clip: ClipInfo
    resumed: bool
    replaced: bool
    fingerprint: str
    path: str = ""


@dataclass(frozen=True)
class SessionLost:
    """The session that the file remembers is no more; nothing was sent in its place."""


@dataclass(frozen=True)
class MaskCame:
    """A mask for the overlay; None where the object has none on this frame any more."""

    uid: str
    frame: int
    mask: PackedMask | None
    tracked: bool = False


@dataclass(frozen=True)
class FinishedCame:
    """The matte of a frame as an export would write it, for the overlay."""

    uid: str
    frame: int
    mask: PackedMask


@dataclass(frozen=True)
class MasksOutdated:
    """All masks of an object that were kept show what is no longer so."""

    uid: str


@dataclass(frozen=True)
class StatesCame:
    """The state of every frame with a mask, by object, and the cuts that tracking has met."""

    states: Mapping[str, tuple[StateRange, ...]]
    cuts: tuple[int, ...]


@dataclass(frozen=True)
class Refused:
    """The server did not take an edit; the document without it is what it holds."""

    edit: Edit
    held: Document
    error: MaskletError


@dataclass(frozen=True)
class Completed:
    """The server knows what the file has to keep: what prompts correct, and the masks of locked frames."""

    held: Document


@dataclass(frozen=True)
class Planned:
    """How many masks a track will bring."""

    total: int


@dataclass(frozen=True)
class Ended:
    """How a track ended."""

    finished: TrackFinished


@dataclass(frozen=True)
class ResultCame:
    """What a work was for, at its end."""

    value: object


Event = Union[
    SessionOpened,
    SessionLost,
    MaskCame,
    FinishedCame,
    MasksOutdated,
    StatesCame,
    Refused,
    Completed,
    Planned,
    Ended,
    ResultCame,
]


@dataclass(frozen=True)
class TrackRequest:
    """What to track.

    Attributes:
        first: Plate frame to begin at; None for the clip's first. What lies outside the clip is cut off.
        last: Plate frame to end at; None for the clip's last.
        uids: Of the objects; none given means all with prompts.
        direction: Which way from the prompts.
        stale_only: Only what prompts have overtaken.
    """

    first: int | None = None
    last: int | None = None
    uids: tuple[str, ...] = ()
    direction: Direction = Direction.BOTH
    stale_only: bool = False

    def frames_in(self, clip: ClipInfo) -> FrameRange:
        """The range inside a clip.

        Raises:
            BadInputError: The range and the clip share no frame.
        """
        first = clip.first_frame if self.first is None else max(self.first, clip.first_frame)
        last = clip.last_frame if self.last is None else min(self.last, clip.last_frame)
        if first > last:
            raise BadInputError(
                phrase(
                    "the range lies outside the plate, which has frames {first} to {last}: move the time "
                    "cursor onto the plate, or set another range",
                    first=clip.first_frame,
                    last=clip.last_frame,
                )
            )
        return FrameRange(first, last)
