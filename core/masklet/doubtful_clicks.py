"""A click whose mask is doubtful: what an artist is told before it is tracked through the shot."""

from __future__ import annotations

from masklet.phrases import Phrase, phrase
from masklet.types import FramePrompts, Presence


def advice_on(prompts: FramePrompts, presence: Presence, name: str) -> Phrase | None:
    """What helps where the mask of a single click is doubtful; None where it is not, or more was said.

    The server measures how steady the mask is (see ``server/benchmarks/bench_first_click.py``) and calls a
    doubtful one uncertain. After a second click, a stroke or a box artists see for themselves.

    Args:
        prompts: All of the object on the frame.
        presence: The server's verdict on their mask.
        name: The object's.
    """
    if presence is not Presence.UNCERTAIN or len(prompts.clicks) != 1 or not prompts.clicks[0].positive:
        return None
    if prompts.box is not None or prompts.mask is not None or prompts.scribbles:
        return None
    return phrase(
        "the mask of {name} on frame {frame} may be poor: draw a box around it, or click once more where it "
        "is wrong, and then track",
        name=name,
        frame=prompts.frame,
    )
