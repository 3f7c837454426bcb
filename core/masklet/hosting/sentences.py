"""Sentences about work and frames that every host shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.phrases import phrase
from masklet.types import Presence

if TYPE_CHECKING:
    from masklet.hosting.shown.frame_book import Strip
    from masklet.hosting.work.jobs import Job
    from masklet.phrases import Phrase
    from masklet.types import FramePrompts

_PRESENCES = {
    Presence.PRESENT: phrase("present"),
    Presence.UNCERTAIN: phrase("uncertain"),
    Presence.ABSENT: phrase("absent"),
}


def progress_text(job: Job) -> Phrase:
    """How far a job is, and how to stop it, for a status bar."""
    return phrase("{progress}.  Esc: stop and keep what is done", progress=short_progress_text(job))


def short_progress_text(job: Job) -> Phrase:
    """How far a job is, short enough for a panel."""
    waiting = job.waiting
    if waiting is not None:
        if waiting.expected_s is None:
            return phrase("The server is full: number {place} in line", place=waiting.place)
        return phrase(
            "The server is full: number {place} in line, about {seconds} s",
            place=waiting.place,
            seconds=round(waiting.expected_s),
        )
    if not job.total:
        return phrase("{job} …", job=job.name)
    return phrase("{job}: {done} of {total}", job=job.name, done=job.done, total=job.total)


def state_parts(prompts: FramePrompts, strip: Strip | None) -> tuple[Phrase, ...]:
    """What is said of an object on a frame and what became of it, piece by piece.

    Args:
        prompts: Of that frame.
        strip: The run that holds it; None where it has no mask.
    """
    parts: list[Phrase] = []
    if len(prompts.clicks) == 1:
        parts.append(phrase("1 click"))
    elif prompts.clicks:
        parts.append(phrase("{count} clicks", count=len(prompts.clicks)))
    if len(prompts.scribbles) == 1:
        parts.append(phrase("1 stroke"))
    elif prompts.scribbles:
        parts.append(phrase("{count} strokes", count=len(prompts.scribbles)))
    if prompts.box is not None:
        parts.append(phrase("a box"))
    if prompts.mask is not None:
        parts.append(phrase("a mask drawn by hand"))
    if strip is None:
        return (*parts, phrase("not tracked"))
    parts.append(phrase("out of date") if strip.stale else _PRESENCES[strip.presence])
    if strip.locked:
        parts.append(phrase("locked"))
    return tuple(parts)
