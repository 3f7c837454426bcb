"""What buttons ask of a track and say of it, and where the next look is needed."""

from __future__ import annotations

from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING, Optional

from masklet.errors import BadInputError
from masklet.hosting.work.plate_events import TrackRequest
from masklet.phrases import phrase
from masklet.suggestions import Sign, suggestions
from masklet.types import Direction, FrameRange, MemoryPolicy, ObjectPolicy, Presence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from masklet.hosting.plate_memory import PlateMemory
    from masklet.hosting.ports import P
    from masklet.hosting.shown.frame_book import FrameBook, Strip
    from masklet.phrases import Phrase
    from masklet.said.documents import Document, SaidObject
    from masklet.suggestions import Suggestion

_RUNS_TOLD = 3
_REASONS_TOLD = 2
"""A plate without its files would fill a panel with one sentence for each."""


class Extent(Enum):
    """How far a button tracks."""

    CLIP = "clip"
    """To the ends of the plate."""
    ONE = "one"
    """One frame further."""
    RANGE = "range"
    """Between two frames."""


def track_request(
    extent: Extent,
    direction: Direction,
    frame: int,
    *,
    span: tuple[int, int] | None = None,
    uids: tuple[str, ...] = (),
    stale_only: bool = False,
) -> TrackRequest:
    """What a button asks for.

    Args:
        extent: How far.
        direction: Which way.
        frame: The plate's own number of the picture that shows.
        span: First and last frame for :attr:`Extent.RANGE`.
        uids: Of the objects; none given means all with prompts.
        stale_only: Only what prompts have overtaken.
    """
    first: int | None = None
    last: int | None = None
    if extent is Extent.RANGE and span is not None:
        first, last = span
    elif extent is Extent.ONE:
        first, last = (frame - 1, frame) if direction is Direction.BACKWARD else (frame, frame + 1)
    elif direction is Direction.FORWARD:
        first = frame
    elif direction is Direction.BACKWARD:
        last = frame
    return TrackRequest(first, last, uids, direction, stale_only)


def inside(request: TrackRequest, span: FrameRange | None) -> TrackRequest:
    """What a button asks for, kept between in and out.

    Raises:
        BadInputError: Nothing of it lies there: the playhead is outside of the range.
    """
    if span is None:
        return request
    first = span.first if request.first is None else max(request.first, span.first)
    last = span.last if request.last is None else min(request.last, span.last)
    if first > last:
        raise BadInputError(
            phrase(
                "the range goes from {first} to {last}, and nothing of it lies that way: move the playhead "
                "into it, or set another range",
                first=span.first,
                last=span.last,
            )
        )
    return replace(request, first=first, last=last)


def prompted(document: Document, uids: Iterable[str] = ()) -> tuple[str, ...]:
    """Uids of the objects that can be tracked, of those asked for or of all.

    Raises:
        BadInputError: Nothing was said about any of them.
    """
    wanted = frozenset(uids)
    found = tuple(said.uid for said in document if said.frames and (not wanted or said.uid in wanted))
    if not found:
        raise BadInputError(
            phrase("nothing was said about the chosen objects yet: click them in the viewer first")
            if wanted
            else phrase("nothing was said yet: click an object in the viewer first")
        )
    return found


def marked_frame(document: Document, uids: Iterable[str], after: int, *, backward: bool) -> int | None:
    """The nearest frame behind another on which something is said about some objects; None for none."""
    wanted = frozenset(uids)
    frames = {prompts.frame for said in document if said.uid in wanted for prompts in said.frames}
    found = [frame for frame in frames if (frame < after if backward else frame > after)]
    return (max(found) if backward else min(found)) if found else None


def lock_range(frame: int, strip: Strip | None, span: FrameRange | None = None) -> FrameRange:
    """What a lock is offered for: from in to out, or the run of equal frames around the one that shows.

    Args:
        frame: That shows, by the plate's own number.
        strip: The run that holds it; None where the object has no mask there, so that the frame stands alone.
        span: From in to out; None where no range is set.
    """
    if span is not None:
        return span
    return FrameRange(frame, frame) if strip is None else FrameRange(strip.first, strip.last)


def track_sentence(memory: PlateMemory[P], *, done: int, cuts: Iterable[int]) -> Phrase:
    """How a track went.

    Args:
        memory: Of the plate.
        done: Masks that came.
        cuts: First frames of new shots, as the artist counts.
    """
    sentence = _how_it_went(done, ", ".join(str(cut) for cut in cuts))
    if not memory.left_out:
        return sentence
    reasons = [each.reason for each in memory.left_out[:_REASONS_TOLD]]
    if len(memory.left_out) > _REASONS_TOLD:
        reasons.append("…")
    return phrase("{sentence}; left out: {reasons}", sentence=sentence, reasons="; ".join(reasons))


def _how_it_went(done: int, cuts: str) -> Phrase:
    if cuts:
        return phrase("Tracked up to the cut at frame {cuts}: click the object again there", cuts=cuts)
    return phrase("Tracked") if done else phrase("Every frame is up to date: there was nothing to track")


def bad_frame_sentence(name: str, strip: Strip | None) -> Phrase:
    """Why an object is to be looked at on a frame; no strip where it has no mask there."""
    if strip is None:
        return phrase("{name} has no mask here: track it, or click it", name=name)
    if strip.stale:
        return phrase("{name} is out of date: track again", name=name)
    if strip.rival and strip.presence is not Presence.UNCERTAIN:
        return phrase("something that looks like {name} is near: check it", name=name)
    return phrase("{name} is uncertain: check it", name=name)


def seen_of(said: SaidObject, book: FrameBook) -> tuple[Suggestion, ...]:
    """What was seen of an object that a policy may help with; see :mod:`masklet.suggestions`."""
    chosen = () if said.policy is MemoryPolicy.EDITOR else (ObjectPolicy(0, said.policy),)
    return suggestions(book.states(said.uid), chosen)


def advised(said: SaidObject, book: FrameBook) -> Optional[Suggestion]:
    """What was seen of an object first that a policy may help with; None where none is to be tried."""
    return next((seen for seen in seen_of(said, book) if seen.policy is not None), None)


def suggestion_sentence(
    name: str, seen: Suggestion, counted: Optional[Callable[[int], int]] = None, *, key: str = ""
) -> Phrase:
    """What was seen of an object, and what may help; whoever reads it chooses.

    Args:
        name: Of the object.
        seen: What was seen.
        counted: From a plate frame to the number that the artist sees; None where they are the same.
        key: What takes the policy; empty for nothing.
    """
    ends = [tuple(counted(end) if counted else end for end in (run.first, run.last)) for run in seen.frames]
    where = ", ".join(f"{first}-{last}" for first, last in ends[:_RUNS_TOLD])
    where += ", …" if len(ends) > _RUNS_TOLD else ""
    if seen.sign is Sign.LOOK_ALIKE:
        sentence = phrase("something that looks like {name} came near on {where}", name=name, where=where)
    elif seen.sign is Sign.CROWD:
        sentence = phrase("things that look like {name} were near on {where}", name=name, where=where)
    else:
        sentence = phrase("{name} was gone for long on {where}", name=name, where=where)
    if seen.policy is None:
        return sentence
    policy = seen.policy.value
    if key:
        return phrase(
            "{sentence}; if it went wrong, {key} tries the policy {policy}: then track again",
            sentence=sentence,
            key=key,
            policy=policy,
        )
    return phrase(
        "{sentence}; if it went wrong, try the policy {policy} and track again",
        sentence=sentence,
        policy=policy,
    )


def with_advised_policy(said: SaidObject, book: FrameBook) -> SaidObject:
    """The object with the policy that may help it.

    Raises:
        BadInputError: Nothing was seen of it that another one may help with.
    """
    seen = advised(said, book)
    if seen is None or seen.policy is None:
        raise BadInputError(
            phrase("nothing was seen of {name} that another policy may help with", name=said.name)
        )
    return replace(said, policy=seen.policy)


def policy_taken_sentence(said: SaidObject) -> Phrase:
    """What a policy that was taken changes."""
    return phrase(
        "{name} is tracked with the policy {policy} from now on: track again; undo takes it back",
        name=said.name,
        policy=said.policy.value,
    )


def no_bad_frame_sentence(*, backward: bool) -> Phrase:
    """That there is nothing to look at."""
    return phrase("No bad frame before this one") if backward else phrase("No bad frame after this one")
