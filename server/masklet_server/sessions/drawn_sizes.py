"""What drawn masks take once they are unpacked: one of one colour is a thousand times its message."""

from __future__ import annotations

from collections.abc import Iterable

from masklet.errors import BadInputError, LimitError
from masklet.types import ClipInfo
from masklet_server.sessions.said import Said

MAX_DRAWN_BYTES = 2 << 30
"""Of all drawn masks of a session, or of a request: a thousand frames of HD, two hundred and forty of 4K."""
LARGE_BYTES = 64 << 20
"""Masks that are together larger are unpacked away from the threads that clicks wait for."""


def drawn_bytes(said: Iterable[Said]) -> int:
    """What the drawn masks in these take, unpacked."""
    return sum(each.drawn.unpacked_bytes for each in said if each.drawn is not None)


def check_room(size_bytes: int) -> None:
    """See that so much can be unpacked together.

    Raises:
        LimitError: It is too much.
    """
    if size_bytes > MAX_DRAWN_BYTES:
        raise LimitError(
            f"the drawn masks are together {size_bytes / 1e6:.0f} MB once they are unpacked, and a session "
            f"takes {MAX_DRAWN_BYTES / 1e6:.0f}: draw on fewer frames and track between them, or use a "
            "second session"
        )


def wrong_size(width_px: int, height_px: int, clip: ClipInfo) -> BadInputError:
    """The refusal of a mask that is not as large as its picture."""
    return BadInputError(
        f"the mask is {width_px} x {height_px} and the picture {clip.width_px} x {clip.height_px}: give a "
        "mask of the picture's size"
    )
