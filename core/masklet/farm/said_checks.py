"""Checks of what was said: a wrong word is wrong on every frame, and no picture shows it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from masklet.doubtful_clicks import advice_on
from masklet.farm.prompt_marks import prompts_of
from masklet.frame_states import FrameState
from masklet.publish.problems import Check, Problem, Repair
from masklet.types import FrameRange, Presence

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from masklet.publish.collected import Collected

SAID = {
    "clicks": "No single click whose mask is doubtful",
    "proposed": "Nothing doubtful that nobody has clicked",
}


def said_checks(doubts: Mapping[str, str]) -> tuple[Check, ...]:
    """The checks of one shot.

    Args:
        doubts: Why what was proposed for an object may be something else, by its name.
    """
    return (
        Check("clicks", SAID["clicks"], _doubtful_clicks),
        Check("proposed", SAID["proposed"], partial(_proposed, doubts)),
    )


def _doubtful_clicks(collected: Collected) -> Iterator[Problem]:
    """Masks of single clicks that are not steady: tracked from there, they are wrong all along."""
    record = collected.record
    for name in collected.objects:
        unsteady = [
            one.frames for one in record.states if one.name == name and FrameState.UNCERTAIN in one.states
        ]
        for item in prompts_of(record.shot.document, name):
            advice = advice_on(item, Presence.UNCERTAIN, name)
            if advice is not None and any(item.frame in frames for frames in unsteady):
                yield Problem("clicks", advice, name, (FrameRange(item.frame, item.frame),), Repair.ACCEPT)


def _proposed(doubts: Mapping[str, str], collected: Collected) -> Iterator[Problem]:
    del collected
    for name, words in doubts.items():
        yield Problem("proposed", words, name, repair=Repair.ACCEPT)
