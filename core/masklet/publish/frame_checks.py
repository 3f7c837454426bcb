"""Checks of frames: is every matte there, and has somebody looked where the tracker was not sure?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from masklet.frame_runs import part_in, runs_joined, runs_minus, runs_of, shown
from masklet.holes import HoleReason
from masklet.publish.problems import Problem, Repair
from masklet.types import FrameRange, FrameState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from masklet.publish.collected import Collected, Part

_SETTLED = frozenset({FrameState.LOCKED, FrameState.CORRECTED})
"""An artist has had a hand in it."""


def range_complete(collected: Collected) -> Iterator[Problem]:
    """Every frame that was asked for has its matte, of every object, and no other frame has one."""
    if not collected.pictures:
        yield Problem(
            "range-complete",
            f"no mattes of {collected.name} are in {collected.folder.name}: write them with masklet roto",
            repair=Repair.REBUILD,
        )
    asked = collected.record.mattes.frames
    for part in collected.pictures:
        there = {frame for frame in part.paths if frame is not None}
        explained = _without_file(collected, part)
        missing = [frame for frame in range(asked.first, asked.last + 1) if frame not in there | explained]
        if missing:
            yield Problem(
                "range-complete",
                f"{part.files} has no file on {shown(runs_of(missing))}: make them again, or copy them back",
                frames=runs_of(missing),
                repair=Repair.REBUILD,
            )
        beyond = sorted(frame for frame in there if frame not in asked)
        if beyond:
            yield Problem(
                "range-complete",
                f"{part.files} has files on {shown(runs_of(beyond))}, outside of {asked.first}-{asked.last}: "
                "they are of another run; move them away, or track the whole range",
                frames=runs_of(beyond),
            )
    yield from _holes(collected)


def reviewed(collected: Collected) -> Iterator[Problem]:
    """Frames on which the object may be lost were corrected, locked, or accepted by somebody."""
    asked = collected.record.mattes.frames
    for name in collected.objects:
        uncertain, stale = [], []
        for one in collected.record.states:
            part = part_in(one.frames, asked)
            if one.name != name or part is None or FrameState.LOCKED in one.states:
                continue
            if FrameState.STALE in one.states:
                stale.append(part)
            elif FrameState.UNCERTAIN in one.states and not one.states & _SETTLED:
                uncertain.append(part)
        if stale:
            runs = runs_joined(stale)
            yield Problem(
                "reviewed",
                f"{name} was prompted anew and not tracked again on {shown(runs)}: track it again",
                name,
                runs,
                Repair.REBUILD,
            )
        if uncertain:
            runs = runs_joined(uncertain)
            yield Problem(
                "reviewed",
                f"{name} may be lost on {shown(runs)} and nobody has said that it is right: look at these "
                "frames, then correct, lock or accept them",
                name,
                runs,
                Repair.ACCEPT,
            )


def _holes(collected: Collected) -> Iterator[Problem]:
    """Frames without a matte of an object, unless the plate has no picture there."""
    grouped: dict[tuple[str, str], list[FrameRange]] = {}
    asked = collected.record.mattes.frames
    for hole in collected.record.holes:
        run = part_in(FrameRange(int(hole["first_frame"]), int(hole["last_frame"])), asked)
        told = hole["object"] in collected.objects and hole["reason"] != HoleReason.NO_PICTURE.value
        if run is not None and told:
            grouped.setdefault((str(hole["object"]), str(hole["reason"])), []).append(run)
    for (name, reason), found in grouped.items():
        runs = runs_joined(found)
        yield Problem(
            "range-complete",
            f"{name} has no matte on {shown(runs)} ({reason.replace('-', ' ')}): click and track it there, "
            "or accept that it has none",
            name,
            runs,
            Repair.ACCEPT,
        )


def _without_file(collected: Collected, part: Part) -> set[int]:
    """Frames on which no object of the part has a matte: no file is made for these."""
    record = collected.record
    asked = record.mattes.frames
    names = [name for name, layer in collected.layer_of.items() if layer in part.layers]
    empty: set[int] | None = None
    for name in names:
        own = {
            frame
            for hole in record.holes
            if hole["object"] == name
            for frame in range(int(hole["first_frame"]), int(hole["last_frame"]) + 1)
        }
        empty = own if empty is None else empty & own
    missing = runs_minus((asked,), runs_minus((asked,), runs_of(record.plate.missing_frames)))
    return (empty or set()) | {frame for run in missing for frame in range(run.first, run.last + 1)}
