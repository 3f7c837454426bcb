"""What a correction corrects: set with the first prompt on a frame, kept while anything is said there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from masklet.types import FramePrompts
from masklet_server.sessions.masks import base_of
from masklet_server.tracking import ObjectFrame


def with_base(
    prompts: FramePrompts,
    before: FramePrompts | None,
    tracked: ObjectFrame | None,
    look: Callable[[], ObjectFrame | None] = lambda: None,
) -> FramePrompts:
    """The prompts with what they correct.

    A base that comes with them stands, as a document's does. Else it is that of the prompts before them on
    the frame, or what was tracked there, or, for clicks, what the prompts of other frames make of the frame:
    better than starting from nothing (decision 30), and clicks that only say what does not belong to the
    object need something to take it from.

    Args:
        prompts: What is said now.
        before: What was said on the frame.
        tracked: The result that stands there.
        look: Gives what other prompts make of the frame; None where there are none.
    """
    if prompts.is_empty:
        return replace(prompts, base=None)
    if prompts.base is not None:
        return prompts
    if (
        before is not None
        and not before.is_empty
        and (before.base is not None or not prompts.only_takes_away)
    ):
        return replace(prompts, base=before.base)
    if tracked is not None and not tracked.prompted:
        return replace(prompts, base=base_of(tracked))
    seen = look() if prompts.only_corrects else None
    return prompts if seen is None else replace(prompts, base=base_of(seen))
