"""Tracking as commands do it: with a progress bar, stopped by Ctrl-C after the frame in hand."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from masklet.doubtful_clicks import advice_on
from masklet.errors import BadInputError
from masklet.events import TrackStarted, Waiting
from masklet.frame_runs import counted
from masklet.types import CutPolicy, FrameRange, MaskFormat, MaskUpdate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.commands.progress import Progress
    from masklet.prompts import Shot
    from masklet.session import Session
    from masklet.types import FramePrompts

# Progress needs no picture, and a small one costs the stream next to nothing.
_PROGRESS_MASKS = MaskFormat(max_side_px=64, bits=True)


@dataclass(frozen=True)
class Tracked:
    """How a track went.

    Attributes:
        frames: How many were visited.
        seconds: From the request to the end.
        interrupted: Ctrl-C stopped it.
    """

    frames: int = 0
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def speed_fps(self) -> float:
        """Frames a second."""
        return self.frames / max(self.seconds, 1e-3)


def say(
    session: Session,
    shot: Shot,
    corrections: Sequence[FramePrompts],
    progress: Progress,
    *,
    at_cuts: CutPolicy = CutPolicy.STOP,
) -> None:
    """Tell the session all that the shot's document says.

    Args:
        session: Gets new objects.
        shot: The document, and which way to track.
        corrections: Prompts of the document that are said after tracking up to their frames, in this order:
            so they correct what stands there, as an artist's do who clicks after tracking.
        progress: Told what is tracked for that.
        at_cuts: As for the track that follows.

    Raises:
        MaskletError: The session refuses something.
    """
    document = shot.document
    first = tuple(item for item in document.prompts if item not in corrections)
    objects = session.load_prompts(replace(document, prompts=first))
    object_of = {document.objects[place].object_id: own for place, own in enumerate(objects)}
    for item in corrections:
        own = object_of[item.object_id]
        progress.say(f"tracking {own.name} to {item.frame}, where it is corrected")
        running = session.track(
            frames=FrameRange(item.frame, item.frame),
            objects=(own,),
            direction=shot.direction,
            mask_format=_PROGRESS_MASKS,
            at_cuts=at_cuts,
        )
        for _ in running:
            pass
        own.prompt(replace(item, object_id=own.object_id))


def track(
    session: Session,
    shot: Shot,
    progress: Progress,
    *,
    at_cuts: CutPolicy = CutPolicy.STOP,
    farm: bool = False,
    stop_when_doubtful: bool = False,
) -> Tracked:
    """Track the shot with a progress bar; for a ``farm`` nobody waits.

    Raises:
        BadInputError: The mask of a single click may be poor, and it was asked to stop there.
    """
    said = {(item.object_id, item.frame): item for item in session.prompts().prompts}
    running = session.track(
        frames=shot.frames,
        direction=shot.direction,
        mask_format=_PROGRESS_MASKS,
        at_cuts=at_cuts,
        farm=farm,
    )
    started_s = time.monotonic()
    seen: set[tuple[int, int]] = set()
    # Several objects on one frame are one step, which their masks share.
    steps_per_mask = 1.0
    interrupted = False
    try:
        with progress.bar("tracking") as bar:
            for event in running.events():
                if isinstance(event, Waiting):
                    progress.waiting(event)
                elif isinstance(event, TrackStarted):
                    bar.total(event.steps)
                    steps_per_mask = event.steps / max(event.updates, 1)
                    progress.say(f"tracking {counted(event.steps)}")
                elif isinstance(event, MaskUpdate) and (event.object_id, event.frame) not in seen:
                    # A frame may come again, when what came later says something else of it.
                    seen.add((event.object_id, event.frame))
                    clicked = said.get((event.object_id, event.frame))
                    advice = clicked and advice_on(clicked, event.presence, event.object_name)
                    if advice and stop_when_doubtful:
                        raise BadInputError(advice)
                    if advice:
                        progress.say(advice)
                    bar.step(steps_per_mask)
    except KeyboardInterrupt:
        interrupted = True
        progress.say("stopped; writing what is finished")
    return Tracked(len({frame for _, frame in seen}), time.monotonic() - started_s, interrupted)
