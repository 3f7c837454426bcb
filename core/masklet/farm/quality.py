"""Is a shot's work good enough to be used? Findings in the artist's words. Pure.

What publishing asks (:mod:`masklet.publish.checks`) is asked there and not here: this module adds what can
only be seen in the pictures. Thresholds lie above what the true masks of eighteen real sequences (DAVIS 2016,
forty frames each) do by themselves: sixteen are not talked about. A ball that vanishes behind a tree within a
frame is, and so is a flying duck on the frame on which its wings turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional

from masklet.frame_runs import runs_of, shown
from masklet.publish.problems import Problem, Repair

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from masklet.types import PromptDocument

AREA_FACTOR = 1.8
"""Between one frame and the next, in either direction."""
CENTRE_SHARE = 0.45
"""Of the object's own size that its middle may move beside the plate's motion."""
FLICKER_SHARE = 0.2
"""Of the object that differs from both neighbours where these agree."""
SMALL_AREA = 3e-4
"""Of the picture: below this an object is a few pixels, and everything about it jumps."""
_INSIDE = 0.5


@dataclass(frozen=True)
class Measure:
    """Measures of a matte on one frame, as ``masklet_server.farm.measuring`` makes them.

    Attributes:
        area: Share of the picture.
        centre: Shares of the longest side, from the left and from the top; None where nothing is there.
        moved: The plate's own motion inside the matte since the frame before; None where nobody knows.
        flicker: Share of the object that differs from both neighbours where these agree.
    """

    area: float
    centre: Optional[tuple[float, float]] = None
    moved: Optional[tuple[float, float]] = None
    flicker: Optional[float] = None


@dataclass(frozen=True)
class Point:
    """A click, and what the matte has there."""

    frame: int
    positive: bool
    coverage: float


def findings(
    name: str, measures: Mapping[int, Measure], points: tuple[Point, ...], prompted: frozenset[int]
) -> Iterator[Problem]:
    """What is wrong with the mattes of an object.

    Args:
        name: Of the object.
        measures: By frame.
        points: Clicks of the artist.
        prompted: Frames that the artist said something on: what changes there was wanted.
    """
    yield from _beside_prompts(name, points)
    yield from _absences(name, measures)
    yield from _jumps(name, measures, prompted)
    flickers = [
        frame
        for frame, each in measures.items()
        if each.flicker is not None
        and each.flicker > FLICKER_SHARE
        and each.area > SMALL_AREA
        and frame not in prompted
    ]
    if flickers:
        yield _problem(
            "flicker",
            name,
            flickers,
            f"the matte of {name} flickers on {{frames}} more than the plate moves: look at these frames, "
            "then lock good ones around them and track again, or give it --matte calm",
        )


def _beside_prompts(name: str, points: tuple[Point, ...]) -> Iterator[Problem]:
    outside = sorted({each.frame for each in points if each.positive and each.coverage < _INSIDE})
    if outside:
        yield _problem(
            "prompts",
            name,
            outside,
            f"the matte of {name} leaves out places that were clicked as part of it on {{frames}}: correct "
            "these frames with another click",
        )
    inside = sorted({each.frame for each in points if not each.positive and each.coverage >= _INSIDE})
    if inside:
        yield _problem(
            "prompts",
            name,
            inside,
            f"the matte of {name} covers places that were clicked as not part of it on {{frames}}: correct "
            "these frames with another click",
        )


def _absences(name: str, measures: Mapping[int, Measure]) -> Iterator[Problem]:
    empty = [frame for frame, each in sorted(measures.items()) if each.centre is None]
    if not empty:
        return
    yield _problem(
        "absent",
        name,
        empty,
        f"{name} is nowhere on {{frames}}: if it is in the picture there, click it on one of these frames; "
        "if it is hidden or out of it, accept that",
    )


def _jumps(name: str, measures: Mapping[int, Measure], prompted: frozenset[int]) -> Iterator[Problem]:
    areas, centres = [], []
    for frame, each in sorted(measures.items()):
        before = measures.get(frame - 1)
        if before is None or before.centre is None or each.centre is None or frame in prompted:
            continue
        if min(before.area, each.area) < SMALL_AREA:
            continue
        if not 1 / AREA_FACTOR <= each.area / before.area <= AREA_FACTOR:
            areas.append(frame)
        moved = each.moved or (0.0, 0.0)
        across = each.centre[0] - before.centre[0] - moved[0]
        down = each.centre[1] - before.centre[1] - moved[1]
        if (across**2 + down**2) ** 0.5 > CENTRE_SHARE * before.area**0.5:
            centres.append(frame)
    if areas:
        yield _problem(
            "area",
            name,
            areas,
            f"{name} grows or shrinks by more than {AREA_FACTOR:g} times from one frame to the next on "
            "{frames}: it may have taken in something else, or lost a part; look at these frames",
        )
    if centres:
        yield _problem(
            "jump",
            name,
            centres,
            f"the matte of {name} jumps on {{frames}}, further than the plate moves: it may have gone over "
            "to something that looks like it; look at these frames",
        )


def _problem(check: str, name: str, frames: list[int], words: str) -> Problem:
    runs = runs_of(frames)
    # Not by format: an object may be called {}.
    return Problem(check, words.replace("{frames}", shown(runs)), name, runs, Repair.ACCEPT)


def clicks_of(document: PromptDocument, name: str) -> dict[int, list[tuple[float, float, bool]]]:
    """The clicks of an object by frame: x and y in pixels, and whether they are on it."""
    ids = {info.object_id for info in document.objects if info.name == name}
    found: dict[int, list[tuple[float, float, bool]]] = {}
    for item in document.prompts:
        if item.object_id in ids:
            for click in item.clicks:
                found.setdefault(item.frame, []).append((click.x_px, click.y_px, click.positive))
    return found
