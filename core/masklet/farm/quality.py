"""Is a shot's work good enough to be used? Findings in the artist's words. Pure.

What publishing asks (:mod:`masklet.publish.checks`) is asked there and not here: this module adds what can
only be seen in the pictures. Thresholds lie above what the true masks of eighteen real sequences (DAVIS 2016,
forty frames each) do by themselves: sixteen are not talked about. A ball that vanishes behind a tree within a
frame is, and so is a flying duck on the frame on which its wings turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Optional, Union

from masklet.frame_runs import runs_of, shown
from masklet.publish.problems import Problem, Repair

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AREA_FACTOR = 1.8
"""Between one frame and the next, in either direction."""
CENTRE_SHARE = 0.45
"""Of the object's own size that its middle may move beside the plate's motion."""
FLICKER_SHARE = 0.2
"""Of the object that differs from both neighbours where these agree."""
SMALL_AREA = 3e-4
"""Of the picture: below this an object is a few pixels, and everything about it jumps."""
BOX_IOU = 0.4
"""Of a box and the matte's own box, at least: people draw boxes larger than the object."""
BESIDE_SHARE = 0.1
"""Of a matte that may lie beside the box around its object."""
AROUND_RISE = 0.25
"""By which the share that looks like the surroundings may rise over that of the prompted frames: true masks
rise by half of it, but for the duck's."""
_INSIDE = 0.5


@dataclass(frozen=True)
class Measure:
    """Measures of a matte on one frame, as ``masklet_server.farm.measuring`` makes them.

    Attributes:
        area: Share of the picture.
        centre: Shares of the longest side, from the left and from the top; None where nothing is there.
        moved: The plate's own motion inside the matte since the frame before; None where nobody knows.
        flicker: Share of the object that differs from both neighbours where these agree.
        around: Share of the matte that looks like what lay around the object where it was prompted.
    """

    area: float
    centre: Optional[tuple[float, float]] = None
    moved: Optional[tuple[float, float]] = None
    flicker: Optional[float] = None
    around: Optional[float] = None


@dataclass(frozen=True)
class Point:
    """A click or a stroke, and what the matte has there."""

    frame: int
    positive: bool
    coverage: float


@dataclass(frozen=True)
class BoxFit:
    """How a matte agrees with a box that was drawn around its object.

    Attributes:
        frame: Its frame.
        iou: Of the box and the matte's own.
        beside: Share of the matte that lies beside it.
    """

    frame: int
    iou: float
    beside: float


Agreement = Union[Point, BoxFit]


def findings(
    name: str, measures: Mapping[int, Measure], said: tuple[Agreement, ...], prompted: frozenset[int]
) -> Iterator[Problem]:
    """What is wrong with the mattes of an object.

    Args:
        name: Of the object.
        measures: By frame.
        said: What the artist said, and how the mattes agree with it.
        prompted: Frames that the artist said something on: what changes there was wanted.
    """
    yield from _beside_prompts(name, tuple(each for each in said if isinstance(each, Point)))
    yield from _beside_boxes(name, tuple(each for each in said if isinstance(each, BoxFit)))
    yield from _absences(name, measures)
    yield from _jumps(name, measures, prompted)
    yield from _surroundings(name, measures, prompted)
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


def _beside_boxes(name: str, boxes: tuple[BoxFit, ...]) -> Iterator[Problem]:
    over = sorted({each.frame for each in boxes if each.beside > BESIDE_SHARE})
    if over:
        yield _problem(
            "prompts",
            name,
            over,
            f"the matte of {name} reaches beyond the box that was drawn around it on {{frames}}: click what "
            "is not part of it, or draw the box again",
        )
    under = sorted({each.frame for each in boxes if each.iou < BOX_IOU and each.frame not in over})
    if under:
        yield _problem(
            "prompts",
            name,
            under,
            f"the matte of {name} fills only a part of the box that was drawn around it on {{frames}}: click "
            "what is missing, or draw the box again",
        )


def _surroundings(name: str, measures: Mapping[int, Measure], prompted: frozenset[int]) -> Iterator[Problem]:
    """Frames on which a matte holds what lay around the object where an artist saw it."""
    seen = [each.around for frame, each in measures.items() if frame in prompted and each.around is not None]
    if not seen:
        return
    most = max(seen) + AROUND_RISE
    found = [
        frame
        for frame, each in measures.items()
        if each.around is not None and each.around > most and each.area > SMALL_AREA and frame not in prompted
    ]
    if found:
        yield _problem(
            "surroundings",
            name,
            found,
            f"the matte of {name} holds on {{frames}} much that looks like what lies around it where it was "
            "prompted: it may have slid off, or taken in what is beside it; look at these frames",
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
