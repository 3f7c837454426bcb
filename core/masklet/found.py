"""Things that were found in a picture, and how they are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Optional, TypedDict, Union

from masklet.types import FramePrompts, MaskFormat, MaskUpdate

MAX_FOUND = 256
"""More things in a picture nobody looks through."""
MAX_PER_SIDE = 64
MAX_LAYERS = 2
MAX_WORDS = 200


@dataclass(frozen=True)
class Look:
    """What an object looks like to the server's network; taken of one clip and looked for in any.

    Attributes:
        model: Of the network that saw it; no other understands it.
        width: Numbers for each cell of the object.
        cells: These, as half floats, lower byte first.
        side_share: Side of a square as large as the object, as a share of the picture's side.
    """

    model: str
    width: int
    cells: bytes
    side_share: float


@dataclass(frozen=True)
class FindRequest:
    """What is to be found on a frame: everything, unless :attr:`like` or :attr:`words` say what.

    Attributes:
        frame: The plate's own number.
        like: Only what looks like this.
        object_id: Only what looks like this object, on its prompted frame nearest to this one; 0 for none.
        words: Only what the studio's own model finds for these words; needs a server that has one.
        limit: How many at most; the best stay.
        per_side: Clicks along each side of the picture; 0 for the usual number.
        layers: How often small things are looked for in parts of half the size.
        least_share: Of the picture; what is smaller is left out. 0 for the usual share.
        mask_format: Of the masks.
    """

    frame: int
    like: Optional[Look] = None
    object_id: int = 0
    words: str = ""
    limit: int = 64
    per_side: int = 0
    layers: int = 0
    least_share: float = 0.0
    mask_format: MaskFormat = field(default_factory=MaskFormat)

    def __post_init__(self) -> None:
        if (self.like is not None) + bool(self.object_id) + bool(self.words) > 1:
            raise ValueError("ask for one kind of thing at a time: a look, an object or words")
        if not 1 <= self.limit <= MAX_FOUND:
            raise ValueError(f"between 1 and {MAX_FOUND} things can be asked for, got {self.limit}")
        if not (0 <= self.per_side <= MAX_PER_SIDE):
            raise ValueError(f"at most {MAX_PER_SIDE} clicks along a side, got {self.per_side}")
        if not 0 <= self.layers <= MAX_LAYERS:
            raise ValueError(f"between 0 and {MAX_LAYERS} layers of parts, got {self.layers}")
        if not 0 <= self.least_share < 1:
            raise ValueError(
                f"the least share of the picture is 0 or more and below 1, got {self.least_share}"
            )
        if len(self.words) > MAX_WORDS:
            raise ValueError(f"at most {MAX_WORDS} letters say what to find, got {len(self.words)}")


@dataclass(frozen=True)
class Found:
    """A thing in a picture. Nothing has been said of it yet.

    Attributes:
        prompts: Saying these of an object makes it this thing; their own object is 0.
        update: The mask that they give.
        score: How sure the network is of it, 0 to 1.
        likeness: To what was asked for, up to 1; 0 where nothing was.
        label: What a model of the studio calls it; empty for our own.
        source: Name and version of that model; empty for our own.
    """

    prompts: FramePrompts
    update: MaskUpdate
    score: float
    likeness: float = 0.0
    label: str = ""
    source: str = ""


class FindOptions(TypedDict, total=False):
    """What may be left out of a :class:`FindRequest`."""

    words: str
    limit: int
    per_side: int
    layers: int
    least_share: float


@dataclass(frozen=True)
class FindProgress:
    """So many steps of a search, of so many."""

    done: int
    total: int


FindEvent = Union[FindProgress, Found]
